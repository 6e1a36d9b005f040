#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - speaks nonsense to a port, in every way we could think of; the node behind it must not mind.
#
#   garbage.py client HOST:PORT              the port for clients: what must be answered is checked
#   garbage.py peer HOST:PORT                the port for other nodes: every connection must end without harm
#   garbage.py member HOST:PORT IDENTITY     the same port, as the node whose data directory has this file 'identity': it is let in, then it raves
#
# Prints a line for each thing that came out otherwise; exit status 1 then.
import os
import random
import socket
import struct
import sys
import time
import uuid

import msgpack

SECONDS = 15
FRAME_LIMIT = 4 << 20  # of the client protocol (docs/protocol.md)
problems = []


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS)


def send_all(connection, data):
    """A node may close before it took all: that is its right."""
    try:
        connection.sendall(data)
    except OSError:
        pass


def read_to_end(connection):
    """(bytes, closed): everything until the other side closes, or SECONDS of silence."""
    data = b""
    try:
        while True:
            more = connection.recv(65536)
            if not more:
                return data, True
            data += more
    except socket.timeout:
        return data, False
    except OSError:
        return data, True


def answers_in(data):
    unpacker = msgpack.Unpacker(max_buffer_size=64 << 20)
    unpacker.feed(data)
    return list(unpacker)


def expect_error(address, what, data, name, closes):
    """Sends bytes; wants one answer with that error, and the connection closed or still of use."""
    connection = connect(address)
    send_all(connection, data)
    if closes:
        got, closed = read_to_end(connection)
        if not closed:
            problems.append("%s: the connection stays open" % what)
        answers = answers_in(got)
    else:
        answers = []
        unpacker = msgpack.Unpacker()
        send_all(connection, msgpack.packb([0, 77, "cluster", {}]))
        try:
            while len(answers) < 2:
                more = connection.recv(65536)
                if not more:
                    problems.append("%s: the connection was closed" % what)
                    break
                unpacker.feed(more)
                answers += list(unpacker)
        except socket.timeout:
            problems.append("%s: no answer to a good call after it" % what)
    connection.close()
    names = [answer[2].get("name") for answer in answers if answer[0] == 1 and answer[2] is not None]
    if name is not None and names != [name]:
        problems.append("%s: wanted the error %s, got %r" % (what, name, answers))


def call_bytes(method, params, number=5):
    return msgpack.packb([0, number, method, params])


def transfer(**changes):
    params = dict(id=os.urandom(16), payer="a", payee="b", amount=1, asset="EUR")
    params.update(changes)
    return call_bytes("transfer", params)


def wrong_calls(address):
    good = os.urandom(16)
    for what, data, name in [
            ("unknown method", call_bytes("transferr", {}), "unknown_method"),
            ("unknown field", transfer(ammount=1), "unknown_field"),
            ("missing field", call_bytes("transfer", dict(id=good, payer="a", payee="b", asset="EUR")), "missing_field"),
            ("amount zero", transfer(amount=0), "invalid_field"),
            ("amount negative", transfer(amount=-1), "invalid_field"),
            ("amount over 2^63-1", transfer(amount=1 << 63), "invalid_field"),
            ("amount a text", transfer(amount="ten"), "invalid_field"),
            ("amount a fraction", transfer(amount=1.5), "invalid_field"),
            ("payer is payee", transfer(payee="a"), "invalid_field"),
            ("id too short", transfer(id=b"123"), "invalid_field"),
            ("id all zero", transfer(id=bytes(16)), "invalid_field"),
            ("asset too long", transfer(asset="E" * 17), "invalid_field"),
            ("payer empty", transfer(payer=""), "invalid_field"),
            ("payer too long", transfer(payer="p" * 65), "invalid_field"),
            ("timeout over its limit", transfer(timeout_ms=60001), "invalid_field"),
            ("name not UTF-8", b"\x94\x00\x05\xa5claim\x84\xa2id\xc4\x10" + good +
             b"\xa9namespace\xa1n\xa4name\xa2\xff\xfe\xa5owner\xa1o", "invalid_field"),
            ("name too long", call_bytes("claim", dict(id=good, namespace="n", name="x" * 256, owner="o")), "invalid_field"),
            ("params a number", call_bytes("transfer", 5), None),
            ("batch empty", call_bytes("transfers", dict(items=[])), "invalid_field"),
            ("batch over its limit", call_bytes("transfers", dict(items=[{}] * 10001)), None),
            ("another cluster", call_bytes("cluster", dict(cluster_id=good)), "wrong_cluster"),
            ("read of nothing", call_bytes("account", dict(account="nobody-%s" % good.hex())), "not_found"),
    ]:
        expect_error(address, what, data, name, closes=False)


