# SPDX-License-Identifier: GPL-2.0
"""Unit tests of the evaluation: python3 -m unittest discover -s tests/bench."""
import math
import unittest

import boot
import figures
import plan
import stats
from machine import Machine


def line(mark, miss, user=0, kernel=0):
    return {"mark": mark, "miss": miss, "user_insns": [user], "kernel_insns": [kernel]}


class Stats(unittest.TestCase):
    def test_bound_covers_the_ratio(self):
        r = stats.paired_ratio([1.0, 1.1, 0.9], [2.0, 2.0, 2.0])
        self.assertAlmostEqual(r["ratio"], (1.0 * 1.1 * 0.9) ** (1 / 3) / 2)
        self.assertLess(r["lower95"], r["ratio"])
        self.assertGreater(r["upper95"], r["ratio"])

    def test_equal_pairs_have_no_spread(self):
        r = stats.paired_ratio([3, 3, 3, 3, 3], [2, 2, 2, 2, 2])
        self.assertAlmostEqual(r["upper95"], 1.5)
        self.assertTrue(stats.meets(r, 1.5000001))
        self.assertFalse(stats.meets(r, 1.49))

    def test_two_pairs_at_least(self):
        self.assertIsNone(stats.paired_ratio([1], [1]))
        self.assertFalse(stats.meets(None, 10))

    def test_known_interval(self):
        # logs 0 and 1: mean 0.5, error 0.5, t(1) = 6.314
        r = stats.paired_ratio([1, math.e], [1, 1])
        self.assertAlmostEqual(math.log(r["upper95"]), 0.5 + 6.314 * 0.5)

    def test_untabled_degrees_use_fewer(self):
        self.assertEqual(stats.t95(23), stats.T95[19])


class Figures(unittest.TestCase):
    def test_share(self):
        lines = [line(2, [[3, 1], [1, 3]]), line(2, [[0, 4], [4, 0]])]
        self.assertEqual(figures.local_share(lines), 6 / 16)
        self.assertIsNone(figures.local_share([line(2, [[0, 0], [0, 0]])]))

    def test_times_are_per_miss(self):
        counts = {"user_insns": [500, 500], "kernel_insns": [100, 0], "user_memory": [1500, 500], "user_time": [2000, 1000],
                  "kernel_time": [150, 50]}
        self.assertEqual(figures.times([{**line(2, [[10, 0], [0, 0]]), **counts}]),
                         {"memory_time": 2, "time": 3.2, "kernel_time": 0.2, "kernel_per_user": 0.1})

    def test_converged_for_good(self):
        far, near = [[1, 9], [0, 0]], [[10, 0], [0, 0]]
        self.assertEqual(figures.converged_at([line(2, m) for m in (far, near, far, near, near)], 1.0), 3)
        self.assertIsNone(figures.converged_at([line(2, m) for m in (near, near, far)], 1.0))
        self.assertEqual(figures.converged_at([line(2, near)], 1.0), 0)
        self.assertEqual(figures.converged([line(2, far), line(2, near)], 1.0, 30), 15)
        self.assertEqual(figures.converged([line(2, far), line(2, near)], 1.0, None), 10 / 1e6)
        self.assertIsNone(figures.converged([line(2, near)], None, 30))

    def test_intervals_begin_after_birth(self):
        part = {"lines": [line(m, [[n]]) for n, m in enumerate((2, 1, "every", 7, 2, "every", 99))]}
        self.assertEqual([i["miss"] for i in figures.intervals(part)], [[[2]], [[4]]])
        self.assertEqual(figures.intervals({"lines": [line(1, [[1]]), line(99, [[1]])]}), [])

    def test_fairness_and_twins(self):
        report = {"procs": 2, "threads": 2, "thread_sweeps": [10, 10, 15, 5], "sweeps_min": 5, "sweeps_mean": 10}
        self.assertEqual(figures.twins(report), 0)
        self.assertEqual(figures.twins({**report, "thread_sweeps": [10, 10, 15, 15]}), 10 / 25)
        self.assertEqual(figures.least_over_mean(report, "sweeps"), 0.5)
        self.assertIsNone(figures.least_over_mean(report, "cpu_ms"))


class Boot(unittest.TestCase):
    def test_output_by_contender(self):
        text = ("noise\ncontender none\nbefore a 1\n{\"x\": 2}\nstatus 0\nafter a 5\nlook 0\ncontender async\n"
                "autonuma running 1\nstatus 3\n")
        parts = boot.said(text)
        self.assertEqual(parts["none"]["looks"], ["look 0"])
        self.assertEqual(figures.delta(parts["none"], "a"), 4)
        self.assertEqual(parts["none"]["report"], {"x": 2})
        self.assertEqual((parts["async"]["status"], parts["async"]["autonuma"]), (3, {"running": 1}))
        with self.assertRaises(boot.Failed):
            boot.joined(parts, {"none": [], "async": []}, ["none", "async"])
        with self.assertRaises(boot.Failed):
            boot.joined(parts, {"async": []}, ["none"])

    def test_meter_by_contender(self):
        lines = [{"mark": m} for m in (1, 100, 1, 2, 99, 7, 103, 2, 99)]
        parts = boot.measured(lines)
        self.assertEqual([l["mark"] for l in parts["none"]], [1, 2, 99])
        self.assertEqual([l["mark"] for l in parts["async"]], [2, 99])

    def test_every_contender_comes_first_once(self):
        first = {boot.rotated(boot.CONTENDERS, r)[0] for r in range(len(boot.CONTENDERS))}
        self.assertEqual(first, set(boot.CONTENDERS))


class Shape(unittest.TestCase):
    def test_names(self):
        names = ["1x8", "2x4", "4x2", "8x2", "16x1", "4x2-ring", "8x2-ring", "4x2+1x0", "4x2-bare1"]
        self.assertEqual([machine.name for machine in plan.MACHINES], names)

    def test_node_of_cpu(self):
        self.assertEqual(Machine((2, 1, 0), (64, 0, 64)).node_of_cpu(), [0, 0, 1])
        self.assertEqual(Machine((2, 1, 0), (64, 0, 64)).options()[3], "2,1,0")


class Plan(unittest.TestCase):
    def test_names_are_unique(self):
        names = [case.name for case in plan.all_cases()]
        self.assertEqual(len(names), len(set(names)))

    def test_find(self):
        self.assertEqual(plan.find(["numa02", "numa02@8x2"])[1].machine, plan.EIGHT)
        self.assertEqual(plan.find(["numa02"]), [plan.Case("numa02")])
        with self.assertRaises(SystemExit):
            plan.find(["numa03"])

    def test_what_is_left_out(self):
        one_node = plan.Case("numa02", plan.MACHINES[0])
        self.assertFalse(one_node.supports("inverse"))
        self.assertTrue(one_node.supports("hard"))
        self.assertFalse(plan.Case("numa02").supports("numad"))
        self.assertTrue(plan.Case("procs_large", plan.LARGE).supports("numad"))


if __name__ == "__main__":
    unittest.main()
