# SPDX-License-Identifier: GPL-2.0
"""SVG plots of the results, drawn by gnuplot."""
import subprocess

from boot import ALL
from stats import spread

COLORS = {"none": "gray50", "in-tree": "orange", "numad": "dark-violet", "async": "blue", "thread": "skyblue", "fault": "web-green",
          "hard": "black", "inverse": "red", "learn": "gold", "tasks": "dark-violet", "memory": "web-green",
          "batch16": "gold", "batch64": "web-green", "batch256": "dark-violet"}


def values(runs, contender, figure):
    return [run["contenders"].get(contender, {}).get(figure) for run in runs]


def present(runs):
    return [name for name in ALL if any(name in run["contenders"] for run in runs)]


def gnuplot(svg, width, height, lines):
    head = [f'set terminal svg size {width},{height} background "white" font "sans,12"', f'set output "{svg}"']
    subprocess.run(["gnuplot"], input="\n".join(head + lines) + "\n", text=True, check=True)


def quoted(text):
    """As gnuplot's enhanced text shows it unchanged."""
    return '"' + text.replace("_", "\\\\_").replace("@", "\\\\@") + '"'


def block(name, rows):
    return [f"${name} << EOD", *rows, "EOD"]


def curves(svg, title, runs, best):
    """Local share over time: the median over repetitions, a line per contender."""
    data, drawn = [], []
    for number, name in enumerate(present(runs)):
        lists = [curve for curve in values(runs, name, "curve") if curve]
        length = max(map(len, lists), default=0)
        points = [spread([c[i] for c in lists if i < len(c)]) for i in range(length)]
        data += block(f"d{number}", [f"{(i + 1) / length} {p['median']}" for i, p in enumerate(points) if p])
        drawn.append(f"$d{number} using 1:2 title {quoted(name)} with lines linewidth 2 linecolor rgb '{COLORS[name]}'")
    if best is not None:
        drawn.append(f"{best} title 'best reachable' with lines dashtype 2 linecolor rgb 'gray70'")
    gnuplot(svg, 900, 380, data + [
        f"set title {quoted(title)}", 'set xlabel "part of the run"', 'set ylabel "local share"', "set xrange [0:1]",
        "set yrange [0:1.05]", "set key outside right", "set grid ytics", "plot " + ", ".join(drawn)])


def bars(svg, title, ylabel, table, extra=()):
    """table: {case: {contender: value or None}}; a group of bars for each case."""
    names = [name for name in ALL if any(row.get(name) is not None for row in table.values())]
    rows = [" ".join([quoted(case), *(format(row[name], ".5g") if row.get(name) is not None else "?" for name in names)])
            for case, row in table.items()]
    drawn = [f"$table using {i + 2}{':xtic(1)' if not i else ''} title {quoted(name)} linecolor rgb '{COLORS[name]}'"
             for i, name in enumerate(names)]
    least = min((value for row in table.values() for value in row.values() if value is not None), default=0)
    gnuplot(svg, max(700, 160 + 75 * len(table)), 420, block("table", rows) + [
        f"set title {quoted(title)}", f"set ylabel {quoted(ylabel)}", "set style data histogram",
        "set style histogram clustered gap 1", "set style fill solid 0.8 noborder", 'set datafile missing "?"',
        "set xtics rotate by -35 noenhanced", "set bmargin 8", f"set yrange [{min(0, 1.1 * least):.5g}:*]", "set xzeroaxis",
        "set key outside right", "set grid ytics", *extra, "plot " + ", ".join(drawn)])


def lines_by(svg, title, xlabel, ylabel, table):
    """table: {line's name: {x: (middle, least, most)}}, drawn with bars from least to most."""
    data, drawn = [], []
    for number, (name, points) in enumerate(table.items()):
        data += block(f"d{number}", [f"{x} {p[0]} {p[1]} {p[2]}" for x, p in sorted(points.items())])
        drawn.append(f"$d{number} using 1:2:3:4 title {quoted(name)} with yerrorlines linewidth 2 pointtype 7")
    gnuplot(svg, 900, 420, data + [
        f"set title {quoted(title)}", f"set xlabel {quoted(xlabel)}", f"set ylabel {quoted(ylabel)}", "set logscale x 2",
        "set key outside right", "set grid ytics", "plot 1 notitle with lines linecolor rgb 'gray70', " + ", ".join(drawn)])
