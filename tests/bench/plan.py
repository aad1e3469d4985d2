# SPDX-License-Identifier: GPL-2.0
"""What is measured: cases, and the sets. THINNED says which combinations the full set leaves out, and why.

What a set has is what fits: see Set.seconds().
"""
from dataclasses import dataclass, replace
from typing import Callable

import boot
from machine import Machine
from programs import PROGRAMS
from workloads import WORKLOADS, tagged

ALL = WORKLOADS | PROGRAMS
NUMAD_MIB = 300  # numad(8) leaves smaller processes alone, and no option changes that

STANDARD = Machine.even(4, 2, 640)

# Of a PC with two cores: a boot with all contenders, the mean of many; calibrating a machine.
BOOT_S = 78
CALIBRATION_S = 60

MATRIX_SWEEPS = 200


@dataclass(frozen=True)
class Case:
    """A workload on a machine."""
    workload: str
    machine: Machine = STANDARD
    thp: bool = False
    sweeps: int = None  # of each thread; by default the workload's

    @property
    def name(self):
        sweeps = f"-{self.sweeps}" if self.sweeps else ""
        return f"{self.workload}@{self.machine.name}{'-thp' if self.thp else ''}{sweeps}"

    @property
    def of(self):
        of = ALL[self.workload]
        return replace(of, sweeps=self.sweeps) if self.sweeps else of

    @property
    def length(self):
        """Of a run, in those of the workload."""
        return self.sweeps / ALL[self.workload].sweeps if self.sweeps else 1

    def command(self, bind):
        return self.of.words(self.machine, bind, self.thp)

    def files(self):
        return self.of.guest_files(boot.BUILD)

    def supports(self, contender):
        """Whether it can do anything here, or anything else than another one."""
        if contender == "numad":
            return self.of.process_mib(self.machine) >= NUMAD_MIB
        return contender not in boot.BINDS or contender in self.of.supports(self.machine)

    def mib(self):
        return self.of.size(self.machine)

    def told(self):
        """What it is, for --list."""
        return f"{self.of.scale(self.machine)}. {self.of.description}"


# About the same memory in all, so that a workload has about the same size everywhere.
MACHINES = [
    Machine.even(1, 8, 2560),
    Machine.even(2, 4, 1280),
    STANDARD,
    Machine.even(8, 2, 384),
    Machine.even(16, 1, 256),
    Machine.even(4, 2, 640, "ring"),
    Machine.even(8, 2, 384, "ring"),
    Machine((2, 2, 2, 2, 0), (640, 640, 640, 640, 640)),
    Machine((2, 2, 2, 2), (640, 640, 640, 0)),
]
EIGHT = MACHINES[3]
LARGE = MACHINES[1]

# Workloads whose placement depends on how far nodes are apart, beside one that does not.
LINKED = ("numa01", "numa02", "4x4")
# Shared, private, changing.
FEW = ("numa01", "numa02", "phase")
# Of the matrix on 8x2: a process that spans all nodes, one that does so twice, as many processes as CPUs, and twice that.
EIGHT_MATRIX = ("1x8", "4x8", "16x1", "32x1")
# Where a page of 2 MiB has more users, or other ones, than those of 4 KiB in it, or is harder to come by.
HUGE = ("numa01", "numa02", "4x4", "stripe", "subpage", "hot", "phase", "tree", "oversize", "full", "short_remote", "vm")

ELSEWHERE = {
    MACHINES[0]: ("numa02", "phase"),
    MACHINES[1]: tagged("machines"),
    EIGHT: (*tagged("machines"), *EIGHT_MATRIX),
    MACHINES[4]: FEW,
    MACHINES[5]: LINKED,
    MACHINES[6]: LINKED,
    MACHINES[7]: FEW,
    MACHINES[8]: FEW,
}

