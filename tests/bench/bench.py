#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - measures the standard table and writes its page, plots and results.
"""make bench calls this; --help says what can be asked. Exit status 1: a run was not valid (money or names were wrong, or it did not end), or a plot was not drawn;
2: what was asked for cannot be."""

import argparse
import os
import shutil
import signal
import sys

import machine
import memory
import page
import plots
import results
from cluster import Cluster, Failed
from table import MANY_CLIENTS, SECTIONS, Point

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUN_BESIDE_S = 4  # to start a cluster, open accounts, check, stop
FILL = ("--workload", "claims", "--batch", "5000", "--clients", "4")


def arguments():
    names = " ".join(section.name for section in SECTIONS)
    p = argparse.ArgumentParser(description="Measures the standard table on clusters of its own.")
    p.add_argument("--build", default="build", help="where the programs are [build]")
    p.add_argument("--seconds", type=int, default=20, help="measured in each run [20]")
    p.add_argument("--warmup", type=int, default=3, help="seconds of load before [3]")
    p.add_argument("--repeats", type=int, default=5, help="runs of each point [5]")
    p.add_argument("--seed", type=int, default=1, help="of the first repeat; the next one has the next [1]")
    p.add_argument("--sections", default=names, help=f"which, with a space between [{names}]")
    p.add_argument("--accounts-max", type=int, default=10**7, help="leaves out points with more accounts [10000000]")
    p.add_argument("--ids-max", type=int, default=5 * 10**7, help="leaves out points with more stored request ids [50000000]")
    p.add_argument("--out", default=os.path.join(ROOT, "docs"), help="where benchmarks.md and benchmarks/ go [docs]")
    p.add_argument("--tmp", default=os.environ.get("TMPDIR", "/tmp"), help="where the clusters are [TMPDIR, or /tmp]")
    p.add_argument("--memory-max", type=int, default=2**30, help="MiB of free memory that are used before each run, so that no run is the first to use them; 0: none [all]")
    p.add_argument("--keep", action="store_true", help="keeps what OUT/benchmarks/results.tsv has of other sections: of the same commit, machine, seconds ...")
    p.add_argument("--redraw", action="store_true", help="measures nothing: page and plots from OUT/benchmarks/results.tsv")
    o = p.parse_args()
    for name, least in (("seconds", 1), ("warmup", 0), ("repeats", 1), ("seed", 0), ("accounts_max", 2), ("ids_max", 0), ("memory_max", 0)):
        if getattr(o, name) < least:
            p.error(f"--{name.replace('_', '-')} is {getattr(o, name)}; give at least {least}")
    unknown = [name for name in o.sections.split() if name not in names.split()]
    if unknown or not o.sections.split():
        p.error(f"--sections: there is no section '{' '.join(unknown)}'; there are {names}")
    o.ordain = os.path.join(o.build, "ordain")
    o.memory = os.path.join(o.tmp, f"ordain-bench-memory-{os.getpid()}")
    if not o.redraw and not os.access(o.ordain, os.X_OK):
        p.error(f"--build: there is no {o.ordain}; run make first")
    if o.redraw and not os.path.exists(os.path.join(o.out, "benchmarks", "results.tsv")):
        p.error(f"--redraw: there are no results in {os.path.join(o.out, 'benchmarks')}; run make bench first")
    o.sections = [section for section in SECTIONS if section.name in o.sections.split()]
    return o


def too_large(o, section, point):
    """Why the point cannot be measured here; "" when it can."""
    if section.of_accounts and point.accounts > o.accounts_max:
        return f"{point.accounts:,} accounts: more than --accounts-max {o.accounts_max:,}"
    if point.ids > o.ids_max:
        return f"{point.ids:,} stored request ids: more than --ids-max {o.ids_max:,}"
    if not point.is_filled():
        return ""
    memory, disk = machine.memory_available_bytes(), shutil.disk_usage(o.tmp).free
    if point.memory_bytes() > memory * 0.9:
        return f"{point.accounts:,} accounts and {point.ids:,} ids: some {point.memory_bytes() / 2**30:.0f} GiB of memory, and there are {memory / 2**30:.0f}"
    if point.disk_bytes() > disk * 0.9:
        return f"{point.accounts:,} accounts and {point.ids:,} ids: some {point.disk_bytes() / 2**30:.0f} GiB of disk, and there are {disk / 2**30:.0f}"
    return ""


