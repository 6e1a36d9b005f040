#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - keeps a cluster busy with transfers and writes down every outcome that it was told.
#
#   load.py --addresses a:1,b:2 --out FILE [--accounts 50] [--clients 4] [--batch 50] [--batches N]
#
# Opens the accounts load-bank, load-000 .. and pays among them until SIGTERM (or N batches a client); then ends what is under way and exits with 0.
# A request without an answer is asked again with the same id, at the next node. FILE gets "id payer payee amount status reason" lines, each
# when its outcome was told.
import argparse
import random
import signal
import sys
import threading
import time

from rpc import Cluster, RpcError, must, new_id

RESOLVE_SECONDS = 90
TIMEOUT_MS = 3000  # of one call; then the outcome is unknown, and the same ids are asked again
stopping = threading.Event()
failures = []


def account_name(number):
    return "load-%03d" % number


def open_accounts(addresses, count, out):
    cluster = Cluster(addresses)
    must(cluster.call("open_account", id=new_id(), account="load-bank", asset="EUR", floor=-(10 ** 12)))
    for number in range(count):
        must(cluster.call("open_account", id=new_id(), account=account_name(number), asset="EUR"))
    items = [dict(id=new_id(), payer="load-bank", payee=account_name(number), amount=10000, asset="EUR")
             for number in range(count)]
    pay(cluster, items, out)


def pick_transfer(dice, count):
    payer, payee = dice.sample(range(count), 2)
    item = dict(id=new_id(), payer=account_name(payer), payee=account_name(payee), amount=dice.randint(1, 400), asset="EUR")
    kind = dice.randrange(20)
    if kind == 0:
        item["payee"] = "load-nobody"
    elif kind == 1:
        item["amount"] = 10 ** 9
    return item


def write_outcome(out, item, result):
    reason = result["reason"]["name"] if result["status"] == "rejected" else "-"
    out.write("%s %s %s %d %s %s\n" % (item["id"].hex(), item["payer"], item["payee"], item["amount"], result["status"], reason))


def pay(cluster, items, out):
    """Asks until every item has its outcome."""
    deadline = time.monotonic() + RESOLVE_SECONDS
    while items:
        if time.monotonic() > deadline:
            raise TimeoutError("%d requests without outcome after %d s, one is %s" % (len(items), RESOLVE_SECONDS, items[0]["id"].hex()))
        try:
            results = cluster.call("transfers", items=items, timeout_ms=TIMEOUT_MS, seconds=RESOLVE_SECONDS)
        except (RpcError, OSError) as error:
            raise TimeoutError("%d requests without outcome: %s" % (len(items), error)) from error
        left = []
        with lock:
            for item, result in zip(items, results):
                if result["status"] in ("settled", "rejected"):
                    write_outcome(out, item, result)
                else:
                    left.append(item)
            out.flush()
        if left and len(left) == len(items):
            time.sleep(0.05)
        items = left


def client(number, options, out):
    dice = random.Random(number)
    cluster = Cluster(options.addresses[number % len(options.addresses):] + options.addresses[:number % len(options.addresses)])
    done = 0
    try:
        while not stopping.is_set() and (options.batches == 0 or done < options.batches):
            pay(cluster, [pick_transfer(dice, options.accounts) for _ in range(options.batch)], out)
            done += 1
    except Exception as error:  # pylint: disable=broad-except
        failures.append("client %d: %s" % (number, error))
        stopping.set()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--addresses", required=True, type=lambda text: text.split(","))
    parser.add_argument("--out", required=True)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--batches", type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with open(options.out, "a", encoding="ascii") as out:
        open_accounts(options.addresses, options.accounts, out)
        threads = [threading.Thread(target=client, args=(n, options, out)) for n in range(options.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for failure in failures:
        print("load: " + failure, file=sys.stderr)
    sys.exit(1 if failures else 0)


lock = threading.Lock()
main()
