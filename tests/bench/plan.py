# SPDX-License-Identifier: GPL-2.0
"""What is measured: cases, and the two sets. THINNED says which combinations the full set leaves out, and why."""
from dataclasses import dataclass
from typing import Callable

import boot
from machine import Machine
from programs import PROGRAMS
from workloads import WORKLOADS, tagged

ALL = WORKLOADS | PROGRAMS
NUMAD_MIB = 300  # numad(8) leaves smaller processes alone, and no option changes that

STANDARD = Machine.even(4, 2, 640)


@dataclass(frozen=True)
class Case:
    """A workload on a machine."""
    workload: str
    machine: Machine = STANDARD
    thp: bool = False

    @property
    def name(self):
        return f"{self.workload}@{self.machine.name}{'-thp' if self.thp else ''}"

    @property
    def of(self):
        return ALL[self.workload]

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

THINNED = [
    ("all workloads, small pages and THP", "4x2", "every contender"),
    ("all real programs", "4x2", "small pages: huge ones only where the program asks for them itself"),
    ("workloads tagged short, small pages", "all other machines", "the patterns that differ most; others resemble one of them"),
    ("the processes x threads matrix", "4x2 and 8x2", "elsewhere its short ones stand for it"),
    ("THP on other machines", "none", "a huge page is placed alike, however many nodes there are"),
    ("numad", "processes of 300 MiB and more", "it leaves others alone, see numad(8)"),
    ("inverse bind", "not on 1x8, not where every placement is alike", "there it is the hard bind"),
]


def programs_tagged(tag):
    return [name for name, program in PROGRAMS.items() if tag in program.tags]


def short_cases():
    return [Case(name) for name in tagged("short") + programs_tagged("short")] + [Case("numa02", thp=True), Case("procs_large", LARGE)]


def full_cases():
    cases = [Case(name, thp=thp) for thp in (False, True) for name in tagged("full")] + [Case("procs_large", LARGE)]
    cases += [Case(name) for name in programs_tagged("full")]
    cases += [Case(name, machine) for machine in MACHINES if machine != STANDARD for name in tagged("machines")]
    cases += [Case(name, EIGHT) for name in tagged("matrix") if "machines" not in WORKLOADS[name].tags]
    return cases


def size_cases():
    """From one node to sixteen, with the same CPUs in all as far as can be: worker or fault?"""
    return [Case(name, machine) for machine in MACHINES[:5] for name in ("numa02", "phase")]


def check_cases():
    return [Case("numa02", Machine.even(2, 1, 448))]


@dataclass(frozen=True)
class Set:
    what: str
    cases: Callable
    reps: int
    minutes: int


SETS = {
    "short": Set("what differs most, small pages", short_cases, 3, 30),
    "full": Set("all", full_cases, 5, 720),
    "check": Set("whether the benchmark itself works: a machine as small as can be", check_cases, 1, 30),
    "sizes": Set("two workloads on 1 to 16 nodes", size_cases, 3, 60),
}


def all_cases():
    return list(dict.fromkeys(full_cases() + short_cases() + size_cases()))


def find(names):
    """Cases by name. A workload's name alone means the standard machine, if it runs there, and small pages."""
    known = {case.name: case for case in all_cases()}
    for case in sorted(all_cases(), key=lambda case: (case.machine != STANDARD, case.thp)):
        known.setdefault(case.workload, case)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"bench: no such case: {', '.join(unknown)}; --list has them")
    return [known[name] for name in names]
