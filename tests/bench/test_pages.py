#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of pages.py: records made by hand."""
import os
import struct
import tempfile
import unittest

import pages

RANGES = [[0, 100, 0], [100, 200, 1], [300, 400, 2]]


def counts_of(*blocks):
    return pages.Counts(3, RANGES, list(enumerate(blocks)))


def looks_of(text):
    return pages.read_looks(text.splitlines())[1]


class Reading(unittest.TestCase):
    def test_file(self):
        head = b'{"nodes":3,"ranges":[[300,400,2],[0,100,0],[100,200,1]]}\n'
        blocks = struct.pack("<II", 7, 1) + struct.pack("<I3H", 150, 1, 65535, 3) + struct.pack("<II", 9, 0)
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(head + blocks + struct.pack("<II", 10, 5))  # the last one is cut off
        counts = pages.read_counts(file.name)
        os.unlink(file.name)
        self.assertEqual(counts, pages.Counts(3, RANGES, [(7, {150: (1, 65535, 3)}), (9, {})]))

    def test_looks(self):
        looks, frames = pages.read_looks(["hello", "look 0", "look 1", "page 12 7f00 a 96", "{}"])
        self.assertEqual(looks, 2)
        self.assertEqual(frames, {(12, 0x7f00): [pages.Move((12, 0x7f00), 1, 10, 150)]})

    def test_node(self):
        nodes = [pages.node_of(RANGES, frame) for frame in (0, 99, 100, 199, 200, 299, 300, 399, 400)]
        self.assertEqual(nodes, [0, 0, 1, 1, None, None, 2, 2, None])


class Judging(unittest.TestCase):
    def judge(self, text, *blocks, window=3):
        return pages.wrong_moves(counts_of(*blocks), looks_of(text), window)

    def test_right_and_wrong(self):
        text = "look 0\nlook 1\npage 1 5 a 96\npage 1 6 b 97\n"
        # The interval of the move itself (1) does not count, nor what came before.
        result = self.judge(text, {150: (9, 0, 0)}, {150: (9, 0, 0)}, {150: (0, 5, 1), 151: (9, 5, 0)})
        self.assertEqual(result, pages.Result(2, 1, 1, 0, 0, 1))

    def test_unused_and_tied(self):
        text = "look 0\nlook 1\npage 1 5 a 96\npage 1 6 b 97\n"
        result = self.judge(text, {}, {}, {151: (5, 5, 0)})
        self.assertEqual(result, pages.Result(2, 0, 0, 1, 1, 0))

    def test_a_clear_majority_decides(self):
        verdicts = [pages.judge(uses, 1) for uses in ((6, 5, 0), (6, 4, 0), (7, 4, 0), (4, 7, 0), (3, 2, 4), (0, 2, 0), (3, 0, 0))]
        self.assertEqual(verdicts, ["tied", "tied", "wrong", "right", "tied", "tied", "wrong"])

    def test_within_a_node_is_no_move(self):
        self.assertEqual(self.judge("look 0\nlook 1\npage 1 5 a b\n", {}, {}, {11: (1, 0, 0)}).moves, 0)

    def test_birth_and_death_are_no_moves(self):
        self.assertEqual(self.judge("look 0\nlook 1\npage 1 5 0 96\npage 1 6 96 0\n", {}, {}, {}).moves, 0)

    def test_until_it_moves_again(self):
        text = "look 0\nlook 1\npage 1 5 a 96\nlook 2\nlook 3\npage 1 5 96 a\nlook 4\n"
        # In interval 3 the frame may have a new owner; afterwards it has.
        result = self.judge(text, {}, {}, {150: (0, 3, 0)}, {150: (9, 0, 0)}, {150: (9, 0, 0), 10: (3, 0, 0)})
        self.assertEqual(result, pages.Result(2, 2, 0, 0, 0, 0))

    def test_window(self):
        text = "look 0\nlook 1\npage 1 5 a 96\n"
        blocks = {}, {}, {150: (0, 4, 0)}, {150: (9, 0, 0)}
        self.assertEqual(self.judge(text, *blocks, window=1).right, 1)
        self.assertEqual(self.judge(text, *blocks, window=2).wrong, 1)

    def test_back_and_forth_counts_pages_once(self):
        text = "look 0\nlook 1\npage 1 5 a 96\nlook 3\npage 1 5 96 a\nlook 5\npage 1 5 a 96\n"
        used = {150: (3, 0, 0), 10: (0, 0, 3)}
        result = self.judge(text, *[used] * 7)
        self.assertEqual((result.moves, result.wrong, result.wrong_pages), (3, 3, 1))

    def test_part_of_a_run(self):
        part = pages.blocks_between(counts_of({}, {1: (1, 0, 0)}, {2: (1, 0, 0)}), 1, 1)
        self.assertEqual(part.blocks, [(1, {1: (1, 0, 0)})])


if __name__ == "__main__":
    unittest.main()
