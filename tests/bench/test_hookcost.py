# SPDX-License-Identifier: GPL-2.0
"""Unit tests of hookcost: what two kernels' quiet rounds differ by."""
import importlib.machinery
import importlib.util
import unittest
from pathlib import Path

loader = importlib.machinery.SourceFileLoader("hookcost", str(Path(__file__).with_name("hookcost")))
hookcost = importlib.util.module_from_spec(importlib.util.spec_from_loader("hookcost", loader))
loader.exec_module(hookcost)


def boots(*lengths):
    return [{"fault": [{"rounds": [(length, 9)] if length else []} for length in lengths]}]


class Rounds(unittest.TestCase):
    def difference(self, unpatched, patched):
        return hookcost.round_difference(boots(*unpatched), boots(*patched), "fault")

    def test_the_same_lengths(self):
        self.assertEqual(self.difference((100, 176, 100), (176, 100, 176)), 0)

    def test_one_length_not_met(self):
        self.assertEqual(self.difference((100, 176, 100), (176, 176, 176)), 0)
        self.assertEqual(self.difference((176, 176, 176), (100, 176, 176)), 0)

    def test_longer_rounds_are_not_matched_with_other_ones(self):
        self.assertEqual(self.difference((100, 176), (176, 252)), 76)
        self.assertEqual(self.difference((100, 100), (180, 180)), 80)

    def test_none(self):
        self.assertIsNone(self.difference((None,), (None,)))


if __name__ == "__main__":
    unittest.main()
