#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - damages records in LMDB's data.mdb, by what docs/formats.md says of them. Shares no code with ours; knows the leaf pages of LMDB 0.9.
#
#   state.py flip FILE TABLE [NUMBER [OFFSET]]   changes one bit in the value of a record of that table (the NUMBERth one that is met, from 1), in every copy that the file has
#   state.py spoil FILE TABLE [NUMBER [OFFSET]]  the same, and makes the checksum right again
#   state.py page FILE                           destroys the places of the records in every leaf page
#
# Prints the record's key in hexadecimal.
import struct
import sys

from history import crc32c

PAGE = 4096
HEAD = 16
LEAF = 0x02
LEAF2 = 0x20
BIG = 0x01


def leaves(data):
    for start in range(2 * PAGE, len(data), PAGE):
        flags, lower = struct.unpack_from("<HH", data, start + 10)
        if flags & LEAF and not flags & LEAF2 and HEAD <= lower <= PAGE:
            yield start, lower


def records(data):
    """Offset of the key, its length, offset of the value, its length."""
    for start, lower in leaves(data):
        for place in range(HEAD, lower, 2):
            node = start + struct.unpack_from("<H", data, start + place)[0]
            if node + 8 > start + PAGE:
                continue
            low, high, flags, key = struct.unpack_from("<HHHH", data, node)
            length = low | high << 16
            if not flags & BIG and node + 8 + key + length <= start + PAGE:
                yield node + 8, key, node + 8 + key, length


def is_of_table(data, table, record):
    key, key_len, value, length = record
    if length <= 4:
        return False
    whole = bytes([table]) + data[key : key + key_len] + data[value : value + length - 4]
    return crc32c(whole) == struct.unpack_from("<I", data, value + length - 4)[0]


def key_of(data, record):
    return bytes(data[record[0] : record[0] + record[1]])


def change(path, table, number, offset, mend):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    name, seen = None, set()
    for record in records(data):
        if key_of(data, record) not in seen and is_of_table(data, table, record):
            name = key_of(data, record)
            seen.add(name)
            if len(seen) == number:
                break
    for record in list(records(data)):
        if key_of(data, record) != name or not is_of_table(data, table, record):
            continue
        _, _, value, length = record
        data[value + offset] ^= 1
        if mend:
            whole = bytes([table]) + name + data[value : value + length - 4]
            struct.pack_into("<I", data, value + length - 4, crc32c(whole))
    with open(path, "wb") as file:
        file.write(data)
    print(name.hex())


def destroy(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    for start, lower in list(leaves(data)):
        for place in range(HEAD, lower, 2):
            struct.pack_into("<H", data, start + place, 0xFFF1)
    with open(path, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    if sys.argv[1] in ("flip", "spoil"):
        where = [int(word) for word in sys.argv[4:]] + [1, 1][len(sys.argv) - 4 :]
        change(sys.argv[2], int(sys.argv[3]), where[0], where[1], sys.argv[1] == "spoil")
    elif sys.argv[1] == "page":
        destroy(sys.argv[2])
    else:
        sys.exit("state.py: unknown word " + sys.argv[1])
