"""Columns whose bins cannot be compared: one value has nearly all of the reference, or no level is frequent.

Whether rows lie elsewhere than nearly all of the reference did can still be told: a constant that becomes another one
is the largest drift there is. Pure.
"""

from math import sqrt

import numpy as np

from trimtab.drift import counting, pooling, psi, tail
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Reference, total

FLOOR = 0.01
"""Share of rows by which those elsewhere may exceed the reference's before it counts, as in data quality."""

ERRORS = 4.0
"""Standard errors of the reference's own share that are allowed beside: a small reference knows it badly."""


def tested(reference: Reference, counts: FeatureCounts) -> bool:
    """Whether there is something to compare, and rows enough to say it of."""
    return total(reference) > 0 and counting.carried(counts) >= pooling.LEAST_ROWS


def rows(reference: Reference, counts: FeatureCounts) -> int:
    """Rows that do not lie in the bin that holds most of the reference: in another one, beyond it, or of an unseen level.

    >>> from trimtab.drift.profile import NumberReference
    >>> rows(NumberReference("k", (), (500,), 7.0, 7.0, 0, 0.0, ""), FeatureCounts((90,), above=10))
    10
    """
    return counting.carried(counts) - counts.bins[_held(reference)]


def usual(reference: Reference, outside: float) -> float:
    """Share of such rows without a shift. `outside`: what of it is to be expected beyond the reference."""
    m = total(reference)
    return min(1.0, (m - reference.counts[_held(reference)]) / m + max(outside, 1 / (m + 1)))


def least(n: int, m: int, expected: float, log_bar: float) -> int | None:
    """The fewest of n rows elsewhere that count at this bar; None when not even all of them do.

    p = P(X >= k) for X binomial of n rows at the expected share, one percentage point (`FLOOR`) and four standard errors
    of the reference's m rows more; exact. So a share within that never counts, however many rows.

    >>> from math import log
    >>> least(1000, 20_000, 1e-4, log(1e-5)), least(100, 20_000, 0.999, log(1e-5))
    (28, None)
    """
    rate = min(1.0, expected + FLOOR + ERRORS * sqrt(expected * (1 - expected) / m))
    if tail.log_binomial(n, n, rate) > log_bar:
        return None
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if tail.log_binomial(middle, n, rate) <= log_bar else (middle + 1, high)
    return low


def size(hits: int, n: int, m: int, expected: float) -> float:
    """Corrected PSI of two groups: where nearly all of the reference lies, and elsewhere."""
    window, base = np.array([n - hits, hits], np.float64), np.array([m * (1 - expected), m * expected])
    return max(0.0, psi.index(window, base) - psi.bias(2, n, m))


def _held(reference: Reference) -> int:
    """The bin that holds most of the reference."""
    return max(range(len(reference.counts)), key=reference.counts.__getitem__)
