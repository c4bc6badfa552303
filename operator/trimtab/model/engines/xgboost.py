"""Models of XGBoost in its own files, JSON or UBJSON, as an engine. Runs no code of a file.

Answers are those of the library's own scikit-learn wrapper, bit by bit, except that a category which the model does not know
is a missing value, where the wrapper refuses the row.
"""

import ctypes
import json
import math
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.special import softmax

from trimtab.api.wire.models import Signature
from trimtab.model import boosters, xgboost_file
from trimtab.model.boosters import Feature
from trimtab.model.engine import Prediction, UnloadableModelError
from trimtab.model.frame import Frame

Scores = NDArray[np.float32]
Ask = Callable[[NDArray[np.float64]], Scores]
_LIBRARY = xgboost.core._LIB
_SHAPE, _FLOATS = ctypes.POINTER(ctypes.c_uint64), ctypes.POINTER(ctypes.c_float)
_ROWS = b'{"data":[%d,true],"shape":[%d,%d],"typestr":"<f8","version":3}'
"""A matrix of float64 where it lies in memory, as the library wants to be told of it."""
_PLACE = re.compile(r"^\s*\[[0-9:]+\] \S+:[0-9]+: ")
"""Where the library's own source raised an error, which it puts before the words."""


class _Objective(NamedTuple):
    """What the numbers of a model mean. `classes`: their count; 0 for a regression. `margin`: they are asked for before the
    objective's transformation."""

    task: str
    classes: int = 0
    probabilities: bool = False
    margin: bool = False


def load(path: Path, known: Signature | None) -> "XgboostEngine":
    """Load one file as an engine; raises `UnloadableModelError`."""
    content = path.read_bytes()
    major, minor = xgboost.__version__.split(".")[:2]
    xgboost_file.check(content, (int(major), int(minor)))
    try:
        with xgboost.config_context(verbosity=0):
            booster = xgboost.Booster({"nthread": 1})
            booster.load_model(bytearray(content))
            del content
            return XgboostEngine(booster, known)
    except UnloadableModelError:
        raise
    except ValueError as error:  # the library's own is one, too
        raise UnloadableModelError(f"XGBoost does not load the file: {words(error)}") from error


def words(error: Exception) -> str:
    """What the library says, without the places in its source."""
    text = str(error).split("Stack trace:")[0]
    return " ".join(_PLACE.sub("", text).split())[:300] or type(error).__name__


class XgboostEngine:
    """A booster and the signature by which it is fed. `predict` is safe to call from several threads."""

    def __init__(self, booster: xgboost.Booster, known: Signature | None) -> None:
        config = json.loads(booster.save_config())["learner"]
        objective = _objective(config, booster)
        features = _features(booster)
        labels = tuple(range(objective.classes))
        self._signature = known or boosters.described(objective.task, features, labels, objective.probabilities)
        self._answers = boosters.Answers(self._signature, objective.task, labels, objective.probabilities)
        named = booster.feature_names is not None
        self._feed = boosters.feeder(features, self._signature, named=named)
        linear = config["gradient_booster"]["name"] == "gblinear"
        self._ask = _linear(booster, objective) if linear else _trees(booster, objective)
        self._objective = objective

    @property
    def signature(self) -> Signature:
        return self._signature

    def predict(self, frame: Frame) -> Prediction:
        """The answer for the rows of `frame`; raises `ValueError` for a missing column or a value that does not fit."""
        scores = self._ask(self._feed(frame))
        if self._objective.task == "Regression":
            return Prediction(values=scores.astype(np.float64))
        if scores.ndim == 1:
            found = (scores > 0.5).astype(np.int64)
            return self._answers.classified(found, boosters.two(scores) if self._answers.wanted else None)
        matrix = softmax(scores, axis=1) if self._objective.margin else scores
        return self._answers.classified(np.argmax(scores, axis=1), matrix)


# ---------------------------------------------------------------- what the model is


