"""Decision trees as the arrays that boosting libraries write, checked before a library follows them. Pure.

The libraries believe their files: an index that leads out of a tree ends the process, and one that leads back never ends.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class BrokenTreeError(ValueError):
    """A tree that cannot be followed, with what is wrong of it."""


def integers(values: Any, name: str, count: int | None = None) -> Integers:
    """`values` as int64[count]; raises `BrokenTreeError` for what is not a list of so many whole numbers."""
    try:
        found = np.asarray(values)
        whole = found.astype(np.int64) if found.dtype.kind in "iub" or found.size == 0 else None
    except (ValueError, TypeError, OverflowError):
        whole = None
    if whole is None or whole.ndim != 1 or (count is not None and len(whole) != count):
        wanted = "whole numbers" if count is None else f"{count} whole numbers"
        raise BrokenTreeError(f"{name} is not a list of {wanted}")
    return whole


def within(values: Integers, low: int, high: int, name: str) -> None:
    """Raises `BrokenTreeError` unless every value is at least `low` and below `high`."""
    if len(values) and not (low <= values.min() and values.max() < high):
        odd = values[(values < low) | (values >= high)][0]
        raise BrokenTreeError(f"{name} holds {odd}, and may hold {low} to {high - 1}")


def joined(left: Integers, right: Integers) -> None:
    """Raises `BrokenTreeError` unless every way from node 0 ends. `left` and `right` are the children of inner nodes, as
    numbers above 0 for nodes; whatever stands for a leaf is negative."""
    children = np.concatenate([left[left >= 0], right[right >= 0]])
    if len(children) and (children.min() == 0 or len(np.unique(children)) < len(children)):
        raise BrokenTreeError("two branches lead to one node")
