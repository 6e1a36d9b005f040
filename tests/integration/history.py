#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - makes files of history from what docs/formats.md says, and damages them. Shares no code with ours.
#
#   history.py make DIR SEED     a data directory: partition 0 in three files (blocks 1 2 3, 4 5, 6 7 8), partition 1 in one (1 2); beside it, for each
#                                partition N, DIR/../dump.N (what `ordain log dump` must print), DIR/../chain.N, and DIR/../blocks.N (file, offset, length, first and
#                                last position of each block)
#   history.py flip FILE OFFSET  changes one bit
#   history.py cut FILE LENGTH
import hashlib
import os
import random
import struct
import sys
from datetime import datetime, timezone

CLUSTER = bytes.fromhex("0e420190b5f07c4e7a118f0001234567")
FILES = {0: [[1, 2, 3], [4, 5], [6, 7, 8]], 1: [[1, 2]]}


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ 0x82F63B78 if byte & 1 else byte >> 1
        table.append(byte)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def zstd(content):
    """A frame of RFC 8878 that compresses nothing: one segment, its length in 4 bytes, raw blocks."""
    frame = struct.pack("<IBI", 0xFD2FB528, 0xA0, len(content))
    pieces = [content[i : i + 65536] for i in range(0, len(content), 65536)]
    for i, piece in enumerate(pieces):
        frame += struct.pack("<I", len(piece) << 3 | (i + 1 == len(pieces)))[:3] + piece
    return frame


def text8(text):
    data = text.encode()
    return bytes([len(data)]) + data


def id_text(raw):
    h = raw.hex()
    return "-".join([h[:8], h[8:12], h[12:16], h[16:20], h[20:]])


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def refusal_name(number):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../partition/refusals.def"), encoding="utf-8") as lines:
        return next(line.split('"')[1] for line in lines if line.startswith(f"X({number}, "))


REASON = 4
REASON_NAME = refusal_name(REASON)


