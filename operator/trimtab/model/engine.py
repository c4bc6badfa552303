"""What every engine is: a loaded model that answers frames. One file per format stands beside this one."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Signature
from trimtab.model.frame import Frame


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for n rows. Classification: `classes` (int64[n], index into `signature.classes`) and, where the model has
    them, `probabilities` (float64[n, k], columns in that order). Regression: `values` (float64[n])."""

    classes: NDArray[np.int64] | None = None
    probabilities: NDArray[np.float64] | None = None
    values: NDArray[np.float64] | None = None


class Engine(Protocol):
    """A model in memory. `predict` is pure, safe in several threads, and raises `ValueError` on a frame that lacks a column."""

    @property
    def signature(self) -> Signature: ...

    def predict(self, frame: Frame) -> Prediction: ...


class UnloadableModelError(ValueError):
    """The file is no model of its format, needs code that is not allowed, or does not agree with its signature."""
