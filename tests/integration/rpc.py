# SPDX-License-Identifier: Apache-2.0 - a blocking MessagePack-RPC client for the tests, written from docs/protocol.md; shares no code with ours.
import os
import socket
import time

import msgpack

CALL_SECONDS = 30


# What a client is told when leadership moves, as it does when a node that came back gets its partitions back: ask again.
ASK_AGAIN = ("busy", "disk_full", "unavailable", "unknown_outcome")


class RpcError(Exception):
    """The node answered with an error: nothing was decided by it."""

    def __init__(self, error):
        super().__init__("%s: %s" % (error.get("name"), error.get("message")))
        self.name = error.get("name")
        self.field = error.get("field")
        self.error = error


class Node:
    """One connection to one node. Any failure of the connection is an OSError."""

    def __init__(self, address, seconds=CALL_SECONDS):
        host, port = address.rsplit(":", 1)
        self.address = address
        self.calls = 0
        self.answers = msgpack.Unpacker(max_buffer_size=256 << 20)
        self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def send(self, method, params):
        self.calls += 1
        self.socket.sendall(msgpack.packb([0, self.calls, method, params]))
        return self.calls

    def receive(self):
        """The next answer: (number, error, result)."""
        while True:
            for message in self.answers:
                if len(message) != 4 or message[0] != 1:
                    raise OSError("%s: not an answer: %r" % (self.address, message))
                return message[1], message[2], message[3]
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("%s closed the connection" % self.address)
            self.answers.feed(data)

    def call(self, method, **params):
        wanted = self.send(method, params)
        while True:
            number, error, result = self.receive()
            if number == wanted:
                if error is not None:
                    raise RpcError(error)
                return result


    def ask(self, method, seconds=30, **params):
        """A call that is made again at this node while the answer is to ask again."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.call(method, **params)
            except RpcError as error:
                if error.name not in ASK_AGAIN or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


class Cluster:
    """Calls that go on at another node when one is lost: what a careful client does by hand."""

    def __init__(self, addresses):
        self.addresses = addresses
        self.at = 0
        self.node = None

    def call(self, method, seconds=60, **params):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.node is None:
                    self.node = Node(self.addresses[self.at % len(self.addresses)])
                return self.node.call(method, **params)
            except RpcError as error:
                if error.name not in ASK_AGAIN or time.monotonic() > deadline:
                    raise
                time.sleep(error.error.get("retry_after_ms", 20) / 1000)
            except OSError:
                self.leave()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def leave(self):
        """The next call goes to the next node."""
        if self.node is not None:
            self.node.close()
        self.node = None
        self.at += 1


def new_id():
    return os.urandom(16)


def must(result, status="settled"):
    if result["status"] != status:
        raise AssertionError("wanted %s, got %r" % (status, result))
    return result


def status_of(addresses):
    """{node address: status} of all nodes, or None when one does not answer."""
    try:
        found = {}
        for address in addresses:
            node = Node(address, seconds=5)
            found[address] = node.call("status")
            node.close()
        return found
    except (OSError, RpcError):
        return None
