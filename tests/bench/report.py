# SPDX-License-Identifier: GPL-2.0
"""performance.md with its plots, and results.json, from the files of the boots."""
import json
import re

import plots
from boot import BATCHES
from figures import HELP
from plots import present, values
from stats import meets, paired_ratio, spread

OURS = "async"  # the module as it comes
ENOUGH = 3  # repetitions

# Headings, figures and formats of a case's tables.
TABLES = [
    [("local", "local", "{:.3f}"), ("last tenth", "local_last", "{:.3f}"), ("converged after", "converged", "{:.0f}"),
     ("memory time", "memory_time", "{:.3f}"), ("time", "time", "{:.3f}"),
     ("all through", "whole_time", "{:.2f}")],
    [("kernel/user", "kernel_per_user", "{:.3f}"), ("kernel time", "kernel_time", "{:.3f}"),
     ("moved/must", "moved_per_must", "{:.2f}"), ("moved", "moved", "{:.0f}"), ("wrong", "wrong_share", "{:.3f}"),
     ("judged", "judged_share", "{:.2f}"), ("scan ms", "scan_ms", "{:.0f}"), ("scan us/pass", "scan_us_per_pass", "{:.0f}")],
    [("per GiB placed: faults", "faults_per_gib", "{:.0f}"), ("planted", "planted_per_gib", "{:.0f}"),
     ("TLB IPIs", "tlb_shootdowns_per_gib", "{:.0f}"), ("KVM invalidations", "invalidations_per_gib", "{:.0f}"),
     ("per GiB of the program: faults", "faults_per_program_gib", "{:.0f}"), ("planted", "planted_per_program_gib", "{:.0f}"),
     ("TLB IPIs", "tlb_shootdowns_per_program_gib", "{:.0f}"),
     ("KVM invalidations", "invalidations_per_program_gib", "{:.0f}")],
    [("fault p50", "stall_p50", "{:.0f}"), ("p99", "stall_p99", "{:.0f}"), ("p99.9", "stall_p999", "{:.0f}"),
     ("max", "stall_max", "{:.0f}"), ("all/user", "stall_share", "{:.3f}"), ("waiting p99", "wait_p99", "{:.0f}"),
     ("other p99.9", "kernel_p999", "{:.0f}"), ("node changes", "changes_of_node", "{:.0f}"), ("CPU time min/mean", "cpu_fairness", "{:.3f}"),
     ("progress min/mean", "progress_fairness", "{:.3f}"), ("twins", "twins", "{:.3f}"), ("idle", "idle_share", "{:.3f}")],
]

# Compared in pairs, less is better: (figure, whom with, upper bound that is wanted). None: no bound, to be read.
LIMITS = [
    ("time", "none", 1.01), ("time", "in-tree", 1.02), ("time", "numad", None), ("time", "hard", None),
    ("memory_time", "in-tree", 1.0), ("kernel_per_user", "in-tree", 1.0), ("faults", "in-tree", 1.0),
    ("stall_p999", "in-tree", 1.0), ("converged_at_least", "in-tree", 0.5),
]

# What counts as a loss: these figures, against these.
LOSSES = [("time", "none"), ("time", "in-tree"), ("time", "numad"), ("whole_time", "none"), ("whole_time", "in-tree"),
          ("whole_time", "numad"), ("memory_time", "none"), ("memory_time", "in-tree"),
          ("memory_time", "hard"), ("faults", "in-tree"), ("stall_p999", "in-tree"), ("stall_share", "in-tree"),
          ("kernel_p999", "in-tree"),
          ("changes_of_node", "in-tree"), ("idle_share", "none"), ("converged_at_least", "in-tree"),
          ("kernel_per_user", "in-tree"), ("kernel_time", "in-tree"), ("wait_p99", "in-tree"), ("wrong_moves", "in-tree"),
          ("tlb_shootdowns", "in-tree"), ("invalidations", "in-tree"), ("cpu_fairness", "none"),
          ("cpu_fairness", "in-tree"), ("progress_fairness", "none"), ("progress_fairness", "in-tree"), ("twins", "none"),
          ("twins", "in-tree")]

MORE_IS_BETTER = {"cpu_fairness", "progress_fairness"}

