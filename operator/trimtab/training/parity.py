"""Parity: whether what is served gives what was fitted, on held-out rows and on rows made to tell the two apart.
Pure but for engines.

Labels must all be equal and probabilities within 1e-5 (numbers within 1e-5 of themselves): a default one-hot encoder with missing
values gave equal labels and probabilities 0.012 apart.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire import Parity
from trimtab.model.engine import Engine
from trimtab.model.frame import Column, Frame, concatenate, rows, take
from trimtab.training import preprocess
from trimtab.training.handover import Feature

TOLERANCE = 1e-5
_ROWS = 5000
_THRESHOLDS = 300
_UNKNOWN = "~ no level has this text ~"
_FAR = 1e6
_CEILING = 1e30
"""Well within float32, beyond which models that compute in it refuse a value."""


def compare(served: Engine, fitted: Engine, frame: Frame) -> Parity:
    """Both engines on the same rows. An engine that raises is the caller's matter."""
    ours, theirs = served.predict(frame), fitted.predict(frame)
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
    """Rows to compare on: of the held-out ones at most 5,000, and adversarial ones made from them."""
    generator = np.random.default_rng(seed)
    n = rows(frame)
    base = take(frame, np.sort(generator.permutation(n)[:_ROWS]))
    made = [_missing(base, features), _far(base, features), _strange(base, features)]
    thresholds = _beside_thresholds(base, pipeline, features, generator)
    return concatenate([base, *made, *([thresholds] if thresholds else [])])


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


def _missing(frame: Frame, features: Sequence[Feature]) -> dict[str, Column]:
    """One row a column with that column missing, and one with all of them missing."""
    out = _copies(frame, len(features) + 1)
    for place, feature in enumerate(features):
        nothing: Any = "" if feature.kind == "Category" else np.nan
        out[feature.name][[place, len(features)]] = nothing
    return out


def _far(frame: Frame, features: Sequence[Feature]) -> dict[str, Column]:
    """Each number at its ends, beyond them, at zero and beside it."""
    numbers = [feature for feature in features if feature.kind in ("Number", "Time")]
    out = _copies(frame, 8 * len(numbers))
    for place, feature in enumerate(numbers):
        known = frame[feature.name][~np.isnan(frame[feature.name])]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        reach = max(high - low, 1.0)
        extremes = [low, high, low - reach, high + reach, -_FAR * reach, _FAR * reach, 0.0, np.nextafter(high, np.inf)]
        out[feature.name][8 * place : 8 * place + 8] = np.clip(extremes, -_CEILING, _CEILING)
    return out


def _strange(frame: Frame, features: Sequence[Feature]) -> dict[str, Column]:
    """Each category with a text that nobody has seen, and with one that differs by a space from a known level."""
    texts = [feature for feature in features if feature.kind == "Category"]
    out = _copies(frame, 2 * len(texts))
    for place, feature in enumerate(texts):
        out[feature.name][2 * place] = _UNKNOWN
        out[feature.name][2 * place + 1] = f"{frame[feature.name][0]} "
    return out


def _beside_thresholds(
    frame: Frame, pipeline: Any, features: Sequence[Feature], generator: Any
) -> dict[str, Column] | None:
    """Rows with a number on a threshold of a tree, and on either side of it."""
    recipe = {name: places for name, _, places in pipeline.named_steps["columns"].transformers_}
    numbers = [int(place) for place in recipe.get("numbers", [])]
    model = pipeline.named_steps["model"]
    if preprocess.family(type(model)) is not preprocess.Family.TREES or not numbers:
        return None
    pairs = [(feature, threshold) for tree in _trees(model) for feature, threshold in tree if feature < len(numbers)]
    if not pairs:
        return None
    chosen = [pairs[i] for i in generator.permutation(len(pairs))[:_THRESHOLDS]]
    out = _copies(frame, 4 * len(chosen))
    for place, (feature, threshold) in enumerate(chosen):
        beside = [
            threshold,
            np.nextafter(threshold, np.inf),
            np.nextafter(threshold, -np.inf),
            float(np.float32(threshold)),
        ]
        out[features[numbers[feature]].name][4 * place : 4 * place + 4] = beside
    return out


def _trees(model: Any) -> list[list[tuple[int, float]]]:
    """Feature and threshold of each inner node, tree by tree."""
    members = np.ravel(model.estimators_) if hasattr(model, "estimators_") else [model]
    found = []
    for member in members:
        tree = getattr(member, "tree_", None)
        if tree is not None:
            inner = tree.feature >= 0
            found.append(list(zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True)))
    return found
