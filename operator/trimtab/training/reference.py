"""The reference profile: features as the shipped model saw them, predictions and scores as its judged twin gave them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire import Signature
from trimtab.drift import references
from trimtab.drift.profile import MAX_FEATURES, NumberReference, Profile, Reference
from trimtab.model import values
from trimtab.model.engine import Prediction
from trimtab.model.frame import Column, Frame, rows
from trimtab.training.handover import Feature

_R = TypeVar("_R", bound=Reference)

THRESHOLD = 0.5
"""Where the score of the positive class becomes a decision."""


def profile(
    frame: Frame,
    features: Sequence[Feature],
    newer: NDArray[np.bool_] | None,
    said: Prediction,
    shipped: Prediction | None,
    known: Signature,
    importances: Mapping[str, float],
) -> Profile:
    """`frame`: all rows the shipped model was fitted on, `newer` their newer fifth. `said`: the judged twin on held-out rows.
    `shipped`: the shipped model on `frame`, None where it cannot be asked.

    At most 200 features: beyond that, the most important.
    """
    kept = sorted(features, key=lambda feature: -importances.get(feature.name, 0.0))[:MAX_FEATURES]
    names = {feature.name for feature in kept}
    return Profile(
        rows=rows(frame),
        features=tuple(_feature(feature, frame[feature.name], newer) for feature in features if feature.name in names),
        predictions=_tolerating(_predictions(said, known), _labels(shipped, known)),
        score=_tolerating(_score(said, known), _scores(shipped, known)),
    )


def _feature(feature: Feature, column: Column, newer: NDArray[np.bool_] | None) -> Reference:
    if feature.kind == "Category":
        return references.category(feature.name, column, newer)
    return references.number(feature.name, column, newer)


def _tolerating(reference: _R | None, shipped: NDArray[Any] | None) -> _R | None:
    if reference is None or shipped is None:
        return reference
    return references.tolerating(reference, shipped)


def _predictions(said: Prediction, known: Signature) -> Reference | None:
    found = _labels(said, known)
    if found is None or known.classes is None:
        return references.number("predictions", found) if found is not None else None
    return references.classes("predictions", [values.label_text(label) for label in known.classes], found)


def _labels(said: Prediction | None, known: Signature) -> NDArray[Any] | None:
    """Predicted classes as text, or predicted values."""
    if said is None or said.values is not None:
        return None if said is None else said.values
    if said.classes is None or known.classes is None:
        return None
    return np.array([values.label_text(label) for label in known.classes], object)[said.classes]


def _score(said: Prediction, known: Signature) -> NumberReference | None:
    found = _scores(said, known)
    return None if found is None else references.score("score", found, None if known.positive is None else THRESHOLD)


def _scores(said: Prediction | None, known: Signature) -> NDArray[np.float64] | None:
    """Probability of the positive class, or the largest one where there are more than two."""
    if said is None or said.probabilities is None:
        return None
    return said.probabilities.max(axis=1) if known.positive is None else said.probabilities[:, known.positive]
