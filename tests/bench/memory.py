#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - memory that has been used before it is measured.
"""memory.py FILE [MIB]: makes free memory the page cache of FILE, up to MIB of it, and says what first use costs.

A virtual machine may give its free memory to its host and fetch it anew, page by page, as it is used. Who is measured then pays for memory what nobody pays on a machine that has been at work for a while, and most after large
files were removed. FILE is sparse and becomes longer by what it takes; nothing is written. Whoever needs memory takes it from there, since nothing is as old and as clean.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from machine import first_value

PIECE_BYTES = 16 << 20
THREADS_MAX = 8
LEFT_PART = 32  # of all memory is left free, about as much as the system keeps free by itself
TRY_BYTES = 256 << 20  # by then it shows whether the page cache becomes larger: a tmpfs, for one, keeps no pages for holes
PAGE_BYTES = 4096


def meminfo_bytes(key):
    return int(first_value("/proc/meminfo", key).split()[0]) * 1024


def use_free(path, bytes_max):
    """(bytes that were used, seconds that it took, of one processor)"""
    begin, used = time.monotonic(), 0
    total = meminfo_bytes("MemTotal")
    first_cached, threads = meminfo_bytes("Cached"), min(os.cpu_count() or 1, THREADS_MAX)
    step = threads * PIECE_BYTES
    fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        length = os.fstat(fd).st_size
        with ThreadPoolExecutor(threads) as pool:
            while used + step <= min(bytes_max, total):
                if meminfo_bytes("MemFree") < total // LEFT_PART:
                    break
                if TRY_BYTES <= used < TRY_BYTES + step and meminfo_bytes("Cached") < first_cached + TRY_BYTES // 2:
                    break
                os.ftruncate(fd, length + used + step)
                list(pool.map(lambda at: os.pread(fd, PIECE_BYTES, at), range(length + used, length + used + step, PIECE_BYTES)))
                used += step
    finally:
        os.close(fd)
    return used, (time.monotonic() - begin) * threads


def text(used, seconds):
    return f"{seconds * 1e6 / (used / PAGE_BYTES):.1f} us for 4 KiB of page cache at first use" if used > 0 else "all of it was in use"


if __name__ == "__main__":
    print(text(*use_free(sys.argv[1], int(sys.argv[2]) << 20 if len(sys.argv) > 2 else sys.maxsize)))
