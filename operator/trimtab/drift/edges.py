"""Where the bins of a numeric column begin and end. Pure arrays in, edges out; it knows nothing of time or names.

An edge never lies on a reference value: a client or an engine that rounds to float32 would move every row with that
value to the other side (PSI 0.9 without any drift, when four rows of ten are tied).
"""

import numpy as np
from numpy.typing import NDArray

HEAVY = 0.05
"""Share of the rows from which on one value has a bin of its own."""

FEW = 20
"""Distinct values up to which each is a level with a bin of its own."""

ENOUGH = 2000
"""Reference rows from which on all bins are given out."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def most_bins(rows: int) -> int:
    """Bins that so many reference rows can carry: 20, or 10 below 2,000 rows."""
    return 20 if rows >= ENOUGH else 10


def quantiles(values: Floats, levels: Floats, limit: int) -> Floats:
    """Interior edges for the finite `values`: at most `limit` bins, none of them empty.

    Args:
        values: the reference rows, finite, in any order.
        levels: the distinct values of the training side, ascending; when they are few, each gets a bin of its own.
        limit: largest number of bins.

    Bins of equal mass see a shift of given size best wherever it happens. A value that many rows share would empty
    its neighbours, so it is cut out first and the others share what is left.

    >>> quantiles(np.arange(100.0), np.arange(100.0), 4).tolist()
    [24.5, 49.5, 74.5]
    >>> quantiles(np.array([0.0] * 60 + list(range(1, 41))), np.arange(41.0), 3).tolist()
    [0.5, 20.5]
    """
    distinct, weights = np.unique(values, return_counts=True)
    if levels.size <= min(FEW, limit):
        return between(distinct, np.searchsorted(distinct, levels[:-1]))
    return between(distinct, cuts(weights, limit, HEAVY * values.size))


def split(values: Floats, threshold: float, limit: int) -> Floats:
    """Interior edges as `quantiles` gives them, one of which is the threshold itself, even where no value is beyond it.

    >>> split(np.array([0.1, 0.2, 0.6, 0.9]), 0.5, 4).round(3).tolist()
    [0.15, 0.5, 0.75]
    >>> split(np.array([0.1, 0.2]), 0.5, 4).round(3).tolist()
    [0.15, 0.5]
    """
    sides = [np.unique(side, return_counts=True) for side in (values[values <= threshold], values[values > threshold])]
    (left, left_weights), (right, right_weights) = sides
    share = int(np.clip(round(limit * float(np.mean(values <= threshold))), 1, limit - 1))
    share = min(max(share, limit - right.size), max(left.size, 1), limit - 1)
    heavy = HEAVY * values.size
    below = between(left, cuts(left_weights, share, heavy))
    above = between(right, cuts(right_weights, limit - share, heavy))
    return np.concatenate([below, [threshold], above])


def between(distinct: Floats, cut: NDArray[np.intp]) -> Floats:
    """Edges in the middle between each `distinct[cut]` and its right neighbour; where no float lies between, on the
    left one, which is where a value on an edge belongs."""
    left, right = distinct[cut], distinct[cut + 1]
    middle = left / 2 + right / 2
    return np.where((middle > left) & (middle < right), middle, left)


def cuts(weights: Ints, limit: int, heavy: float) -> NDArray[np.intp]:
    """Positions i such that a bin ends after the i-th distinct value: at most limit - 1 of them, ascending.

    Args:
        weights: rows of each distinct value, in ascending order of the values.
        limit: largest number of bins.
        heavy: rows from which on a value is cut out on both sides.
    """
    starts = _runs(weights, heavy)
    mass = np.add.reduceat(weights, starts) if starts.size else weights
    while starts.size > limit:
        starts = np.delete(starts, _lightest_joint(mass))
        mass = np.add.reduceat(weights, starts)
    sizes = np.diff(np.append(starts, weights.size))
    shares = _shares(mass, sizes, limit)
    inner = [
        start + _equal(weights[start : start + size], share)
        for start, size, share in zip(starts, sizes, shares, strict=True)
    ]
    return np.sort(np.concatenate([starts[1:] - 1, *inner])).astype(np.intp)


def _runs(weights: Ints, heavy: float) -> NDArray[np.intp]:
    """Where a run begins: each heavy value is one, and so is each stretch of values between two of them."""
    is_heavy = weights >= heavy
    begins = is_heavy | np.concatenate([[True], is_heavy[:-1]]) if weights.size else is_heavy
    return np.flatnonzero(begins)


def _lightest_joint(mass: Ints) -> int:
    """The run, not the first, that joins the one before it for the smallest merged mass."""
    return int(np.argmin(mass[:-1] + mass[1:])) + 1


def _shares(mass: Ints, sizes: NDArray[np.intp], limit: int) -> list[int]:
    """Bins per run: one each, and the others one by one to the run with the most rows per bin that can be cut."""
    shares = np.ones(mass.size, np.int64)
    for _ in range(limit - mass.size):
        density = np.where(shares < sizes, mass / shares, -1.0)
        if not density.size or density.max() < 0:
            break
        shares[int(np.argmax(density))] += 1
    return shares.tolist()


def _equal(weights: Ints, share: int) -> NDArray[np.intp]:
    """Cut one run into bins of nearly equal mass; fewer than asked where two cuts fall on the same value."""
    if share < 2:
        return np.empty(0, np.intp)
    filled = np.cumsum(weights)
    target = filled[-1] * np.arange(1, share) / share
    after = np.searchsorted(filled, target)
    before = np.maximum(after - 1, 0)
    nearest = np.where(target - filled[before] < filled[after] - target, before, after)
    return np.unique(np.minimum(nearest, weights.size - 2))
