# SPDX-License-Identifier: GPL-2.0
"""The shape of a machine: as numalab's options, and as the workloads see it."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """CPUs and MiB of every node. Memory is born on the first node, which has both."""
    cpus: tuple
    mib: tuple
    distance: str = "full"  # numalab's --distance

    @classmethod
    def even(cls, nodes, cpus_per_node, mib_per_node, distance="full"):
        return cls((cpus_per_node,) * nodes, (mib_per_node,) * nodes, distance)

    @property
    def name(self):
        """4x2: four nodes of two CPUs; 3x2+1x0: and one without; then nodes without memory, and how they are linked."""
        runs = []
        for cpus in self.cpus:
            if runs and runs[-1][1] == cpus:
                runs[-1][0] += 1
            else:
                runs.append([1, cpus])
        name = "+".join(f"{n}x{cpus}" for n, cpus in runs)
        bare = self.mib.count(0)
        return name + (f"-bare{bare}" if bare else "") + ("" if self.distance == "full" else f"-{self.distance}")

    @property
    def nodes(self):
        return len(self.cpus)

    @property
    def all_cpus(self):
        return sum(self.cpus)

    @property
    def cpu_nodes(self):
        """Those that have CPUs."""
        return [node for node, cpus in enumerate(self.cpus) if cpus]

    @property
    def least_mib(self):
        """Of the nodes that have memory."""
        return min(mib for mib in self.mib if mib)

    def node_of_cpu(self):
        return [node for node, cpus in enumerate(self.cpus) for _ in range(cpus)]

    def options(self):
        return [
            "--nodes", str(self.nodes),
            "--cpus", ",".join(map(str, self.cpus)),
            "--mem", ",".join(map(str, self.mib)),
            "--distance", self.distance,
        ]