# What is less counts as this much in a ratio, so that a loss against a zero is seen, and none against next to nothing.
LEAST = {"faults": 1, "changes_of_node": 1, "wrong_moves": 100, "tlb_shootdowns": 1, "invalidations": 1, "idle_share": 0.01,
         "cpu_fairness": 0.01, "progress_fairness": 0.01, "twins": 0.01}

WORDS = {"time": "modelled time", "whole_time": "time until all were through", "memory_time": "memory time",
         "kernel_per_user": "kernel per user instruction",
         "faults": "hinting faults", "stall_p999": "p99.9 of page faults", "kernel_p999": "p99.9 of other stays in the kernel",
         "changes_of_node": "changes of node", "idle_share": "idle CPU time", "converged_at_least": "time to converge",
         "kernel_time": "modelled kernel time", "stall_share": "all page faults over user instructions",
         "wait_p99": "p99 of page faults that wait", "wrong_moves": "wrong moves",
         "tlb_shootdowns": "TLB shootdown interrupts", "invalidations": "MMU-notifier invalidations",
         "cpu_fairness": "CPU time of the thread that got least", "progress_fairness": "progress of the slowest thread",
         "twins": "spread of the twins"}


def load(results, names, commit=None):
    """{case: its repetitions} that one commit has measured: this one, or if it has none, the one that was measured last.
    Second, how many boots of other commits are there."""
    paths = [(name, path) for name in names for path in sorted(results.glob(f"{name}.[0-9]*.json"))]
    found = [(name, path.stat().st_mtime, json.loads(path.read_text())) for name, path in paths]
    if found and commit not in {run["provenance"]["commit"] for _, _, run in found}:
        commit = max(found, key=lambda one: one[1])[2]["provenance"]["commit"]
    all_runs = {}
    for name, _, run in found:
        if run["provenance"]["commit"] == commit:
            all_runs.setdefault(name, []).append(run)
    return all_runs, len(found) - sum(map(len, all_runs.values()))


def repetitions(runs, wanted):
    return f"{len(runs)} of {max(wanted, len(runs))} repetitions" + (" (too few)" if len(runs) < ENOUGH else "")


def cell(runs, contender, figure, form):
    found = spread(values(runs, contender, figure))
    if not found:
        # Without a best share nobody knows.
        known = figure == "converged" and any(v is not None for v in values(runs, contender, "converged_at_least"))
        return "never" if known else "-"
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
    return paired_ratio(values(runs, ours, figure), values(runs, theirs, figure), LEAST.get(figure, 0))


def bound(found, which="upper95", words="to"):
    return f"{words} {found[which]:.3f}" if found["pairs"] > 1 else "1 run, no bound"


def said(found):
    lost = f", {found['pairs']} of {found['pairs'] + found['lost']} pairs" if found["lost"] else ""
    return f"{found['ratio']:.3f} ({bound(found)}{lost})"


def limit_table(all_runs):
    rows = [["case", *(f"{WORDS[figure]} / {theirs}" + (f" <= {limit}" if limit else "") for figure, theirs, limit in LIMITS)]]
    for name, runs in all_runs.items():
        row = [name]
        for figure, theirs, limit in LIMITS:
            found = ratio(runs, figure, theirs)
            mark = "" if limit is None or not found or found["pairs"] < 2 else " met" if meets(found, limit) else " **no**"
            row.append(said(found) + mark if found else "-")
        rows.append(row)
    return markdown(rows)


def loss(runs, figure, theirs):
    """(how many times worse, what is said), or None if it is not worse."""
    found = ratio(runs, figure, theirs)
    if not found:
        return None
    less = figure in MORE_IS_BETTER
    worse, at_least = (1 / found["ratio"], 1 / found["upper95"]) if less else (found["ratio"], found["lower95"])
    if worse <= 1.005:
        return None
    sure = "" if at_least > 1 or found["pairs"] < 2 else "; not sure"
    if sure and not less:
        sure += f", the lower bound is {found['lower95']:.3f}"
    return worse, f"{WORDS[figure]} {found['ratio']:.3f} times {theirs}'s ({bound(found, words='upper bound')}{sure})"


def losses(all_runs):
    """Sentences, the largest loss first. One that the pairs do not show for sure says so."""
    found = []
    for name, runs in all_runs.items():
        lost = [one for figure, theirs in LOSSES if (one := loss(runs, figure, theirs))]
        found += [(worse, f"{name}: {text}") for worse, text in lost]
        never = never_converged(runs, OURS)
        if never and never > never_converged(runs, "hard"):
            found.append((100, f"{name}: not converged in {never} of {len(runs)} runs"))
    return [text for _, text in sorted(found, reverse=True)]


