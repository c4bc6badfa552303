"""Which bins are tested together: decided by the reference and the number of rows, never by what the window holds.

Looking at the window's own counts to choose the bins would choose the test after seeing the answer, and the promised
false-alarm rate would be gone. numpy and the standard library only: the training step uses it too.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import ceil

import numpy as np
from numpy.typing import NDArray

LEAST_ROWS = 100
"""Rows below which nothing is tested."""

ROWS_PER_GROUP = 10
"""Rows per group below which groups are merged."""

LEAST_EXPECTED = 5
"""Expected rows per group, in the window and in the reference, below which a bin is pooled."""


def groups(reference: Sequence[int], rows: int, ordered: bool) -> NDArray[np.intp]:
    """Give each bin the number of the group it is tested in; groups count up from 0 without holes.

    Two steps. Pooling: a bin that is expected to hold fewer than 5 rows of the window, or that holds fewer of the
    reference, goes to a neighbour; the chi-squared law fails on less. Coarsening: groups are halved until there are
    10 rows for each. More rows per group make the law more exact and small changes of shape harder to see. Simulated
    with nothing tolerated, the true rate of false alarms is within 1.15 times the nominal one at 1e-3 and 1.5 times at
    1e-4 for 10 or 20 groups of equal mass; one group of 5 expected rows against all others has 2 and 5 times it.

    Args:
        reference: reference rows per bin; of a category, the last bin is everything that has no bin of its own.
        rows: rows of the window that carry a value, at least 1.
        ordered: True where neighbouring bins are neighbouring values; False for levels, whose small ones are pooled
            with the last, and it with the smallest of the others when it is small itself.

    >>> groups([50] * 20, rows=150, ordered=True).tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
    >>> groups([600, 390, 10, 0], rows=200, ordered=False).tolist()
    [0, 1, 1, 1]

    Source: Cochran (1954), Some methods for strengthening the common chi-squared tests, Biometrics 10.
    """
    need = LEAST_EXPECTED * max(1.0, sum(reference) / rows)
    most = max(1, rows // ROWS_PER_GROUP)
    found = _neighbours(reference, need, most) if ordered else _levels(reference, need, most)
    return np.array(found, np.intp)


def rows_needed(reference: Sequence[int], ordered: bool) -> int | None:
    """Rows from which on this reference can be compared with: 100, or more when all but few rows share one bin.
    None when no number is enough, because the reference itself has next to nothing outside of one bin.

    >>> rows_needed([500, 500], True), rows_needed([9990, 10], True), rows_needed([700, 0], True)
    (100, 5000, None)
    """
    smaller = _smaller_part(tuple(reference), ordered)
    return max(LEAST_ROWS, ceil(LEAST_EXPECTED * sum(reference) / smaller)) if smaller >= LEAST_EXPECTED else None


def merge(counts: Sequence[int], group: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sum counts of bins into counts of groups.

    >>> merge([1, 2, 3, 4], np.array([0, 1, 1, 2])).tolist()
    [1.0, 5.0, 4.0]
    """
    return np.bincount(group, weights=np.asarray(counts, np.float64)).astype(np.float64)


@lru_cache(maxsize=4096)
def _smaller_part(reference: tuple[int, ...], ordered: bool) -> int:
    """Rows on the smaller side of the most even way to make two groups."""
    rows = sum(reference)
    firsts = list(accumulate(reference[:-1])) if ordered else [max(reference[:-1], default=0)]
    return max((min(first, rows - first) for first in firsts), default=0)


def _neighbours(reference: Sequence[int], need: float, most: int) -> list[int]:
    found: list[int] = []
    group, held = 0, 0
    for rows in reference:
        found.append(group)
        held += rows
        if held >= need:
            group, held = group + 1, 0
    last = max(group - 1, 0)  # what is left over at the end goes to the group before it
    halvings = 0
    while (last >> halvings) + 1 > most:
        halvings += 1
    return [min(g, last) >> halvings for g in found]


def _levels(reference: Sequence[int], need: float, most: int) -> list[int]:
    largest = sorted(range(len(reference) - 1), key=lambda level: (-reference[level], level))
    own = [level for level in largest if reference[level] >= need][: most - 1]
    rest = sum(reference) - sum(reference[level] for level in own)
    while rest < need and own:
        rest += reference[own.pop()]
    place = {level: group for group, level in enumerate(sorted(own))}
    return [place.get(level, len(own)) for level in range(len(reference))]
