# SPDX-License-Identifier: GPL-2.0
"""The page from invented results: what is lost comes first, limits are judged by their bound."""
import json
import shutil
import tempfile
import unittest
from pathlib import Path

import report


def figures(time, **more):
    return {"best": 1.0, "curve": [0.5, 1.0], "local": 0.75, "memory_time": time, "time": time, "kernel_time": 0.1,
            "converged": 3, **more}


def run(repetition, machine="4x2", **contenders):
    return {"case": f"w@{machine}", "workload": "w", "machine": machine, "thp": False, "description": "A workload.",
            "repetition": repetition, "provenance": {"commit": "c"}, "contenders": contenders, "status": {}}


def three(machine="4x2", **times):
    return [run(n, machine, **{name.replace("_", "-"): figures(time + n / 1000) for name, time in times.items()})
            for n in range(3)]


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
            self.assertIn("4x2 (c): 2 probes; from node 0: 49.70", text)
            self.assertEqual(len(json.loads((out / "results.json").read_text())), 3)
            for plot in ("w@4x2", "between", "time", "cost"):
                self.assertIn("<svg", (out / "plots" / f"{plot}.svg").read_text())


if __name__ == "__main__":
    unittest.main()