def never_converged(runs, contender):
    """In how many runs, of those of which it is known."""
    pairs = zip(values(runs, contender, "converged"), values(runs, contender, "converged_at_least"))
    return sum(at is None and at_least is not None for at, at_least in pairs)


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


def bounded(ratios):
    """{x: (ratio, lower bound, upper bound)} of the paired ratios that have bounds."""
    return {x: (r["ratio"], r["lower95"], r["upper95"]) for x, r in ratios.items() if r and r["pairs"] > 1}


def worker_over_fault(sizes, figure):
    """By nodes: migrate=async over migrate=fault."""
    return bounded({nodes: ratio(runs, figure, "fault", "async") for nodes, runs in sizes.items()})


def batch_over_in_tree(runs, figure):
    """By pages at once: workers that take so many over in-tree balancing."""
    return bounded({pages: ratio(runs, figure, "in-tree", name) for name, pages in BATCHES.items()})


def ratio_plots(out, stem, words, xlabel, ylabel, tables):
    """tables: {figure: {line's name: what bounded() gives}}; a plot for each figure. Returns the lines that show them."""
    lines = []
    for figure, table in tables.items():
        if table:
            plots.lines_by(out / f"{stem}-{figure}.svg", f"{WORDS[figure]}: {words} (95 % bounds)", xlabel, ylabel, table)
            lines.append(f"![{WORDS[figure]}](plots/{stem}-{figure}.svg)\n")
    return lines


def worker_section(all_runs, out):
    """The worker against the fault path, by size of machine."""
    workloads = by_nodes(all_runs).items()
    tables = {figure: {name: points for name, sizes in workloads if (points := worker_over_fault(sizes, figure))}
              for figure in ("time", "memory_time", "kernel_per_user", "stall_p999")}
    lines = ratio_plots(out, "worker", "worker over fault path", "nodes", "async / fault", tables)
    return ["", "## Worker or fault?", "", "Below 1 the worker is better.", "", *lines] if lines else []


def batch_section(all_runs, out):
    """Pages moved at once against what a thread waits, and against all that it costs."""
    tables = {figure: {name: points for name, runs in all_runs.items() if len(points := batch_over_in_tree(runs, figure)) > 1}
              for figure in ("stall_p999", "wait_p99", "time")}
    lines = ratio_plots(out, "batch", "over in-tree balancing", "pages at once", "batch / in-tree", tables)
    return ["", "## Batch and stall", "", "Below 1 it is better than in-tree balancing.", "", *lines] if lines else []


def best_of(runs):
    """Computed; for real programs what the hard bind reached."""
    best = next(iter(runs[0]["contenders"].values()))["best"]
    if best is None and (hard := spread(values(runs, "hard", "local"))):
        return hard["median"]
    return best


def scan_over_mappers(all_runs):
    """What 200 processes on a segment cost over 4, which make as many accesses in all."""
    lines = []
    for name, many in all_runs.items():
        few = all_runs.get(name.replace("segment_200@", "segment_4@"))
        if not name.startswith("segment_200@") or not few:
            continue
        for contender, figure, words in ((OURS, "scan_ms", "scan time"), (OURS, "scan_us_per_pass", "scan time per pass"),
                                         (OURS, "planted", "planted entries"), ("in-tree", "planted", "planted entries")):
            a, b = (spread(values(runs, contender, figure)) for runs in (many, few))
            if a and b and b["median"]:
                lines.append(f"{contender}: {words} {a['median'] / b['median']:.2f}")
    told = "segment_200 over segment_4, which make as many accesses in all (medians): "
    return ["", told + "; ".join(lines) + "."] if lines else []


def memory_of_module(all_runs):
    """Bytes; the most that any run has told."""
    told = {figure: [v for runs in all_runs.values() for v in values(runs, OURS, figure) if v is not None]
            for figure in ("bytes_per_page", "bytes_per_thread", "bytes_per_process", "bytes_per_gib")}
    if not told["bytes_per_page"]:
        return []
    page = max(told["bytes_per_page"])
    parts = [f"per page {page}" + ("" if page else " (no field added)")]
    parts += [f"per {what.replace('gib', 'GiB')} {max(told[f'bytes_per_{what}']) if told[f'bytes_per_{what}'] else 'not told'}"
              for what in ("thread", "process", "gib")]
    return ["", "Memory of the module, in bytes: " + ", ".join(parts) + "."]


