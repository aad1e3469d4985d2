# SPDX-License-Identifier: GPL-2.0
"""Stalls of a whole run from the meter's intervals: quantiles cannot be added up, histograms can."""
import collections

KINDS = "stall", "stall_wait", "stall_kernel"


def whole(lines, kind="stall"):
    """lines: the meter's, as dictionaries. Returns n, p50, p99, p999, max and sum in instructions, or None if there was
    none. A quantile is the least value of its bucket, at most 1/16 below the true one; max and sum are exact."""
    parts = [line[kind] for line in lines]
    buckets = collections.Counter()
    for part in parts:
        for value, count in part["hist"]:
            buckets[value] += count
    if not buckets:
        return None
    return {
        "n": buckets.total(),
        "p50": quantile(buckets, 500),
        "p99": quantile(buckets, 990),
        "p999": quantile(buckets, 999),
        "max": max(part["max"] for part in parts),
        "sum": sum(part["sum"] for part in parts),
    }


def quantile(buckets, per_mille):
    total, below = buckets.total(), 0
    for value in sorted(buckets):
        below += buckets[value]
        if below * 1000 >= total * per_mille:
            return value
    raise ValueError("no buckets")
