# SPDX-License-Identifier: GPL-2.0
"""One boot of the measuring machine: every contender runs the same workload, one after the other.

The order rotates from repetition to repetition, so that no contender always comes first. A repetition is a pair of runs
for any two contenders: same boot, same kernel, same memory of the host.
"""
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import pages

BENCH = Path(__file__).resolve().parent
TOP = BENCH.parents[1]
BUILD = Path(os.environ.get("AUTONUMA_BUILD", TOP / "build"))

CONTENDERS = ["none", "in-tree", "numad", "thread", "async", "fault", "hard", "inverse"]
# Parts of the module, for the set "gears": gears 1 and 2, those and 4, those and 3; guest.sh loads them.
GEARS = ["learn", "tasks", "memory"]
# For the set "batches": pages that workers take at once. Those of "async" are the default.
BATCHES = {"batch16": 16, "batch64": 64, "batch256": 256, "async": 512}
ALL = CONTENDERS + GEARS + [name for name in BATCHES if name not in CONTENDERS]
BINDS = ("hard", "inverse")

# Labels of the meter's lines; those below 99 belong to the programs.
MARK_BORN = 1  # the measured part begins
MARK_PASSED = 2  # an interval has passed
MARK_OVER = 99
MARK_CONTENDER = 100

TIMEOUT_S = 3600
LOOK_MS = 1000  # how often the guest looks which page was moved


class Failed(Exception):
    """A boot that gave no figures; its console is in the message."""


def rotated(contenders, repetition):
    at = repetition % len(contenders)
    return contenders[at:] + contenders[:at]


def bind_of(contender):
    return contender if contender in BINDS else "none"


def environment(machine):
    """What the programs' functions know of the machine."""
    return [
        f"NODES={shlex.quote(' '.join(map(str, machine.cpu_nodes)))}",
        f"NODE_OF_CPU={shlex.quote(':'.join(map(str, machine.node_of_cpu())))}",
        f"MIB={machine.mib[0]}",
        f"LOOK_MS={LOOK_MS}",
    ]


def script(case, contenders):
    lines = ["#!/bin/sh", *environment(case.machine), (BENCH / "guest.sh").read_text(), case.of.definitions()]
    for name in contenders:
        turn = ["contend", name, str(MARK_CONTENDER + ALL.index(name)), case.of.process, *case.command(bind_of(name))]
        lines.append(shlex.join(turn))
    return "\n".join(lines) + "\n"


def files(case, contenders):
    """What the guest needs beside its script."""
    found = list(case.files())
    if "numad" in contenders:
        found += [shutil.which("numad") or "/usr/bin/numad", f"{BUILD}/tests/later.so:/lib/later.so"]
    return [word for file in found for word in ("--file", file)]


def numalab(case, contenders, work):
    every = ["--meter-every", case.of.meter_every] if case.of.meter_every else []
    where = ["--one-host-cpu"] if case.of.one_host_cpu else []
    words = [
        TOP / "tools/numalab", "run", *case.machine.options(), "--with-module", "--timeout", TIMEOUT_S,
        *files(case, contenders), "--meter", work / "meter", "--meter-kernel", "--meter-pages", work / "pages", *every, *where,
        "--console", work / "console", "--", work / "bench-script",
    ]
    return list(map(str, words))


def boot(case, contenders):
    """Runs them all. Returns {contender: its part}; see said() and joined() for what a part has."""
    with tempfile.TemporaryDirectory(prefix="autonuma-bench.") as name:
        work = Path(name)
        (work / "bench-script").write_text(script(case, contenders))
        (work / "bench-script").chmod(0o755)
        run = subprocess.run(numalab(case, contenders, work), capture_output=True, text=True, check=False)
        if run.returncode:
            raise Failed(f"numalab ended with {run.returncode}\n{run.stdout[-2000:]}{run.stderr[-4000:]}")
        with open(work / "meter", encoding="ascii") as meter:
            parts = joined(said(run.stdout), measured(map(json.loads, meter)), contenders)
        add_moves(parts, pages.read_counts(work / "pages"))
        return parts


def calibration(machine):
    """Of the meter on this machine, anew: what it read of the probe. Raises Failed if it reads wrong."""
    words = [TOP / "tools/numalab", "calibrate", *machine.options(), "--meter-kernel", "--again"]
    run = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    if run.returncode:
        raise Failed(f"the meter reads wrong after the run\n{run.stdout}{run.stderr[-2000:]}")
    return run.stdout.splitlines()


def said(text):
    """What the guest printed, by contender."""
    parts, part = {}, None
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "contender":
            part = parts[rest] = {"before": {}, "after": {}, "autonuma": {}, "report": {}, "status": None, "looks": []}
        elif part is None:
            continue
        elif word == "status":
            part["status"] = int(rest)
        elif word in ("before", "after", "autonuma"):
            name, _, value = rest.partition(" ")
            part[word][name] = int(value)
        elif word in ("look", "page"):
            part["looks"].append(line)
        elif line.startswith("{"):
            part["report"] = json.loads(line)
    return parts


def measured(lines):
    """The meter's lines, by contender: from the label that opens its turn to the one that closes it."""
    parts, part = {}, None
    for line in lines:
        label = line["mark"]
        if isinstance(label, int) and label >= MARK_CONTENDER:
            part = parts[ALL[label - MARK_CONTENDER]] = []
        elif part is not None:
            part.append(line)
            if label == MARK_OVER:
                part = None
    return parts


def joined(texts, meters, contenders):
    for name in contenders:
        if name not in texts or name not in meters:
            raise Failed(f"{name}: {'the meter has nothing' if name in texts else 'it never had its turn'}")
        if texts[name]["status"] != 0:
            raise Failed(f"{name}: the program ended with {texts[name]['status']}")
        if lost := texts[name]["after"].get("lost_events"):
            raise Failed(f"{name}: the trace of the tasks' migrations has lost {lost} events")
        if not any(line["mark"] == MARK_PASSED for line in meters[name]):
            raise Failed(f"{name}: the program marked no interval")
        texts[name]["lines"] = meters[name]
    return texts


def add_moves(parts, counts):
    """Which of the moved pages went where they were used. Looks are counted from 0 in each turn, so are the blocks."""
    for part in parts.values():
        seqs = [line["seq"] for line in part["lines"]]
        own = pages.blocks_between(counts, seqs[0], seqs[-1])
        part["moves"] = pages.wrong_moves(own, pages.read_looks(part.pop("looks"))[1])._asdict()
