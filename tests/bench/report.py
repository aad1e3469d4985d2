# SPDX-License-Identifier: GPL-2.0
"""performance.md with its plots, and results.json, from the files of the boots."""
import json
import re

import plots
from figures import HELP
from plots import present, values
from stats import meets, paired_ratio, spread

OURS = "async"

# Headings, figures and formats of a case's three tables.
TABLES = [
    [("local", "local", "{:.3f}"), ("last tenth", "local_last", "{:.3f}"), ("converged after", "converged", "{:.0f}"),
     ("memory time", "memory_time", "{:.3f}"), ("time", "time", "{:.3f}")],
    [("kernel/user", "kernel_per_user", "{:.3f}"), ("kernel time", "kernel_time", "{:.3f}"),
     ("faults/GiB", "faults_per_gib", "{:.0f}"), ("planted/GiB", "planted_per_gib", "{:.0f}"),
     ("moved/must", "moved_per_must", "{:.2f}"), ("moved", "moved", "{:.0f}"), ("wrong", "wrong_share", "{:.3f}"),
     ("TLB IPIs/GiB", "ipis_per_gib", "{:.0f}"), ("KVM invalidations/GiB", "invalidations_per_gib", "{:.0f}")],
    [("fault p50", "stall_p50", "{:.0f}"), ("p99", "stall_p99", "{:.0f}"), ("p99.9", "stall_p999", "{:.0f}"),
     ("max", "stall_max", "{:.0f}"), ("waiting p99", "wait_p99", "{:.0f}"), ("other p99.9", "kernel_p999", "{:.0f}"),
     ("node changes", "changes_of_node", "{:.0f}"), ("CPU time min/mean", "cpu_fairness", "{:.3f}"),
     ("progress min/mean", "progress_fairness", "{:.3f}"), ("twins", "twins", "{:.3f}"), ("idle", "idle_share", "{:.3f}")],
]

# Compared in pairs, less is better: (figure, whom with, upper bound that is wanted). None: no bound, to be read.
LIMITS = [
    ("time", "none", 1.01), ("time", "in-tree", 1.02), ("time", "numad", None), ("time", "hard", None),
    ("memory_time", "in-tree", 1.0), ("kernel_per_user", "in-tree", 1.0), ("faults", "in-tree", 1.0),
    ("stall_p999", "in-tree", 1.0), ("converged", "in-tree", 0.5),
]

# What counts as a loss: these figures, against these.
LOSSES = [("time", "none"), ("time", "in-tree"), ("time", "numad"), ("memory_time", "none"), ("memory_time", "in-tree"),
          ("memory_time", "hard"), ("faults", "in-tree"), ("stall_p999", "in-tree"), ("kernel_p999", "in-tree"),
          ("changes_of_node", "in-tree"), ("idle_share", "none"), ("converged", "in-tree")]

WORDS = {"time": "modelled time", "memory_time": "memory time", "kernel_per_user": "kernel per user instruction",
         "faults": "hinting faults", "stall_p999": "p99.9 of page faults", "kernel_p999": "p99.9 of other stays in the kernel",
         "changes_of_node": "changes of node", "idle_share": "idle CPU time", "converged": "time to converge"}


def load(results, name):
    """All repetitions of a case."""
    return [json.loads(path.read_text()) for path in sorted(results.glob(f"{name}.[0-9]*.json"))]


def cell(runs, contender, figure, form):
    found = spread(values(runs, contender, figure))
    if not found:
        return "never" if figure == "converged" else "-"
    text = form.format(found["median"])
    if figure == "converged" and found["n"] < len(runs):
        text += f" ({found['n']} of {len(runs)})"
    elif form.format(found["min"]) != form.format(found["max"]):
        text += f" ({form.format(found['min'])}..{form.format(found['max'])})"
    return text


def placed_between(runs, contender):
    """0: as the inverse bind, 1: as the hard bind, in memory time; one for each repetition."""
    found = []
    for run in runs:
        times = {name: figures["memory_time"] for name, figures in run["contenders"].items()}
        if {"hard", "inverse", contender} <= set(times) and times["inverse"] != times["hard"]:
            found.append((times["inverse"] - times[contender]) / (times["inverse"] - times["hard"]))
    return spread(found)


