# SPDX-License-Identifier: Apache-2.0 - which machine, which build: without them a figure says nothing.
import os
import platform
import shutil
import subprocess
import time

PROBES = 300
PROBE_BYTES = 4096


def first_value(path, key):
    try:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(key):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return "unknown"


def memory_available_bytes():
    return int(first_value("/proc/meminfo", "MemAvailable").split()[0]) * 1024


def file_system(path):
    """Type and device of the file system that holds path: of all mounts above it the longest."""
    path, best = os.path.realpath(path), ("", "unknown", "unknown")
    with open("/proc/self/mounts", encoding="utf-8") as lines:
        for line in lines:
            device, place, kind = line.split()[:3]
            inside = path == place or path.startswith(place.rstrip("/") + "/")
            if inside and len(place) >= len(best[0]):
                best = (place, kind, device)
    return f"{best[1]} on {best[2]}"


def sync_text(path):
    """How long a small write and its fdatasync take here: what no acknowledgement can be faster than."""
    times = []
    name = os.path.join(path, f"ordain-bench-probe-{os.getpid()}")
    fd = os.open(name, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600)
    try:
        os.pwrite(fd, bytes(PROBE_BYTES * PROBES), 0)
        os.fsync(fd)
        for i in range(PROBES):
            begin = time.monotonic()
            os.pwrite(fd, b"x" * PROBE_BYTES, i * PROBE_BYTES)
            os.fdatasync(fd)
            times.append(time.monotonic() - begin)
    finally:
        os.close(fd)
        os.unlink(name)
    times.sort()
    return f"4 KiB written and synced in {times[len(times) // 2] * 1e6:.0f} us (median), {times[len(times) * 99 // 100] * 1e6:.0f} us (p99)"


def commit(root):
    def git(*words):
        return subprocess.run(["git", "-C", root, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()

    # The page and its plots are what this makes: they do not make the tree another one.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/benchmarks.md", ":!docs/benchmarks")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + (" with changes" if changed else "")


def facts(root, ordain, where):
    version = subprocess.run([ordain, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    return {
        "commit": commit(root),
        "version": version,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": f"{os.cpu_count()} x {first_value('/proc/cpuinfo', 'model name')}",
        "memory": f"{int(first_value('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.1f} GiB",
        "kernel": platform.release(),
        "file system": f"{file_system(where)}, {shutil.disk_usage(where).free / 2**30:.0f} GiB free",
        "sync": sync_text(where),
        "load before": " ".join(f"{n:.2f}" for n in os.getloadavg()),
    }
