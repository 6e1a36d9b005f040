#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - after load.py: does the cluster still say what it said, and is every cent where the outcomes put it?
#
#   verify.py --addresses a:1,b:2,c:3 --outcomes FILE [--seconds 60] [--some]
#
# 1. All replicas of every partition come to the same position, with the same digest and history hash, and nothing is unsettled.
# 2. Every outcome that was told is told again, at every node, as a replay.
# 3. Balances and numbers of postings recomputed from the outcomes are what every node reads; each asset sums to zero. With --some there were more than FILE has: they only sum to zero.
import argparse
import collections
import sys
import time

from rpc import ASK_AGAIN, Node, RpcError, status_of

REFUNDED = ("unknown_payee", "payee_not_open", "payee_other_asset", "above_ceiling")
BATCH = 1000
problems = []


def problem(text):
    problems.append(text)
    if len(problems) <= 20:
        print("verify: " + text, file=sys.stderr)


def read_outcomes(path):
    outcomes = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            request, payer, payee, amount, status, reason = line.split()
            known = outcomes.setdefault(request, (payer, payee, int(amount), status, reason))
            if known != (payer, payee, int(amount), status, reason):
                problem("%s was told as %s and as %s" % (request, known[3:], (status, reason)))
    return outcomes


def replicas_of(statuses):
    """{partition: {address: replica}}"""
    found = collections.defaultdict(dict)
    for address, status in statuses.items():
        for replica in status["replicas"]:
            found[replica["partition"]][address] = replica
    return found


def at_rest(statuses):
    """Why the cluster is not at rest yet, None when it is."""
    for partition, replicas in replicas_of(statuses).items():
        if len({(replica["position"], replica["applied_index"]) for replica in replicas.values()}) != 1:
            return "partition %d: positions %s" % (partition, {a: r["position"] for a, r in replicas.items()})
        if any(replica["unsettled"] for replica in replicas.values()):
            return "partition %d: unsettled %s" % (partition, {a: r["unsettled"] for a, r in replicas.items()})
    return None


def check_replicas(addresses, seconds):
    deadline = time.monotonic() + seconds
    why = "a node does not answer"
    while time.monotonic() < deadline:
        statuses = status_of(addresses)
        why = at_rest(statuses) if statuses else "a node does not answer"
        if why is None:
            break
        time.sleep(0.1)
    if why is not None:
        return problem("not at rest after %d s: %s" % (seconds, why))
    for partition, replicas in sorted(replicas_of(statuses).items()):
        for key in ("digest", "history_hash", "requests", "accounts"):
            if len({replica[key] for replica in replicas.values()}) != 1:
                problem("partition %d: %s differs: %s" % (partition, key, {a: r[key] for a, r in replicas.items()}))
    return None


def undecided(result):
    return result["status"] == "failed" and result["error"]["name"] in ASK_AGAIN


def transfers(node, items, seconds=30):
    """The results of all items, asked again while they are not decided."""
    deadline = time.monotonic() + seconds
    results = node.call("transfers", items=items)
    while any(undecided(result) for result in results) and time.monotonic() < deadline:
        time.sleep(0.05)
        places = [place for place, result in enumerate(results) if undecided(result)]
        for place, result in zip(places, node.call("transfers", items=[items[place] for place in places])):
            results[place] = result
    return results


def ask_again(node, items, outcomes):
    for item, result in zip(items, transfers(node, items)):
        _, _, _, status, reason = outcomes[item["id"].hex()]
        told = result["reason"]["name"] if result["status"] == "rejected" else "-"
        if (result["status"], told) != (status, reason) or not result.get("replayed"):
            problem("%s: %s told %r, before it was %s %s" % (item["id"].hex(), node.address, result, status, reason))


def check_outcomes(node, outcomes):
    items = [dict(id=bytes.fromhex(request), payer=payer, payee=payee, amount=amount, asset="EUR")
             for request, (payer, payee, amount, _, _) in outcomes.items()]
    for first in range(0, len(items), BATCH):
        ask_again(node, items[first:first + BATCH], outcomes)


def recompute(outcomes):
    balances = collections.Counter()
    postings = collections.Counter()
    for payer, payee, amount, status, reason in outcomes.values():
        if status == "settled":
            balances[payer] -= amount
            balances[payee] += amount
            postings[payer] += 1
            postings[payee] += 1
        elif reason in REFUNDED:
            postings[payer] += 2
    return balances, postings


def check_balances(node, outcomes, some):
    balances, postings = recompute(outcomes)
    total = 0
    for account in sorted(balances):
        found = node.ask("account", account=account)
        total += found["balance"]
        if some:
            continue
        if found["balance"] != balances[account]:
            problem("%s at %s: balance %d, recomputed %d" % (account, node.address, found["balance"], balances[account]))
        if found["postings"] != postings[account]:
            problem("%s at %s: %d postings, recomputed %d" % (account, node.address, found["postings"], postings[account]))
    if total != 0:
        problem("%s: balances sum to %d" % (node.address, total))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--addresses", required=True, type=lambda text: text.split(","))
    parser.add_argument("--outcomes", required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--some", action="store_true")
    options = parser.parse_args()
    outcomes = read_outcomes(options.outcomes)
    if not outcomes:
        problem("there are no outcomes to verify")
    try:
        check_replicas(options.addresses, options.seconds)
        for address in options.addresses:
            node = Node(address)
            check_outcomes(node, outcomes)
            check_balances(node, outcomes, options.some)
            node.close()
        check_replicas(options.addresses, options.seconds)
    except (OSError, RpcError) as error:
        problem("a call failed: %s" % error)
    kinds = collections.Counter(status for _, _, _, status, _ in outcomes.values())
    print("verify: %d outcomes (%d settled, %d rejected), %d problems" % (len(outcomes), kinds["settled"], kinds["rejected"], len(problems)))
    sys.exit(1 if problems else 0)


main()
