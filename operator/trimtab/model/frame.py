"""A frame: the columns of some rows, normalised once, the same in training and in serving. Does no I/O.

Missing is one thing: NaN in a numeric column, the empty text in a column of categories.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Input

Column = NDArray[Any]
"""Number, Boolean (0.0 or 1.0) and Time (seconds since 1970 UTC): float64. Category: object, every entry a `str`."""

Frame = Mapping[str, Column]
"""Columns by the user's own names, all of one length, in the order of the signature's inputs."""


class Layout:
    """Where each input of a signature lies in a `Block`: numbers side by side in one table, texts in columns of their own."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.names = tuple(column.name for column in inputs)
        self.spans: dict[str, int | slice] = {}
        """Of a numeric input its column in the table, or its columns where it is a matrix."""
        self.texts: dict[str, int] = {}
        """Of a category its place among the texts."""
        self.width = 0
        """Columns of the table."""
        for column in inputs:
            if column.kind == "Category":
                self.texts[column.name] = len(self.texts)
                continue
            wide = width(column)
            self.spans[column.name] = self.width if wide == 1 else slice(self.width, self.width + wide)
            self.width += wide
        self.numbers = tuple(self.spans) if self.width == len(self.spans) else None
        """Names of the table's columns; None where an input is wider than one."""


class Block(Mapping[str, Column]):
    """A frame whose numbers are one float64[n, layout.width]: cheap to join, and to hand to an engine that takes a matrix."""

    __slots__ = ("layout", "table", "texts")

    def __init__(self, layout: Layout, table: NDArray[np.float64], texts: tuple[Column, ...] = ()) -> None:
        self.layout, self.table, self.texts = layout, table, texts

    def __getitem__(self, name: str) -> Column:
        place = self.layout.texts.get(name)
        return self.table[:, self.layout.spans[name]] if place is None else self.texts[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout.names)

    def __len__(self) -> int:
        return len(self.layout.names)


def block(layout: Layout, columns: Frame) -> Block:
    """Columns of their own as one block; raises KeyError for one that is not there."""
    first = columns[layout.names[0]] if layout.names else ()
    table = np.empty((len(first), layout.width))
    for name, span in layout.spans.items():
        table[:, span] = columns[name]
    return Block(layout, table, tuple(columns[name] for name in layout.texts))


def width(column: Input) -> int:
    """Columns of one input: 1, or more where it is a matrix."""
    return 1 if len(column.shape) == 1 else column.shape[1]


def rows(frame: Frame) -> int:
    """Number of rows; 0 for a frame without columns."""
    if isinstance(frame, Block):
        return len(frame.table)
    return len(next(iter(frame.values()), ()))


def take(frame: Frame, index: NDArray[Any]) -> dict[str, Column]:
    """The rows that `index` (positions or a mask) names."""
    return {name: column[index] for name, column in frame.items()}


def concatenate(frames: list[Frame]) -> dict[str, Column]:
    """Frames of equal columns below each other."""
    return {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}


def join(blocks: Sequence[Block]) -> Block:
    """Blocks of one layout below each other."""
    if len(blocks) == 1:
        return blocks[0]
    texts = zip(*(block.texts for block in blocks), strict=True)
    table = np.concatenate([block.table for block in blocks])
    return Block(blocks[0].layout, table, tuple(np.concatenate(columns) for columns in texts))


def table(frame: Frame, names: tuple[str, ...]) -> NDArray[np.float64]:
    """float64[n, k] of k numeric columns, in the order of `names`. Raises `ValueError` for a column that is not there."""
    if isinstance(frame, Block) and frame.layout.numbers == names:
        return frame.table
    try:
        columns = [frame[name] for name in names]
    except KeyError as error:
        raise ValueError(f"column {error.args[0]!r} is missing") from None
    return np.column_stack(columns) if columns else np.empty((rows(frame), 0))
