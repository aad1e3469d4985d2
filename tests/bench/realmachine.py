# SPDX-License-Identifier: GPL-2.0
"""What Linux tells of the machine it runs on: nodes, counters, and where a program's memory and threads are.

Everything reads below a root directory, so that tests can give it a tree of their own.
"""
from pathlib import Path

from machine import Machine as Shape

KIB_PER_PAGE = 4
COUNTERS = ("numa_hint_faults", "numa_hint_faults_local", "numa_pages_migrated", "numa_pte_updates")


def text_of(path):
    """None if it is gone: processes end, and kernels differ."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def numbers(text):
    """Of a list like 0-3,8."""
    found = []
    for part in (text or "").strip().split(","):
        if part:
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    return found


class Machine:
    """The nodes that have CPUs and memory are its `shape`, for the workloads; `ids` are Linux' numbers of them. Others are
    left out of the sizes, but `node_of_cpu` knows them."""

    def __init__(self, root="/", most_mib=None):
        base = Path(root, "sys/devices/system/node")
        online = numbers(text_of(base / "online")) or [0]
        cpus = {node: numbers(text_of(base / f"node{node}/cpulist")) for node in online}
        mib = {node: available_mib(text_of(base / f"node{node}/meminfo")) for node in online}
        self.ids = tuple(node for node in online if cpus[node] and mib[node])
        self.bare = tuple(node for node in online if node not in self.ids)
        self.node_of_cpu = {cpu: node for node in online for cpu in cpus[node]}
        self.shape = Shape(tuple(len(cpus[node]) for node in self.ids),
                           tuple(min(mib[node], most_mib or mib[node]) for node in self.ids))
        rows = {node: text_of(base / f"node{node}/distance") or "" for node in online}
        self.distances = {node: [int(word) for word in row.split()] for node, row in rows.items()}


def available_mib(meminfo):
    """Free, or used for files that can be dropped."""
    kib = 0
    for line in (meminfo or "").splitlines():
        words = line.split()
        if len(words) >= 4 and words[2] in ("MemFree:", "Inactive(file):"):
            kib += int(words[3])
    return kib // 1024


def counters(root="/"):
    lines = (line.split() for line in (text_of(Path(root, "proc/vmstat")) or "").splitlines())
    return {words[0]: int(words[1]) for words in lines if words and words[0] in COUNTERS}


def pages_by_node(numa_maps):
    """Pages of 4 KiB by node; hugetlb pages count as as many."""
    pages = {}
    for line in (numa_maps or "").splitlines():
        fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
        unit = int(fields.get("kernelpagesize_kB", KIB_PER_PAGE)) // KIB_PER_PAGE
        for name, value in fields.items():
            if name[0] == "N" and name[1:].isdigit():
                pages[int(name[1:])] = pages.get(int(name[1:]), 0) + int(value) * unit
    return pages


def stat_fields(stat):
    """From the third field on: the name before it may contain anything."""
    return stat.rpartition(")")[2].split() if stat else []


def cpu_of_thread(stat):
    """Where it last ran."""
    fields = stat_fields(stat)
    return int(fields[36]) if len(fields) > 36 else None


def family(pid, root="/"):
    """The process and all that descend from it."""
    children = {}
    for path in Path(root, "proc").glob("[0-9]*/stat"):
        fields = stat_fields(text_of(path))
        if fields:
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def share_of_process(pid, machine, root="/"):
    """(threads, their mean share of local pages); None of a process that is gone or holds nothing."""
    base = Path(root, "proc", str(pid))
    pages = pages_by_node(text_of(base / "numa_maps"))
    cpus = [cpu_of_thread(text_of(path)) for path in base.glob("task/[0-9]*/stat")]
    nodes = [machine.node_of_cpu[cpu] for cpu in cpus if cpu in machine.node_of_cpu]
    total = sum(pages.values())
    if not total or not nodes:
        return None
    return len(nodes), sum(pages.get(node, 0) for node in nodes) / total / len(nodes)


def local_share(pid, machine, root="/"):
    """Of all below this process, which only waits for them; threads weigh alike."""
    shares = [share_of_process(child, machine, root) for child in family(pid, root)[1:]]
    shares = [share for share in shares if share]
    threads = sum(n for n, _ in shares)
    return sum(n * share for n, share in shares) / threads if threads else None
