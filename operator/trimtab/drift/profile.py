"""What a model's training rows looked like, as integer counts over frozen bins.

Data only: these classes have no behaviour, hold no array, and turn into strict JSON field by field. `references`
builds them, `counting` counts against them, `verdicts` and `quality` compare with them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

MAX_FEATURES = 200
"""Features that one profile may hold; more would not fit beside each other in one ConfigMap."""

MAX_KNOWN = 1000
"""Rare levels of a category that are kept by name, so that a value can be told to be unseen rather than rare."""


@dataclass(frozen=True)
class NumberReference:
    """Histogram of a numeric column over the reference rows. Booleans are the numbers 0 and 1."""

    name: str
    """Column name, as the user wrote it."""
    edges: tuple[float, ...]
    """Interior bin edges, strictly ascending, one fewer than bins; bin i holds the values with exactly i edges below
    them, so a value equal to an edge lies to its left."""
    counts: tuple[int, ...]
    """Reference rows in each bin, counted after the edges were final."""
    low: float | None
    """Smallest reference value; None when the reference has no values."""
    high: float | None
    """Largest reference value; None when the reference has no values."""
    missing: int
    """Reference rows without a value."""
    tolerance: float
    """Shift that the model is known to have passed, as PSI; verdicts tolerate this or the preset, whichever is more."""
    why: str
    """Where the tolerance comes from, in one sentence."""
    kind: Literal["Number"] = "Number"
    distinct: int = 0
    """Number of distinct reference values; 0 when nobody counted them."""


@dataclass(frozen=True)
class CategoryReference:
    """Counts of a categorical column's levels over the reference rows."""

    name: str
    """Column name, as the user wrote it."""
    levels: tuple[str, ...]
    """Levels with a count of their own."""
    counts: tuple[int, ...]
    """Reference rows of each level, and last of everything else."""
    known: tuple[str, ...]
    """Rare levels that the reference has seen, at most 1,000; they share the last count."""
    missing: int
    """Reference rows without a value."""
    tolerance: float
    """Shift that the model is known to have passed, as PSI; verdicts tolerate this or the preset, whichever is more."""
    why: str
    """Where the tolerance comes from, in one sentence."""
    kind: Literal["Category"] = "Category"
    novel: float = 0.0
    """Share of rows with a value that is neither a level nor known, as the halves of the reference find in each other."""


Reference: TypeAlias = NumberReference | CategoryReference


@dataclass(frozen=True)
class Profile:
    """The reference of one model version: what its features, predictions and scores looked like."""

    rows: int
    """Rows the shipped model was fitted on; the features' counts are of these."""
    features: tuple[Reference, ...]
    """One reference per monitored input column, at most 200, names unique."""
    predictions: Reference | None
    """Predicted classes or values on held-out rows; None when they were not recorded."""
    score: NumberReference | None
    """Score of the positive class, or the largest probability, on held-out rows; None when there is none."""
    schema: Literal[1] = 1


def total(reference: Reference) -> int:
    """Reference rows that carry a value: the m of every formula here."""
    return sum(reference.counts)


def faults(profile: Profile) -> tuple[str, ...]:
    """Why this profile cannot be used, one sentence per fault; empty when it can.

    For readers of a file that others wrote: `references` builds none with faults.

    >>> bad = NumberReference("x", (2.0, 1.0), (3, 4), 0.0, 3.0, 0, 0.0, "")
    >>> faults(Profile(7, (bad,), None, None))
    ("'x': 3 bins follow from its edges, 2 counts are given", "'x': edges must be finite and ascending")
    """
    return tuple(_faults(profile))


def _faults(profile: Profile) -> Iterator[str]:
    names = [feature.name for feature in profile.features]
    if len(names) > MAX_FEATURES:
        yield f"{len(names)} features are more than the {MAX_FEATURES} that a profile may hold"
    yield from (f"{name!r} is there more than once" for name in sorted({n for n in names if names.count(n) > 1}))
    if profile.rows < 0:
        yield f"{profile.rows} rows are fewer than none"
    for reference in (*profile.features, profile.predictions, profile.score):
        if reference is not None:
            specific = _number_faults(reference) if reference.kind == "Number" else _category_faults(reference)
            yield from (f"{reference.name!r}: {fault}" for fault in (*specific, *_common_faults(reference)))


def _common_faults(reference: Reference) -> Iterator[str]:
    if min((*reference.counts, reference.missing)) < 0:
        yield "counts must not be negative"
    if not (math.isfinite(reference.tolerance) and reference.tolerance >= 0):
        yield "tolerance must be a finite number, at least 0"


def _number_faults(reference: NumberReference) -> Iterator[str]:
    if len(reference.counts) != len(reference.edges) + 1:
        yield f"{len(reference.edges) + 1} bins follow from its edges, {len(reference.counts)} counts are given"
    if not all(map(math.isfinite, reference.edges)) or any(a >= b for a, b in pairwise(reference.edges)):
        yield "edges must be finite and ascending"
    if (reference.low is None) != (reference.high is None):
        yield "low and high must both be given or both be absent"
    elif not _is_range(reference.low or 0.0, reference.high or 0.0):
        yield "low and high must be finite, low not above high"


def _is_range(low: float, high: float) -> bool:
    return -math.inf < low <= high < math.inf


def _category_faults(reference: CategoryReference) -> Iterator[str]:
    needed = len(reference.levels) + 1
    if len(reference.counts) != needed:
        yield f"{len(reference.levels)} levels need {needed} counts, {len(reference.counts)} are given"
    if len(reference.known) > MAX_KNOWN:
        yield f"{len(reference.known)} known rare levels are more than {MAX_KNOWN}"
    named = (*reference.levels, *reference.known)
    if len(set(named)) != len(named) or "" in named:
        yield "levels and known must be distinct and not empty"
