"""Reading: files into one normalised table, for checks, training, publishing and the twins of a user's container alike.

The one reader of data files in Trimtab. It opens the files it is given and no others, and follows no network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trimtab.api.dataset import DataFormat
from trimtab.api.wire.models import Kind
from trimtab.model import kinds, parsing, partitions, words
from trimtab.model.frame import Column
from trimtab.model.parts import Parsed, Part, Piece, ReadingError

__all__ = ["Invalid", "Part", "ReadingError", "Table", "read"]


@dataclass(frozen=True)
class Invalid:
    """Rows of a column that hold something which is no value of its kind, with the first of them as it stands in the
    file."""

    rows: int
    example: str


@dataclass(frozen=True)
class Table:
    """The columns of all files below each other: `frame` as in `trimtab.model.frame`, with the kind of each column.

    `invalid` has the columns where something was no value of the kind; there the frame holds a missing value.
    `unsupported` has the columns that cannot be used, each with the sentence that says why; `notes` those that may be
    meant otherwise, each with the sentence that says how.
    """

    frame: dict[str, Column]
    kinds: dict[str, Kind]
    invalid: dict[str, Invalid]
    unsupported: dict[str, str]
    rows: int
    notes: dict[str, str] = field(default_factory=dict)


def read(
    parts: Sequence[Part],
    given: DataFormat | None = None,
    declared: Mapping[str, Kind] | None = None,
    missing: Sequence[str] = (),
) -> Table:
    """Read files, in the order given, as one table.

    `given` is the format (by default that of the extensions), `declared` the kinds that somebody said columns have;
    of all others the kind follows from the values. `missing` are texts that are no value in CSV. Folders named
    `column=value` add a column. Raises ReadingError: UnknownFormat, MalformedData (file and line), EmptyData.
    """
    format = parsing.format_of(parts, given)  # noqa: A001
    if missing and format is not DataFormat.CSV:
        raise ReadingError("UnknownFormat", f"csv is given, and the files are {format}: remove it from the Dataset")
    partitions.check(parts)
    found = (parsing.parse(part, format, missing) for part in parts)
    parsed = [partitions.joined(part, one) for part, one in zip(parts, found, strict=True) if one.columns]
    rows = sum(one.rows for one in parsed)
    if not rows:
        raise ReadingError(
            "EmptyData", f"{_listed(parts)} without a single row: check the address, and what writes the data"
        )
    pieces, folders = _aligned(parsed, format), partitions.columns(parts[0])
    table = Table({}, {}, {}, {}, rows)
    for name, column in pieces.items():
        try:
            kind = (declared or {}).get(name) or kinds.natural(name, column) or "Number"
        except ReadingError as error:
            if error.reason != "UnsupportedColumn":
                raise
            table.unsupported[name] = str(error)
            continue
        done = kinds.normalised(column, kind)
        table.frame[name], table.kinds[name] = done.values, kind
        if done.invalid.any():
            first = int(np.argmax(done.invalid))
            table.invalid[name] = Invalid(int(done.invalid.sum()), kinds.example(column, first))
        if name not in folders and (note := words.note(column, kind, (declared or {}).get(name))):
            table.notes[name] = note
    return table


def _aligned(parsed: Sequence[Parsed], format: DataFormat) -> dict[str, list[Piece]]:  # noqa: A002
    """The pieces of each column over all files, in the order of the first file's columns. JSON may leave members
    out; others not."""
    names = list(dict.fromkeys(name for one in parsed for name in one.columns))
    for one in parsed:
        if format is not DataFormat.JSON_LINES and (lacking := [name for name in names if name not in one.columns]):
            raise ReadingError("MalformedData", f"{one.part!r} lacks the column {lacking[0]!r} that other files have")
    return {
        name: [one.columns.get(name) or Piece(one.part, [None] * one.rows) for one in parsed if one.rows]
        for name in names
    }


def _listed(parts: Sequence[Part]) -> str:
    return f"{parts[0].name!r} is a file" if len(parts) == 1 else f"{len(parts)} files were found"
