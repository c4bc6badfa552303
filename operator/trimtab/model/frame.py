"""A frame: the columns of some rows, normalised once, the same in training and in serving. Does no I/O.

Missing is one thing: NaN in a numeric column, the empty text in a column of categories.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
"""Number, Boolean (0.0 or 1.0) and Time (seconds since 1970 UTC): float64. Category: object, every entry a `str`."""

Frame = Mapping[str, Column]
"""Columns by the user's own names, all of one length, in the order of the signature's inputs."""


def rows(frame: Frame) -> int:
    """Number of rows; 0 for a frame without columns."""
    return len(next(iter(frame.values()), ()))


def take(frame: Frame, index: NDArray[Any]) -> dict[str, Column]:
    """The rows that `index` (positions or a mask) names."""
    return {name: column[index] for name, column in frame.items()}


def concatenate(frames: list[Frame]) -> dict[str, Column]:
    """Frames of equal columns below each other."""
    return {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}
