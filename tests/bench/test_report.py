# SPDX-License-Identifier: GPL-2.0
"""The page from invented results: what is lost comes first, limits are judged by their bound."""
import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path

import report


def figures(time, **more):
    return {"best": 1.0, "curve": [0.5, 1.0], "local": 0.75, "memory_time": time, "time": time, "kernel_time": 0.1,
            "converged": 3, "converged_at_least": 3, **more}


def run(repetition, machine="4x2", workload="w", **contenders):
    return {"case": f"{workload}@{machine}", "workload": workload, "machine": machine, "thp": False, "description": "A workload.",
            "repetition": repetition, "provenance": {"commit": "c"}, "contenders": contenders, "status": {}}


def three(machine="4x2", **times):
    return [run(n, machine, **{name.replace("_", "-"): figures(time + n / 1000) for name, time in times.items()})
            for n in range(3)]


def pairs(ours, theirs, against="in-tree"):
    """A run for each of two figures given."""
    return [run(n, **{"async": figures(1, **a), against: figures(1, **b)}) for n, (a, b) in enumerate(zip(ours, theirs))]


class Losses(unittest.TestCase):
    def lost(self, figure, ours, theirs, against="in-tree"):
        runs = pairs([{figure: v} for v in ours], [{figure: v} for v in theirs], against)
        return [text for text in report.losses({"w": runs}) if report.WORDS[figure] in text]

    def test_every_cost_counts(self):
        for figure in ("kernel_per_user", "kernel_time", "wait_p99", "wrong_moves", "tlb_shootdowns", "invalidations", "twins"):
            with self.subTest(figure=figure):
                self.assertIn(" 3.000 times in-tree's (upper bound 3.000)",
                              self.lost(figure, [3000, 3000], [1000, 1000])[0])
                self.assertEqual(self.lost(figure, [1000, 1000], [3000, 3000]), [])

    def test_less_is_worse_for_fairness(self):
        for figure in ("cpu_fairness", "progress_fairness"):
            for against in ("in-tree", "none"):
                with self.subTest(figure=figure, against=against):
                    self.assertIn(f" 0.500 times {against}'s (upper bound 0.500)",
                                  self.lost(figure, [0.4, 0.4], [0.8, 0.8], against)[0])
                    self.assertEqual(self.lost(figure, [0.8, 0.8], [0.4, 0.4], against), [])
        self.assertIn("not sure", self.lost("cpu_fairness", [0.4, 0.9], [0.8, 0.8])[0])

    def test_against_zero(self):
        self.assertIn("500.000 times", self.lost("invalidations", [500, 500], [0, 0])[0])
        self.assertEqual(self.lost("wrong_moves", [60, 60], [0, 0]), [])

    def test_one_run(self):
        self.assertEqual(self.lost("kernel_time", [3], [2]),
                         ["w: modelled kernel time 1.500 times in-tree's (1 run, no bound)"])

    def test_never_converged(self):
        never, soon = {"converged": None, "converged_at_least": 30}, {"converged": 3, "converged_at_least": 3}
        runs = pairs([soon, soon, never], [{"converged": 20, "converged_at_least": 20}] * 3)
        self.assertNotIn("met", report.limit_table({"w": runs}).splitlines()[2].split("|")[-2])
        self.assertIn("w: not converged in 1 of 3 runs", report.losses({"w": runs}))
        unknown = pairs([{"converged": None, "converged_at_least": None}] * 2, [{}, {}])
        self.assertFalse(any("not converged" in text for text in report.losses({"w": unknown})))
        self.assertEqual([report.cell(some, "async", "converged", "{:.0f}") for some in (runs[2:], unknown)], ["never", "-"])


