# SPDX-License-Identifier: GPL-2.0
"""Unit tests of bench: its clock."""
import importlib.machinery
import importlib.util
import time
import unittest
from pathlib import Path

loader = importlib.machinery.SourceFileLoader("bench", str(Path(__file__).with_name("bench")))
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench", loader))
loader.exec_module(bench)


class Clock(unittest.TestCase):
    def test_what_comes_afterwards_needs_time_too(self):
        self.assertFalse(bench.Clock(1, 2, 60).is_over())
        self.assertTrue(bench.Clock(1, 1, 60).is_over())

    def test_no_boot_that_would_end_later(self):
        clock = bench.Clock(3, 2, 60)
        clock.passed(time.monotonic() - 70)
        self.assertTrue(clock.is_over())


if __name__ == "__main__":
    unittest.main()
