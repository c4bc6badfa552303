"""What models of boosting libraries have in common: columns, some of them categories by code, and outputs by objective.

A booster takes one matrix of numbers. Categories are codes in it: which value has which code stands in the model's file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Datatype, Input, Kind, Label, Signature
from trimtab.model import classes, signature
from trimtab.model.engine import Prediction, UnloadableModelError
from trimtab.model.frame import Column, Frame, rows, table, width

Matrix = NDArray[np.float64]
Coder = Callable[[Column], Matrix]

_DATATYPES: dict[Kind, Datatype] = {"Number": "FP64", "Category": "BYTES", "Boolean": "BOOL"}


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix. `levels`: the values that its codes 0, 1, … stand for; None where it is fed as it is."""

    name: str
    levels: tuple[Label, ...] | None = None
    boolean: bool = False

    @property
    def kind(self) -> Kind:
        if self.levels and isinstance(self.levels[0], str):
            return "Category"
        return "Boolean" if self.boolean or (self.levels and isinstance(self.levels[0], bool)) else "Number"


def levels(name: str, found: Sequence[object]) -> tuple[Label, ...]:
    """The categories of a column, all text, all numbers or all booleans. Raises `UnloadableModelError`."""
    texts = all(isinstance(level, str) for level in found)
    numbers = all(isinstance(level, int | float) for level in found)
    if not found or not (texts or numbers) or len(set(found)) < len(found):
        raise UnloadableModelError(
            f"the categories of column {name!r} must be text, numbers or booleans, each once, not {list(found)[:10]}"
        )
    if "" in found:
        raise UnloadableModelError(
            f"column {name!r} has the empty text as a category, which is a missing value here: name it"
        )
    if numbers and len(set(map(float, found))) < len(found):  # type: ignore[arg-type]
        raise UnloadableModelError(
            f"column {name!r} has categories beyond 2^53, which are alike as numbers: make them text"
        )
    return tuple(found)  # type: ignore[arg-type]


def described(
    task: str, features: Sequence[Feature], labels: tuple[Label, ...], probabilities: bool
) -> Signature:
    """The signature of a model that came without one. `labels` of its classes, in its own order: 0, 1, … to a booster."""
    inputs = tuple(Input(name=each.name, datatype=_DATATYPES[each.kind], kind=each.kind) for each in features)
    if task == "Regression":
        return Signature(task="Regression", inputs=inputs, outputs=signature.outputs(task, None, False))
    return Signature(
        task="Classification",
        inputs=inputs,
        outputs=signature.outputs(task, labels, probabilities),
        classes=labels,
        positive=1 if len(labels) == 2 else None,
    )


# ---------------------------------------------------------------- outputs


class Answers:
    """What a model's classes are in its signature. Raises `UnloadableModelError` where the two disagree."""

    def __init__(self, known: Signature, task: str, labels: tuple[Label, ...], probabilities: bool) -> None:
        if known.task != task:
            raise UnloadableModelError(f"it is a model for {task}, and its signature says {known.task}")
        self.wanted = any(output.name == "predict_proba" for output in known.outputs)
        """Whether probabilities are."""
        if self.wanted and not probabilities:
            raise UnloadableModelError("the signature names predict_proba, and the model's objective gives labels only")
        order = classes.positions(labels, known.classes or ()) if task == "Classification" else []
        self._straight = order == sorted(order)
        self._order, self._by_class = np.array(order, np.int64), np.argsort(order)

    def classified(self, found: NDArray[np.int64], matrix: NDArray[np.floating] | None) -> Prediction:
        """Places among the model's classes, and their probabilities, in the order of the signature."""
        exact = matrix.astype(np.float64, copy=False) if self.wanted and matrix is not None else None
        if self._straight:
            return Prediction(classes=found, probabilities=exact)
        ordered = None if exact is None else np.ascontiguousarray(exact[:, self._by_class])
        return Prediction(classes=self._order[found], probabilities=ordered)


