"""The reference profile: features as the shipped model saw them, predictions and scores as its judged twin gave them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Signature
from trimtab.drift import references
from trimtab.drift.profile import MAX_FEATURES, NumberReference, Profile, Reference
from trimtab.model import values
from trimtab.model.engine import Prediction
from trimtab.model.frame import Column, Frame, rows
from trimtab.training.handover import Feature

_R = TypeVar("_R", bound=Reference)

THRESHOLD = 0.5
"""Where the score of the positive class becomes a decision."""


class Said(NamedTuple):
    """What a model says of some rows, and the signature that names its classes."""

    said: Prediction | None
    signature: Signature


def profile(
    frame: Frame,
    features: Sequence[Feature],
    newer: NDArray[np.bool_] | None,
    judged: Said,
    shipped: Said,
    importances: Mapping[str, float],
) -> Profile:
    """`frame`: all rows the shipped model was fitted on, `newer` their newer fifth. `judged`: the twin on held-out rows.
    `shipped`: the shipped model on `frame`, without a prediction where it cannot be asked.

    Labels and scores are named as the shipped model names them, since that is what pods count: it may know a class that only
    the held-out rows have. The most important feature comes first, and at most 200 there are: who has no room for all of
    them, as Prometheus has not, takes the first.
    """
    kept = sorted(features, key=lambda feature: -importances.get(feature.name, 0.0))[:MAX_FEATURES]
    return Profile(
        rows=rows(frame),
        features=tuple(_feature(feature, frame[feature.name], newer) for feature in kept),
        predictions=_tolerating(_predictions(judged, shipped.signature), _labels(shipped)),
        score=_tolerating(_score(judged, shipped.signature), _scores(shipped, shipped.signature)),
    )


def _feature(feature: Feature, column: Column, newer: NDArray[np.bool_] | None) -> Reference:
    if feature.kind == "Category":
        return references.category(feature.name, column, newer)
    return references.number(feature.name, column, newer)


def _tolerating(reference: _R | None, shipped: NDArray[Any] | None) -> _R | None:
    if reference is None or shipped is None:
        return reference
    return references.tolerating(reference, shipped)


def _predictions(judged: Said, shipped: Signature) -> Reference | None:
    found = _labels(judged)
    if found is None or shipped.classes is None:
        return references.number("predictions", found) if found is not None else None
    return references.classes("predictions", [values.label_text(label) for label in shipped.classes], found)


def _labels(of: Said) -> NDArray[Any] | None:
    """Predicted classes as text, or predicted values."""
    if of.said is None or of.said.values is not None:
        return None if of.said is None else of.said.values
    if of.said.classes is None or of.signature.classes is None:
        return None
    return np.array([values.label_text(label) for label in of.signature.classes], object)[of.said.classes]


def _score(judged: Said, shipped: Signature) -> NumberReference | None:
    found = _scores(judged, shipped)
    return None if found is None else references.score("score", found, None if shipped.positive is None else THRESHOLD)


def _scores(of: Said, shipped: Signature) -> NDArray[np.float64] | None:
    """Probability of the positive class, or the largest one where the shipped model has more than two."""
    if of.said is None or of.said.probabilities is None:
        return None
    if shipped.positive is None or of.signature.positive is None:
        return np.asarray(np.max(of.said.probabilities, axis=1), np.float64)
    return of.said.probabilities[:, of.signature.positive]
