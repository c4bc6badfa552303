"""The target: which rows have a label, what the classes are, and labels as positions among them. Pure."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Kind, Label
from trimtab.model import values
from trimtab.model.frame import Column
from trimtab.training.expectations import missing_in
from trimtab.training.failures import Reason, StepFailure

MOST_CLASSES = 1000


@dataclass(frozen=True)
class Target:
    """The labels of all rows with one. Classification: `classes` in order, `codes` int64[n] among them, `positive`
    with two
    classes. Regression: `numbers` float64[n]."""

    classes: tuple[Label, ...] | None = None
    codes: NDArray[np.int64] | None = None
    positive: int | None = None
    numbers: NDArray[np.float64] | None = None


def labelled(column: Column) -> NDArray[np.bool_]:
    """Which rows have a label. Raises StepFailure (NoLabels) when none has."""
    there = ~missing_in(column)
    if not there.any():
        raise StepFailure(
            Reason.NO_LABELS, "no row has a value in the target column: check targetColumn, and what writes it"
        )
    return there


def of(
    column: Column, kind: Kind, task: Literal["Classification", "Regression"], positive: str | None = None
) -> Target:
    """Understand the labels of rows that have one. Raises StepFailure when they do not suit the task."""
    if task == "Regression":
        if kind != "Number":
            raise StepFailure(
                Reason.TARGET_UNSUITABLE,
                f"the target is a {kind}, and task Regression needs a Number: set task: Classification",
            )
        return Target(numbers=column.astype(np.float64))
    classes = _classes(column, kind)
    if len(classes) < 2:
        raise StepFailure(
            Reason.ONE_CLASS_ONLY,
            f"every label is {values.label_text(classes[0])!r}: a classifier needs rows of two classes at least",
        )
    return Target(classes=classes, codes=codes(column, classes), positive=_positive(classes, positive))


def codes(column: Column, classes: tuple[Label, ...]) -> NDArray[np.int64]:
    """Labels as positions among the classes; -1 for one that is none of them."""
    place = {label: number for number, label in enumerate(classes)}
    return np.fromiter((place.get(label, -1) for label in column.tolist()), np.int64, len(column))


def labels(codes: NDArray[np.int64], classes: tuple[Label, ...]) -> Column:
    """Positions as labels again, as text or numbers of a frame."""
    kind: type = object if isinstance(classes[0], str) else np.float64
    return np.array(classes, kind)[codes]


def _classes(column: Column, kind: Kind) -> tuple[Label, ...]:
    """The labels in their own type and order: integers stay integers even where a column with holes made them
    floats."""
    if kind == "Category":
        found: tuple[Label, ...] = tuple(sorted(set(column.tolist())))
    elif kind == "Boolean":
        found = tuple(bool(value) for value in np.unique(column))
    elif kind == "Number":
        numbers = np.unique(column)
        if not (numbers == np.round(numbers)).all():
            raise StepFailure(
                Reason.TARGET_UNSUITABLE,
                f"the target holds numbers such as {float(numbers[numbers != np.round(numbers)][0])}, and "
                f"classes are whole "
                "numbers, text or booleans: set task: Regression, or write classes",
            )
        found = tuple(int(number) for number in numbers)
    else:
        raise StepFailure(
            Reason.TARGET_UNSUITABLE, "the target is a Time, and nothing predicts times: name another targetColumn"
        )
    if len(found) > MOST_CLASSES:
        raise StepFailure(
            Reason.TARGET_UNSUITABLE,
            f"the target has {len(found)} classes, more than {MOST_CLASSES}: is it the right column?",
        )
    return found


def _positive(classes: tuple[Label, ...], wanted: str | None) -> int | None:
    texts = [values.label_text(label) for label in classes]
    if wanted is None:
        return 1 if len(classes) == 2 else None
    if len(classes) != 2:
        raise StepFailure(
            Reason.POSITIVE_UNKNOWN, f"target.positive is for two classes, and there are {len(classes)}: remove it"
        )
    folded = wanted.casefold() if isinstance(classes[0], bool) else wanted
    if folded not in texts:
        raise StepFailure(Reason.POSITIVE_UNKNOWN, f"target.positive {wanted!r} is none of the labels {texts}")
    return texts.index(folded)
