#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - the same request id at several nodes at once, late, and with another payload; the same name by several clients.
#
#   duplicates.py first --addresses a:1,b:2,c:3 --memory FILE    sends everything, checks, and writes down what was told
#   duplicates.py late --addresses a:1,b:2,c:3 --memory FILE     later, perhaps after a restart: all of it again, told the same
import argparse
import json
import sys
import threading

from rpc import Cluster, Node, must, new_id, status_of

TRANSFERS = 30
NAMES = 30
BANK = "dup-bank"
SHOP = "dup-shop"
problems = []


def problem(text):
    problems.append(text)
    print("duplicates: " + text, file=sys.stderr)


def at_once(addresses, calls):
    """One call for each address, all at the same moment; their answers in order."""
    answers = [None] * len(addresses)
    barrier = threading.Barrier(len(addresses))

    def run(number):
        node = Node(addresses[number])
        barrier.wait()
        method, params = calls[number]
        answers[number] = node.ask(method, **params)
        node.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(addresses))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def told(result):
    """What must never change about an answer."""
    return [result["status"], result["position"], result.get("reason", {}).get("name")]


def race_transfers(addresses):
    memory = []
    for number in range(TRANSFERS):
        # Every third one is more than the shop has: refusals are remembered too.
        payer, payee = (SHOP, BANK) if number % 3 == 2 else (BANK, SHOP)
        amount = 10 ** 6 if payer == SHOP else 10 + number
        params = dict(id=new_id().hex(), payer=payer, payee=payee, amount=amount, asset="EUR")
        answers = at_once(addresses, [("transfer", params)] * len(addresses))
        if any(answer is None for answer in answers) or len({tuple(told(answer)) for answer in answers}) != 1:
            problem("one id at all nodes at once: %r" % (answers,))
            continue
        if [answer["replayed"] for answer in answers].count(False) != 1:
            problem("one id at all nodes at once: not exactly one was the first: %r" % (answers,))
        memory.append(dict(method="transfer", params=params, told=told(answers[0])))
    return memory


def race_names(addresses):
    memory = []
    for number in range(NAMES):
        calls = [("claim", dict(id=new_id().hex(), namespace="dup", name="name-%d" % number, owner="owner-%d" % n))
                 for n in range(len(addresses))]
        answers = at_once(addresses, calls)
        if any(answer is None for answer in answers):
            problem("name-%d: a claim without an answer: %r" % (number, answers))
            continue
        winners = [n for n, answer in enumerate(answers) if answer["status"] == "settled"]
        losers = [answer for answer in answers if answer.get("reason", {}).get("name") == "name_taken"]
        if len(winners) != 1 or len(losers) != len(addresses) - 1:
            problem("name-%d: wanted one winner: %r" % (number, answers))
            continue
        owner = Node(addresses[number % len(addresses)]).ask("name", namespace="dup", name="name-%d" % number)["owner"]
        if owner != "owner-%d" % winners[0]:
            problem("name-%d: owner-%d won, but %s has it" % (number, winners[0], owner))
        memory += [dict(method="claim", params=params, told=told(answer)) for (_, params), answer in zip(calls, answers)]
    return memory


def check_reuse(node, entry):
    """The id with another payload: refused, naming the field that differs, and the original stands."""
    changes = dict(payer="dup-other", payee="dup-other", amount=entry["params"].get("amount", 0) + 1, asset="USD") \
        if entry["method"] == "transfer" else dict(owner="somebody")
    for field, value in changes.items():
        result = must(node.ask(entry["method"], **dict(entry["params"], **{field: value})), "rejected")
        if (result["reason"]["name"], result["reason"].get("field")) != ("id_reused", field):
            problem("%s with another %s: %r" % (entry["params"]["id"], field, result))


def check_again(node, entry):
    result = node.ask(entry["method"], **entry["params"])
    if told(result) != entry["told"] or not result["replayed"]:
        problem("%s at %s: told %r, before it was %r" % (entry["params"]["id"], node.address, result, entry["told"]))


def check_balance(cluster, memory):
    paid = sum(entry["params"]["amount"] for entry in memory if entry["method"] == "transfer" and entry["told"][0] == "settled")
    balance = cluster.call("account", account=SHOP)["balance"]
    if balance != paid:
        problem("%s has %d, the outcomes make %d" % (SHOP, balance, paid))


def check_accounts(cluster):
    """Opening again: the same is fine, other limits are refused and named."""
    for other, field in [(dict(floor=-1), "floor"), (dict(ceiling=5), "ceiling"), (dict(asset="USD"), "asset")]:
        params = dict(account=SHOP, asset="EUR")
        params.update(other)
        result = must(cluster.call("open_account", id=new_id(), **params), "rejected")
        if (result["reason"]["name"], result["reason"].get("field")) != ("account_differs", field):
            problem("opened again with another %s: %r" % (field, result))
    must(cluster.call("open_account", id=new_id(), account=SHOP, asset="EUR"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("when", choices=["first", "late"])
    parser.add_argument("--addresses", required=True, type=lambda text: text.split(","))
    parser.add_argument("--memory", required=True)
    options = parser.parse_args()
    cluster = Cluster(options.addresses)
    if options.when == "first":
        must(cluster.call("open_account", id=new_id(), account=BANK, asset="EUR", floor=-10 ** 9))
        must(cluster.call("open_account", id=new_id(), account=SHOP, asset="EUR"))
        memory = race_transfers(options.addresses) + race_names(options.addresses)
        with open(options.memory, "w", encoding="utf-8") as out:
            json.dump(memory, out)
    with open(options.memory, encoding="utf-8") as file:
        memory = json.load(file)
    for address in options.addresses:
        node = Node(address)
        for entry in memory:
            check_again(node, entry)
        check_reuse(node, memory[0])
        check_reuse(node, memory[-1])
        node.close()
    check_accounts(cluster)
    check_balance(cluster, memory)
    if status_of(options.addresses) is None:
        problem("a node does not answer any more")
    print("duplicates: %d requests, %d problems" % (len(memory), len(problems)))
    sys.exit(1 if problems else 0)


main()
