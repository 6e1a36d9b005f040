#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - changes one bit in a file of a node's data directory, at a place of which kind is chosen by what docs/formats.md and LMDB's format say. Shares no code with ours.
#
#   bits.py wal DATA sealed|newest           in the middle of a record of a sealed segment; in one of the segment that is written, before its last batch
#   bits.py entry DATA PART                  of the newest entries with commands in the log one in the middle: check, length, index, payload; batch: the header of the batch that it is in; last: the last batch of all
#   bits.py state DATA KIND                  of the largest state: value, leaf (a page's header), pointer (of a node in it), shrunk (nodes less in it), branch (a child's number: none there is), child (the number of another
#                                            page), separator (the key that leads to a child), meta (both pages); cut: the file to its half
#   bits.py history DATA oldest|newest       in the oldest file of partition 0; in the newest one
#   bits.py text FILE                        in the middle of a text file
#   bits.py well                             reads `ordain cluster status --json`: exits 0 when all is well
import glob
import json
import os
import struct
import sys

PAGE = 4096
BRANCH, LEAF, OVERFLOW = 1, 2, 4


def flip(path, offset, bit=0):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))
        os.fsync(file.fileno())
    print(f"flipped bit {bit} of {path} at {offset}")


def batches(path):
    """Offset and length of each batch of a segment. Behind its end, and in a file that was renamed and not written yet, there may be others, which count for nothing."""
    with open(path, "rb") as file:
        data = file.read()
    offset, found = 64, []
    if data[32:40] != struct.pack("<Q", int(os.path.basename(path)[:16], 16)):
        return found
    while data[offset : offset + 4] == b"oBA\x7f":
        length = struct.unpack_from("<I", data, offset + 16)[0]
        found.append((offset, length))
        offset += 32 + length
    return found


