"""The reference profile: features as the shipped model saw them, predictions and scores as its judged twin gave them. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire import Signature
from trimtab.drift import references
from trimtab.drift.profile import MAX_FEATURES, NumberReference, Profile, Reference
from trimtab.model import values
from trimtab.model.engine import Prediction
from trimtab.model.frame import Column, Frame, rows
from trimtab.training.handover import Feature

THRESHOLD = 0.5
"""Where the score of the positive class becomes a decision."""


def profile(
    frame: Frame,
    features: Sequence[Feature],
    newer: NDArray[np.bool_] | None,
    said: Prediction,
    known: Signature,
    importances: Mapping[str, float],
) -> Profile:
    """`frame`: all rows the shipped model was fitted on, `newer` their newer fifth. `said`: the judged twin on held-out rows.

    At most 200 features: beyond that, the most important.
    """
    kept = sorted(features, key=lambda feature: -importances.get(feature.name, 0.0))[:MAX_FEATURES]
    names = {feature.name for feature in kept}
    return Profile(
        rows=rows(frame),
        features=tuple(_feature(feature, frame[feature.name], newer) for feature in features if feature.name in names),
        predictions=_predictions(said, known),
        score=_score(said, known),
    )


def _feature(feature: Feature, column: Column, newer: NDArray[np.bool_] | None) -> Reference:
    if feature.kind == "Category":
        return references.category(feature.name, column, newer)
    return references.number(feature.name, column, newer)


def _predictions(said: Prediction, known: Signature) -> Reference | None:
    if said.values is not None:
        return references.number("predictions", said.values)
    if said.classes is None or known.classes is None:
        return None
    labels = [values.label_text(label) for label in known.classes]
    return references.classes("predictions", labels, np.array(labels, object)[said.classes])


def _score(said: Prediction, known: Signature) -> NumberReference | None:
    """Probability of the positive class, or the largest one where there are more than two."""
    if said.probabilities is None:
        return None
    if known.positive is None:
        return references.score("score", said.probabilities.max(axis=1))
    return references.score("score", said.probabilities[:, known.positive], THRESHOLD)
