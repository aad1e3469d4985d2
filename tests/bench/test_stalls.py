# SPDX-License-Identifier: GPL-2.0
"""Unit tests of stalls.py."""
import unittest

import stalls


def line(hist, most, total):
    return {"stall": {"hist": hist, "max": most, "sum": total}}


class Whole(unittest.TestCase):
    def test_none(self):
        self.assertIsNone(stalls.whole([line([], 0, 0)]))

    def test_joined(self):
        lines = [line([[5, 990]], 5, 4950), line([[5, 0], [64, 9], [1024, 1]], 1030, 1606)]
        self.assertEqual(stalls.whole(lines), {"n": 1000, "p50": 5, "p99": 5, "p999": 64, "max": 1030, "sum": 6556})


if __name__ == "__main__":
    unittest.main()
