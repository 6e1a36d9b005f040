# SPDX-License-Identifier: Apache-2.0 - what runs have found, as lines of a file from which page and plots can be made again.
import statistics

# Of one run. Everything "each" is for one command, and of nodes their mean.
NUMBERS = (
    "per_s", "done", "refused", "unknown", "failed", "not_begun", "offered_per_s",
    "p50_us", "p90_us", "p99_us", "p999_us", "p9999_us", "max_us",
    "node_cpu_us_each", "bench_cpu_us_each", "resident_bytes", "written_bytes_each", "device_bytes_each", "sent_bytes_each",
)  # fmt: skip
COLUMNS = ("section", "x", "repeat", "seed", "load1", "right", *NUMBERS, "problem", "args")


def mean_each(found, key, done):
    values = [node[key] for node in found["nodes"] if node[key] is not None]
    return sum(values) / len(values) / done if values and done > 0 else None


def device_each(found, done):
    values = [node["device_bytes"] / node["device_nodes"] for node in found["nodes"] if node["device_bytes"] is not None]
    return sum(values) / len(values) / done if values and done > 0 else None


def wrong_text(found):
    wrong = [f"{check['name']}: {check['text']}" for check in found["checks"] if not check["right"]]
    return "; ".join(wrong) or found["problem"]


def row_of(section, point, repeat, seed, load1, found):
    """A row from the JSON of one bench."""
    done = found["settled"] + found["reads"]
    row = {"section": section.name, "x": point.x, "repeat": repeat, "seed": seed, "load1": load1, "right": "yes" if found["right"] else "NO"}
    row.update({key: found[key] for key in NUMBERS if key in found})
    row.update(
        per_s=found["settled_per_s"] + found["reads_per_s"],
        done=done,
        offered_per_s=found["rate"],
        node_cpu_us_each=mean_each(found, "cpu_us", done),
        bench_cpu_us_each=found["bench"]["cpu_us"] / done if done > 0 else None,
        resident_bytes=max((n["resident_bytes"] for n in found["nodes"] if n["resident_bytes"] is not None), default=None),
        written_bytes_each=mean_each(found, "written_bytes", done),
        device_bytes_each=device_each(found, done),
        sent_bytes_each=mean_each(found, "sent_bytes", done),
        problem=wrong_text(found),
        args=" ".join(point.args),
    )
    return row


def failed_row(section, point, repeat, seed, load1, why):
    return {"section": section.name, "x": point.x, "repeat": repeat, "seed": seed, "load1": load1, "right": "NO", "problem": why, "args": " ".join(point.args)}


def cell(value):
    if value is None:
        return "-"
    text = f"{value:.2f}" if isinstance(value, float) and not value.is_integer() else f"{value:.0f}" if isinstance(value, float) else str(value)
    return text.replace("\t", " ").replace("\n", " ")


class Writer:
    """Every row is on disk when it is there: what a run that was cut off has measured is kept."""

    def __init__(self, path, facts):
        self.out = open(path, "w", encoding="utf-8")  # pylint: disable=consider-using-with
        for key, value in facts.items():
            self.out.write(f"# {key}: {cell(value)}\n")
        self.out.write("\t".join(COLUMNS) + "\n")
        self.out.flush()

    def add(self, row):
        self.out.write("\t".join(cell(row.get(column)) for column in COLUMNS) + "\n")
        self.out.flush()

    def note(self, text):
        """A point that was left out, and why."""
        self.out.write(f"# left out: {cell(text)}\n")
        self.out.flush()

    def close(self):
        self.out.close()


def value_of(text):
    if text == "-":
        return None
    try:
        return float(text)
    except ValueError:
        return text


def read(path):
    """(facts, what was left out, rows)"""
    facts, left_out, rows, columns = {}, [], [], None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("# left out: "):
                left_out.append(line[len("# left out: ") :])
            elif line.startswith("# "):
                key, _, value = line[2:].partition(": ")
                facts[key] = value
            elif columns is None:
                columns = line.split("\t")
            else:
                rows.append({column: value_of(text) for column, text in zip(columns, line.split("\t"))})
    return facts, left_out, rows


# What has to be the same for runs to stand in one table.
COMMON = ("commit", "processor", "memory", "kernel", "seconds", "warmup", "repeats", "seed")


def others(path, facts, sections):
    """Rows, and what was left out, of sections that are not among these. ValueError when they cannot stand beside runs of these facts."""
    before, left_out, rows = read(path)
    for key in COMMON:
        if before.get(key) != cell(facts[key]):
            raise ValueError(f"the results in {path} are of {key} {before.get(key)}, and now it is {facts[key]}")
    kept = [row for row in rows if row["section"] not in sections]
    return kept, [line for line in left_out if line.partition(":")[0] not in sections]


class Summary:
    """The runs of one point. A run that was not valid has no figures."""

    def __init__(self, rows):
        self.rows = rows
        self.x = rows[0]["x"]

    def values(self, key):
        return [row[key] for row in self.rows if row["right"] == "yes" and isinstance(row.get(key), float)]

    def median(self, key):
        values = self.values(key)
        return statistics.median(values) if values else None

    def span(self, key):
        values = self.values(key)
        return (min(values), max(values)) if values else (None, None)

    def total(self, key):
        return sum(self.values(key))


def summaries(rows, section):
    """By point, in the order in which they came."""
    points = {}
    for row in rows:
        if row["section"] == section:
            points.setdefault(row["x"], []).append(row)
    return [Summary(found) for found in points.values()]