def two(scores: NDArray[np.floating]) -> Matrix:
    """float64[n, 2] of the probability of the second class, the first's in the precision of the library."""
    matrix = np.empty((len(scores), 2))
    matrix[:, 0] = 1.0 - scores
    matrix[:, 1] = scores
    return matrix


# ---------------------------------------------------------------- inputs


def feeder(features: Sequence[Feature], known: Signature, *, named: bool) -> Callable[[Frame], Matrix]:
    """How a frame becomes the float64[n, features] that the model takes: columns by name where the model has names of its
    own, else by position; categories as their codes, NaN where a value is missing or unknown to the model. Raises
    `UnloadableModelError` where model and signature disagree; the feeder raises `ValueError` for a column that lacks."""
    inputs = known.inputs
    if any(width(column) > 1 for column in inputs):
        return _wide(features, inputs)
    names = _by_name(features, inputs) if named else _by_position(features, inputs)
    kinds = {column.name: column.kind for column in inputs}
    for feature, name in zip(features, names, strict=True):
        _agree(feature, name, kinds[name])
    coders = [(place, name, _coder(feature)) for place, (feature, name) in enumerate(zip(features, names, strict=True))]
    coded = [(place, name, coder) for place, name, coder in coders if coder is not None]
    if not coded:
        return lambda frame: table(frame, names)
    plain = [place for place, _, coder in coders if coder is None]
    numbers = tuple(names[place] for place in plain)

    def feed(frame: Frame) -> Matrix:
        matrix = np.empty((rows(frame), len(names)))
        matrix[:, plain] = table(frame, numbers)
        for place, name, coder in coded:
            try:
                matrix[:, place] = coder(frame[name])
            except KeyError:
                raise ValueError(f"column {name!r} is missing") from None
        return matrix

    return feed


def _wide(features: Sequence[Feature], inputs: Sequence[Input]) -> Callable[[Frame], Matrix]:
    """Inputs that are matrices, side by side."""
    there = sum(width(column) for column in inputs)
    if there != len(features):
        raise UnloadableModelError(f"the model takes {len(features)} columns, its signature names {there}")
    if any(feature.levels for feature in features) or any(column.kind == "Category" for column in inputs):
        raise UnloadableModelError("a matrix holds numbers only, and the model has categories")
    names = tuple(column.name for column in inputs)
    return lambda frame: table(frame, names)


def _by_name(features: Sequence[Feature], inputs: Sequence[Input]) -> tuple[str, ...]:
    there = {column.name for column in inputs}
    if unknown := sorted({feature.name for feature in features} ^ there):
        raise UnloadableModelError(f"model and signature disagree on the columns {unknown[:5]}")
    return tuple(feature.name for feature in features)


def _by_position(features: Sequence[Feature], inputs: Sequence[Input]) -> tuple[str, ...]:
    if len(inputs) != len(features):
        raise UnloadableModelError(f"the model takes {len(features)} columns, its signature names {len(inputs)}")
    return tuple(column.name for column in inputs)


def _agree(feature: Feature, name: str, kind: Kind) -> None:
    if kind == "Category" and feature.kind != "Category":
        raise UnloadableModelError(
            f"column {name!r} is text, and the model knows no categories of text for it: train it with pandas' category type"
        )
    if kind != "Category" and feature.kind == "Category":
        raise UnloadableModelError(f"column {name!r} is a {kind}, and the model was trained on categories of text")


def _coder(feature: Feature) -> Coder | None:
    """Values of a column as codes."""
    if feature.levels is None:
        return None
    if feature.kind == "Category":
        codes = {level: float(code) for code, level in enumerate(feature.levels)}
        return lambda column: np.array([codes.get(value, np.nan) for value in column.tolist()], np.float64)
    numbers = np.array(feature.levels, np.float64)
    by_size = np.argsort(numbers)
    ordered = numbers[by_size]

    def code(column: Column) -> Matrix:
        places = np.searchsorted(ordered, column).clip(max=len(ordered) - 1)
        return np.where(ordered[places] == column, by_size[places], np.nan)

    return code