class Page(unittest.TestCase):
    def test_losses_are_sorted(self):
        lost = report.losses({"a": three(**{"async": 1.2, "none": 1.0}), "b": three(**{"async": 2.0, "none": 1.0})})
        self.assertTrue(lost[0].startswith("b: modelled time 1.999"), lost)
        self.assertTrue(any(text.startswith("a: ") for text in lost))
        self.assertEqual(report.losses({"a": three(**{"async": 0.9, "none": 1.0})}), [])

    def test_limits(self):
        table = report.limit_table({"a": three(**{"async": 1.5, "none": 1.0, "in_tree": 2.0})})
        row = table.splitlines()[2]
        self.assertIn("**no**", row.split("|")[2])
        self.assertIn("met", row.split("|")[3])

    def test_place_between(self):
        place = report.placed_between(three(**{"async": 1.25, "hard": 1.0, "inverse": 2.0}), "async")
        self.assertAlmostEqual(place["median"], 0.75)
        self.assertIsNone(report.placed_between(three(**{"async": 1.25, "hard": 1.0}), "async"))

    def test_sizes(self):
        runs = {f"w@{m}": three(m, **{"async": 1.0, "fault": 2.0}) for m in ("1x8", "2x4", "4x2", "4x2-ring")}
        self.assertEqual(set(report.by_nodes(runs)["w"]), {1, 2, 4})
        self.assertAlmostEqual(report.worker_over_fault(report.by_nodes(runs)["w"], "time")[4][0], 0.5, 2)

    def test_batches(self):
        runs = three(**{"in-tree": 2.0, "batch64": 1.0, "async": 4.0})
        points = report.batch_over_in_tree(runs, "time")
        self.assertEqual(list(points), [64, 512])
        self.assertAlmostEqual(points[512][0], 2, 2)
        self.assertEqual(report.batch_over_in_tree(three(**{"async": 1.0}), "time"), {})

    def test_one_run_meets_nothing(self):
        row = report.limit_table({"a": three(**{"async": 0.5, "none": 1.0})[:1]}).splitlines()[2]
        self.assertEqual(row.split("|")[2], " 0.500 (1 run, no bound) ")

    def test_repetitions(self):
        said = [report.repetitions([None] * n, 3) for n in (0, 2, 3, 5)]
        self.assertEqual(said, ["0 of 3 repetitions (too few)", "2 of 3 repetitions (too few)", "3 of 3 repetitions",
                                "5 of 5 repetitions"])
        notes = report.missing(["a", "b", "c"], {"a": [None] * 3, "b": [None] * 2}, 3, 4)
        self.assertEqual(notes, ["- b: 2 of 3 repetitions (too few)", "- c: 0 of 3 repetitions (too few)",
                                 "- left out: 4 boots of other commits"])

    def test_one_commit(self):
        with tempfile.TemporaryDirectory() as name:
            for n, (case, commit) in enumerate((("a", "old"), ("a", "new"), ("b", "old"))):
                path = Path(name, f"{case}.{n}.json")
                path.write_text(json.dumps({**run(n), "provenance": {"commit": commit}}))
                os.utime(path, (n, n))
            kept = {commit: report.load(Path(name), ["a", "b"], commit) for commit in ("new", "old", "none of them")}
        told = {commit: ({case: len(runs) for case, runs in all_runs.items()}, others)
                for commit, (all_runs, others) in kept.items()}
        self.assertEqual(told, {"new": ({"a": 1}, 2), "old": ({"a": 1, "b": 1}, 1), "none of them": ({"a": 1, "b": 1}, 1)})

    def test_scan_cost_over_mappers(self):
        runs = {f"{name}@4x2": [run(0, **{"async": figures(1, scan_ms=ms, scan_us_per_pass=10, planted=planted),
                                          "in-tree": figures(1, planted=7)})]
                for name, ms, planted in (("segment_200", 6, 9), ("segment_4", 4, 3))}
        self.assertEqual(report.scan_over_mappers(runs)[1].partition(": ")[2],
                         "async: scan time 1.50; async: scan time per pass 1.00; async: planted entries 3.00; "
                         "in-tree: planted entries 1.00.")
        self.assertEqual(report.scan_over_mappers({"segment_200@4x2": runs["segment_200@4x2"]}), [])

    def test_memory_of_the_module(self):
        runs = {"w": [run(0, **{"async": figures(1, bytes_per_page=0, bytes_per_thread=216, bytes_per_process=None)})]}
        self.assertEqual(report.memory_of_module(runs)[1], "Memory of the module, in bytes: per page 0 (no field added), "
                         "per thread 216, per process not told, per GiB not told.")
        self.assertEqual(report.memory_of_module({"w": three(none=1)}), [])

    @unittest.skipUnless(shutil.which("gnuplot"), "no gnuplot")
    def test_written(self):
        with tempfile.TemporaryDirectory() as name:
            results, out = Path(name, "in"), Path(name, "out")
            results.mkdir()
            for n, one in enumerate(three(**{"none": 2.0, "in_tree": 1.6, "async": 1.1, "hard": 1.0, "inverse": 2.2})):
                (results / f"w@4x2.{n}.json").write_text(json.dumps(one))
            (results / "calibration.4x2.txt").write_text("c\nfrom node 0: 100.00 % local (100.00 expected), 0.00 % on node 1\n"
                                                         "from node 0: 49.70 % local (50.00 expected), 50.30 % on node 1\n")
            report.write(results, ["w@4x2", "absent"], out)
            text = (out / "performance.md").read_text()
            self.assertIn("## w@4x2", text)
            self.assertIn("3 of 3 repetitions: median", text)
            self.assertIn("- absent: 0 of 3 repetitions (too few)", text)
            self.assertIn("4x2 (c): 2 probes; from node 0: 49.70", text)
            self.assertEqual(len(json.loads((out / "results.json").read_text())), 3)
            for plot in ("w@4x2", "between", "time", "cost"):
                self.assertIn("<svg", (out / "plots" / f"{plot}.svg").read_text())


if __name__ == "__main__":
    unittest.main()
