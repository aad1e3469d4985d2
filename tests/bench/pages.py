#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Wrong moves: pages that were moved to a node, while another one clearly uses them most afterwards.

Two records are put together. The meter counts, for each page frame, the misses of user programs by node, and writes
them at each "mark pages" (numalab --meter-pages; format: tools/lab/meter_pages.c). The guest's command "pages" makes
these marks, and tells which page of a process is in another frame than the time before (tools/lab/pages.c).

    pages.py FRAMES LOOKS [WINDOW]        prints the sums as JSON
"""
import bisect
import collections
import json
import struct
import sys

Counts = collections.namedtuple("Counts", "nodes ranges blocks")  # blocks: of each mark, (seq, {frame: (misses, ...)})
Move = collections.namedtuple("Move", "page look old new")  # page: (pid, number); look: the first that saw it there
Result = collections.namedtuple("Result", "moves right wrong unused tied wrong_pages")

CLEAR = 0.6  # of the misses on a page: a node that has more of them is its majority user
FEW = 3      # misses on it in all: fewer say nothing


def read_counts(path):
    """What the meter wrote."""
    with open(path, "rb") as file:
        head = json.loads(file.readline())
        nodes = head["nodes"]
        record = struct.Struct(f"<I{nodes}H")
        blocks = []
        while len(start := file.read(8)) == 8:
            seq, count = struct.unpack("<II", start)
            data = file.read(count * record.size)
            if len(data) != count * record.size:
                break
            blocks.append((seq, {r[0]: r[1:] for r in record.iter_unpack(data)}))
    return Counts(nodes, sorted(head["ranges"]), blocks)


def read_looks(lines):
    """What "pages" printed; other lines are skipped. Returns the number of looks, and of each page its (look, frame)s."""
    looks, frames = 0, collections.defaultdict(list)
    for line in lines:
        words = line.split()
        if len(words) == 2 and words[0] == "look":
            looks = int(words[1]) + 1
        elif len(words) == 5 and words[0] == "page":
            page = int(words[1]), int(words[2], 16)
            frames[page].append(Move(page, looks - 1, int(words[3], 16), int(words[4], 16)))
    return looks, frames


def node_of(ranges, frame):
    """The node of a frame, or None."""
    at = bisect.bisect_right(ranges, [frame, float("inf"), 0]) - 1
    if at < 0 or frame >= ranges[at][1]:
        return None
    return ranges[at][2]


def uses_after(counts, move, until):
    """Misses by node on the page's frame in the intervals between its move and look `until`, the page being there."""
    uses = [0] * counts.nodes
    for _, frames in counts.blocks[move.look + 1:until]:
        for node, misses in enumerate(frames.get(move.new, ())):
            uses[node] += misses
    return uses


def wrong_moves(counts, frames, window=3):
    """Judges each move of a page between nodes by who used it in the `window` intervals after the one it fell into, or
    until it moved again. counts: of read_counts(), with one block per look; frames: of read_looks(). Judged are `right`
    and `wrong`. A page that was not used in that time is in `unused`; one that no node clearly uses most, in `tied`."""
    sums = collections.Counter()
    wrong_pages = collections.Counter()
    for history in frames.values():
        for i, move in enumerate(history):
            old, new = node_of(counts.ranges, move.old), node_of(counts.ranges, move.new)
            if not move.old or not move.new or old == new:
                continue
            # What was counted up to the look that saw it elsewhere again may belong to the frame's next owner.
            end = history[i + 1].look if i + 1 < len(history) else len(counts.blocks)
            uses = uses_after(counts, move, min(end, move.look + 1 + window))
            sums["moves"] += 1
            verdict = judge(uses, new)
            sums[verdict] += 1
            if verdict == "wrong":
                wrong_pages[move.page] += 1
    return Result(sums["moves"], sums["right"], sums["wrong"], sums["unused"], sums["tied"], len(wrong_pages))


def judge(uses, node):
    total, most = sum(uses), max(uses)
    if not total:
        return "unused"
    if total < FEW or most <= CLEAR * total:
        return "tied"
    return "right" if uses[node] == most else "wrong"


def blocks_between(counts, first, last):
    """The counts of one part of a run: those whose interval has a seq from first to last."""
    return counts._replace(blocks=[b for b in counts.blocks if first <= b[0] <= last])


def main():
    counts = read_counts(sys.argv[1])
    with open(sys.argv[2], encoding="ascii", errors="replace") as file:
        looks, frames = read_looks(file)
    result = wrong_moves(counts, frames, *map(int, sys.argv[3:]))
    print(json.dumps({"looks": looks, "marks": len(counts.blocks), **result._asdict()}))


if __name__ == "__main__":
    main()