THINNED = [
    ("every workload and real program, small pages", "4x2", "nothing is left out"),
    ("THP", f"4x2: {', '.join(HUGE)}", "elsewhere a huge page has one owner or one group of them as small ones have, however "
     "many nodes there are; real programs have huge pages only where they ask for them themselves"),
    ("the processes x threads matrix", f"4x2, and 8x2: {', '.join(EIGHT_MATRIX)}, 4x4", "12 hours; these are the ends of it, "
     "the others lie between; on other machines 4x4 stands for it"),
    ("all else", f"2x4 and 8x2: {', '.join(tagged('machines'))}", "the patterns that differ most; others resemble one"),
    ("16 nodes, nodes without CPUs or memory", ", ".join(FEW), "12 hours; shared, private, changing"),
    ("rings", ", ".join(LINKED), "12 hours; distance matters to groups that do not fit into a node"),
    ("one node", "numa02, phase", "there is nothing to place: what it costs nevertheless"),
    ("numad", "processes of 300 MiB and more", "it leaves others alone, see numad(8)"),
    ("inverse bind", "not on 1x8, not where every placement is alike", "there it is the hard bind"),
]


def programs_tagged(tag):
    return [name for name, program in PROGRAMS.items() if tag in program.tags]


def short_cases():
    return [Case(name) for name in tagged("short") + programs_tagged("short")] + [Case("procs_large", LARGE)]


def full_cases():
    cases = [Case(name) for name in tagged("full") + programs_tagged("full")] + [Case("procs_large", LARGE)]
    cases += [Case(name, thp=True) for name in HUGE]
    return cases + [Case(name, machine) for machine, names in ELSEWHERE.items() for name in names]


def size_cases():
    """From one node to sixteen, with the same CPUs in all as far as can be: who moves pages?"""
    return [Case(name, machine) for machine in MACHINES[:5] for name in ("numa02", "phase")]


def gear_cases():
    """Threads that share, threads that have their own memory, owners that change."""
    return [Case(name) for name in ("4x4", "numa02", "phase")]


def matrix_cases():
    """Processes x threads for so long that the way there counts for little; ends of the matrix on fewer and more nodes."""
    elsewhere = [Case(name, machine) for machine in (LARGE, EIGHT, MACHINES[4]) for name in ("4x4", "16x1")]
    return [replace(case, sweeps=MATRIX_SWEEPS) for case in [Case(name) for name in tagged("matrix")] + elsewhere]


def batch_cases():
    """Threads that share and outnumber the CPUs, threads that have their own memory."""
    return [Case(name) for name in ("4x4", "numa02")]


def check_cases():
    return [Case("numa02", Machine.even(2, 1, 448))]


@dataclass(frozen=True)
class Set:
    what: str
    cases: Callable
    reps: int
    minutes: int
    contenders: tuple = tuple(boot.CONTENDERS)

    def seconds(self):
        """What it takes, about, if no machine has been calibrated yet."""
        cases = self.cases()
        boot_s = BOOT_S * len(self.contenders) / len(boot.CONTENDERS)
        return sum(case.length for case in cases) * self.reps * boot_s + 2 * len({case.machine for case in cases}) * CALIBRATION_S


SETS = {
    "short": Set("what differs most, small pages", short_cases, 3, 30, tuple(c for c in boot.CONTENDERS if c != "fault")),
    "full": Set("all workloads, and what of them differs elsewhere", full_cases, 5, 720),
    "check": Set("whether the benchmark itself works: a machine as small as can be", check_cases, 1, 30),
    "sizes": Set("two workloads on 1 to 16 nodes", size_cases, 3, 60, ("none", "thread", "async", "fault")),
    "matrix": Set("processes x threads for 200 sweeps, beside a hard bind", matrix_cases, 1, 60, ("in-tree", "async", "hard")),
    "batches": Set("pages moved at once against stalls", batch_cases, 3, 30, ("none", "in-tree", *boot.BATCHES)),
    "gears": Set("what each gear adds", gear_cases, 3, 30, ("none", "learn", "tasks", "memory", "async")),
}


def all_cases():
    return list(dict.fromkeys(full_cases() + short_cases() + size_cases() + matrix_cases()))


def find(names):
    """Cases by name. A workload's name alone means the standard machine, if it runs there, and small pages."""
    known = {case.name: case for case in all_cases()}
    for case in sorted(all_cases(), key=lambda case: (case.machine != STANDARD, case.thp, case.sweeps or 0)):
        known.setdefault(case.workload, case)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"bench: no such case: {', '.join(unknown)}; --list has them")
    return [known[name] for name in names]
