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
PAGES_PER_GIB = 1 << 18

HELP = {
    "local": "local share of user misses, whole run",
    "local_last": "the same in the last tenth of the intervals",
    "converged": "sweeps (of real programs: million misses) until the local share is at 95 % of the best for good; the best "
                 "of a real program is what its hard bind had in the same boot",
    "converged_at_least": "the same where it is compared: never counts as the whole run, at once as one interval",
    "memory_time": "modelled memory time of programs per miss; 1 is all local",
    "time": "modelled time of all CPUs, user and kernel, instructions and memory, per user miss, in local misses",
    "whole_time": "modelled time until the slowest thread was through, million local misses: of all CPUs, over as many as were "
                  "busy. What faster threads do beyond their share makes `time` smaller, and this larger",
    "kernel_per_user": "kernel instructions per user instruction",
    "kernel_time": "modelled kernel time (copies, walks, all else) per user miss, in local misses",
    "faults": "hinting faults",
    "planted": "planted entries (numa_pte_updates)",
    "tlb_shootdowns": "TLB shootdown interrupts received",
    "invalidations": "MMU-notifier invalidations that reached KVM; of the whole turn, birth and verification, too",
    "..._per_gib": "of these four: per GiB that had to be moved, to where the hard bind has it; none if nothing had to, or nobody knows",
    "..._per_program_gib": "of these four: per GiB of the program's memory",
    "moved": "pages moved between nodes, small ones: numa_pages_migrated; of numad pgmigrate_success, of the whole turn and "
             "with what compaction moves",
    "moved_per_must": "of these, per page that had to be moved",
    "wrong_share": "of the moves that a look each second saw and that can be judged: to a node, while another one has more "
                   "than 60 % of the page's misses afterwards",
    "wrong_moves": "these moves",
    "judged_share": "of the moves that were seen: that can be judged",
    "changes_of_node": "how often a task changed node; of the whole turn",
    "idle_share": "idle CPU time",
    "cpu_fairness": "CPU time of the thread that got least, over the mean",
    "progress_fairness": "sweeps of the slowest thread over the mean",
    "twins": "sweeps of the fastest process minus the slowest, over the mean",
    "stall_p50": "page faults as a thread sees them, instructions",
    "stall_p99": "",
    "stall_p999": "",
    "stall_max": "",
    "stall_share": "all page faults, and sleep in them, per user instruction: of few faults a quantile says little",
    "wait_p99": "page faults in which the thread slept (migration entries, mmap_lock), instructions",
    "kernel_p999": "all other stays in the kernel (system calls, ticks, in-tree's scan), instructions",
    "scan_ms": "CPU time of the scanner (scand_ns), by the guest's clock; of the whole turn",
    "scan_us_per_pass": "of this, per pass over a process",
    "bytes_per_process": "module memory for a process it balances",
    "bytes_per_thread": "module memory for a thread it knows",
    "bytes_per_gib": "module memory for each GiB of address space of a process it balances",
    "bytes_per_page": "what struct page grows by",
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


def converged_at_least(lines, best, sweeps):
    """For comparisons: what never came takes at least the whole run, and what was there at once is so in one interval."""
    if best is None or not lines:
        return None
    at, whole = converged(lines, best, sweeps), sweeps or misses(lines) / 1e6
    return whole if at is None else max(at, whole / len(lines))


def reach(parts, case):
    """The best share: computed, or what the hard bind had in this boot, or None."""
    best = case.of.best_share(case.machine)
    if best is None and "hard" in parts:
        best = local_share(intervals(parts["hard"]))
    return best


def delta(part, name):
    """Of the whole turn."""
    return part["after"].get(name, 0) - part["before"].get(name, 0)


def counted(part, name):
    """From birth to the last interval, if the program says so: at each mark, or the sum. Else of the whole turn."""
    told = part["report"].get(name)
    if told is None:
        return delta(part, name)
    return told[-1] - told[0] if isinstance(told, list) else told


def modelled_time(lines):
    return total(lines, "user_time") + total(lines, "kernel_time")


def times(lines):
    """Per user miss, as contenders need different numbers of sweeps until the slowest thread is through."""
    unit = misses(lines) * LOCAL_COST
    user, kernel = total(lines, "user_insns"), total(lines, "kernel_insns")
    return {
        "memory_time": total(lines, "user_memory") / unit,
        "time": modelled_time(lines) / unit,
        "kernel_time": total(lines, "kernel_time") / unit,
        "kernel_per_user": kernel / user,
    }


def whole_time(lines, busy_cpus):
    return per(modelled_time(lines) / LOCAL_COST / 1e6, busy_cpus)


def stall_figures(lines):
    faults, waits, others = (stalls.whole(lines, kind) or {} for kind in stalls.KINDS)
    return {
        "stall_share": (faults.get("sum", 0) + waits.get("sum", 0)) / total(lines, "user_insns"),
        **{f"stall_{q}": faults.get(q) for q in ("p50", "p99", "p999", "max")},
        "wait_p99": waits.get("p99"),
        "kernel_p999": others.get("p999"),
    }


def per(n, size):
    return n / size if size else None


def cost_figures(part, placed_gib, program_gib):
    """What is counted, and by size: of what had to be placed, if that is known, and of the program."""
    counts = {
        "faults": counted(part, "numa_hint_faults"),
        "planted": counted(part, "numa_pte_updates"),
        "tlb_shootdowns": counted(part, "tlb_shootdowns"),
        "invalidations": delta(part, "mmu_invalidations"),
    }
    return {
        **counts,
        **{f"{name}_per_gib": per(n, placed_gib) for name, n in counts.items()},
        **{f"{name}_per_program_gib": per(n, program_gib) for name, n in counts.items()},
    }


def move_figures(part, contender, must):
    looked = part["moves"]
    judged = looked["right"] + looked["wrong"]
    # What numad moves is not in numa_pages_migrated; what compaction moves is in pgmigrate_success.
    moved = delta(part, "pgmigrate_success") if contender == "numad" else counted(part, "numa_pages_migrated")
    return {
        "moved": moved,
        "moved_per_must": per(moved, must),
        "wrong_share": per(looked["wrong"], judged),
        "wrong_moves": looked["wrong"],
        "judged_share": per(judged, looked["moves"]),
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


def seconds(part):
    return part["report"]["wall_ms"] / 1000 if "wall_ms" in part["report"] else delta(part, "seconds_100") / 100


def idle_share(part, cpus):
    """From birth to the last interval, if the program says so."""
    report = part["report"]
    if report.get("wall_ms") and "idle_ms" in report:
        return report["idle_ms"] / (report["wall_ms"] * cpus)
    ticks = [delta(part, f"{who}_ticks") for who in ("idle", "user", "system")]
    return per(ticks[0], sum(ticks))


def task_figures(part, cpus):
    return {
        "reschedules": delta(part, "reschedules"),
        "changes_of_node": delta(part, "changes_of_node"),
        "idle_share": idle_share(part, cpus),
        "cpu_fairness": least_over_mean(part["report"], "cpu_ms"),
        "progress_fairness": least_over_mean(part["report"], "sweeps"),
        "twins": twins(part["report"]),
    }


def module_figures(status):
    """From autonuma's own counters; nothing of the other contenders."""
    if not status:
        return {}
    scand_ns = status.get("scand_ns")
    return {
        "scan_ms": None if scand_ns is None else scand_ns / 1e6,
        "scan_us_per_pass": None if scand_ns is None else per(scand_ns / 1e3, status.get("scan_passes")),
        "bytes_per_process": status.get("bytes_per_process"),
        "bytes_per_thread": status.get("bytes_per_thread"),
        "bytes_per_gib": status.get("bytes_per_gib"),
        "bytes_per_page": status.get("bytes_per_page", 0),  # no field added
    }


def figures(parts, contender, case):
    """Of one contender's turn in a boot."""
    part, sweeps = parts[contender], case.of.sweeps
    lines, best, must = intervals(part), reach(parts, case), case.of.must_move(case.machine)
    cpus = case.machine.all_cpus
    tasks = task_figures(part, cpus)
    return {
        "local": local_share(lines),
        "local_last": local_share(last_tenth(lines)),
        "best": case.of.best_share(case.machine),
        "curve": [local_share([line]) for line in lines],
        "converged": converged(lines, best, sweeps),
        "converged_at_least": converged_at_least(lines, best, sweeps),
        "seconds": seconds(part),
        "insns": total(lines, "user_insns") + total(lines, "kernel_insns"),
        "misses": misses(lines),
        **times(lines),
        "whole_time": whole_time(lines, cpus * (1 - (tasks["idle_share"] or 0))),
        **cost_figures(part, must and must / PAGES_PER_GIB, case.mib() / 1024),
        **move_figures(part, contender, must),
        **tasks,
        **stall_figures(lines),
        **module_figures(part["autonuma"]),
    }
