# SPDX-License-Identifier: GPL-2.0
"""Unit tests of the evaluation: python3 -m unittest discover -s tests/bench."""
import math
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import boot
import figures
import plan
import stats
import workloads
from machine import Machine
from programs import PROGRAMS


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

    def test_one_pair_has_no_bound(self):
        r = stats.paired_ratio([1], [2])
        self.assertEqual((r["ratio"], r["lower95"], r["upper95"], r["pairs"]), (0.5, 0, math.inf, 1))
        self.assertFalse(stats.meets(r, 10))
        self.assertIsNone(stats.paired_ratio([], []))
        self.assertFalse(stats.meets(None, 10))

    def test_what_is_missing_meets_nothing(self):
        r = stats.paired_ratio([1, 1, 1, None], [4, 4, 4, 4])
        self.assertEqual((r["ratio"], r["pairs"], r["lost"]), (0.25, 3, 1))
        self.assertFalse(stats.meets(r, 0.5))
        self.assertEqual(stats.paired_ratio([1, 1, None], [4, 4, None])["lost"], 0)
        self.assertEqual(stats.paired_ratio([1, 1, 0], [4, 4, 4])["lost"], 1)

    def test_zeros_can_be_compared(self):
        r = stats.paired_ratio([5, 5], [0, 0], 1)
        self.assertAlmostEqual(r["ratio"], 5)
        self.assertEqual((r["pairs"], r["lost"]), (2, 0))

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

    def test_whole_time_is_of_the_busy_cpus(self):
        counts = {"user_time": [200_000_000, 100_000_000], "kernel_time": [15_000_000, 5_000_000]}
        lines = [{**line(2, [[10, 0], [0, 0]]), **counts}]
        self.assertAlmostEqual(figures.whole_time(lines, 2), 1.6)
        self.assertIsNone(figures.whole_time(lines, 0))

    def test_converged_for_good(self):
        far, near = [[1, 9], [0, 0]], [[10, 0], [0, 0]]
        self.assertEqual(figures.converged_at([line(2, m) for m in (far, near, far, near, near)], 1.0), 3)
        self.assertIsNone(figures.converged_at([line(2, m) for m in (near, near, far)], 1.0))
        self.assertEqual(figures.converged_at([line(2, near)], 1.0), 0)
        self.assertEqual(figures.converged([line(2, far), line(2, near)], 1.0, 30), 15)
        self.assertEqual(figures.converged([line(2, far), line(2, near)], 1.0, None), 10 / 1e6)
        self.assertIsNone(figures.converged([line(2, near)], None, 30))

    def test_never_converged_is_compared_as_the_whole_run(self):
        far, near = [[1, 9], [0, 0]], [[10, 0], [0, 0]]
        at_least = figures.converged_at_least
        self.assertEqual(at_least([line(2, far), line(2, far)], 1.0, 30), 30)
        self.assertEqual(at_least([line(2, near), line(2, near)], 1.0, 30), 15)
        self.assertEqual(at_least([line(2, m) for m in (far, far, near)], 1.0, 30), 20)
        self.assertEqual(at_least([line(2, far), line(2, far)], 1.0, None), 20 / 1e6)
        self.assertIsNone(at_least([line(2, near)], None, 30))

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


def part(miss, **more):
    """A turn with one interval."""
    counts = {"user_memory": [100], "user_time": [200], "kernel_time": [10]}
    stall = {name: {"hist": [], "max": 0, "sum": 0} for name in ("stall", "stall_wait", "stall_kernel")}
    lines = [line(1, miss), {**line(2, miss, 10, 1), **counts, **stall}]
    moves = {"moves": 10, "right": 3, "wrong": 1, "unused": 2, "tied": 4, "wrong_pages": 1}
    return {"lines": lines, "moves": moves, "report": {}, "before": {}, "after": {}, "autonuma": {}, **more}


