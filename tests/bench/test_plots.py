# SPDX-License-Identifier: GPL-2.0
"""Unit tests of plots.py: what gnuplot is told."""
import unittest
from unittest import mock

import plots


class Bars(unittest.TestCase):
    def ranges(self, *values):
        with mock.patch.object(plots, "gnuplot") as gnuplot:
            plots.bars("x.svg", "t", "y", {f"case {n}": {"async": value} for n, value in enumerate(values)})
        return [line for line in gnuplot.call_args.args[3] if line.startswith("set yrange")]

    def test_negative_values_show(self):
        self.assertEqual(self.ranges(0.5, -0.2, None), ["set yrange [-0.22:*]"])
        self.assertEqual(self.ranges(0.5, 1), ["set yrange [0:*]"])


if __name__ == "__main__":
    unittest.main()
