# SPDX-License-Identifier: GPL-2.0
"""Where load binds threads and memory, by tests/load/plan.c itself, on machines that are not there."""
import subprocess
import tempfile
import unittest
from pathlib import Path

from boot import BENCH

PROCS, PRIVATE = 0, 1  # load.h
HARD, INVERSE = 1, 2


def full(nodes):
    return [[10 if a == b else 21 for b in range(nodes)] for a in range(nodes)]


def ring(nodes):
    hops = [[min(abs(a - b), nodes - abs(a - b)) for b in range(nodes)] for a in range(nodes)]
    return [[11 + 10 * n if n else 10 for n in row] for row in hops]


class Plan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.work.cleanup)
        cls.probe = Path(cls.work.name, "plan_probe")
        subprocess.run(["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", cls.probe, BENCH / "plan_probe.c",
                        BENCH.parent / "load/plan.c"], check=True)

    def plan(self, distances, mode, bind, procs, threads, cpus=2):
        """(nodes of its threads, nodes of its memory) of each group."""
        words = [":".join([str(cpus)] * len(distances)), ":".join(str(d) for row in distances for d in row), mode, bind, procs,
                 threads]
        said = subprocess.run([self.probe, *map(str, words)], check=True, capture_output=True, text=True).stdout
        return [tuple(tuple(map(int, part.split())) for part in line.split("/")) for line in said.splitlines()]

    def test_equally_far_nodes(self):
        self.assertEqual(self.plan(full(4), PROCS, HARD, 2, 4), [((0, 0, 2, 2), (0, 2)), ((1, 1, 3, 3), (1, 3))])
        self.assertEqual(self.plan(full(4), PROCS, INVERSE, 2, 4), [((0, 0, 2, 2), (1, 3)), ((1, 1, 3, 3), (2, 0))])
        self.assertEqual(self.plan(full(4), PROCS, HARD, 3, 3), [((0, 0, 0), (0,)), ((1, 1, 3), (1,)), ((2, 2, 3), (2,))])
        self.assertEqual([threads for threads, _ in self.plan(full(4), PRIVATE, HARD, 1, 8)], [(n % 4,) for n in range(8)])

    def test_a_group_on_a_ring_has_nodes_side_by_side(self):
        self.assertEqual(self.plan(ring(4), PROCS, HARD, 2, 4), [((0, 0, 1, 1), (0, 1)), ((2, 2, 3, 3), (2, 3))])
        for procs, threads in ((2, 8), (4, 4)):
            for seats, memory in self.plan(ring(8), PROCS, HARD, procs, threads):
                with self.subTest(procs=procs, seats=seats):
                    first = seats[0]
                    self.assertEqual(set(seats), {(first + n) % 8 for n in range(threads // 2)})
                    self.assertEqual(set(memory), set(seats))

    def test_inverse_on_a_ring_is_farthest(self):
        self.assertEqual([memory for _, memory in self.plan(ring(4), PROCS, INVERSE, 2, 4)], [(2, 3), (0, 1)])
        self.assertEqual([memory for _, memory in self.plan(ring(8), PROCS, INVERSE, 2, 8)], [(5, 6), (1, 2)])
        for seats, memory in self.plan(ring(8), PRIVATE, INVERSE, 1, 16):
            self.assertEqual(memory, ((seats[0] + 4) % 8,))


if __name__ == "__main__":
    unittest.main()