def case_section(name, runs, reps):
    computed = next(iter(runs[0]["contenders"].values()))["best"] is not None
    best = best_of(runs)
    reach = "" if best is None else f" Best local share{'' if computed else ', of the hard bind'}: {best:.3f}."
    out = ["", f"## {name}", "", f"{runs[0]['description']}{reach} {repetitions(runs, reps)}: median (least..most).", ""]
    for columns in TABLES:
        out += [case_table(runs, columns, columns is TABLES[0]), ""]
    return out + [f"![local share](plots/{name}.svg)"]


HEAD = """\
# Measured

Written by `make bench` from the run named below. Do not edit: run it again.

The machine is emulated (docs/measuring.md): counts are exact, time is a model that was chosen, and nothing here is a
hardware figure. All contenders ran in the same boot, one after the other, in an order that rotates; a pair is two
contenders of one boot. Ratios are geometric means of the pairs, "to" is the upper 95 % bound; a limit counts as met
when that bound meets it, and no pair is missing. What never converged counts as the whole run.
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


def missing(names, all_runs, reps, others):
    """What to know before reading: too few repetitions, boots left out."""
    counts = [(name, all_runs.get(name, [])) for name in names]
    lines = [f"- {name}: {repetitions(runs, reps)}" for name, runs in counts if len(runs) < max(ENOUGH, reps)]
    return lines + [f"- left out: {others} boots of other commits"] if others else lines


def page(results, all_runs, plots_dir, reps, notes):
    sources = sorted({json.dumps(run["provenance"]) for runs in all_runs.values() for run in runs})
    out = [HEAD]
    out += ["- " + ", ".join(f"{key}: {value}" for key, value in json.loads(source).items()) for source in sources]
    out += notes
    out += ["", "## What it loses", "", f"`{OURS}` against the others, largest first.", ""]
    out += [f"- {text}" for text in losses(all_runs)] or ["- Nothing in this set."]
    out += ["", "## Limits", "", limit_table(all_runs)]
    out += [*scan_over_mappers(all_runs), *memory_of_module(all_runs), ""]
    out += [f"![{words}](plots/{name}.svg)\n" for name, words in
            (("between", "between inverse and hard bind"), ("time", "modelled time"), ("cost", "modelled kernel time"))]
    out += worker_section(all_runs, plots_dir) + batch_section(all_runs, plots_dir)
    for name, runs in all_runs.items():
        out += case_section(name, runs, reps)
    out += calibration_section(results, all_runs)
    out += ["", "## Figures", "", markdown([["figure", "what it is"], *([k, v] for k, v in HELP.items() if v)])]
    return "\n".join(out) + "\n"


def write(results, names, out, reps=ENOUGH, commit=None):
    """performance.md, plots and results.json of these cases, of one commit."""
    all_runs, others = load(results, names, commit)
    if not all_runs:
        print("bench: nothing was measured")
        return
    notes = missing(names, all_runs, reps, others)
    (out / "plots").mkdir(parents=True, exist_ok=True)
    draw_all(out / "plots", all_runs)
    (out / "performance.md").write_text(page(results, all_runs, out / "plots", reps, notes))
    (out / "results.json").write_text(json.dumps([run for runs in all_runs.values() for run in runs], indent=1))
    print_short(all_runs, reps)
    if notes:
        print("\nWhat is missing:", *notes, sep="\n  ")
    print(f"\nbench: {out}/performance.md, results.json and plots")


def print_short(all_runs, reps):
    for name, runs in all_runs.items():
        print(f"\n{name}: {repetitions(runs, reps)}")
        for contender in present(runs):
            figures = [("local", "{:.3f}"), ("local_last", "{:.3f}"), ("time", "{:.2f}"), ("kernel_per_user", "{:.3f}"),
                       ("faults", "{:.0f}"), ("moved", "{:.0f}")]
            cells = [f"{figure} {cell(runs, contender, figure, form)}" for figure, form in figures]
            print(f"  {contender:8}", "  ".join(cells))
    lost = losses(all_runs)
    print("\nWhat it loses:", *(lost or ["nothing in this set"]), sep="\n  ")
