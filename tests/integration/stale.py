#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - a leader is stopped with SIGSTOP, others take over and the balance changes; a read that waits at its door when it
# wakes up must not be answered from its old state.
#
#   stale.py --addresses a:1,b:2,c:3 --pids 11,12,13      in the order of the nodes 1, 2, 3
import argparse
import os
import signal
import sys

from rpc import Cluster, Node, RpcError, must, new_id

ROUNDS = 4


def accounts_by_partition(cluster):
    """{partition: an account that lives there}, for all partitions."""
    found = {}
    count = cluster.call("cluster")["partitions"]
    number = 0
    while len(found) < count:
        name = "stale-%d" % number
        must(cluster.call("open_account", id=new_id(), account=name, asset="EUR"))
        found.setdefault(cluster.call("account", account=name)["partition"], name)
        number += 1
    return found


def play_round(addresses, pids, accounts, expected):
    leaders = Cluster(addresses).call("cluster")["leaders"]
    partition = next(p for p, leader in enumerate(leaders) if leader)
    victim = leaders[partition] - 1
    account = accounts[partition]
    others = Cluster([address for number, address in enumerate(addresses) if number != victim])
    reader = Node(addresses[victim])
    before = reader.call("account", account=account)["balance"]
    os.kill(pids[victim], signal.SIGSTOP)
    try:
        must(others.call("transfer", id=new_id(), payer="stale-bank", payee=account, amount=5, asset="EUR", timeout_ms=2000))
        reader.send("account", dict(account=account))
    finally:
        os.kill(pids[victim], signal.SIGCONT)
    expected[account] = expected.get(account, 0) + 5
    _, error, result = reader.receive()
    if error is not None:
        raise RpcError(error)
    if result["balance"] != expected[account]:
        sys.exit("node %d led partition %d, slept, and answered %d from its old state (%d before); it was %d" %
                 (victim + 1, partition, result["balance"], before, expected[account]))
    reader.close()
    return victim


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--addresses", required=True, type=lambda text: text.split(","))
    parser.add_argument("--pids", required=True, type=lambda text: [int(pid) for pid in text.split(",")])
    options = parser.parse_args()
    cluster = Cluster(options.addresses)
    must(cluster.call("open_account", id=new_id(), account="stale-bank", asset="EUR", floor=-10 ** 9))
    accounts = accounts_by_partition(cluster)
    expected = {}
    victims = [play_round(options.addresses, options.pids, accounts, expected) + 1 for _ in range(ROUNDS)]
    print("stale: leaders that slept:", victims)


main()
