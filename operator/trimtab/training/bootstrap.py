"""Bootstrap: how far a metric, or the difference of two, could lie from what was seen, by drawing rows or whole
blocks again. Pure.

Resamples are weights, so nothing is copied. Rows that resemble their neighbours must be drawn in blocks: drawn one by one they
understate the error several times (flights: 0.004 against 0.020 by day).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from trimtab.training.scores import Undefined

Floats = NDArray[np.float64]
DRAWS = 1000
_BUDGET = 50_000_000
"""Draws times rows: with more rows fewer draws are made, at least 200."""
_REPEATS = 5
"""Draws in which a metric is undefined are drawn again, at most so many times as many draws."""


class Indeterminate(ValueError):  # noqa: N818  no error: the rows cannot tell
    """Too many resamples have no value."""


def blocks_of(key: NDArray[np.int64] | None, rows: int) -> tuple[NDArray[np.int64], int]:
    """Block of each row as 0..b-1, and b. None: each row by itself."""
    if key is None:
        return np.arange(rows), rows
    there, block = np.unique(key, return_inverse=True)
    return block.astype(np.int64), len(there)


def draws(rows: int) -> int:
    """How many resamples are worth their time."""
    return int(np.clip(_BUDGET // max(rows, 1), 200, DRAWS))


def weights(block: NDArray[np.int64], count: int, seed: int) -> Iterator[Floats]:
    """Endless resamples of `count` blocks with replacement: how often each row was drawn, float64[n]."""
    generator = np.random.default_rng(seed)
    while True:
        drawn = np.bincount(generator.integers(0, count, count), minlength=count).astype(np.float64)
        yield drawn[block]


def distribution(
    statistic: Callable[[Floats], float], block: NDArray[np.int64], count: int, seed: int
) -> tuple[Floats, int]:
    """Values of the statistic on resamples, and how many were drawn again because it was undefined there.

    Raises Indeterminate when that happens to most of them.
    """
    wanted, found, again = draws(len(block)), [], 0
    for weight in weights(block, count, seed):
        try:
            found.append(statistic(weight))
        except Undefined:
            again += 1
            if again > _REPEATS * wanted:
                raise Indeterminate(f"{again} of {again + len(found)} resamples have no value") from None
        if len(found) == wanted:
            break
    return np.array(found), again


def interval(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of that level."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
