"""Turns values into counts over a reference's bins, and adds such counts up. Exact, in any order.

This is what a serving pod runs, off the request path, and what the operator adds up over pods and time. Integers
only, so that no sum depends on its order. numpy and the standard library only; no value outlives the call.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.drift.profile import CategoryReference, NumberReference, Reference

SORTED_FROM = 512
"""Rows from which on sorting the column and searching the edges in it is faster than searching each row."""


@dataclass(frozen=True)
class FeatureCounts:
    """Rows by where one feature's value fell. Every row is in exactly one of them."""

    bins: tuple[int, ...]
    """Rows per bin of the reference; a category's last is the rare levels that the reference knows. Values outside
    the reference's range are not among them."""
    below: int = 0
    """Rows below the smallest reference value."""
    above: int = 0
    """Rows above the largest reference value."""
    missing: int = 0
    """Rows without a value."""
    invalid: int = 0
    """Rows whose value is none: of another type, unreadable, infinite."""
    unseen: int = 0
    """Rows with a level that the reference has never seen."""


def count(reference: Reference, values: NDArray[Any], invalid: int = 0) -> FeatureCounts:
    """Count one column of a batch.

    Args:
        reference: the bins.
        values: float64[n] with NaN for missing, or object[n] of str with "" for missing, as the reference's kind says.
        invalid: rows of the batch that are not among `values` because they could not be read as one.

    A value equal to an edge, or to the smallest or largest reference value, is inside.

    >>> reference = NumberReference("x", (1.0, 2.0), (3, 3, 3), 0.0, 3.0, 0, 0.0, "")
    >>> count(reference, np.array([-1.0, 0.0, 1.0, 1.5, 3.0, 9.0, np.nan, np.inf]))
    FeatureCounts(bins=(2, 1, 1), below=1, above=1, missing=1, invalid=1, unseen=0)
    """
    if reference.kind == "Number":
        return _numbers(reference, values, invalid)
    return _levels(reference, values, invalid)


def zero(reference: Reference) -> FeatureCounts:
    """The counts of no rows."""
    return FeatureCounts((0,) * len(reference.counts))


def rows(counts: FeatureCounts) -> int:
    """All rows counted, whatever became of them.

    >>> rows(FeatureCounts((2, 1), above=3, missing=4))
    10
    """
    return carried(counts) + counts.missing + counts.invalid


def carried(counts: FeatureCounts) -> int:
    """Rows that carry a value: the n of every formula here."""
    return sum(counts.bins) + outside(counts)


def outside(counts: FeatureCounts) -> int:
    """Rows with a value that the reference has never seen the like of: out of its range, or an unseen level."""
    return counts.below + counts.above + counts.unseen


def add(a: FeatureCounts, b: FeatureCounts) -> FeatureCounts:
    """Counts of the rows of both. ValueError when they are over different bins.

    >>> add(FeatureCounts((1, 2), missing=1), FeatureCounts((0, 5)))
    FeatureCounts(bins=(1, 7), below=0, above=0, missing=1, invalid=0, unseen=0)
    """
    return _each(a, b, int.__add__)


def subtract(a: FeatureCounts, b: FeatureCounts) -> FeatureCounts:
    """Counts of a's rows without b's. ValueError when they are over different bins, or when b has rows a lacks.

    >>> subtract(FeatureCounts((1,)), FeatureCounts((2,)))
    Traceback (most recent call last):
    ValueError: counts went down: (1, 0, 0, 0, 0, 0) after (2, 0, 0, 0, 0, 0)
    """
    difference = _each(a, b, int.__sub__)
    if min(flat(difference)) < 0:
        raise ValueError(f"counts went down: {flat(a)} after {flat(b)}")
    return difference


def flat(counts: FeatureCounts) -> tuple[int, ...]:
    """The bins followed by below, above, missing, invalid, unseen."""
    return (*counts.bins, counts.below, counts.above, counts.missing, counts.invalid, counts.unseen)


def shaped(values: tuple[int, ...]) -> FeatureCounts:
    """The inverse of `flat`.

    >>> shaped(flat(FeatureCounts((1, 2), unseen=3))) == FeatureCounts((1, 2), unseen=3)
    True
    """
    return FeatureCounts(values[:-5], *values[-5:])


def _each(a: FeatureCounts, b: FeatureCounts, operation: Callable[[int, int], int]) -> FeatureCounts:
    if len(a.bins) != len(b.bins):
        raise ValueError(f"counts over {len(a.bins)} and over {len(b.bins)} bins cannot be combined")
    return shaped(tuple(map(operation, flat(a), flat(b))))


class _Marks(NamedTuple):
    """The boundaries of all intervals a number can fall in, and what each interval is."""

    bounds: NDArray[np.float64]
    """Ascending: minus infinity, just below low, the edges, high, the largest float, infinity; an interval reaches
    from one bound, without it, up to and with the next. NaN sorts after the last."""
    slots: NDArray[np.intp]
    """Per interval the position in (*bins, below, above, missing, invalid)."""


@lru_cache(maxsize=4096)
def _marks(edges: tuple[float, ...], low: float | None, high: float | None) -> _Marks:
    bins = len(edges) + 1
    ends = () if low is None or high is None else (math.nextafter(low, -math.inf), high)
    largest = float(np.finfo(np.float64).max)
    bounds = np.array([-math.inf, *sorted((*edges, *ends)), largest, math.inf])
    inside = [_slot(bound, edges, low, high) for bound in bounds[1:-1].tolist()]
    return _Marks(bounds, np.array([bins + 3, *inside, bins + 3, bins + 2], np.intp))


def _slot(value: float, edges: tuple[float, ...], low: float | None, high: float | None) -> int:
    bins = len(edges) + 1
    if low is not None and value < low:
        return bins
    if high is not None and value > high:
        return bins + 1
    return sum(edge < value for edge in edges)


def _numbers(reference: NumberReference, values: NDArray[np.float64], invalid: int) -> FeatureCounts:
    bounds, slots = _marks(reference.edges, reference.low, reference.high)
    if values.size < SORTED_FROM:
        found = np.bincount(bounds.searchsorted(values), minlength=slots.size)
    else:
        found = np.diff(np.sort(values).searchsorted(bounds, side="right"), prepend=0, append=values.size)
    *bins, below, above, missing, infinite = np.bincount(slots, found, len(reference.counts) + 4).astype(int).tolist()
    return FeatureCounts(tuple(bins), below, above, missing, infinite + invalid)


def _levels(reference: CategoryReference, values: NDArray[np.object_], invalid: int) -> FeatureCounts:
    places = _places(reference.levels, reference.known)
    rare = len(reference.levels)
    found = [0] * (rare + 3)
    for value, times in Counter(values.tolist()).items():
        found[places.get(value, rare + 1)] += times
    return FeatureCounts(tuple(found[: rare + 1]), missing=found[-1], invalid=invalid, unseen=found[-2])


@lru_cache(maxsize=1024)
def _places(levels: tuple[str, ...], known: tuple[str, ...]) -> dict[str, int]:
    rare = len(levels)
    return dict.fromkeys(known, rare) | {level: i for i, level in enumerate(levels)} | {"": rare + 2}