def markdown(rows):
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def case_table(runs, columns, between):
    rows = [["", *(heading for heading, _, _ in columns), *(["inverse 0, hard 1"] if between else [])]]
    for name in present(runs):
        row = [name, *(cell(runs, name, figure, form) for _, figure, form in columns)]
        if between:
            place = placed_between(runs, name)
            row.append(f"{place['median']:.2f}" if place else "-")
        rows.append(row)
    return markdown(rows)


def ratio(runs, figure, theirs, ours=OURS):
    return paired_ratio(values(runs, ours, figure), values(runs, theirs, figure))


def said(found):
    return f"{found['ratio']:.3f} (to {found['upper95']:.3f})"


def limit_table(all_runs):
    rows = [["case", *(f"{WORDS[figure]} / {theirs}" + (f" <= {limit}" if limit else "") for figure, theirs, limit in LIMITS)]]
    for name, runs in all_runs.items():
        row = [name]
        for figure, theirs, limit in LIMITS:
            found = ratio(runs, figure, theirs)
            mark = "" if limit is None or not found else " met" if meets(found, limit) else " **no**"
            row.append(said(found) + mark if found else "-")
        rows.append(row)
    return markdown(rows)


def losses(all_runs):
    """Sentences, the largest loss first. One that the pairs do not show for sure says so."""
    found = []
    for name, runs in all_runs.items():
        for figure, theirs in LOSSES:
            r = ratio(runs, figure, theirs)
            if r and r["ratio"] > 1.005:
                sure = "" if r["lower95"] > 1 else "; not sure, the lower bound is " + format(r["lower95"], ".3f")
                found.append((r["ratio"], f"{name}: {WORDS[figure]} {r['ratio']:.3f} times {theirs}'s "
                              f"(upper bound {r['upper95']:.3f}{sure})"))
        never = sum(v is None for v in values(runs, OURS, "converged"))
        if never and never > sum(v is None for v in values(runs, "hard", "converged")):
            found.append((100, f"{name}: not converged in {never} of {len(runs)} runs"))
    return [text for _, text in sorted(found, reverse=True)]


def medians(all_runs, figure):
    return {name: {c: (s["median"] if (s := spread(values(runs, c, figure))) else None) for c in present(runs)}
            for name, runs in all_runs.items()}


def draw_all(out, all_runs):
    place = {name: {c: (p["median"] if (p := placed_between(runs, c)) else None) for c in present(runs)}
             for name, runs in all_runs.items()}
    place = {name: row for name, row in place.items() if any(v is not None for v in row.values())}
    if place:
        plots.bars(out / "between.svg", "memory time between inverse (0) and hard bind (1)", "place", place)
    plots.bars(out / "time.svg", "modelled time of all CPUs, per user miss", "local misses", medians(all_runs, "time"))
    plots.bars(out / "cost.svg", "modelled kernel time, per user miss", "local misses", medians(all_runs, "kernel_time"))
    for name, runs in all_runs.items():
        plots.curves(out / f"{name}.svg", f"{name}: local share, median of {len(runs)}", runs, best_of(runs))


def by_nodes(all_runs):
    """{workload: {nodes: runs}} of what was measured on several sizes of machine, whose nodes are all alike."""
    found = {}
    for runs in all_runs.values():
        nodes, _, cpus = runs[0]["machine"].partition("x")
        if cpus.isdigit() and not runs[0]["thp"]:
            found.setdefault(runs[0]["workload"], {})[int(nodes)] = runs
    return {name: sizes for name, sizes in found.items() if len(sizes) > 2}


def worker_over_fault(sizes, figure):
    """{nodes: (ratio, lower bound, upper bound)}: migrate=async over migrate=fault."""
    ratios = {nodes: ratio(runs, figure, "fault") for nodes, runs in sizes.items()}
    return {nodes: (r["ratio"], r["lower95"], r["upper95"]) for nodes, r in ratios.items() if r}


def worker_section(all_runs, out):
    """The worker against the fault path, by size of machine: a plot for each figure."""
    lines = []
    for figure in ("time", "memory_time", "kernel_per_user", "stall_p999"):
        table = {name: points for name, sizes in by_nodes(all_runs).items() if (points := worker_over_fault(sizes, figure))}
        if table:
            plots.lines_by(out / f"worker-{figure}.svg", f"{WORDS[figure]}: worker over fault path (95 % bounds)", "nodes",
                           "async / fault", table)
            lines.append(f"![{WORDS[figure]}](plots/worker-{figure}.svg)\n")
    return ["", "## Worker or fault?", "", "Below 1 the worker is better.", "", *lines] if lines else []


