"""Freezes what the reference rows look like: builds the references that a profile is made of.

Runs once, in the training pod. It sees values; what it returns holds edges and counts only, and of categories the
names of levels. numpy and the standard library only.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from trimtab.drift import counting, edges, pooling, psi
from trimtab.drift.profile import MAX_KNOWN, CategoryReference, NumberReference

MAX_LEVELS = 30
"""Levels of a category with a count of their own."""

LEVEL_SHARE = 0.005
"""Share of the training side's rows from which on a level has a count of its own."""

R = TypeVar("R", bound=NumberReference | CategoryReference)
Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
Mask = NDArray[np.bool_]


class Passed(NamedTuple):
    """A shift that the model has passed its gates across."""

    tolerance: float
    why: str


def number(name: str, values: Floats, newer: Mask | None = None) -> NumberReference:
    """Reference of a numeric column.

    Args:
        name: the column.
        values: float64[n], one per row the shipped model was fitted on; NaN is missing, infinities are in no bin.
        newer: bool[n], True on the newer part of the rows (the newest 20 %); None where rows have no order in time.

    At most 20 bins of equal mass, 10 below 2,000 rows; a value with 5 % of the rows has a bin of its own; 20 distinct
    values or fewer on the older side are ordered levels. Every bin holds a reference row.

    >>> booleans = number("weekend", np.array([0.0, 0.0, 1.0, np.nan]))
    >>> booleans.edges, booleans.counts, booleans.missing
    ((0.5,), (2, 1), 1)
    """
    finite = np.isfinite(values)
    kept = values[finite]
    older = values[finite & ~newer] if newer is not None and (finite & ~newer).any() else kept
    limit = edges.most_bins(kept.size)
    return _histogram(name, values, edges.quantiles(kept, np.unique(older), limit), newer)


def score(name: str, values: Floats, threshold: float | None = None, newer: Mask | None = None) -> NumberReference:
    """Reference of a score, as `number`, with the decision threshold as one of the edges.

    A score equal to the threshold lies in the bin below it, as with the larger of two probabilities: a tie at 0.5 is
    not the positive class. None: no threshold, as for the largest of several probabilities.

    >>> score("score", np.array([0.1, 0.2, 0.6, 0.9]), threshold=0.5).counts
    (1, 1, 1, 1)
    """
    kept = values[np.isfinite(values)]
    if threshold is None or not kept.size:
        return number(name, values, newer)
    return _histogram(name, values, edges.split(kept, threshold, edges.most_bins(kept.size)), newer)


def tolerating(reference: R, values: NDArray[Any]) -> R:
    """The reference of an output, tolerating its shift to what the same model says of the rows it was fitted on.

    Outputs are referred to held-out rows, which a time split takes from the newest days; rows like all the others are no
    drift. That shift, bias-corrected PSI, becomes the natural tolerance: the model passed its gates across it.

    >>> held = number("predictions", np.array([0.0, 1.0] * 200))
    >>> tolerating(held, np.array([0.0] * 300 + [1.0] * 100)).tolerance > 0.2
    True
    """
    counts = counting.count(reference, values)
    seen = list(counts.bins)
    seen[0], seen[-1] = seen[0] + counts.below, seen[-1] + counts.above + counts.unseen
    least = min(sum(seen), sum(reference.counts))
    if least < pooling.LEAST_ROWS:
        return reference
    group = pooling.groups(reference.counts, least, reference.kind == "Number")
    shift = psi.corrected(pooling.merge(seen, group), pooling.merge(reference.counts, group))
    why = f"What the model says of the rows it was fitted on lies PSI {shift:.3f} from what it says of held-out ones."
    return replace(reference, tolerance=round(float(max(shift, reference.tolerance)), 6), why=why)


