#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - clients that go away at the worst moment, and one that does not read; what they asked for is done or not, never both.
#
#   away.py --addresses a:1,b:2
#
# Each way of leaving sends one transfer; afterwards the same id must give one outcome at every node, and the balance must be what the outcomes say.
import argparse
import socket
import struct
import sys

import msgpack

from rpc import Cluster, Node, must, new_id

ROUNDS = 40


def transfer(payer="away-bank"):
    return dict(id=new_id(), payer=payer, payee="away-shop", amount=7, asset="EUR")


def leave(address, item, how):
    """Sends the transfer, or a part of it, and goes: 0 FIN at once, 1 RST at once, 2 after half of it, 3 after the answer began to come."""
    node = Node(address)
    data = msgpack.packb([0, 1, "transfer", item])
    if how == 1:
        node.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    node.socket.sendall(data[:len(data) // 2] if how == 2 else data)
    if how == 3:
        node.socket.recv(1)
    node.close()


def never_read(address, item):
    """Many calls with large answers, none of them read, then RST."""
    node = Node(address)
    node.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    node.socket.settimeout(2)
    call = msgpack.packb([0, 1, "history", dict(account="away-bank", limit=1000)])
    try:
        node.socket.sendall(msgpack.packb([0, 2, "transfer", item]))
        for _ in range(4000):
            node.socket.sendall(call)
    except OSError:
        pass  # the node stopped to read us, or cut us off: both are right
    node.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--addresses", required=True, type=lambda text: text.split(","))
    options = parser.parse_args()
    cluster = Cluster(options.addresses)
    must(cluster.call("open_account", id=new_id(), account="away-bank", asset="EUR", floor=-10 ** 9))
    must(cluster.call("open_account", id=new_id(), account="away-shop", asset="EUR"))
    items = [transfer() for _ in range(ROUNDS)]
    for number, item in enumerate(items):
        leave(options.addresses[number % len(options.addresses)], item, number % 4)
    items.append(transfer())
    never_read(options.addresses[0], items[-1])
    replayed = 0
    for item in items:
        results = [Node(address).ask("transfer", **item) for address in options.addresses]
        if any(result["status"] != "settled" for result in results) or not all(result["replayed"] for result in results[1:]):
            sys.exit("%s: %r" % (item["id"].hex(), results))
        replayed += results[0]["replayed"]
    balance = cluster.call("account", account="away-shop")["balance"]
    if balance != 7 * len(items):
        sys.exit("the balance is %d, but %d transfers of 7 settled" % (balance, len(items)))
    print("away: %d transfers, %d were known already when asked again" % (len(items), replayed))


main()
