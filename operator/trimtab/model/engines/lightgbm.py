"""Models of LightGBM in its own text files as an engine. Runs no code of a file.

Answers are those of the library's own scikit-learn wrapper, bit by bit; a category that the model does not know is a missing
value to both.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from trimtab.api.wire.models import Label, Signature
from trimtab.model import boosters, lightgbm_file
from trimtab.model.boosters import Feature
from trimtab.model.engine import Prediction, UnloadableModelError
from trimtab.model.frame import Frame
from trimtab.model.lightgbm_file import ModelFile

_CLASSES = frozenset({"binary", "multiclass", "multiclassova"})
_NUMBERS = frozenset(
    {
        "regression",
        "regression_l1",
        "huber",
        "fair",
        "poisson",
        "quantile",
        "mape",
        "gamma",
        "tweedie",
        "cross_entropy",
        "cross_entropy_lambda",
    }
)


def load(path: Path, known: Signature | None, labels: tuple[Label, ...] | None = None) -> "LightgbmEngine":
    """Load one file as an engine; raises `UnloadableModelError`. `labels`: of its classes, which the file does not know."""
    file = lightgbm_file.read(path.read_bytes())
    try:
        booster = lightgbm.Booster(model_str=file.text)
    except (lightgbm.basic.LightGBMError, ValueError) as error:
        raise UnloadableModelError(f"LightGBM does not load the file: {' '.join(str(error).split())[:300]}") from error
    return LightgbmEngine(booster, file, known, labels)


class LightgbmEngine:
    """A booster and the signature by which it is fed. `predict` is safe to call from several threads."""

    def __init__(
        self, booster: Any, file: ModelFile, known: Signature | None, labels: tuple[Label, ...] | None = None
    ) -> None:
        self._booster = booster
        self._task, count = _outputs(file)
        labels = labels or tuple(range(count))
        features = _features(file, known)
        self._signature = known or boosters.described(self._task, features, labels, True)
        self._answers = boosters.Answers(self._signature, self._task, labels, True)
        named = file.names != tuple(f"Column_{place}" for place in range(len(file.names)))
        self._feed = boosters.feeder(features, self._signature, named=named)

    @property
    def signature(self) -> Signature:
        return self._signature

    def predict(self, frame: Frame) -> Prediction:
        """The answer for the rows of `frame`; raises `ValueError` for a column that lacks."""
        matrix = self._feed(frame)
        try:
            scores = np.asarray(self._booster.predict(matrix, num_threads=1))
        except lightgbm.basic.LightGBMError as error:
            raise RuntimeError(f"LightGBM: {error}") from error
        if self._task == "Regression":
            return Prediction(values=scores)
        matrix = scores if scores.ndim == 2 else boosters.two(scores)
        return self._answers.classified(np.argmax(matrix, axis=1), matrix)


def _outputs(file: ModelFile) -> tuple[str, int]:
    """The task, and of how many classes. An objective that was a function of the user's gives the number itself, to the
    library's wrapper too."""
    name = file.objective[0] if file.objective else None
    if name in _CLASSES:
        return "Classification", 2 if name == "binary" else file.classes
    if (name is None or name in _NUMBERS) and file.classes == 1:
        return "Regression", 0
    what = f"the objective {name}" if name else f"an objective of your own with {file.classes} numbers a row"
    raise UnloadableModelError(
        f"{what} gives neither classes nor the number that a regression predicts: "
        "binary, multiclass, multiclassova and the regressions are served"
    )


def _features(file: ModelFile, known: Signature | None) -> list[Feature]:
    """Its columns under the names of the signature: LightGBM writes a blank in a name as an underscore."""
    own = {column.name.replace(" ", "_"): column.name for column in known.inputs} if known else {}
    levels = _levels(file)
    return [
        Feature(own.get(name, name), None if place not in levels else boosters.levels(name, levels[place]))
        for place, name in enumerate(file.names)
    ]


def _levels(file: ModelFile) -> dict[int, Sequence[Any]]:
    """The values of each column that was a category in pandas. The file lists the values column by column without saying of
    which, and separately which columns are categories: where these are as many, they are the same."""
    if not file.levels:
        return {}
    if len(file.categorical) != len(file.levels):
        raise UnloadableModelError(
            f"the file holds the values of {len(file.levels)} categories for {len(file.categorical)} categorical columns, "
            "and does not say which are whose: train without ordered categories, and without categorical_feature beside "
            "pandas' category type"
        )
    return dict(zip(file.categorical, file.levels, strict=True))
