#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - memory that has been used before it is measured.
"""memory.py FILE [MIB]: makes free memory the page cache of FILE, up to MIB of it, and says what first use costs.

A virtual machine may give its free memory to its host and fetch it anew, page by page, as it is used. Who is measured then pays for memory what nobody pays on a machine that has been at work for a while, and most after large
files were removed. FILE is sparse and becomes longer by what it takes; nothing is written. Whoever needs memory takes it from there, since nothing is as old and as clean.
"""

import os
import sys
import time

from machine import first_value

PIECE_BYTES = 16 << 20
LEFT_PART = 32  # of all memory is left free, about as much as the system keeps free by itself
TRY_BYTES = 256 << 20  # by then it shows whether free memory becomes less: a tmpfs, for one, keeps no pages for holes
PAGE_BYTES = 4096


def meminfo_bytes(key):
    return int(first_value("/proc/meminfo", key).split()[0]) * 1024


def use_free(path, bytes_max):
    """(bytes that were used, seconds that it took)"""
    total, begin, used = meminfo_bytes("MemTotal"), time.monotonic(), 0
    first_free = meminfo_bytes("MemFree")
    fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        length = os.fstat(fd).st_size
        while used < min(bytes_max, total):
            free = meminfo_bytes("MemFree")
            if free < total // LEFT_PART or (used == TRY_BYTES and free > first_free - TRY_BYTES // 2):
                break
            os.ftruncate(fd, length + used + PIECE_BYTES)
            os.pread(fd, PIECE_BYTES, length + used)
            used += PIECE_BYTES
    finally:
        os.close(fd)
    return used, time.monotonic() - begin


def text(used, seconds):
    return f"{seconds * 1e6 / (used / PAGE_BYTES):.1f} us for 4 KiB of page cache at first use" if used > 0 else "all of it was in use"


if __name__ == "__main__":
    print(text(*use_free(sys.argv[1], int(sys.argv[2]) << 20 if len(sys.argv) > 2 else sys.maxsize)))