class Bench:
    def __init__(self, o, writer):
        self.o = o
        self.writer = writer
        self.saturation = 0  # transfers per second, of the repeat under way
        self.failures = 0

    def run(self, point, seed):
        words = ["--seconds", str(self.o.seconds * point.times), "--warmup", f"{point.warmup_s(self.o.warmup)}s", "--seed", str(seed), "--accounts", str(point.accounts), *point.args]
        if point.share:
            words += ["--rate", str(max(1, int(self.saturation * point.share)))]
        memory.use_free(self.o.memory, self.o.memory_max << 20)
        with Cluster(self.o.build, self.o.tmp, point.nodes, point.partitions, point.configuration, point.shards) as cluster:
            if point.ids > 0:
                self.fill(cluster, point.ids)
            return cluster.bench(*words)

    @staticmethod
    def fill(cluster, ids):
        found = cluster.bench("--count", str(ids), *FILL)
        if found["settled"] != ids or not found["right"]:
            raise Failed(f"{found['settled']} of {ids} claims were settled before: {results.wrong_text(found)}")

    def measure(self, section, point, repeat):
        """One run, into the results."""
        seed, load1 = self.o.seed + repeat - 1, os.getloadavg()[0]
        try:
            found = self.run(point, seed)
            row = results.row_of(section, point, repeat, seed, load1, found)
        except Failed as failed:
            row = results.failed_row(section, point, repeat, seed, load1, str(failed))
        self.writer.add(row)
        self.show(row)

    def show(self, row):
        told = f"{row['section']} {row['x']}, repeat {row['repeat']}"
        if row["right"] != "yes":
            self.failures += 1
            print(f"not ok {told}: {row['problem']}", flush=True)
        else:
            print(f"ok {told}: {row['per_s']} per second, p50 {row['p50_us'] / 1000:.2f} ms, p99 {row['p99_us'] / 1000:.2f} ms", flush=True)

    def saturate(self, section):
        """What as many clients as help get done: to this the offered load relates."""
        try:
            self.saturation = self.run(Point("saturation", MANY_CLIENTS), self.o.seed)["settled_per_s"]
        except Failed as failed:
            self.saturation = 0
            self.failures += 1
            print(f"not ok {section.name}: {failed}", flush=True)
            self.writer.note(f"{section.name}: {failed}")

    def section(self, section):
        points = []
        for point in section.points:
            why = too_large(self.o, section, point)
            if why:
                self.writer.note(f"{section.name}: {why}")
                print(f"left out: {section.name}: {why}", flush=True)
            else:
                points.append(point)
        for repeat in range(1, self.o.repeats + 1):
            if any(point.share for point in points):
                self.saturate(section)
            for point in points:
                if not point.share or self.saturation > 0:
                    self.measure(section, point, repeat)


def page_make(o):
    """Page and plots from the results. How many plots were not drawn."""
    directory = os.path.join(o.out, "benchmarks")
    facts, left_out, rows = results.read(os.path.join(directory, "results.tsv"))
    wrong = 0
    for section in SECTIONS:
        why = plots.draw(section, results.summaries(rows, section.name), facts.get("repeats", "?"), directory)
        if why:
            wrong += 1
            print(f"not ok {why}", flush=True)
    page.write(os.path.join(o.out, "benchmarks.md"), SECTIONS, facts, left_out, rows)
    return wrong


def measure_all(o):
    try:
        return measure_sections(o)
    finally:
        if os.path.exists(o.memory):
            os.unlink(o.memory)


def measure_sections(o):
    facts = machine.facts(ROOT, o.ordain, o.tmp)
    facts["free memory"] = memory.text(*memory.use_free(o.memory, o.memory_max << 20)) if o.memory_max > 0 else "as it was"
    facts.update(seconds=o.seconds, warmup=o.warmup, repeats=o.repeats, seed=o.seed)
    path = os.path.join(o.out, "benchmarks", "results.tsv")
    kept, left_out = [], []
    if o.keep and os.path.exists(path):
        kept, left_out = results.others(path, facts, [section.name for section in o.sections])
    writer = results.Writer(path, facts)
    for line in left_out:
        writer.note(line)
    for row in kept:
        writer.add(row)
    bench = Bench(o, writer)
    points = [point for section in o.sections for point in section.points]
    seconds = sum(o.seconds * point.times + point.warmup_s(o.warmup) + RUN_BESIDE_S for point in points)
    print(f"at most {o.repeats * len(points)} runs, some {o.repeats * seconds // 60} minutes, and the time to store request ids and to open many accounts", flush=True)
    try:
        for section in o.sections:
            bench.section(section)
    finally:
        writer.close()
    return bench.failures


def ended(number, _frame):
    sys.exit(128 + number)  # by way of every "finally": clusters are stopped


def main():
    o = arguments()
    signal.signal(signal.SIGTERM, ended)
    os.makedirs(os.path.join(o.out, "benchmarks"), exist_ok=True)
    failures = 0 if o.redraw else measure_all(o)
    wrong = page_make(o)
    print(f"{os.path.join(o.out, 'benchmarks.md')} is written; {failures} runs were not valid")
    return 1 if failures + wrong > 0 else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, ValueError) as problem:
        print(f"bench.py: {problem}", file=sys.stderr)
        sys.exit(2)