def wal(data, which):
    segments = sorted(glob.glob(os.path.join(data, "wal", "*.wal")))
    path = segments[-2] if which == "sealed" and len(segments) > 1 else segments[-1]
    found = batches(path)
    if which == "newest" and len(found) < 3:
        path = segments[-2]
        found = batches(path)
    offset, length = found[len(found) // 2]
    flip(path, offset + 32 + length // 2)


def records(path):
    """Offset of each record that is an entry with commands or a copy of one, and of the batch that it is in."""
    with open(path, "rb") as file:
        data = file.read()
    found = []
    for batch, length in batches(path):
        at = batch + 32
        while at < batch + 32 + length:
            inner = at + 32 if data[at + 12] == 3 else at
            if data[inner + 12] == 1 and data[inner + 13] == 1:
                found.append((at, batch))
            at += 32 + struct.unpack_from("<I", data, at + 4)[0]
    return found


def entry(data, part):
    path = max(path for path in glob.glob(os.path.join(data, "wal", "*.wal")) if records(path))
    found = records(path)
    at, batch = found[len(found) * 2 // 3]
    if part == "last":
        flip(path, batches(path)[-1][0] + 32 + 5, 4)
    else:
        flip(path, {"check": at, "length": at + 5, "index": at + 24, "payload": at + 40, "batch": batch + 16}[part], 4)


def pages(path):
    with open(path, "rb") as file:
        data = file.read()
    metas = [data[i * PAGE : (i + 1) * PAGE] for i in (0, 1)]
    newest = max(metas, key=lambda m: struct.unpack_from("<Q", m, 16 + 24 + 2 * 48 + 8)[0])
    return data, newest


def nodes(page):
    lower = struct.unpack_from("<H", page, 12)[0]
    return [struct.unpack_from("<H", page, 16 + 2 * i)[0] for i in range((lower - 16) // 2)]


def walk(data, number, found):
    """All pages below one, by their kinds."""
    page = data[number * PAGE : (number + 1) * PAGE]
    flags = struct.unpack_from("<H", page, 10)[0]
    if flags & BRANCH:
        found.append(("branch", number))
        for at in nodes(page):
            low, high, more = struct.unpack_from("<HHH", page, at)
            walk(data, low | high << 16 | more << 32, found)
    elif flags & LEAF:
        found.append(("leaf", number))


def tables(data, meta):
    """The roots of the tables, largest first."""
    root = struct.unpack_from("<Q", meta, 16 + 24 + 48 + 40)[0]
    page = data[root * PAGE : (root + 1) * PAGE]
    roots = []
    for at in nodes(page):
        key_len = struct.unpack_from("<H", page, at + 6)[0]
        record = page[at + 8 + key_len : at + 8 + key_len + 48]
        entries, table = struct.unpack_from("<QQ", record, 32)
        if table != 2**64 - 1:
            roots.append((entries, table))
    return [table for _, table in sorted(roots, reverse=True)]


def state(data, kind):
    path = max(glob.glob(os.path.join(data, "state", "*", "data.mdb")), key=lambda p: ".aside" not in p and ".new" not in p and os.path.getsize(p))
    if kind == "cut":
        os.truncate(path, os.path.getsize(path) // 2 // PAGE * PAGE)
        print(f"cut {path} to its half")
        return
    if kind == "meta":
        for number in (0, 1):
            flip(path, number * PAGE + 16 + 1, 3)
        return
    content, meta = pages(path)
    found = []
    for root in tables(content, meta):
        walk(content, root, found)
    leaves = [number for what, number in found if what == "leaf"]
    leaf = leaves[len(leaves) // 2]
    page = content[leaf * PAGE : (leaf + 1) * PAGE]
    if kind == "value":
        at = nodes(page)[0]
        key_len = struct.unpack_from("<H", page, at + 6)[0]
        flip(path, leaf * PAGE + at + 8 + key_len + 4)
    elif kind == "leaf":
        flip(path, leaf * PAGE + 12 + 1, 2)
    elif kind == "pointer":
        flip(path, leaf * PAGE + 16 + 1, 7)
    elif kind == "shrunk":
        lower = struct.unpack_from("<H", page, 12)[0]
        bit = (lower & -lower).bit_length() - 1
        flip(path, leaf * PAGE + 12 + bit // 8, bit % 8)
    elif kind in ("branch", "child", "separator"):
        branch = next(number for what, number in found if what == "branch")
        page = content[branch * PAGE : (branch + 1) * PAGE]
        at = nodes(page)
        flip(path, branch * PAGE + at[len(at) // 2] + {"branch": 2, "child": 0, "separator": 8}[kind], 1)


def history(data, which):
    files = sorted(glob.glob(os.path.join(data, "history", "0", "*.hist")))
    path = files[0] if which == "oldest" else files[-1]
    flip(path, 300)


def well():
    status = json.load(sys.stdin)
    bad = []
    for partition in status["partitions"]:
        if len(partition["replicas"]) != 3 or not partition.get("agree", True):
            bad.append(f"partition {partition['partition']}: replicas {len(partition['replicas'])}, agree {partition.get('agree')}")
        for replica in partition["replicas"]:
            if replica["comparison"] != "equal":
                bad.append(f"partition {partition['partition']}, node {replica['node']}: {replica['comparison']}")
        indexes = [replica["applied_index"] for replica in partition["replicas"]]
        if max(indexes) - min(indexes) > 200:
            bad.append(f"partition {partition['partition']}: applied {indexes}")
    print("\n".join(bad))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    words = {"wal": wal, "entry": entry, "state": state, "history": history}
    if sys.argv[1] in words:
        words[sys.argv[1]](sys.argv[2], sys.argv[3])
    elif sys.argv[1] == "text":
        flip(sys.argv[2], os.path.getsize(sys.argv[2]) // 2)
    elif sys.argv[1] == "well":
        well()
    else:
        sys.exit(f"bits.py: unknown word {sys.argv[1]}")
