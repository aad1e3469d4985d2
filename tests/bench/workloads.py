# SPDX-License-Identifier: GPL-2.0
"""The workloads of the benchmark: a command line of tests/load each, what it can reach at best, and what it stands for.

All of them are written here, from the published description of what they stand for; no published code is used.
Sizes and sweeps are scaled to emulated machines, and every description says what the original had.

The best share is that of the best placement which leaves no CPU idle while a thread waits, and which gives every CPU
the same number of threads as nearly as can be: fairness comes first. Threads weigh by the CPU time they get. Memory is
of one kind for a group, which is threads that share it equally, so it is best where most of its group runs; spreading
it over nodes where less of it runs gains nothing.
"""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Callable

PAGES_PER_MIB = 256
USABLE = 0.9        # of a node's memory, for programs
BORN = 2 / 3        # of it at most for what is born there and nowhere else: the kernel and the programs are there, too
MIB_PER_THREAD = 2  # load gives each thread a whole number of these


# --- what a placement can reach ---

def seatings(machine, threads):
    """How many threads may run on each node: every tuple that is fair."""
    if threads <= machine.all_cpus:
        yield machine.cpus
        return
    seats = [threads * cpus // machine.all_cpus for cpus in machine.cpus]
    for more in combinations(range(machine.nodes), threads - sum(seats)):
        yield tuple(n + (node in more) for node, n in enumerate(seats))


def cpu_of_thread(machine, seats):
    """What a thread gets of a CPU, by node."""
    return [min(1, cpus / n) if n else 1 for cpus, n in zip(machine.cpus, seats)]


def mains(machine, seats, groups, size):
    """The best nodes for so many groups: (CPUs of the group that run there, node) of each, best first.

    A node takes as many whole groups as it has seats for, and part of one more. What it gains by a further group never
    grows, so the best ones can be picked one by one. The first node is taken first among equals, where memory is born.
    """
    weight = cpu_of_thread(machine, seats)
    offers = []
    for node, n in enumerate(seats):
        if not machine.mib[node]:
            continue
        offers += [(weight[node] * min(size, n - at), node) for at in range(0, n, size)]
    offers += [(0, 0)] * groups
    return sorted(offers, key=lambda offer: (-round(offer[0], 9), offer[1]))[:groups]


def total_running(machine, threads):
    return min(threads, machine.all_cpus)


def best_placement(machine, groups, size):
    """(share, groups whose memory may stay on the first node)"""
    best = (0, 0)
    for seats in seatings(machine, groups * size):
        taken = mains(machine, seats, groups, size)
        share = sum(cpus for cpus, _ in taken) / total_running(machine, groups * size)
        best = max(best, (round(share, 9), sum(node == 0 for _, node in taken)))
    return best


def spread_over(machine, groups, size):
    """Nodes that a group takes as a whole: its memory is split between them, as each is as good as the others."""
    seats = next(seatings(machine, groups * size))
    return max(1, size // max(n for n, mib in zip(seats, machine.mib) if mib))


def lowest_share(machine, groups, size):
    """What remains local if memory is where its group runs least: the part that fits nowhere else."""
    lowest = 1.0
    for seats in seatings(machine, groups * size):
        for node, weight in enumerate(cpu_of_thread(machine, seats)):
            if not machine.mib[node]:
                continue
            forced = max(0, size - (sum(seats) - seats[node]))
            lowest = min(lowest, groups * forced * weight / total_running(machine, groups * size))
    return lowest


def spilling_share(machine, threads, mib):
    """One group whose memory may need several nodes: the fullest nodes first."""
    best = 0
    for seats in seatings(machine, threads):
        weight = cpu_of_thread(machine, seats)
        left, running = threads, []
        for node in sorted(range(machine.nodes), key=lambda node: -weight[node] * seats[node]):
            running.append((weight[node] * min(left, seats[node]), node))
            left -= min(left, seats[node])
        share, rest = 0, mib
        for cpus, node in sorted(running, reverse=True):
            here = min(rest, USABLE * machine.mib[node])
            share += cpus * here / mib
            rest -= here
        best = max(best, share / total_running(machine, threads))
    return best


def tree_share(machine, procs, sign):
    """Half of the accesses go to a process's own copy; the rest to originals that all but one process read alike."""
    best = None
    for seats in seatings(machine, procs):
        weight = cpu_of_thread(machine, seats)
        left, owners, running = procs, [], [0] * machine.nodes
        for node in sorted(range(machine.nodes), key=lambda node: -seats[node]):
            here = min(left, seats[node])
            left -= here
            owners += [node] * here
            running[node] = here * weight[node]
        share = 0
        for owner in owners:
            readers = [cpus - (node == owner) * weight[owner] for node, cpus in enumerate(running)]
            share += max(sign * n for n in readers) * sign / sum(readers) / procs
        best = share if best is None else sign * max(sign * best, sign * share)
    return (0.5 if sign > 0 else 0) + 0.5 * best


def visit_share(machine, own):
    """Of ten pages seven are a thread's own, local as if there were no others; visits go to all memory, so to all nodes."""
    return 0.7 * own + 0.3 / len(machine.cpu_nodes)


def best_visit(machine):
    return visit_share(machine, best_placement(machine, machine.all_cpus, 1)[0])


def lowest_visit(machine):
    return visit_share(machine, lowest_share(machine, machine.all_cpus, 1))


# --- a workload ---

@dataclass(frozen=True)
class Workload:
    """One command line of tests/load. Everything that depends on the machine is a function of it."""
    mode: str
    description: str
    sweeps: int
    mib: Callable            # of the machine: memory in all
    procs: Callable = lambda machine: 1
    threads: Callable = lambda machine: machine.all_cpus
    group: Callable = None   # threads that share; all of a process by default
    stride: int = 1024       # an access in so many bytes
    options: tuple = ()
    tags: frozenset = field(default_factory=lambda: frozenset({"full"}))
    born: bool = True        # on the first node, all of it
    best: Callable = None    # where groups alone do not tell
    lowest: Callable = None
    move: Callable = None

    process = "load"  # what its processes are called
    meter_every = None  # it marks its intervals itself
    one_host_cpu = False

    def size(self, machine):
        """MiB, as load rounds it."""
        threads = self.procs(machine) * self.threads(machine)
        if self.mode in ("tree", "segment"):
            return self.mib(machine)
        return max(1, self.mib(machine) // threads // MIB_PER_THREAD) * MIB_PER_THREAD * threads

    def command(self, machine, bind="none", sweeps=None):
        """Arguments of load. A run that is bound is born where it is bound."""
        words = [self.mode, "--procs", self.procs(machine), "--threads", self.threads(machine),
                 "--mem", self.size(machine), "--stride", self.stride, "--sweeps", sweeps or self.sweeps, *self.options]
        if bind != "none":
            words += ["--bind", bind]
        elif self.born:
            words += ["--born", 0, "--spread"]
        return [str(word) for word in words]

    def words(self, machine, bind, thp):
        """The guest's command."""
        return [self.process, *self.command(machine, bind), *(["--thp"] if thp else [])]

    def definitions(self):
        """What the guest's script needs for it."""
        return ""

    def guest_files(self, build):
        """Arguments of numalab's --file."""
        return [build / "tests" / self.process]

    def process_mib(self, machine):
        return self.size(machine) / self.procs(machine)

    def scale(self, machine):
        """Sizes and sweeps, to be read."""
        return (f"{self.procs(machine)} x {self.threads(machine)} threads, {self.size(machine)} MiB in all, a word in "
                f"{self.stride} bytes, {self.sweeps} sweeps")

    def groups(self, machine):
        """(how many, of how many threads)"""
        size = self.group(machine) if self.group else self.threads(machine)
        return self.procs(machine) * self.threads(machine) // size, size

    def best_share(self, machine):
        if self.best:
            return self.best(machine)
        return best_placement(machine, *self.groups(machine))[0]

    def inverse_share(self, machine):
        """What the inverse bind leaves local."""
        if self.lowest:
            return self.lowest(machine)
        return lowest_share(machine, *self.groups(machine))

    def must_move(self, machine):
        """Pages that move at least, from the first node, to where the hard bind has them."""
        if self.move:
            return self.move(machine)
        if not self.born:
            return 0
        groups, size = self.groups(machine)
        stay = best_placement(machine, groups, size)[1] / spread_over(machine, groups, size)
        return int((groups - stay) * self.size(machine) * PAGES_PER_MIB / groups)

    def supports(self, machine):
        """Which binds mean something: where every placement is alike, there is no inverse."""
        if self.inverse_share(machine) < self.best_share(machine) - 0.01:
            return ("hard", "inverse")
        return ("hard",)


class Vm(Workload):
    """One command line of tests/load/vm: procs are virtual machines, threads their vCPUs; no mode."""

    process = "vm"
    one_host_cpu = True  # docs/measuring.md, Virtual machines

    def command(self, machine, bind="none", sweeps=None):
        words = ["--vms", self.procs(machine), "--vcpus", self.threads(machine), "--mem", self.size(machine), "--stride",
                 self.stride, "--sweeps", sweeps or self.sweeps, *self.options]
        words += ["--bind", bind] if bind != "none" else ["--born", 0, "--spread"]
        return [str(word) for word in words]


# --- sizes ---

def one(_machine):
    return 1


def two(_machine):
    return 2


def number(n):
    return lambda _machine: n


def tenth(machine):
    """Of the machine's memory: fits into one node with room to spare."""
    return min(sum(machine.mib) // 10, int(machine.least_mib * BORN))


def twentieth(machine):
    return tenth(machine) // 2


def for_processes(procs):
    """As tenth, but enough for so many processes to be worth a look, if the first node has room for it."""
    return lambda machine: min(max(tenth(machine), 12 * procs), int(machine.mib[0] * BORN))


def half_the_cpus(machine):
    return max(1, machine.all_cpus // 2)


def nodes(machine):
    return len(machine.cpu_nodes)


def cpus_of_a_node(machine):
    return max(1, machine.all_cpus // len(machine.cpu_nodes))


def even_cpus(machine):
    return max(2, machine.all_cpus // 2 * 2)


def oversize(machine):
    """One and a half times what the first node has."""
    return machine.mib[0] * 3 // 2


def moves_of_oversize(machine):
    """The first node is full, the rest is on the second; in the end every node has its part."""
    size, part = oversize(machine), oversize(machine) / machine.nodes
    first = min(size, USABLE * machine.mib[0])
    return int(max(0, first - part) + max(0, size - first - part)) * PAGES_PER_MIB


SHORT = frozenset({"full", "short"})
MATRIX = frozenset({"full", "matrix"})
# On other machines, as the patterns that differ most.
MACHINES = frozenset({"full", "machines"})
SHORT_MACHINES = MACHINES | SHORT

# --- the set of 2012 ---

WORKLOADS = {
    "numa01": Workload(
        "procs", "Two processes, CPUs/2 threads each; every thread sweeps all of its process's memory; all is born on "
        "one node. Original: autonuma-benchmark numa01, 2 x 3 GiB, 50 sweeps of every byte. Here: a tenth of the "
        "machine's memory in all, one word in 1 KiB. Inverse: both processes on the other one's nodes (the "
        "original inverts one of them only).",
        36, tenth, procs=two, threads=half_the_cpus, tags=SHORT_MACHINES),
    "numa01_THREAD_ALLOC": Workload(
        "private", "As numa01, but each thread has its own part. Original: 1000 sweeps over 3 GiB / threads.",
        140, tenth, procs=two, threads=half_the_cpus, group=one),
    "numa02": Workload(
        "private", "One process, a thread for each CPU, each with its own part. Original: autonuma-benchmark numa02, "
        "1 GiB, 800 sweeps. Here: a tenth of the machine's memory.",
        140, tenth, group=one, tags=SHORT_MACHINES),
    "numa02_SMT": Workload(
        "private", "As numa02 with half as many threads as CPUs. Original: the same, for two hardware threads in a "
        "core.", 140, tenth, threads=half_the_cpus, group=one),
}

# --- processes x threads: the convergence tests of perf bench numa mem ---

# MiB of each process in the original; sweeps here
MATRIX_ORIGINALS = {
    (1, 3): (512, 60), (1, 4): (512, 48), (1, 6): (1020, 30), (2, 3): (1020, 60), (3, 3): (1020, 70),
    (4, 4): (512, 50), (4, 6): (1020, 36), (4, 8): (512, 30), (8, 4): (512, 50), (16, 1): (256, 180),
    (32, 1): (128, 120), (1, 8): (None, 30), (2, 4): (None, 50),
}


def add_matrix():
    for (procs, threads), (original, sweeps) in MATRIX_ORIGINALS.items():
        name = f"{procs}x{threads}"
        if original:
            told = f"Original: perf bench numa mem, {name}-convergence, {original} MiB for each process."
        else:
            told = "Not in the original set: as the others."
        WORKLOADS[name] = Workload(
            "procs", f"{procs} processes of {threads} threads that share all memory of their process. {told} Here: a "
            "tenth of the machine's memory in all, or 12 MiB for each process if that is more and fits into the first node.",
            sweeps, for_processes(procs), procs=number(procs), threads=number(threads),
            tags=MATRIX | (SHORT_MACHINES if name == "4x4" else frozenset()))


add_matrix()

# --- ownership, heat, roles ---

WORKLOADS |= {
    "stripe": Workload(
        "stripe", "One process; its threads own 4 KiB pages in turn.", 140, tenth, group=one, tags=MACHINES),
    "subpage": Workload(
        "subpage", "One process; its threads own words within each 4 KiB page in turn, four threads to a page: false "
        "sharing, no page has a good place.",
        80, tenth, threads=number(4)),
    "hot": Workload(
        "hot", "A process per node, a thread per CPU of it; nine of ten accesses go to the first eighth of its memory.",
        60, tenth, procs=nodes, threads=cpus_of_a_node),
    "procs_large": Workload(
        "procs", "A process per node, with three threads for four CPUs of it, 320 MiB each: numad leaves processes alone "
        "that have less than 300 MB, or need more than 85 % of a node's CPUs.",
        60, lambda machine: 320 * len(machine.cpu_nodes), procs=nodes,
        threads=lambda machine: max(1, cpus_of_a_node(machine) * 3 // 4), stride=4096, tags=frozenset({"large"})),
    "in_order": Workload(
        "private", "As numa02, but each thread goes through its part from the first page to the last.", 140, tenth,
        group=one, options=("--in-order",)),
    "table": Workload(
        "table", "One process, a thread per CPU; all read all of a table, nobody writes. Any placement is as good.",
        30, tenth),
    "visit": Workload(
        "visit", "One process, a thread per CPU, each with its own part; but of ten pages that a thread uses three are "
        "anywhere in the process's memory: every page is used from all nodes, and from one most.", 100, tenth, group=one,
        best=best_visit, lowest=lowest_visit),
    "in_step": Workload(
        "visit", "As visit, but no thread begins a sweep before all have done the last one: all of them run, or a few.",
        100, tenth, group=one, options=("--in-step",), best=best_visit, lowest=lowest_visit),
    "pipe": Workload(
        "pipe", "Producer and consumer: pairs of threads, one fills 64 KiB buffers of the pair's ring, the other one "
        "checks them.", 70, tenth, threads=even_cpus, group=two),
    "phase": Workload(
        "phase", "A thread for each CPU, each with its own part; half way each goes on with the part of the next one, "
        "which belongs to another node.", 220, tenth, group=one, options=("--shift", 1), tags=SHORT_MACHINES),
    "crowd": Workload(
        "private", "More threads than CPUs: three for each CPU, each with its own part.", 100, tenth,
        threads=lambda machine: 3 * machine.all_cpus, group=one),
    "big": Workload(
        "big", "More threads than a node has CPUs: two processes, each with twice as many threads as a node has CPUs; "
        "the threads of each share everything. The best is that all memory is on nodes of its own threads.",
        50, tenth, procs=two, threads=lambda machine: 2 * cpus_of_a_node(machine)),
}

# --- sleep and wake ---

for wake, told in (("pipe", "by a byte in a pipe, as servers on one machine are"), ("futex", "by a futex"),
                   ("timer", "by a timer, a millisecond after they fell asleep")):
    WORKLOADS[f"sleep_{wake}"] = Workload(
        "sleep", f"Sleepers that wake: two threads for each CPU, each with its own part, of which an eighth is swept "
        f"when woken; {told}." + ("" if wake == "timer" else " The two threads of a pair wake each other in turn."),
        70 if wake == "timer" else 120, tenth, threads=lambda machine: 2 * even_cpus(machine), group=one,
        options=("--wake", wake))

# --- processes ---

WORKLOADS |= {
    "short": Workload(
        "short", "Short-lived processes: each sweeps twelve times over memory that it touched first where it ran, and "
        "ends; another one follows. Nothing is gained by moving anything.",
        72, twentieth, procs=nodes, threads=cpus_of_a_node, options=("--life", 12), born=False),
    "short_remote": Workload(
        "short", "The same, but each process's memory is born on the first node, and swept 24 times.",
        96, twentieth, procs=nodes, threads=cpus_of_a_node, options=("--life", 24)),
    "tree": Workload(
        "tree", "A fork tree: one process fills memory and forks two, which fork two each, one process per CPU. Each "
        "reads what it inherited, and as often writes its own part, which becomes a copy.",
        30, twentieth, procs=lambda machine: machine.all_cpus, threads=one,
        best=lambda machine: tree_share(machine, machine.all_cpus, 1),
        lowest=lambda machine: tree_share(machine, machine.all_cpus, -1), move=lambda machine: 0),
    "oversize": Workload(
        "private", "A process half as large again as the first node, a thread for each CPU, each with its own part; "
        "the first node is full in the beginning.",
        40, oversize, group=one, options=("--spill",), move=moves_of_oversize),
    "oversize_shared": Workload(
        "big", "A process half as large again as the first node; twice as many threads as a node has CPUs share it.",
        30, oversize, threads=lambda machine: 2 * cpus_of_a_node(machine), stride=4096, options=("--spill",),
        best=lambda machine: spilling_share(machine, 2 * cpus_of_a_node(machine), oversize(machine)),
        move=lambda machine: 0),
    "full": Workload(
        "private", "Memory nearly full: as numa02 with three tenths of a node's memory, and once it is there, a bound "
        "process fills every node up to nine tenths.",
        180, lambda machine: machine.least_mib * 3 // 10, group=one, options=("--fill", 90)),
    "segment_200": Workload(
        "segment", "200 processes on one shared segment, each sweeps all of it: the cost of a scan must not grow with "
        "the number of mappers (compare segment_4).",
        30, number(32), procs=number(200), threads=one, group=number(200), stride=4096),
    "segment_4": Workload(
        "segment", "The same with four processes, to compare.",
        1500, number(32), procs=number(4), threads=one, group=number(4), stride=4096),
    "segment_apart": Workload(
        "segment", "As segment_4, but each process maps the segment elsewhere, with page tables that begin with other pages "
        "of it: as do processes that were not forked from one another.",
        1500, number(32), procs=number(4), threads=one, group=number(4), stride=4096, options=("--apart",)),
    "segment_parts": Workload(
        "segment", "A process per CPU; all map all of one segment, each sweeps its own part.",
        140, tenth, procs=lambda machine: machine.all_cpus, threads=one, group=one, options=("--parts",)),
}

# --- virtual machines ---

VM = ("Virtual machines, each a process that owns a KVM guest (TCG emulates AMD-V, so KVM runs inside the emulated "
      "machine). ")

WORKLOADS |= {
    "vm": Vm(
        "vm", VM + "One for each node, a vCPU for each CPU of it; each vCPU sweeps over its own part of the guest's memory "
        "and halts eight times in a sweep.",
        60, tenth, procs=nodes, threads=cpus_of_a_node),
    "vm_shared": Vm(
        "vm", VM + "As vm, but every vCPU sweeps over all memory of its guest.",
        40, tenth, procs=nodes, threads=cpus_of_a_node, options=("--shared",)),
    "vm_sleep": Vm(
        "vm", VM + "As vm, with two vCPUs for each CPU, in pairs that wake each other: one of a pair sleeps.",
        60, tenth, procs=nodes, threads=lambda machine: 2 * cpus_of_a_node(machine), options=("--sleep", "pair")),
    "vm_crowd": Vm(
        "vm", VM + "CPUs overcommitted: two for each node, with three vCPUs for two CPUs each.",
        40, tenth, procs=lambda machine: 2 * nodes(machine),
        threads=lambda machine: max(1, 3 * cpus_of_a_node(machine) // 2)),
}


def tagged(tag):
    """The names of the workloads that have a tag."""
    return [name for name, workload in WORKLOADS.items() if tag in workload.tags]
