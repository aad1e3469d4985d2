# SPDX-License-Identifier: GPL-2.0
"""Paired comparisons. Both runs of a pair come from one boot, so what differs between boots falls out of the ratio."""
import math
import statistics

# Student's t, one-sided 95 %, by degrees of freedom.
T95 = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943, 7: 1.895, 8: 1.860, 9: 1.833, 10: 1.812, 11: 1.796,
       12: 1.782, 13: 1.771, 14: 1.761, 15: 1.753, 19: 1.729, 24: 1.711, 29: 1.699}


def t95(freedom):
    """The next smaller one tabled, so that a bound is never too tight."""
    return T95[max(f for f in T95 if f <= freedom)]


def spread(values):
    """Median, least and most of the values that are there; None if none is."""
    values = [v for v in values if v is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def paired_ratio(ours, theirs):
    """Geometric mean of ours / theirs over pairs, and its upper 95 % bound; None without two whole pairs."""
    logs = [math.log(a / b) for a, b in zip(ours, theirs) if a and b and a > 0 and b > 0]
    if len(logs) < 2:
        return None
    mean = statistics.fmean(logs)
    error = statistics.stdev(logs) / math.sqrt(len(logs))
    return {
        "ratio": math.exp(mean),
        "upper95": math.exp(mean + t95(len(logs) - 1) * error),
        "lower95": math.exp(mean - t95(len(logs) - 1) * error),
        "pairs": len(logs),
    }


def meets(ratio, limit):
    """A limit is met when even the upper bound meets it."""
    return ratio is not None and ratio["upper95"] <= limit