def best_of(runs):
    """Computed; for real programs what the hard bind reached."""
    best = next(iter(runs[0]["contenders"].values()))["best"]
    if best is None and (hard := spread(values(runs, "hard", "local"))):
        return hard["median"]
    return best


def case_section(name, runs):
    computed = next(iter(runs[0]["contenders"].values()))["best"] is not None
    best = best_of(runs)
    reach = "" if best is None else f" Best local share{'' if computed else ', of the hard bind'}: {best:.3f}."
    out = ["", f"## {name}", "", f"{runs[0]['description']}{reach} {len(runs)} repetitions: median (least..most).", ""]
    for columns in TABLES:
        out += [case_table(runs, columns, columns is TABLES[0]), ""]
    return out + [f"![local share](plots/{name}.svg)"]


HEAD = """\
# Measured

Written by `make bench` from the run named below. Do not edit: run it again.

The machine is emulated (docs/measuring.md): counts are exact, time is a model that was chosen, and nothing here is a
hardware figure. All contenders ran in the same boot, one after the other, in an order that rotates; a pair is two
contenders of one boot. Ratios are geometric means of the pairs, "to" is the upper 95 % bound; a limit counts as met
when that bound meets it.
"""


def calibration_section(results, all_runs):
    """What the meter read of a known program when the run was over: the worst line of each machine."""
    found = []
    for machine in dict.fromkeys(runs[0]["machine"] for runs in all_runs.values()):
        path = results / f"calibration.{machine}.txt"
        if path.exists():
            commit, *lines = path.read_text().splitlines()
            found.append(f"- {machine} ({commit}): {len(lines)} probes; " + max(lines, key=off_by, default="none"))
    return ["", "## Calibration after the run", "", "The probe that was farthest off.", "", *found] if found else []


def off_by(line):
    """How far a probe's reading is from what was expected: "from node 0: 99.98 % local (100.00 expected), ..."."""
    found = re.search(r": ([0-9.]+) % local \(([0-9.]+) expected", line)
    return abs(float(found[1]) - float(found[2])) if found else float("inf")


def page(results, all_runs, plots_dir):
    sources = sorted({json.dumps(run["provenance"]) for runs in all_runs.values() for run in runs})
    out = [HEAD]
    out += ["- " + ", ".join(f"{key}: {value}" for key, value in json.loads(source).items()) for source in sources]
    out += ["", "## What it loses", "", f"`{OURS}` against the others, largest first.", ""]
    out += [f"- {text}" for text in losses(all_runs)] or ["- Nothing in this set."]
    out += ["", "## Limits", "", limit_table(all_runs), ""]
    out += [f"![{words}](plots/{name}.svg)\n" for name, words in
            (("between", "between inverse and hard bind"), ("time", "modelled time"), ("cost", "modelled kernel time"))]
    out += worker_section(all_runs, plots_dir)
    for name, runs in all_runs.items():
        out += case_section(name, runs)
    out += calibration_section(results, all_runs)
    out += ["", "## Figures", "", markdown([["figure", "what it is"], *([k, v] for k, v in HELP.items() if v)])]
    return "\n".join(out) + "\n"


def write(results, names, out):
    """performance.md, plots and results.json of these cases."""
    all_runs = {name: runs for name in names if (runs := load(results, name))}
    if not all_runs:
        print("bench: nothing was measured")
        return
    (out / "plots").mkdir(parents=True, exist_ok=True)
    draw_all(out / "plots", all_runs)
    (out / "performance.md").write_text(page(results, all_runs, out / "plots"))
    (out / "results.json").write_text(json.dumps([run for runs in all_runs.values() for run in runs], indent=1))
    print_short(all_runs)
    print(f"\nbench: {out}/performance.md, results.json and plots")


def print_short(all_runs):
    for name, runs in all_runs.items():
        print(f"\n{name}")
        for contender in present(runs):
            figures = [("local", "{:.3f}"), ("local_last", "{:.3f}"), ("time", "{:.2f}"), ("kernel_per_user", "{:.3f}"),
                       ("faults", "{:.0f}"), ("moved", "{:.0f}")]
            cells = [f"{figure} {cell(runs, contender, figure, form)}" for figure, form in figures]
            print(f"  {contender:8}", "  ".join(cells))
    lost = losses(all_runs)
    print("\nWhat it loses:", *(lost or ["nothing in this set"]), sep="\n  ")
