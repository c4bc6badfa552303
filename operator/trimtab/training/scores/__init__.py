"""The formulas of the metrics, weighted by row. One file per kind of prediction that they look at. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Score = Callable[[Floats | None], float]
"""A metric on fixed rows: takes a weight per row (None: all one), gives the value, raises Undefined where there is none."""


@dataclass(frozen=True)
class Judged:
    """Labels and predictions of n rows. Classification: `truth` int64[n] and `classes` int64[n] (-1: a class of the model's own),
    `probabilities` float64[n, k] or None, `positive` with two classes. Regression: `truth` and `values` float64[n]."""

    truth: NDArray[Any]
    classes: NDArray[np.int64] | None = None
    probabilities: Floats | None = None
    values: Floats | None = None
    positive: int | None = None
    count: int = 0
    """Number of classes."""

    @property
    def rows(self) -> int:
        return len(self.truth)


class Undefined(ValueError):  # noqa: N818  no error: some rows have no such value
    """The metric has no value on these rows; the message says why."""


def weights(given: Floats | None, rows: int) -> Floats:
    """The weights as given, or one for each row."""
    return np.ones(rows) if given is None else given


def mean(values: Floats, given: Floats | None) -> float:
    """The weighted mean."""
    return float(values.mean() if given is None else np.dot(values, given) / given.sum())


def ratio(part: Any, whole: Any, why: str) -> float:
    """A quotient; Undefined for nothing by nothing."""
    if whole == 0:
        raise Undefined(why)
    return float(part / whole)