class Turns(unittest.TestCase):
    case = plan.Case("numa02")  # 256 MiB, of which 192 have to move
    after = {"numa_hint_faults": 900, "pgmigrate_success": 70, "numa_pages_migrated": 50, "mmu_invalidations": 3,
             "idle_ticks": 60, "user_ticks": 20, "system_ticks": 20, "seconds_100": 500, "tlb_shootdowns": 40}

    def figures(self, contender, **more):
        return figures.figures({contender: part([[3, 1], [0, 0]], after=self.after, **more)}, contender, self.case)

    def test_what_the_program_says_goes_first(self):
        said = {"numa_hint_faults": [100, 150, 250], "numa_pages_migrated": [0, 20, 30], "tlb_shootdowns": 6, "wall_ms": 2000,
                "idle_ms": 4000}
        own = self.figures("async", report=said)
        self.assertEqual([own[name] for name in ("faults", "moved", "tlb_shootdowns", "idle_share", "seconds")],
                         [150, 30, 6, 4000 / 2000 / 8, 2])
        whole = self.figures("async")
        self.assertEqual([whole[name] for name in ("faults", "moved", "tlb_shootdowns", "idle_share", "seconds")],
                         [900, 50, 40, 0.6, 5])

    def test_what_compaction_moves_is_numads_only(self):
        self.assertEqual([self.figures(name)["moved"] for name in ("numad", "in-tree")], [70, 50])

    def test_per_gib(self):
        own = self.figures("async")
        self.assertAlmostEqual(own["faults_per_gib"], 900 / (192 / 1024))
        self.assertAlmostEqual(own["faults_per_program_gib"], 900 / (256 / 1024))
        stays = figures.cost_figures(part([[1]], after=self.after), 0, 1)
        self.assertEqual((stays["faults_per_gib"], stays["faults_per_program_gib"]), (None, 900))
        self.assertIsNone(figures.cost_figures(part([[1]]), None, 1)["invalidations_per_gib"])

    def test_wrong_moves_are_of_the_judged_ones(self):
        own = self.figures("async")
        self.assertEqual((own["wrong_share"], own["wrong_moves"], own["judged_share"]), (1 / 4, 1, 0.4))

    def test_the_modules_own(self):
        own = self.figures("async", autonuma={"scand_ns": 6_000_000, "scan_passes": 3, "bytes_per_thread": 200})
        self.assertEqual([own[name] for name in ("scan_ms", "scan_us_per_pass", "bytes_per_thread", "bytes_per_process",
                                                 "bytes_per_page")], [6, 2000, 200, None, 0])
        self.assertNotIn("scan_ms", self.figures("none"))

    def test_a_real_programs_best_is_the_hard_binds(self):
        case = plan.Case("redis")
        parts = {"none": part([[4, 6], [0, 0]]), "hard": part([[9, 1], [0, 0]])}
        found = {name: figures.figures(parts, name, case) for name in parts}
        self.assertEqual({name: own["converged"] for name, own in found.items()}, {"none": None, "hard": 0})
        self.assertEqual(found["none"]["converged_at_least"], 10 / 1e6)
        alone = figures.figures({"none": parts["none"]}, "none", case)
        self.assertEqual((alone["converged"], alone["converged_at_least"]), (None, None))


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

    def test_lost_events_fail_the_boot(self):
        text = "contender none\nstatus 0\nafter lost_events {}\n"
        meters = {"none": [{"mark": boot.MARK_PASSED}]}
        boot.joined(boot.said(text.format(0)), meters, ["none"])
        with self.assertRaisesRegex(boot.Failed, "lost 7 events"):
            boot.joined(boot.said(text.format(7)), meters, ["none"])

    def test_lost_events_are_counted(self):
        function = re.search(r"^lost_events\(\) .*$", (boot.BENCH / "guest.sh").read_text(), re.MULTILINE)[0]
        with tempfile.TemporaryDirectory() as tracing:
            for cpu, lost in ((0, 4), (1, 5)):
                stats_file = Path(tracing, f"per_cpu/cpu{cpu}/stats")
                stats_file.parent.mkdir(parents=True)
                stats_file.write_text(f"entries: 9\noverrun: {lost}\ncommit overrun: 1\nbytes: 70\ndropped events: 0\n"
                                      "read events: 8\n")
            script = f"tracing={tracing}\n{function}\nlost_events"
            said = subprocess.run(["busybox", "sh", "-c", script], check=True, capture_output=True, text=True).stdout
        self.assertEqual(said, "11\n")

    def test_meter_by_contender(self):
        lines = [{"mark": m} for m in (1, 100, 1, 2, 99, 7, 104, 2, 99)]
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

    def test_what_is_born_on_a_node_fits_there(self):
        """MPOL_BIND: there is no other node to go to."""
        for case in plan.all_cases() + plan.check_cases():
            if case.workload not in PROGRAMS and case.of.born and "--spill" not in case.of.options:
                with self.subTest(case=case.name):
                    self.assertLessEqual(case.mib(), workloads.BORN * case.machine.mib[0])

    def test_sets_fit_into_their_time(self):
        for name, chosen in plan.SETS.items():
            with self.subTest(name=name):
                self.assertLessEqual(chosen.seconds(), 60 * chosen.minutes)
        self.assertGreaterEqual(plan.SETS["short"].reps, 3)
        self.assertGreaterEqual(plan.SETS["full"].reps, 5)

    def test_every_workload_is_in_the_full_set(self):
        self.assertEqual({case.workload for case in plan.full_cases()}, set(plan.ALL))
        self.assertEqual({case.machine for case in plan.full_cases()}, set(plan.MACHINES))

    def test_told(self):
        matrix = plan.find(["4x4@4x2-200"])[0]
        self.assertIn("200", matrix.command("none"))
        self.assertEqual((matrix.of.sweeps, matrix.length, plan.find(["4x4"])[0].length), (200, 4, 1))
        self.assertIn("256 MiB in all, a word in 1024 bytes, 140 sweeps. One process", plan.Case("numa02").told())
        self.assertTrue(plan.Case("redis").told().startswith("about 200 MiB in all. "))

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
