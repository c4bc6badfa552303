"""The signature of a fitted scikit-learn estimator that came without one. Imports scikit-learn: only its engines do."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor

from trimtab.api.wire.models import Input, Label, Signature
from trimtab.model.engine import UnloadableModelError
from trimtab.model.signature import MATRIX, outputs


def signature(estimator: Any) -> Signature:
    """Read from the estimator: columns by `feature_names_in_` or one matrix, labels by `classes_`. Columns that a
    fitted encoder knows as text are categories, all others numbers. Raises `UnloadableModelError` for what neither
    classifies nor regresses, is not fitted, or has several targets."""
    if is_regressor(estimator):
        return Signature(task="Regression", inputs=_inputs(estimator), outputs=outputs("Regression", None, False))
    if not is_classifier(estimator):
        raise UnloadableModelError(f"{type(estimator).__name__} is neither a classifier nor a regressor")
    known = labels(estimator)
    return Signature(
        task="Classification",
        inputs=_inputs(estimator),
        outputs=outputs("Classification", known, hasattr(estimator, "predict_proba")),
        classes=known,
        positive=1 if len(known) == 2 else None,
    )


def labels(estimator: Any) -> tuple[Label, ...]:
    """The labels in the estimator's own order and type; raises `UnloadableModelError`."""
    found = getattr(estimator, "classes_", None)
    if found is None:
        raise UnloadableModelError(f"{type(estimator).__name__} has no classes_: it is not fitted")
    values = np.asarray(found, dtype=object) if isinstance(found, list) else np.asarray(found)
    if values.ndim != 1 or not all(isinstance(v, bool | int | float | str) for v in values.tolist()):
        raise UnloadableModelError("the model has several targets, or labels that are no text, number or boolean")
    return tuple(values.tolist())


def knows_missing_text(estimator: Any) -> bool:
    """Whether a part was fitted on text columns with missing values, which are NaN to scikit-learn and not empty text."""
    return any(
        any(value != value or value is None for values in _categories(part) for value in values.tolist())
        or np.asarray(getattr(part, "statistics_", ())).dtype.kind in "OU"
        for part in _parts(estimator)
    )


def _parts(estimator: Any) -> Iterator[Any]:
    """The estimator and the fitted ones inside pipelines and column transformers."""
    yield estimator
    for _, step in getattr(estimator, "steps", ()):
        yield from _parts(step)
    for _, part, _ in getattr(estimator, "transformers_", ()):
        yield from _parts(part)


def _categories(part: Any) -> list[Any]:
    """What an encoder was fitted on, one array a column."""
    return [np.asarray(values) for values in getattr(part, "categories_", None) or ()]


def _inputs(estimator: Any) -> tuple[Input, ...]:
    names = getattr(estimator, "feature_names_in_", None)
    width = getattr(estimator, "n_features_in_", None)
    texts = _text_columns(estimator, None if names is None else [str(name) for name in names], width)
    if names is not None:
        return tuple(_column(str(name), str(name) in texts) for name in names)
    if texts and width is not None:
        return tuple(_column(f"x{i}", i in texts) for i in range(width))
    if width is None:
        raise UnloadableModelError(f"{type(estimator).__name__} does not say how many columns it was fitted on")
    return (Input(name=MATRIX, datatype="FP64", shape=(-1, int(width))),)


def _column(name: str, text: bool) -> Input:
    return Input(name=name, datatype="BYTES" if text else "FP64", kind="Category" if text else "Number")


def _text_columns(estimator: Any, names: list[str] | None, width: int | None) -> set[Any]:
    """Names (or positions, for a model without names) of the columns that an encoder inside knows as text."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    columns: list[Any] = names if names is not None else list(range(width or 0))
    if isinstance(estimator, Pipeline):
        for _, step in estimator.steps:
            found = _text_columns(step, names, width)
            if found or isinstance(step, ColumnTransformer):
                return found
        return set()
    if isinstance(estimator, ColumnTransformer):
        found = set()
        for _, part, chosen in estimator.transformers_:
            members = _chosen(chosen, columns)
            positions = _text_columns(part, None, len(members))
            found |= {members[position] for position in positions if position < len(members)}
        return found
    text = {i for i, values in enumerate(_categories(estimator)) if values.dtype.kind in "OUST"}
    return {columns[i] for i in text if i < len(columns)}


def _chosen(chosen: Any, columns: list[Any]) -> list[Any]:
    """The columns that one part of a ColumnTransformer was given: names, positions, a slice or a mask."""
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, slice):
        return columns[chosen]
    values = np.atleast_1d(np.asarray(chosen, dtype=object)).tolist()
    if values and all(isinstance(value, bool) for value in values):
        return [column for column, kept in zip(columns, values, strict=False) if kept]
    return [columns[value] if isinstance(value, int) and not isinstance(columns[0], int) else value for value in values]
