# SPDX-License-Identifier: GPL-2.0
"""python3 -m unittest discover -s tests/bench: the table's arithmetic against all placements of small cases."""

import unittest
from itertools import product

import workloads as table
from machine import Machine
from workloads import WORKLOADS

LAB = Machine.even(4, 2, 640)
SMALL = [Machine.even(2, 1, 256), Machine.even(2, 2, 256), Machine.even(3, 2, 256), Machine((3, 1), (256, 256)),
         Machine((2, 1, 1), (256, 256, 256)), Machine((2, 1, 2), (256, 256, 0)), Machine((2, 2, 0), (256, 256, 256))]


def placements(machine, threads):
    """Every assignment of threads to nodes that is fair, with what a thread gets of a CPU on each node."""
    fair = list(table.seatings(machine, threads))
    for nodes in product(range(machine.nodes), repeat=threads):
        counts = [nodes.count(node) for node in range(machine.nodes)]
        if threads > machine.all_cpus and tuple(counts) not in fair:
            continue
        if threads <= machine.all_cpus and any(n > cpus for n, cpus in zip(counts, machine.cpus)):
            continue
        yield nodes, [min(1, cpus / n) if n else 1 for n, cpus in zip(counts, machine.cpus)]


def shares(machine, groups, size):
    """Of every placement: (best share, lowest share, groups whose memory may be on the first node at the best)."""
    for nodes, cpu in placements(machine, groups * size):
        best = lowest = total = stay = 0
        for group in range(groups):
            members = nodes[group * size:(group + 1) * size]
            running = [members.count(node) * cpu[node] for node in range(machine.nodes)]
            total += sum(running)
            near = [here for here, mib in zip(running, machine.mib) if mib]
            best += max(near)
            lowest += min(near)
            stay += near[0] > max(near) - 1e-9
        yield best / total, lowest / total, stay


def by_force(machine, groups, size):
    results = [(round(best, 9), stay, lowest) for best, lowest, stay in shares(machine, groups, size)]
    return max(results)[:2], min(lowest for _, _, lowest in results)


def tree_by_force(machine, procs, pick):
    results = []
    for nodes, cpu in placements(machine, procs):
        share = 0
        for owner in range(procs):
            readers = [0] * machine.nodes
            for reader in range(procs):
                if reader != owner:
                    readers[nodes[reader]] += cpu[nodes[reader]]
            share += pick(readers) / sum(readers) / procs
        results.append(share)
    return results


class Shares(unittest.TestCase):
    def small_cases(self):
        for machine in SMALL:
            for groups, size in ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (1, 5), (5, 1),
                                 (4, 2)):
                yield machine, groups, size

    def test_best_share_and_what_stays(self):
        for machine, groups, size in self.small_cases():
            with self.subTest(machine=machine, groups=groups, size=size):
                best, _ = by_force(machine, groups, size)
                self.assertEqual(table.best_placement(machine, groups, size), best)

    def test_lowest_share_is_a_bound(self):
        for machine, groups, size in self.small_cases():
            with self.subTest(machine=machine, groups=groups, size=size):
                _, lowest = by_force(machine, groups, size)
                self.assertLessEqual(table.lowest_share(machine, groups, size), lowest + 1e-9)

    def test_one_group_lowest_share(self):
        for machine in SMALL:
            for size in range(1, 6):
                with self.subTest(machine=machine, size=size):
                    _, lowest = by_force(machine, 1, size)
                    self.assertAlmostEqual(table.lowest_share(machine, 1, size), lowest)

    def test_spilling_is_gathering_if_it_fits(self):
        for machine in SMALL:
            for size in range(1, 6):
                with self.subTest(machine=machine, size=size):
                    self.assertAlmostEqual(table.spilling_share(machine, size, 100),
                                           table.best_placement(machine, 1, size)[0])

    def test_spilling(self):
        machine = Machine.even(2, 2, 100)
        self.assertAlmostEqual(table.spilling_share(machine, 3, 135), (2 * 90 + 1 * 45) / 135 / 3)

    def test_tree(self):
        for machine in (Machine.even(2, 2, 256), Machine.even(3, 2, 256)):
            everyone = machine.all_cpus
            self.assertAlmostEqual(table.tree_share(machine, everyone, 1),
                                   0.5 + 0.5 * max(tree_by_force(machine, everyone, max)))
            self.assertAlmostEqual(table.tree_share(machine, everyone, -1),
                                   0.5 * min(tree_by_force(machine, everyone, min)))