def broken_streams(address):
    expect_error(address, "not a request", msgpack.packb({"hello": 1}), "invalid_request", closes=True)
    expect_error(address, "an array of the wrong length", msgpack.packb([0, 1]), "invalid_request", closes=True)
    expect_error(address, "HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "invalid_request", closes=True)
    expect_error(address, "bytes that MessagePack does not have", b"\xc1" * 64, "invalid_request", closes=True)
    big = b"\x94\x00\x01\xa8transfer" + b"\xdb" + struct.pack(">I", FRAME_LIMIT * 2) + b"x" * (FRAME_LIMIT + 70000)
    expect_error(address, "a frame over the limit", big, "too_large", closes=True)
    deep = b"\x94\x00\x01\xa8transfer" + b"\x91" * 200000
    expect_error(address, "nesting without end", deep, None, closes=True)
    connection = connect(address)
    send_all(connection, b"\xdd\xff\xff\xff\xff\x00\x00")  # an array of four thousand million items begins
    connection.close()


def random_streams(address):
    dice = random.Random(1)
    for _ in range(60):
        connection = connect(address)
        send_all(connection, dice.randbytes(dice.randrange(1, 5000)))
        connection.close()


def half_messages(address):
    whole = transfer()
    for cut in range(1, len(whole), 5):
        connection = connect(address)
        send_all(connection, whole[:cut])
        connection.close()
    connection = connect(address)  # one byte at a time is a whole message too
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in call_bytes("cluster", {}):
        send_all(connection, bytes([byte]))
        time.sleep(0.001)  # so that the bytes travel one by one
    unpacker = msgpack.Unpacker()
    try:
        unpacker.feed(connection.recv(65536))
        answer = next(iter(unpacker))
        if answer[2] is not None:
            problems.append("one byte at a time: %r" % (answer,))
    except (OSError, StopIteration):
        problems.append("one byte at a time: no answer")
    connection.close()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


HELLO, WELCOME, PARTS, MEMBER = 1, 2, 4, 5  # kinds of frames (docs/formats.md)
PEER_PROTOCOL = 7


def frame(kind, body, length=None, crc=None):
    head = struct.pack("<IB", len(body) if length is None else length, kind)
    rest = head + struct.pack("<I", crc32c(head))[:3] + body
    return b"ORDF" + struct.pack("<I", crc32c(rest) if crc is None else crc) + rest


def greeting(cluster, node, incarnation, partitions, to, member=0):
    return struct.pack("<H16sI16sIHHIQB", PEER_PROTOCOL, cluster, node, incarnation, partitions, 0, 1, to, member, 0)


def peer_port(address):
    for what, data in [
            ("a client's calls", call_bytes("cluster", {}) * 8),
            ("HTTP", b"GET / HTTP/1.1\r\n\r\n"),
            ("zeros", bytes(4096)),
            ("all ones", b"\xff" * 4096),
            ("a greeting over the limit", frame(HELLO, b"", length=1 << 31)),
            ("a greeting with a wrong checksum", frame(HELLO, greeting(bytes(16), 2, bytes(16), 8, 1), crc=7)),
            ("a greeting that is too short", frame(HELLO, b"1")),
            ("a greeting of another cluster", frame(HELLO, greeting(bytes(16), 2, bytes(16), 8, 1))),
            ("a greeting that names more nodes than there can be", frame(HELLO, greeting(bytes(16), 2, bytes(16), 8, 1)[:-1] + b"\xff" + bytes(900))),
            ("parts without a greeting", frame(PARTS, b"\x01\x00\x00\x00\x00")),
            ("an unknown kind of frame", frame(99, b"")),
    ]:
        connection = connect(address)
        send_all(connection, data)
        if not read_to_end(connection)[1]:
            problems.append("%s on the port for nodes: the connection stays open" % what)
        connection.close()
    random_streams(address)
    whole = frame(HELLO, greeting(bytes(16), 2, bytes(16), 8, 1))
    for cut in range(1, len(whole), 7):
        connection = connect(address)
        send_all(connection, whole[:cut])
        connection.close()
    idle = [connect(address) for _ in range(20)]  # says nothing at all
    for connection in idle:
        connection.close()


def read_identity(path):
    with open(path, encoding="ascii") as lines:
        return dict(line.strip().split(" = ") for line in lines)


def enter(address, identity):
    """A connection that is let in as that node."""
    connection = connect(address)
    hello = greeting(uuid.UUID(identity["cluster_id"]).bytes, int(identity["node"]), uuid.UUID(identity["incarnation"]).bytes,
                     int(identity["partitions"]), 0, int(identity["node"]))
    connection.sendall(frame(HELLO, hello))
    answer = connection.recv(4096)
    if len(answer) < 16 or answer[:4] != b"ORDF" or answer[12] != WELCOME:
        problems.append("a member was not let in: %r" % answer)
    return connection


def member_raves(address, identity):
    """Frames that are whole and in order, with parts that are not: all ones are partitions, numbers and lengths that do not exist."""
    for kind in list(range(32)) + [255]:
        for length in (0, 1, 3, 4, 12, 24, 40, 64, 200):
            connection = enter(address, identity)
            send_all(connection, frame(PARTS, struct.pack("<BI", kind, length) + b"\xff" * length))
            send_all(connection, frame(PARTS, struct.pack("<BI", kind, length) + b"\xff" * length, length=5 + length))
            connection.close()
    for what, data in [
            ("a part that is longer than its frame", frame(PARTS, struct.pack("<BI", 1, 1 << 30))),
            ("a frame over the limit", frame(PARTS, b"", length=0xffffffff)),
            ("a wrong checksum", frame(PARTS, b"", crc=1)),
            ("a second greeting", frame(HELLO, b"")),
            ("a member of another node", frame(MEMBER, struct.pack("<Q", 77))),
            ("a member of another incarnation", frame(MEMBER, struct.pack("<Q", 1 << 40 | int(identity["node"])))),
            ("half a member", frame(MEMBER, b"\x01\x00\x00")),
    ]:
        connection = enter(address, identity)
        send_all(connection, data)
        if not read_to_end(connection)[1]:
            problems.append("%s: the member's connection stays open" % what)
        connection.close()


def main():
    kind, address = sys.argv[1:3]
    if kind == "client":
        wrong_calls(address)
        broken_streams(address)
        half_messages(address)
        random_streams(address)
    elif kind == "peer":
        peer_port(address)
    else:
        member_raves(address, read_identity(sys.argv[3]))
    for problem in problems:
        print("garbage: " + problem[:600])
    sys.exit(1 if problems else 0)


main()
