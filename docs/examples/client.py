#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - a MessagePack-RPC client that is not ours: opens two accounts and transfers.
# Debian: apt install python3-msgpack; then: client.py HOST:PORT (of any node, 'ordain cluster status' shows them)
import socket
import sys
import uuid

import msgpack

host, port = sys.argv[1].rsplit(":", 1)
node = socket.create_connection((host.strip("[]"), int(port)), timeout=30)
answers = msgpack.Unpacker()
calls = 0


def call(method, **params):
    global calls
    calls += 1
    node.sendall(msgpack.packb([0, calls, method, params]))
    while True:
        for kind, number, error, result in answers:
            if kind == 1 and number == calls:
                print(method, params.get("account", ""), "->", error or result)
                return result if error is None else sys.exit(1)
        answers.feed(node.recv(65536) or sys.exit("the node closed the connection"))


call("open_account", id=uuid.uuid4().bytes, account="py-bank", asset="EUR", floor=-1000000)
call("open_account", id=uuid.uuid4().bytes, account="py-shop", asset="EUR")
payment = dict(id=str(uuid.uuid4()), payer="py-bank", payee="py-shop", amount=1250, asset="EUR")
first = call("transfer", **payment)
again = call("transfer", **payment)
call("account", account="py-shop")
sys.exit(0 if first["status"] == again["status"] == "settled" and again["replayed"] else 1)
