"""Parity: whether what is served gives what was fitted, on held-out rows and on rows made to tell the two apart.
Pure but for the engine.

Labels must all be equal and probabilities within 1e-5 (numbers within 1e-5 of themselves): a default one-hot encoder with missing
values gave equal labels and probabilities 0.012 apart.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Parity
from trimtab.model.engine import Engine, Prediction
from trimtab.model.frame import Column, Frame, concatenate, rows, take
from trimtab.training import preprocess, thresholds
from trimtab.training.handover import Feature
from trimtab.training.preprocess import Family

TOLERANCE = 1e-5
_ROWS = 5000
_THRESHOLDS = 300
_LEVELS = 500
_ABSENT = 100
"""Rows, at least, with a missing or an unknown value: which way such a row goes depends on all its other values."""
_UNKNOWN = "~ no level has this text ~"
_FAR = 1e6
_CEILING = 1e30
"""Well within float32, beyond which models that compute in it refuse a value."""
_EXTREMES = (-np.inf, -1e308, -5e-324, 5e-324, 1e308, np.inf)
"""For models that take every float64."""

Change = tuple[str, Any]
"""A column, and what it holds in a row that is made."""


def compare(served: Engine, theirs: Prediction, frame: Frame) -> Parity:
    """An engine and what the fitted model says of the same rows. An engine that raises is the caller's matter."""
    ours = served.predict(frame)
    mismatches, difference = 0, 0.0
    if ours.classes is not None and theirs.classes is not None:
        mismatches = int((ours.classes != theirs.classes).sum())
    if ours.probabilities is not None and theirs.probabilities is not None:
        difference = _largest(ours.probabilities, theirs.probabilities, 1.0)
    if ours.values is not None and theirs.values is not None:
        difference = _largest(ours.values, theirs.values, np.maximum(1.0, np.abs(theirs.values)))
    return Parity(rows=rows(frame), label_mismatches=mismatches, max_difference=difference)


def holds(found: Parity) -> bool:
    """Whether the two are the same model."""
    return found.label_mismatches == 0 and found.max_difference <= TOLERANCE


def probe(frame: Frame, features: Sequence[Feature], pipeline: Any, seed: int) -> dict[str, Column]:
    """Rows to compare on: of the held-out ones at most 5,000, and adversarial ones that differ from them in one column."""
    generator = np.random.default_rng(seed)
    base = take(frame, np.sort(generator.permutation(rows(frame))[:_ROWS]))
    whole = preprocess.family(type(pipeline.named_steps["model"])) is Family.HISTOGRAM
    absent = [*_missing(features), *_strange(base, features)]
    changes = [
        *absent * max(1, _ABSENT // len(absent)),
        *_far(base, features, _EXTREMES if whole else ()),
        *_levels(pipeline, features, generator),
        *_beside(pipeline, features, generator),
    ]
    return concatenate([base, _made(base, changes, np.inf if whole else _CEILING), _empty(base, features)])


def _largest(ours: NDArray[np.float64], theirs: NDArray[np.float64], scale: Any) -> float:
    """The largest difference; none where both overflow alike, infinite where only one side has no number."""
    if not ours.size:
        return 0.0
    alike = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        differences = np.where(alike, 0.0, np.abs(ours - theirs) / scale)
    return float(differences.max()) if np.isfinite(differences).all() else float("inf")


def _copies(frame: Frame, count: int) -> dict[str, Column]:
    return {name: np.array(column[np.arange(count) % rows(frame)]) for name, column in frame.items()}


def _made(frame: Frame, changes: Sequence[Change], ceiling: float) -> dict[str, Column]:
    """A row for each change; numbers stay within the ceiling."""
    out = _copies(frame, len(changes))
    for row, (name, value) in enumerate(changes):
        out[name][row] = value if isinstance(value, str) else np.clip(value, -ceiling, ceiling)
    return out


def _empty(frame: Frame, features: Sequence[Feature]) -> dict[str, Column]:
    """One row without a single value."""
    return _copies(frame, 1) | {name: np.array([value], frame[name].dtype) for name, value in _missing(features)}


def _missing(features: Sequence[Feature]) -> list[Change]:
    """Each column missing."""
    return [(feature.name, "" if feature.kind == "Category" else np.nan) for feature in features]


def _strange(frame: Frame, features: Sequence[Feature]) -> list[Change]:
    """Each category with a text that nobody has seen, and with one that differs by a space from a known level."""
    names = [feature.name for feature in features if feature.kind == "Category"]
    return [(name, text) for name in names for text in (_UNKNOWN, f"{frame[name][0]} ")]


def _far(frame: Frame, features: Sequence[Feature], extremes: Sequence[float]) -> list[Change]:
    """Each number at its ends, beyond them, at zero and beside it, and at the extremes."""
    changes: list[Change] = []
    for name in (feature.name for feature in features if feature.kind in ("Number", "Time")):
        known = frame[name][~np.isnan(frame[name])]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        reach = max(high - low, 1.0)
        ends = [low, high, low - reach, high + reach, -_FAR * reach, _FAR * reach, 0.0, np.nextafter(high, np.inf)]
        changes += [(name, value) for value in (*ends, *extremes)]
    return changes


def _levels(pipeline: Any, features: Sequence[Feature], generator: np.random.Generator) -> list[Change]:
    """Each level that an encoder knows, which held-out rows need not hold; of very many levels some."""
    known = [
        (features[int(place)].name, str(level))
        for name, fitted, places in pipeline.named_steps["columns"].transformers_
        if name in ("one_hot", "ordinal")
        for place, levels in zip(places, fitted.categories_, strict=True)
        for level in levels
    ]
    return [known[i] for i in generator.permutation(len(known))[:_LEVELS]]


def _beside(pipeline: Any, features: Sequence[Feature], generator: np.random.Generator) -> list[Change]:
    """Numbers on the thresholds of trees and next to them, in float64 and in float32."""
    columns = pipeline.named_steps["columns"]
    numbers: Sequence[int] = next((places for name, _, places in columns.transformers_ if name == "numbers"), ())
    first = columns.output_indices_["numbers"].start if len(numbers) else 0
    names = {first + number: features[int(place)].name for number, place in enumerate(numbers)}
    pairs = [pair for pair in thresholds.of(pipeline.named_steps["model"]) if pair[0] in names]
    return [(names[column], value) for column, split in _spread(pairs, generator) for value in _neighbours(split)]


def _spread(pairs: list[tuple[int, float]], generator: np.random.Generator) -> list[tuple[int, float]]:
    """At most 300, in turns of one a column, so that no column goes without."""
    turn: Counter[int] = Counter()
    ranked = []
    for column, split in (pairs[i] for i in generator.permutation(len(pairs))):
        ranked.append((turn[column], column, split))
        turn[column] += 1
    return [(column, split) for _, column, split in sorted(ranked)[:_THRESHOLDS]]


def _neighbours(split: float) -> list[float]:
    """The threshold and the next numbers on both sides, among all float64 and among all float32."""
    with np.errstate(over="ignore"):
        short = np.float32(split)
        shorts = (short, np.nextafter(short, np.float32(np.inf)), np.nextafter(short, np.float32(-np.inf)))
    longs = (split, np.nextafter(split, np.inf), np.nextafter(split, -np.inf))
    return [float(value) for value in (*longs, *shorts)]
