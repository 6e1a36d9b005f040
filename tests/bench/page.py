# SPDX-License-Identifier: Apache-2.0 - the page of the figures: one table a section, plots, and on what all was measured.
import os

from plots import files
from results import summaries

HEAD = """# Benchmarks

Written by `make bench` from `benchmarks/results.tsv`, where every single run stands; not to be edited. [testing.md](testing.md), "How fast", tells how to run it.

Each run starts a cluster of real processes in a new directory, warms up for {warmup} s, measures for {seconds} s with `ordain bench`, and stops the cluster. Nodes and bench share one machine, whose free memory has been used before each run. Figures are medians of {repeats} runs, with the
lowest and the highest beside; the runs of a section alternate between its points. Every acknowledgement means: on disk, synced, on a majority; *settled* means that the outcome is known. Seed {seed}.

| | |
|---|---|
"""

COLUMNS = "| {axis} | per second | lowest to highest | p50 ms | p99 ms | p99.9 ms | node CPU us each | device bytes each | sent bytes each | resident MiB |\n|---|---|---|---|---|---|---|---|---|---|\n"
LOAD_COLUMNS = "| % of saturation | offered per second | settled per second | p50 ms | p99 ms | p99.9 ms | p99.99 ms | max ms | not begun | not settled |\n|---|---|---|---|---|---|---|---|---|---|\n"

NOTES = """
*Each* is for one settled command (or read) and one node: its processor time; the bytes that the disk's device wrote by its own count, whoever wrote them, shared by the nodes; what it sent over TCP, to other nodes and to the bench. *Resident* is the memory of the largest node at the end. `-`: nobody tells.
"""

KEYS = ("commit", "version", "date", "processor", "memory", "kernel", "file system", "sync", "free memory", "load before")


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def ms(us):
    return "-" if us is None else f"{us / 1000:,.2f}" if us < 100000 else f"{us / 1000:,.0f}"


def name_of(section, x):
    if isinstance(x, str):
        return x
    return number(x / 1e6, 0 if x % 1e6 == 0 else 1) if section.name == "ids" else number(x)


def point_row(section, s):
    low, high = s.span("per_s")
    cells = [name_of(section, s.x), number(s.median("per_s")), f"{number(low)} to {number(high)}"]
    cells += [ms(s.median(key)) for key in ("p50_us", "p99_us", "p999_us")]
    resident = s.median("resident_bytes")
    cells += [number(s.median("node_cpu_us_each"), 1), number(s.median("device_bytes_each")), number(s.median("sent_bytes_each")), number(resident / 2**20 if resident is not None else None)]
    return cells


def load_row(_section, s):
    cells = [number(s.x), number(s.median("offered_per_s")), number(s.median("per_s"))]
    cells += [ms(s.median(key)) for key in ("p50_us", "p99_us", "p999_us", "p9999_us", "max_us")]
    return cells + [number(s.median("not_begun")), number(sum(s.total(key) for key in ("refused", "unknown", "failed")))]


def problem_of(s):
    return next((row["problem"] for row in s.rows if row["problem"]), "no reason was told")


def remarks(section, found):
    """What went wrong with single runs of a section, which its medians do not show."""
    lines = []
    for s in found:
        for row in s.rows:
            if row["right"] != "yes":
                lines.append(f"- **A run is not valid**: {name_of(section, s.x)}, repeat {row['repeat']:.0f}: {row['problem']}")
        lost = sum(s.total(key) for key in ("refused", "unknown", "failed"))
        if lost > 0:
            lines.append(f"- {name_of(section, s.x)}: {number(lost)} commands of all runs were not settled: {problem_of(s)}")
    return lines


def section_text(section, rows, directory):
    found = summaries(rows, section.name)
    if not found:
        return ""
    load = section.plot == "latency"
    text = f"\n## {section.title}\n\n{section.what}\n\n" + (LOAD_COLUMNS if load else COLUMNS.format(axis=section.axis))
    for s in found:
        text += "| " + " | ".join((load_row if load else point_row)(section, s)) + " |\n"
    lines = remarks(section, found)
    text += "\n" + "\n".join(lines) + "\n" if lines else ""
    for name in files(section):
        if os.path.exists(os.path.join(directory, name)):
            text += f"\n![{section.title}](benchmarks/{name})\n"
    return text


def write(path, sections, facts, left_out, rows):
    directory = os.path.join(os.path.dirname(path), "benchmarks")
    text = HEAD.format(**{key: facts.get(key, "?") for key in ("warmup", "seconds", "repeats", "seed")})
    text += "".join(f"| {key} | {facts[key]} |\n" for key in KEYS if key in facts)
    text += NOTES
    if os.path.exists(os.path.join(os.path.dirname(path), "benchmarks-peers.md")):
        text += "\nBeside other systems, doing the same work: [benchmarks-peers.md](benchmarks-peers.md).\n"
    if left_out:
        text += "\nLeft out:\n\n" + "".join(f"- {line}\n" for line in left_out)
    text += "".join(section_text(section, rows, directory) for section in sections)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
