"""Counting: every row once, in every feature, however requests are cut and whenever they are folded."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trimtab.api.wire.models import Input, Output, Signature
from trimtab.drift import counting, references
from trimtab.drift.profile import Profile, Reference
from trimtab.model.engine import Prediction
from trimtab.model.frame import Layout, block
from trimtab.serving.recorder import FOLD_BYTES, FOLD_ROWS, Answered, Recorder

RANDOM = np.random.default_rng(0)
AGE = references.number("age", RANDOM.normal(size=300))
CARRIER = references.category("carrier", RANDOM.choice(np.array(["AA", "B6", "DL"], object), 300))
LABELS = ("a", "b", "c")
INPUTS = (
    Input(name="age", datatype="FP64"),
    Input(name="carrier", datatype="BYTES", kind="Category"),
    Input(name="other", datatype="FP64"),
)
LAYOUT = Layout(INPUTS)


def signature(classes: tuple[Any, ...] = ("a", "b"), positive: int | None = 1) -> Signature:
    return Signature(
        task="Classification",
        inputs=INPUTS,
        outputs=(Output(name="predict", datatype="BYTES", shape=(-1,)),),
        classes=classes,
        positive=positive,
    )


def profile(labels: tuple[str, ...] = ("a", "b"), features: tuple[Reference, ...] = (AGE, CARRIER)) -> Profile:
    return Profile(
        rows=300,
        features=features,
        predictions=references.classes("predictions", labels, np.array(["a", "b"], object)),
        score=references.score("score", RANDOM.uniform(size=300), 0.5),
    )


def answered(ages: list[float], carriers: list[str], chances: list[float]) -> Answered:
    """One request, with the class that its chance of `b` says."""
    second = np.array(chances, float)
    frame = {
        "age": np.array(ages, float),
        "carrier": np.array(carriers, object),
        "other": np.zeros(len(ages)),
    }
    prediction = Prediction(
        classes=(second > 0.5).astype(np.int64), probabilities=np.column_stack([1 - second, second])
    )
    return Answered(block(LAYOUT, frame), prediction, len(ages))


ROW = st.tuples(
    st.floats(allow_nan=True, allow_infinity=False, width=32),
    st.sampled_from(["AA", "B6", "DL", "ZZ", ""]),
    st.floats(0, 1),
)


@given(st.lists(st.lists(ROW, max_size=6), max_size=8), st.lists(st.booleans(), min_size=8, max_size=8))
def test_counts_are_those_of_all_rows_at_once_however_they_came(
    requests: list[list[tuple[float, str, float]]], folds: list[bool]
) -> None:
    recorder = Recorder(signature(), profile())
    for rows, fold in zip(requests, folds, strict=False):
        recorder.add(answered([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]), 10)
        if fold:
            recorder.fold()
        assert all(counting.rows(each) == recorder.counts.rows for each in recorder.counts.features.values())
    recorder.fold()
    rows = [row for request in requests for row in request]
    chances = np.array([row[2] for row in rows], float)
    counts, reference = recorder.counts, profile()
    assert counts.rows == len(rows)
    assert counts.features["age"] == counting.count(AGE, np.array([row[0] for row in rows], float))
    assert counts.features["carrier"] == counting.count(CARRIER, np.array([row[1] for row in rows], object))
    assert reference.predictions is not None
    labels = np.array(["b" if chance > 0.5 else "a" for chance in chances], object)
    assert counts.predictions == counting.count(reference.predictions, labels)
    assert reference.score is not None
    assert counts.score is not None
    assert counting.rows(counts.score) == len(rows)


def test_counts_made_in_a_thread_add_up_with_those_folded_meanwhile() -> None:
    recorder = Recorder(signature(), profile())
    recorder.add(answered([0.1], ["AA"], [0.9]), 1)
    taken = recorder.take()
    recorder.add(answered([0.2, 0.3], ["B6", "DL"], [0.1, 0.2]), 1)
    recorder.fold()
    recorder.merge(recorder.counted(taken))
    assert recorder.counts.rows == 3
    assert {counting.rows(each) for each in recorder.counts.features.values()} == {3}


def test_many_rows_or_long_texts_are_due_to_be_folded() -> None:
    recorder = Recorder(signature(), profile())
    one = answered([0.1], ["AA"], [0.9])
    for _ in range(FOLD_ROWS - 1):
        recorder.add(one, 1)
    assert not recorder.due
    recorder.add(one, 1)
    assert recorder.due
    recorder.fold()
    assert not recorder.due
    recorder.add(one, FOLD_BYTES)
    assert recorder.due


def test_the_score_is_the_positive_class_or_else_the_largest_probability() -> None:
    frame = answered([0.0], ["AA"], [0.0]).frame
    prediction = Prediction(classes=np.array([2]), probabilities=np.array([[0.1, 0.2, 0.7]]))
    for positive, chance in ((0, 0.1), (None, 0.7)):
        reference = profile(LABELS)
        recorder = Recorder(signature(LABELS, positive), reference)
        recorder.add(Answered(frame, prediction, 1), 1)
        recorder.fold()
        assert reference.score is not None
        assert recorder.counts.score == counting.count(reference.score, np.array([chance]))


def test_values_of_a_regression_are_counted_as_predictions() -> None:
    reference = references.number("predictions", RANDOM.normal(size=200))
    regression = replace(signature(), task="Regression", classes=None, positive=None)
    recorder = Recorder(regression, Profile(200, (AGE,), reference, None))
    values = np.array([-9.0, 0.0, 9.0])
    recorder.add(Answered(block(Layout(INPUTS[:1]), {"age": values}), Prediction(values=values), 3), 1)
    recorder.fold()
    assert recorder.counts.predictions == counting.count(reference, values)
    assert recorder.counts.score is None


def test_without_a_profile_only_rows_are_counted() -> None:
    recorder = Recorder(signature(), None)
    recorder.add(answered([0.1, 0.2], ["AA", ""], [0.9, 0.1]), 1)
    recorder.fold()
    assert recorder.counts.rows == 2
    assert recorder.counts.features == {}
    assert recorder.counts.predictions is None