def category(name: str, values: Texts, newer: Mask | None = None) -> CategoryReference:
    """Reference of a categorical column.

    Args:
        name: the column.
        values: object[n] of str, one per row the shipped model was fitted on; "" is missing.
        newer: bool[n] as in `number`.

    Levels with a count of their own are the 30 most frequent of the older side (9 below 2,000 rows) with 0.5 % of its
    rows or more. Choosing them there keeps a level that is common by chance in the newer rows out.

    >>> category("carrier", np.array(["AA", "B6", "AA", ""], object)).levels
    ('AA', 'B6')
    """
    here = values != ""
    older = values[here & ~newer] if newer is not None else values[here]
    seen = Counter(older.tolist())
    most = MAX_LEVELS if here.sum() >= edges.ENOUGH else edges.most_bins(int(here.sum())) - 1
    frequent = [level for level in _by_count(seen) if seen[level] >= LEVEL_SHARE * older.size]
    return _levels(name, values, frequent[:most], newer)


def classes(name: str, labels: Sequence[str], values: Texts, newer: Mask | None = None) -> CategoryReference:
    """Reference of predicted classes: every label of the model is a level, predicted or not.

    >>> classes("predictions", ["late", "on time"], np.array(["on time", "on time"], object)).counts
    (0, 2, 0)
    """
    return _levels(name, values, labels, newer)


def _histogram(name: str, values: Floats, cut: Floats, newer: Mask | None) -> NumberReference:
    finite = np.isfinite(values)
    kept = values[finite]
    bins = np.searchsorted(cut, kept)
    counts = np.bincount(bins, minlength=cut.size + 1)
    passed = _passed(bins, newer[finite] if newer is not None else None, counts, ordered=True)
    return NumberReference(
        name=name,
        edges=tuple(cut.tolist()),
        counts=tuple(counts.tolist()),
        low=float(kept.min()) if kept.size else None,
        high=float(kept.max()) if kept.size else None,
        missing=int(np.isnan(values).sum()),
        tolerance=passed.tolerance,
        why=passed.why,
        distinct=int(np.unique(kept).size),
    )


def _levels(name: str, values: Texts, levels: Sequence[str], newer: Mask | None) -> CategoryReference:
    here = values != ""
    kept = values[here].tolist()
    place = {level: i for i, level in enumerate(levels)}
    bins = np.fromiter((place.get(value, len(levels)) for value in kept), np.intp, len(kept))
    counts = np.bincount(bins, minlength=len(levels) + 1)
    rare = Counter(value for value in kept if value not in place)
    known = _by_count(rare)[:MAX_KNOWN]
    passed = _passed(bins, newer[here] if newer is not None else None, counts, ordered=False)
    return CategoryReference(
        name=name,
        levels=tuple(levels),
        counts=tuple(counts.tolist()),
        known=tuple(known),
        missing=int((~here).sum()),
        tolerance=passed.tolerance,
        why=passed.why,
        novel=_novel(kept, set(levels)),
    )


def _passed(bins: NDArray[Any], newer: Mask | None, counts: NDArray[np.int64], ordered: bool) -> Passed:
    """PSI between the older and the newer rows, less what chance makes of it."""
    if newer is None:
        return Passed(0.0, "The reference has no order in time, so no shift is known to be harmless.")
    fresh = np.bincount(bins[newer], minlength=counts.size)
    rows = int(min(fresh.sum(), counts.sum() - fresh.sum()))
    if rows < pooling.LEAST_ROWS:
        return Passed(0.0, f"Only {rows} rows on one side of the split in time: too few to measure a shift.")
    group = pooling.groups(counts.tolist(), rows, ordered)
    shift = psi.corrected(pooling.merge(fresh.tolist(), group), pooling.merge((counts - fresh).tolist(), group))
    why = f"The newer rows lie PSI {shift:.3f} from the older ones, and across that the model was judged."
    return Passed(round(shift, 6), why)


def _by_count(seen: Counter[str]) -> list[str]:
    """Levels by descending count; ties by name, so that the order of the rows does not matter."""
    return sorted(seen, key=lambda level: (-seen[level], level))


def _novel(values: list[str], levels: set[str]) -> float:
    """Share of rows whose value is new to the other half of the rows, halves being every second row."""
    halves = values[::2], values[1::2]
    strange = 0
    for half, other in (halves, halves[::-1]):
        rare = Counter(value for value in other if value not in levels)
        familiar = levels.union(_by_count(rare)[:MAX_KNOWN])
        strange += sum(value not in familiar for value in half)
    return strange / len(values) if values else 0.0
