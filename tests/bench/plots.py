# SPDX-License-Identifier: Apache-2.0 - plots of the sections as SVG, drawn by gnuplot.
import os
import subprocess

HEAD = """set terminal svg size 760,420 dynamic font 'sans-serif,12' background '#ffffff'
set output '{file}'
set grid lc rgb '#d0d7de'
set border 3 lc rgb '#57606a'
set tics nomirror
set xlabel '{axis}'
set key above left
"""

THROUGHPUT = """set ylabel '{what}'
set yrange [0:*]
plot $data using 1:2:3:4 with yerrorbars notitle lc rgb '#8c959f', '' using 1:2 with linespoints title 'median of {repeats}' lw 2 pt 7 ps 0.6 lc rgb '#0969da'
"""

LATENCY = """set ylabel 'milliseconds'
set logscale y
set format y '%g'
set arrow from {saturation}, graph 0 to {saturation}, graph 1 nohead dt 2 lc rgb '#57606a'
plot $data using 1:2 with linespoints title 'p50' lw 2 pt 7 ps 0.6 lc rgb '#2da44e', '' using 1:3 with linespoints title 'p99' lw 2 pt 7 ps 0.6 lc rgb '#0969da', '' using 1:4 with linespoints title 'p99.9' lw 2 pt 7 ps 0.6 lc rgb '#cf222e'
"""

DONE = """set ylabel 'settled per second'
set yrange [0:*]
plot $data using 1:5 with linespoints title 'settled' lw 2 pt 7 ps 0.6 lc rgb '#0969da', x title 'offered' dt 2 lc rgb '#57606a'
"""


def x_of(section, summary):
    return summary.x / 1e6 if section.name == "ids" else summary.x


def block(rows):
    lines = [" ".join(f"{value:.6g}" if value is not None else "NaN" for value in row) for row in rows]
    return "$data << EOD\n" + "\n".join(lines) + "\nEOD\n"


def ticks(section, values):
    named = ", ".join(f"'{value:,.0f}' {value:g}" for value in values)
    low, high = min(values), max(values)
    if section.log:
        return f"set logscale x\nset xtics ({named})\nset xrange [{low / 1.2:g}:{high * 1.2:g}]\n"
    margin = (high - low) * 0.04
    return f"set xtics ({named})\nset xrange [{low - margin:g}:{high + margin:g}]\n"


def throughput_script(section, found, repeats):
    rows = [(x_of(section, s), s.median("per_s"), *s.span("per_s")) for s in found]
    script = HEAD.format(file=f"{section.name}.svg", axis=section.axis) + ticks(section, [row[0] for row in rows])
    return block(rows) + script + THROUGHPUT.format(what="settled per second", repeats=repeats)


def load_rows(found):
    return [(s.median("offered_per_s"), *(ms(s.median(key)) for key in ("p50_us", "p99_us", "p999_us")), s.median("per_s")) for s in found]


def ms(us):
    return us / 1000 if us is not None else None


def saturation_of(found):
    """Where 100 % lies, whichever shares were measured."""
    known = [s.median("offered_per_s") / s.x * 100 for s in found if s.median("offered_per_s")]
    return sum(known) / len(known) if known else 0


def latency_script(section, found, _repeats):
    script = block(load_rows(found))
    script += HEAD.format(file=f"{section.name}.svg", axis=section.axis) + "set xrange [0:*]\n" + LATENCY.format(saturation=saturation_of(found))
    script += "unset arrow\nunset logscale y\n"
    return script + HEAD.format(file=f"{section.name}-done.svg", axis=section.axis) + DONE


SCRIPTS = {"throughput": throughput_script, "latency": latency_script}


def files(section):
    return {"throughput": [f"{section.name}.svg"], "latency": [f"{section.name}.svg", f"{section.name}-done.svg"]}.get(section.plot, [])


def draw(section, found, repeats, directory):
    """Writes the section's plots into directory. A text that says why not; "" when all is well."""
    for name in files(section):  # of other results
        if os.path.exists(os.path.join(directory, name)):
            os.unlink(os.path.join(directory, name))
    found = [s for s in found if s.median("per_s") is not None]
    if section.plot not in SCRIPTS or len(found) < 2:
        return ""
    try:
        done = subprocess.run(["gnuplot", "-"], input=SCRIPTS[section.plot](section, found, repeats), cwd=directory, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=False)
    except FileNotFoundError:
        return "no plots: there is no gnuplot; install gnuplot-nox"
    return "" if done.returncode == 0 else f"{section.name}: gnuplot: {done.stderr.strip()[-300:]}"
