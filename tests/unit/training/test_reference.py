"""The reference profile: features of the rows that were fitted, outputs as the pods will count them."""

import numpy as np

from trimtab.api.wire.models import Label, Signature
from trimtab.drift.profile import CategoryReference, faults
from trimtab.model import signature
from trimtab.model.engine import Prediction
from trimtab.training import reference
from trimtab.training.handover import Feature

FEATURES = (Feature(name="size", kind="Number"), Feature(name="carrier", kind="Category"))
N = 600


def frame(n: int = N) -> dict[str, np.ndarray]:
    return {"size": np.random.default_rng(0).normal(size=n), "carrier": np.array(["AA", "B6", ""] * (n // 3), object)}


def knows(*classes: Label) -> Signature:
    return Signature(
        task="Classification",
        inputs=(),
        outputs=signature.outputs("Classification", classes, True),
        classes=classes,
        positive=1 if len(classes) == 2 else None,
    )


def says(n: int, classes: int, seed: int = 0) -> Prediction:
    scores = np.random.default_rng(seed).random((n, classes))
    return Prediction(classes=scores.argmax(axis=1), probabilities=scores / scores.sum(axis=1, keepdims=True))


def test_features_are_of_the_rows_that_were_fitted_and_outputs_of_held_out_ones() -> None:
    judged, shipped = reference.Said(says(90, 2), knows(False, True)), reference.Said(None, knows(False, True))
    profile = reference.profile(frame(), FEATURES, None, judged, shipped, {})
    assert faults(profile) == ()
    assert profile.rows == N
    assert [feature.name for feature in profile.features] == ["size", "carrier"]
    assert [feature.missing for feature in profile.features] == [0, N // 3]
    assert isinstance(profile.predictions, CategoryReference)
    assert profile.predictions.levels == ("false", "true")
    assert profile.score is not None
    assert sum(profile.predictions.counts) == sum(profile.score.counts) == 90
    assert 0.5 in profile.score.edges


def test_labels_are_those_of_the_model_that_ships_though_its_twin_knows_fewer() -> None:
    """A class that only the held-out rows have: the twin never saw it, the refitted model did, and pods count it."""
    judged = reference.Said(says(90, 2), knows("late", "on time"))
    shipped = reference.Said(says(N, 3), knows("cancelled", "late", "on time"))
    profile = reference.profile(frame(), FEATURES, None, judged, shipped, {})
    assert isinstance(profile.predictions, CategoryReference)
    assert profile.predictions.levels == ("cancelled", "late", "on time")
    assert profile.predictions.counts[0] == 0
    assert judged.said is not None
    assert profile.predictions.counts[1] == int(np.sum(judged.said.classes == 0))
    assert profile.score is not None
    assert profile.score.low is not None
    assert profile.score.low >= 0.5, "the largest probability, as of a model with more than two classes"
    assert faults(profile) == ()


def test_what_the_shipped_model_says_of_its_own_rows_is_tolerated() -> None:
    judged = reference.Said(Prediction(values=np.arange(300.0)), Signature(task="Regression", inputs=(), outputs=()))
    moved = reference.Said(Prediction(values=np.arange(300.0) + 150), judged.signature)
    alone = reference.Said(None, judged.signature)
    still, tolerant = (
        reference.profile(frame(), FEATURES, None, judged, other, {}).predictions for other in (alone, moved)
    )
    assert still is not None
    assert tolerant is not None
    assert tolerant.counts == still.counts
    assert tolerant.tolerance > still.tolerance + 0.1


def test_the_most_important_features_are_kept_and_come_first() -> None:
    many = tuple(Feature(name=f"f{i:03d}", kind="Number") for i in range(210))
    columns = {feature.name: np.arange(30.0) for feature in many}
    importances = {feature.name: float(i) for i, feature in enumerate(many)}
    judged = reference.Said(Prediction(values=np.arange(30.0)), Signature(task="Regression", inputs=(), outputs=()))
    profile = reference.profile(columns, many, None, judged, reference.Said(None, judged.signature), importances)
    assert [feature.name for feature in profile.features] == [feature.name for feature in reversed(many[10:])]
    alike = reference.profile(columns, many[:9], None, judged, reference.Said(None, judged.signature), {})
    assert [feature.name for feature in alike.features] == [feature.name for feature in many[:9]], "of equal ones, as they are"
