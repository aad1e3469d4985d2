# SPDX-License-Identifier: GPL-2.0
"""From one contender's turn to its figures. HELP says what each of them is.

A line of the meter holds what was counted since the line before; docs/measuring.md lists its fields. Those labelled 2
or "every" end an interval of the program, the label 1 says that its memory is there and the measured part begins.
"""
import stalls
from boot import MARK_BORN, MARK_PASSED

# Converged: this part of the best local share that any placement can reach on the machine, in every later interval.
CONVERGED = 0.95
LOCAL_COST = 100  # the meter's default: instructions that a miss at distance 10 takes

HELP = {
    "local": "local share of user misses, whole run",
    "local_last": "the same in the last tenth of the intervals",
    "converged": "sweeps (of real programs: million misses) until the local share is at 95 % of the best for good",
    "memory_time": "modelled memory time of programs per miss; 1 is all local",
    "time": "modelled time of all CPUs, user and kernel, instructions and memory, per user miss, in local misses",
    "kernel_per_user": "kernel instructions per user instruction",
    "kernel_time": "modelled kernel time (copies, walks, all else) per user miss, in local misses",
    "faults": "hinting faults",
    "faults_per_gib": "hinting faults per GiB of the program's memory",
    "planted_per_gib": "planted entries (numa_pte_updates) per GiB",
    "moved": "pages moved between nodes, small ones",
    "moved_per_must": "of these, per page that had to be moved",
    "wrong_share": "of the moves that a look each second saw: to a node that is not the page's majority user afterwards",
    "invalidations_per_gib": "MMU-notifier invalidations that reached KVM, per GiB of the program's memory",
    "ipis_per_gib": "TLB shootdown interrupts received, per GiB",
    "tlb_shootdowns": "TLB shootdown interrupts received",
    "changes_of_node": "how often a task changed node",
    "idle_share": "idle CPU time",
    "cpu_fairness": "CPU time of the thread that got least, over the mean",
    "progress_fairness": "sweeps of the slowest thread over the mean",
    "twins": "sweeps of the fastest process minus the slowest, over the mean",
    "stall_p50": "page faults as a thread sees them, instructions",
    "stall_p99": "",
    "stall_p999": "",
    "stall_max": "",
    "wait_p99": "page faults in which the thread slept (migration entries, mmap_lock), instructions",
    "kernel_p999": "all other stays in the kernel (system calls, ticks, in-tree's scan), instructions",
    "bytes_per_thread": "module memory for a thread it knows",
    "bytes_per_page": "module memory for a page",
}


def intervals(part):
    """Between birth and the last label 2: what was counted then, in the program's own pieces or in equal ones."""
    marks = [line["mark"] for line in part["lines"]]
    if MARK_BORN not in marks or MARK_PASSED not in marks:
        return []
    first, last = marks.index(MARK_BORN) + 1, len(marks) - marks[::-1].index(MARK_PASSED)
    return [line for line in part["lines"][first:last] if line["mark"] in (MARK_PASSED, "every")]


def total(lines, field):
    """Of a field that has a value for each CPU."""
    return sum(sum(line[field]) for line in lines)


def misses(lines):
    return sum(sum(row) for line in lines for row in line["miss"])


def local_share(lines):
    local = sum(line["miss"][n][n] for line in lines for n in range(len(line["miss"])))
    everything = misses(lines)
    return local / everything if everything else None


def last_tenth(lines):
    return lines[len(lines) - max(1, len(lines) // 10):]


def converged_at(lines, best):
    """How many intervals pass until the share is there for good; None: never."""
    at = None
    for i, line in enumerate(lines):
        share = local_share([line])
        if share is None or share < CONVERGED * best:
            at = None
        elif at is None:
            at = i
    return at


def converged(lines, best, sweeps):
    """In sweeps of a program that has these; else in million misses."""
    at = None if best is None else converged_at(lines, best)
    if at is None:
        return None
    return at * sweeps / len(lines) if sweeps else misses(lines[:at]) / 1e6


def delta(part, name):
    return part["after"].get(name, 0) - part["before"].get(name, 0)


def times(lines):
    """Per user miss, as contenders need different numbers of sweeps until the slowest thread is through."""
    unit = misses(lines) * LOCAL_COST
    user, kernel = total(lines, "user_insns"), total(lines, "kernel_insns")
    return {
        "memory_time": total(lines, "user_memory") / unit,
        "time": (total(lines, "user_time") + total(lines, "kernel_time")) / unit,
        "kernel_time": total(lines, "kernel_time") / unit,
        "kernel_per_user": kernel / user,
    }


def stall_figures(lines):
    faults, waits, others = (stalls.whole(lines, kind) or {} for kind in stalls.KINDS)
    return {
        **{f"stall_{q}": faults.get(q) for q in ("p50", "p99", "p999", "max")},
        "wait_p99": waits.get("p99"),
        "kernel_p999": others.get("p999"),
    }


def move_figures(part, must, gib):
    moved, faults, looked = delta(part, "numa_pages_migrated"), delta(part, "numa_hint_faults"), part["moves"]
    # What numad moves, or a program by itself, is not in numa_pages_migrated.
    moved = max(moved, delta(part, "pgmigrate_success"))
    return {
        "faults": faults,
        "faults_per_gib": faults / gib,
        "planted_per_gib": delta(part, "numa_pte_updates") / gib,
        "moved": moved,
        "moved_per_must": moved / must if must else None,
        "invalidations_per_gib": delta(part, "mmu_invalidations") / gib,
        "ipis_per_gib": delta(part, "tlb_shootdowns") / gib,
        "wrong_share": looked["wrong"] / looked["moves"] if looked["moves"] else None,
    }


def least_over_mean(report, what):
    mean = report.get(f"{what}_mean")
    return report[f"{what}_min"] / mean if mean else None


def twins(report):
    """How far the program's processes, which are all alike, are apart."""
    procs, threads = report.get("procs", 1), report.get("threads")
    if procs < 2 or "thread_sweeps" not in report:
        return None
    sums = [sum(report["thread_sweeps"][i * threads:(i + 1) * threads]) for i in range(procs)]
    return (max(sums) - min(sums)) * procs / sum(sums) if sum(sums) else None


def task_figures(part):
    ticks = [delta(part, f"{who}_ticks") for who in ("idle", "user", "system")]
    return {
        "tlb_shootdowns": delta(part, "tlb_shootdowns"),
        "reschedules": delta(part, "reschedules"),
        "changes_of_node": delta(part, "changes_of_node"),
        "idle_share": ticks[0] / sum(ticks) if sum(ticks) else None,
        "cpu_fairness": least_over_mean(part["report"], "cpu_ms"),
        "progress_fairness": least_over_mean(part["report"], "sweeps"),
        "twins": twins(part["report"]),
    }


def figures(part, case):
    lines, best = intervals(part), case.of.best_share(case.machine)
    return {
        "local": local_share(lines),
        "local_last": local_share(last_tenth(lines)),
        "best": best,
        "curve": [local_share([line]) for line in lines],
        "converged": converged(lines, best, case.of.sweeps),
        "seconds": delta(part, "seconds_100") / 100,
        "insns": total(lines, "user_insns") + total(lines, "kernel_insns"),
        "misses": misses(lines),
        **times(lines),
        **move_figures(part, case.of.must_move(case.machine), case.mib() / 1024),
        **task_figures(part),
        **stall_figures(lines),
        "bytes_per_thread": part["autonuma"].get("bytes_per_thread"),
        "bytes_per_page": part["autonuma"].get("bytes_per_page"),
    }