class Partition:
    def __init__(self, number, seed):
        self.number = number
        self.random = random.Random(seed * 1000 + number)
        self.index, self.term, self.position = 1, 1, 0
        self.time_us = 1700000000000000
        self.chain = bytes(32)
        self.message = 0
        self.lines = []
        self.blocks = []

    def transfer(self):
        names = ["alice", "bob", 'a "quoted" one', "back\\slash", "größe", "shop"]
        payer, payee = self.random.sample(names, 2)
        amount = self.random.randint(1, 2**63 - 1)
        body = text8(payer) + text8(payee) + struct.pack("<q", amount) + text8("EUR")
        return body, f'payer={quoted(payer)} payee={quoted(payee)} amount={amount} asset="EUR"'

    def letter(self):
        """One message from another partition."""
        raw, kind = self.random.randbytes(16), self.random.choice([1, 2, 3, 4])
        names = {1: "debit", 2: "credit", 3: "refund", 4: "outcome"}
        data = bytes([kind]) + raw + struct.pack("<I", 5)
        words = f"{names[kind]} {id_text(raw)} home=5"
        if kind >= 3:
            data += struct.pack("<H", 0 if kind == 4 else REASON)
            words += " reason=none" if kind == 4 else f" reason={REASON_NAME}"
        if kind <= 3:
            body, fields = self.transfer()
            data, words = data + body, words + " " + fields
        return data, words

    def command(self):
        """Bytes, kind, id, fields."""
        raw = self.random.randbytes(16)
        which = self.random.randint(0, 5)
        if which == 0:
            count = self.random.randint(1, 4)
            letters = [self.letter() for _ in range(count)]
            data = b"".join(letter[0] for letter in letters)
            first, self.message = self.message + 1, self.message + count
            words = f"source=7 first={first} count={count} messages=[" + "; ".join(letter[1] for letter in letters) + "]"
            return bytes([16]) + struct.pack("<IQII", 7, first, count, len(data)) + data, "deliver", "-", words
        if which == 1:
            return bytes([17]) + struct.pack("<IQ", 9, self.index), "trim", "-", f"destination=9 upto={self.index}"
        if which == 2:
            data = text8("alice") + text8("EUR") + struct.pack("<qq", -5, 2**63 - 1)
            return bytes([1]) + raw + data, "open_account", id_text(raw), f'account="alice" asset="EUR" floor=-5 ceiling={2**63 - 1}'
        if which == 3:
            return bytes([2]) + raw + text8("bob") + bytes([2]), "set_account", id_text(raw), 'account="bob" state=frozen'
        if which == 4:
            data = text8("users") + text8("tab\there") + text8("ada")
            return bytes([4]) + raw + data, "claim", id_text(raw), 'namespace="users" name="tab\\x09here" owner="ada"'
        data, words = self.transfer()
        return bytes([3]) + raw + data, "transfer", id_text(raw), words

    def entry(self):
        self.index += self.random.randint(1, 3)
        self.term += self.random.random() < 0.2
        self.time_us += self.random.randint(0, 10**7)
        count = self.random.randint(1, 5)
        data = struct.pack("<HHIQ", 1, 1, count, self.time_us)
        moment = datetime.fromtimestamp(self.time_us // 10**6, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        for _ in range(count):
            command, kind, name, words = self.command()
            data += command
            self.lines.append(
                f"{self.number}:{self.position}\t{self.index}.{self.term}\t{moment}.{self.time_us % 10**6:06}Z\t{kind}\t{name}\t{words}"
            )
            self.position += 1
        self.chain = hashlib.sha256(self.chain + data).digest()
        return struct.pack("<QQI", self.index, self.term, len(data)) + data

    def block(self, number):
        first_position, chain_before = self.position, self.chain
        entries, places = [], []
        for _ in range(self.random.randint(1, 20)):
            entries.append(self.entry())
            places.append((self.index, self.term, self.time_us))
        content = b"".join(entries)
        stored = zstd(content)
        head = struct.pack("<II16sQ", 1, self.number, CLUSTER, number)
        head += struct.pack("<QQQQ", places[0][0], places[-1][0], places[0][1], places[-1][1])
        head += struct.pack("<QIIQQ", first_position, self.position - first_position, len(entries), places[0][2], places[-1][2])
        head += chain_before + self.chain + struct.pack("<IIIIQ", len(content), len(stored), crc32c(stored), 0, 0)
        return b"oHB\x7f" + struct.pack("<I", crc32c(head)) + head + stored, first_position

    def write(self, directory):
        os.makedirs(directory)
        for numbers in FILES[self.number]:
            path = os.path.join(directory, f"{numbers[0]:020}.hist")
            data = b"ordhis\r\n" + struct.pack("<II16sQ20x", 1, self.number, CLUSTER, numbers[0])
            data += struct.pack("<I", crc32c(data))
            for number in numbers:
                block, first = self.block(number)
                self.blocks.append(f"{path} {len(data)} {len(block)} {first} {self.position - 1}")
                data += block
            with open(path, "wb") as out:
                out.write(data)


def make(data_dir, seed):
    os.makedirs(data_dir)
    with open(os.path.join(data_dir, "identity"), "w", encoding="utf-8") as out:
        out.write(f"format = 1\ncluster_id = {id_text(CLUSTER)}\nnode = 1\n")
    for number in FILES:
        partition = Partition(number, seed)
        partition.write(os.path.join(data_dir, "history", str(number)))
        for name, lines in {"dump": partition.lines, "chain": [partition.chain.hex()], "blocks": partition.blocks}.items():
            with open(os.path.join(data_dir, "..", f"{name}.{number}"), "w", encoding="utf-8") as out:
                out.write("\n".join(lines) + "\n")


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "flip":
        flip(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "cut":
        os.truncate(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(f"history.py: unknown word {sys.argv[1]}")
