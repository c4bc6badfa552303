"""A fitted scikit-learn estimator as an engine, shared by skops and joblib. Loads nothing itself."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from trimtab.api.wire.models import Signature
from trimtab.model import classes, estimator
from trimtab.model.engine import Prediction, UnloadableModelError
from trimtab.model.frame import Frame, rows

_LIKELIEST = {
    ("sklearn.ensemble._forest", "ExtraTreesClassifier"),
    ("sklearn.ensemble._forest", "RandomForestClassifier"),
    ("sklearn.ensemble._hist_gradient_boosting.gradient_boosting", "HistGradientBoostingClassifier"),
}
"""Classifiers whose label is the likeliest class, so that one pass through their trees gives both."""


class SklearnEngine:
    """An estimator and the signature by which it is fed. `predict` is safe to call from several threads."""

    def __init__(self, fitted: Any, known: Signature | None = None) -> None:
        if not callable(getattr(fitted, "predict", None)):
            raise UnloadableModelError(f"the file holds a {type(fitted).__name__}, which has no predict")
        self._fitted = _single_threaded(fitted)
        self._signature = known or estimator.signature(fitted)
        nulls = known is None or estimator.knows_missing_text(fitted)
        self._table = _table(fitted, self._signature, nulls=nulls)
        self._probabilities = any(output.name == "predict_proba" for output in self._signature.outputs)
        if self._probabilities and not hasattr(fitted, "predict_proba"):
            raise UnloadableModelError("the signature names predict_proba, and the model has none")
        if self._signature.task == "Classification":
            labels = estimator.labels(fitted)
            order = classes.positions(labels, self._signature.classes or ())
            self._order, self._index = np.array(order, np.int64), dict(zip(labels, order, strict=True))
            self._by_class = np.argsort(order)
        self._one_pass = self._probabilities and _is_likeliest(fitted)

    @property
    def signature(self) -> Signature:
        return self._signature

    def predict(self, frame: Frame) -> Prediction:
        """The answer for the rows of `frame`; raises `ValueError` for a column that lacks, or as the estimator does."""
        table, n = self._table(frame), rows(frame)
        if self._signature.task == "Regression":
            return Prediction(values=self._answers(table, n).astype(np.float64))
        if not self._probabilities:
            return Prediction(classes=self._positions(table, n))
        matrix = np.asarray(self._fitted.predict_proba(table), np.float64)
        positions = self._likeliest(table, matrix) if self._one_pass else self._positions(table, n)
        return Prediction(classes=positions, probabilities=np.ascontiguousarray(matrix[:, self._by_class]))

    def _answers(self, table: Any, n: int) -> NDArray[Any]:
        answers = np.asarray(self._fitted.predict(table))
        if answers.size != n:
            raise RuntimeError(f"the model gave {answers.size} answers for {n} rows")
        return answers.reshape(-1)

    def _positions(self, table: Any, n: int) -> NDArray[np.int64]:
        return np.fromiter((self._index[label] for label in self._answers(table, n).tolist()), np.int64, n)

    def _likeliest(self, table: Any, matrix: NDArray[np.float64]) -> NDArray[np.int64]:
        """Where classes are equally likely the model is asked: it may see a difference that rounding took away."""
        positions: NDArray[np.int64] = self._order[np.argmax(matrix, axis=1)]
        tied = (matrix == matrix.max(axis=1, keepdims=True)).sum(axis=1) > 1
        if tied.any():
            positions[tied] = self._positions(table[tied], int(tied.sum()))
        return positions


def _is_likeliest(fitted: Any) -> bool:
    kind = type(fitted.steps[-1][1] if isinstance(fitted, Pipeline) else fitted)
    return (kind.__module__, kind.__qualname__) in _LIKELIEST


def same_release(load: Callable[[], Any]) -> Any:
    """What `load` gives; refused when another minor release of scikit-learn wrote it, since nobody vouches for that."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = load()
    here = sklearn.__version__.split(".")[:2]
    for warning in caught:
        if isinstance(warning.message, InconsistentVersionWarning):
            there = warning.message.original_sklearn_version
            if there.split(".")[:2] != here:
                raise UnloadableModelError(
                    f"the model was fitted with scikit-learn {there}, this image has {sklearn.__version__}: "
                    "train it again, or convert it to ONNX"
                )
    return loaded


def _single_threaded(fitted: Any) -> Any:
    """Without worker pools inside: for a few rows, starting threads or processes costs more than it saves."""
    parameters = fitted.get_params(deep=True) if hasattr(fitted, "get_params") else {}
    chosen = {name: _one(parameters.get(name.rpartition("__")[0], fitted)) for name in parameters if _is_jobs(name)}
    return fitted.set_params(**chosen) if chosen else fitted


def _is_jobs(name: str) -> bool:
    return name.rpartition("__")[2] == "n_jobs"


def _one(part: Any) -> int | None:
    """What a part calls one thread: None is one to scikit-learn, and all of them to XGBoost and LightGBM."""
    return 1 if type(part).__module__ in ("xgboost.sklearn", "lightgbm.sklearn") else None


def _table(fitted: Any, known: Signature, *, nulls: bool) -> Callable[[Frame], Any]:
    """How a frame becomes what the estimator was fitted on: a DataFrame where it knows names, else an array. `nulls`:
    missing text is None, as a user's own estimator knows it; Trimtab's own are fitted on empty text."""
    names = [column.name for column in known.inputs]
    fitted_names = getattr(fitted, "feature_names_in_", None)
    if fitted_names is not None:
        if unknown := sorted(set(map(str, fitted_names)) ^ set(names)):
            raise UnloadableModelError(f"model and signature disagree on the columns {unknown[:5]}")
        names = [str(name) for name in fitted_names]
    texts = {column.name for column in known.inputs if column.kind == "Category"}

    def column(frame: Frame, name: str) -> Any:
        try:
            values = frame[name]
        except KeyError:
            raise ValueError(f"column {name!r} is missing") from None
        return np.where(values == "", None, values) if nulls and name in texts else values  # type: ignore[call-overload]

    if fitted_names is not None:
        return lambda frame: pd.DataFrame({name: column(frame, name) for name in names})
    kind: Any = object if texts else np.float64
    return lambda frame: np.column_stack([np.asarray(column(frame, name), kind) for name in names])
