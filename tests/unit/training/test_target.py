"""Targets: labels keep their type and order, and what cannot be learnt is told."""

import numpy as np
import pytest

from trimtab.api.wire.models import Kind, Label
from trimtab.training import target
from trimtab.training.failures import Reason, StepFailure


def text(*labels: str) -> np.ndarray:
    return np.array(labels, object)


@pytest.mark.parametrize(
    ("column", "kind", "classes"),
    [
        (text("on time", "late", "on time"), "Category", ("late", "on time")),
        (text("10", "9"), "Category", ("10", "9")),
        (np.array([1.0, 0.0, 1.0]), "Boolean", (False, True)),
        (np.array([10.0, 9.0, 9.0]), "Number", (9, 10)),
        (np.array([-1.0, 1.0]), "Number", (-1, 1)),
    ],
)
def test_classes_keep_their_type_and_are_in_order(column: np.ndarray, kind: Kind, classes: tuple[Label, ...]) -> None:
    found = target.of(column, kind, "Classification")
    assert found.classes == classes
    assert [type(label) for label in found.classes or ()] == [type(label) for label in classes]
    assert [(found.classes or ())[code] for code in (found.codes if found.codes is not None else [])] == column.tolist()


def test_the_second_of_two_classes_is_positive_unless_another_is_named() -> None:
    labels = text("late", "on time")
    assert target.of(labels, "Category", "Classification").positive == 1
    assert target.of(labels, "Category", "Classification", "late").positive == 0
    assert target.of(text("a", "b", "c"), "Category", "Classification").positive is None


@pytest.mark.parametrize("said", ["true", "True"])
def test_a_boolean_label_is_named_in_any_case(said: str) -> None:
    assert target.of(np.array([0.0, 1.0]), "Boolean", "Classification", said).positive == 1


def test_whole_numbers_are_named_without_a_point() -> None:
    assert target.of(np.array([1.0, 2.0]), "Number", "Classification", "1").positive == 0


@pytest.mark.parametrize(
    ("column", "kind", "positive", "reason", "said"),
    [
        (text("a", "a"), "Category", None, Reason.ONE_CLASS_ONLY, "every label is 'a'"),
        (np.ones(3), "Boolean", None, Reason.ONE_CLASS_ONLY, "every label is 'true'"),
        (np.array([0.5, 1.0]), "Number", None, Reason.TARGET_UNSUITABLE, "such as 0.5"),
        (np.array([0.0, 1.0]), "Time", None, Reason.TARGET_UNSUITABLE, "nothing predicts times"),
        (np.arange(2000.0), "Number", None, Reason.TARGET_UNSUITABLE, "2000 classes, more than 1000"),
        (text("a", "b"), "Category", "c", Reason.POSITIVE_UNKNOWN, "'c' is none of the labels ['a', 'b']"),
        (text("a", "b"), "Category", "A", Reason.POSITIVE_UNKNOWN, "'A' is none of the labels"),
        (text("a", "b", "c"), "Category", "c", Reason.POSITIVE_UNKNOWN, "there are 3: remove it"),
    ],
)
def test_what_cannot_be_classes_is_refused(
    column: np.ndarray, kind: Kind, positive: str | None, reason: Reason, said: str
) -> None:
    with pytest.raises(StepFailure) as failure:
        target.of(column, kind, "Classification", positive)
    assert failure.value.reason is reason
    assert said in failure.value.message
    assert failure.value.exit_code == 3


def test_regression_needs_numbers() -> None:
    numbers = target.of(np.array([1.5, 2.0]), "Number", "Regression").numbers
    assert numbers is not None
    assert numbers.tolist() == [1.5, 2.0]
    with pytest.raises(StepFailure, match="set task: Classification"):
        target.of(text("a"), "Category", "Regression")


def test_rows_without_a_label_are_known_and_all_of_them_are_an_error() -> None:
    assert target.labelled(text("a", "", "b")).tolist() == [True, False, True]
    assert target.labelled(np.array([np.nan, 0.0])).tolist() == [False, True]
    with pytest.raises(StepFailure) as failure:
        target.labelled(np.array([np.nan, np.nan]))
    assert failure.value.reason is Reason.NO_LABELS
