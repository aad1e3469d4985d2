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


def paired_ratio(ours, theirs, least=0):
    """Geometric mean of ours / theirs over pairs, and its bounds; None without a pair. What is below `least` counts as
    `least`, so that zeros can be compared. lost: pairs of which one half has no value, or none that can be compared. One
    pair has no bound but 0 and infinity."""
    pairs = [(a, b) for a, b in zip(ours, theirs) if a is not None or b is not None]
    whole = [(max(a, least), max(b, least)) for a, b in pairs if a is not None and b is not None]
    logs = [math.log(a / b) for a, b in whole if a > 0 and b > 0]
    if not logs:
        return None
    mean = statistics.fmean(logs)
    margin = t95(len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.inf
    return {
        "ratio": math.exp(mean),
        "upper95": math.exp(mean + margin),
        "lower95": math.exp(mean - margin),
        "pairs": len(logs),
        "lost": len(pairs) - len(logs),
    }


def meets(ratio, limit):
    """A limit is met when even the upper bound meets it, and no pair is missing: it might be the worst one."""
    return ratio is not None and not ratio["lost"] and ratio["upper95"] <= limit