def _objective(config: dict[str, Any], booster: xgboost.Booster) -> _Objective:
    name, count = str(config["objective"]["name"]), int(config["learner_model_param"]["num_class"])
    kind = _wrapper(booster)
    if kind != "regressor":
        if name == "binary:logistic" or (name == "reg:logistic" and kind == "classifier"):
            return _Objective("Classification", 2, probabilities=True)
        if name == "binary:hinge":
            return _Objective("Classification", 2)
        if name in ("multi:softprob", "multi:softmax") and count > 1:
            return _Objective("Classification", count, probabilities=True, margin=name == "multi:softmax")
    if kind in (None, "regressor") and (
        name.startswith("reg:") or name == "count:poisson" or (kind == "regressor" and name == "binary:logistic")
    ):
        return _Objective("Regression")
    what = f"{name} in a {kind}" if kind else name
    raise UnloadableModelError(
        f"the objective {what} gives neither classes nor the number that a regression predicts: "
        "binary:logistic, multi:softprob, count:poisson and those of reg: are served"
    )


def _wrapper(booster: xgboost.Booster) -> str | None:
    """What wrote the file: classifier, regressor, ranker; None for a booster without a wrapper."""
    try:
        said = json.loads(booster.attr("scikit_learn") or "{}").get("_estimator_type")
    except (ValueError, AttributeError) as error:
        raise UnloadableModelError(f"the file is broken: its attribute scikit_learn: {str(error)[:200]}") from error
    return None if said is None else str(said)


def _features(booster: xgboost.Booster) -> list[Feature]:
    count = int(booster.num_features())
    names = booster.feature_names or [f"f{place}" for place in range(count)]
    kinds = booster.feature_types or ["float"] * count
    if len(set(names)) < count:
        raise UnloadableModelError("the file is broken: two of its features have one name")
    stored: dict[int, Any] = {}
    if "c" in kinds:
        found = booster.get_categories(export_to_arrow=True).to_arrow()
        stored = {place: levels.to_pylist() for place, (_, levels) in enumerate(found) if levels is not None}
    return [
        Feature(
            name,
            boosters.levels(name, stored[place]) if place in stored else None,
            boolean=kinds[place] == "i",
        )
        for place, name in enumerate(names)
    ]


# ---------------------------------------------------------------- asking it


def _rounds(booster: xgboost.Booster) -> int:
    """How many rounds answer: those until the best, where early stopping found one; 0 is all of them."""
    try:
        best = int(booster.attr("best_iteration") or -1)
    except ValueError as error:
        raise UnloadableModelError(f"the file is broken: its attribute best_iteration: {error}") from error
    if best >= booster.num_boosted_rounds():
        raise UnloadableModelError(f"the file is broken: its best iteration {best} is none that it has")
    return max(0, best + 1)


def _trees(booster: xgboost.Booster, objective: _Objective) -> Ask:
    """As `Booster.inplace_predict`, which describes the same call anew each time and so takes three times as long for a
    row. Safe in several threads, as that is."""
    settings = {
        "type": int(objective.margin),
        "training": False,
        "iteration_begin": 0,
        "iteration_end": _rounds(booster),
        "missing": float("nan"),
        "strict_shape": False,
        "cache_id": 0,
    }
    config, predict = json.dumps(settings).encode(), _LIBRARY.XGBoosterPredictFromDense

    def ask(matrix: NDArray[np.float64]) -> Scores:
        matrix = np.ascontiguousarray(matrix)
        shape, dimensions, found = _SHAPE(), ctypes.c_uint64(), _FLOATS()
        code = predict(
            booster.handle,
            _ROWS % (matrix.ctypes.data, *matrix.shape),
            config,
            None,
            ctypes.byref(shape),
            ctypes.byref(dimensions),
            ctypes.byref(found),
        )
        if code != 0:
            raise RuntimeError(words(RuntimeError(_LIBRARY.XGBGetLastError().decode(errors="replace"))))
        there = shape[: dimensions.value]
        return np.frombuffer(ctypes.string_at(found, 4 * math.prod(there)), np.float32).reshape(there)

    return ask


def _linear(booster: xgboost.Booster, objective: _Objective) -> Ask:
    """Linear boosters know no in-place prediction, and their own is for one thread at a time."""
    one = threading.Lock()
    names, kinds = booster.feature_names, booster.feature_types

    def ask(matrix: NDArray[np.float64]) -> Scores:
        try:
            rows = xgboost.DMatrix(matrix, nthread=1, feature_names=names, feature_types=kinds)
            with one:
                return np.asarray(booster.predict(rows, output_margin=objective.margin))
        except xgboost.core.XGBoostError as error:
            raise ValueError(words(error)) from error

    return ask