class Table(unittest.TestCase):
    machines = [LAB, Machine.even(2, 2, 512), Machine.even(2, 4, 1024), Machine.even(8, 2, 512)]

    def test_known_shares(self):
        expected = {"1x3": 2 / 3, "1x4": 0.5, "1x6": 1 / 3, "2x3": 2 / 3, "3x3": 0.75, "4x4": 1, "4x6": 1, "4x8": 1,
                    "8x4": 1, "16x1": 1, "32x1": 1, "1x8": 0.25, "2x4": 0.5, "numa01": 0.5, "numa02": 1, "table": 0.25,
                    "subpage": 0.5, "segment_200": 0.25, "big": 0.5, "oversize_shared": 0.5}
        for name, share in expected.items():
            with self.subTest(name=name):
                self.assertAlmostEqual(WORKLOADS[name].best_share(LAB), share)

    def test_every_entry_on_every_machine(self):
        for machine in self.machines:
            for name, workload in WORKLOADS.items():
                with self.subTest(machine=machine, name=name):
                    best, inverse = workload.best_share(machine), workload.inverse_share(machine)
                    self.assertLessEqual(inverse, best)
                    self.assertLessEqual(best, 1)
                    self.assertGreater(best, 0)
                    self.assertGreaterEqual(workload.must_move(machine), 0)
                    self.assertLessEqual(workload.must_move(machine), workload.size(machine) * 256)
                    self.assertIn("hard", workload.supports(machine))
                    self.assertLessEqual(workload.procs(machine) * workload.threads(machine), 256)
                    self.assertTrue(workload.description.endswith("."))

    def test_what_is_born_on_a_node_fits_there(self):
        for machine in self.machines:
            for name, workload in WORKLOADS.items():
                if workload.born and "large" not in workload.tags and "--spill" not in workload.options:
                    with self.subTest(machine=machine, name=name):
                        self.assertLessEqual(workload.size(machine), table.BORN * machine.mib[0])

    def test_moves(self):
        pages = 256 * 256
        self.assertEqual(WORKLOADS["numa02"].must_move(LAB), pages * 3 // 4)
        self.assertEqual(WORKLOADS["numa01"].must_move(LAB), pages * 3 // 4)
        self.assertEqual(WORKLOADS["4x4"].must_move(LAB), pages * 3 // 4)
        self.assertEqual(WORKLOADS["4x4"].must_move(Machine.even(8, 2, 384)), pages * 7 // 8)
        self.assertEqual(WORKLOADS["1x3"].must_move(LAB), 0)
        self.assertEqual(WORKLOADS["1x4"].must_move(LAB), pages // 2)
        self.assertEqual(WORKLOADS["table"].must_move(LAB), pages * 3 // 4)
        self.assertEqual(WORKLOADS["short"].must_move(LAB), 0)

    def test_commands(self):
        self.assertEqual(WORKLOADS["numa01"].command(LAB),
                         "procs --procs 2 --threads 4 --mem 256 --stride 1024 --sweeps 36 --born 0 --spread".split())
        self.assertEqual(WORKLOADS["numa01"].command(LAB, "inverse", 5),
                         "procs --procs 2 --threads 4 --mem 256 --stride 1024 --sweeps 5 --bind inverse".split())

    def test_threads_are_as_named(self):
        for name in table.tagged("matrix"):
            procs, threads = name.split("x")
            for machine in self.machines:
                words = WORKLOADS[name].command(machine)
                self.assertEqual([words[words.index(o) + 1] for o in ("--procs", "--threads")], [procs, threads])

    def test_scale_is_told(self):
        self.assertEqual(WORKLOADS["numa01"].scale(LAB), "2 x 4 threads, 256 MiB in all, a word in 1024 bytes, 36 sweeps")

    def test_tags(self):
        self.assertEqual(set(table.tagged("full") + table.tagged("large")), set(WORKLOADS))
        self.assertEqual(len(table.tagged("matrix")), 13)
        self.assertTrue(table.tagged("short"))


if __name__ == "__main__":
    unittest.main()
