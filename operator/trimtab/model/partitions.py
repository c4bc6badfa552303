"""Partitions: columns that stand in the names of folders only, `carrier=AA/part-0.parquet`, as Hive and Spark write
them. Pure.

Their values are text by nature, as in CSV: what kind a column is follows from all of them together.
"""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

import pyarrow as pa

from trimtab.model.parts import Parsed, Part, Piece, ReadingError, malformed

_MISSING = frozenset({"__HIVE_DEFAULT_PARTITION__", ""})


def joined(part: Part, parsed: Parsed) -> Parsed:
    """The columns of a file and, after them, those of its folders. Raises ReadingError (MalformedData) for one that is
    there twice."""
    found = columns(part)
    if both := [name for name in found if name in parsed.columns]:
        raise malformed(
            part,
            f"column {both[0]!r} is in the file and in the name of its folder: write it once, or give the folders "
            f"names without '='",
        )
    pieces = {name: _piece(part, value, parsed.rows) for name, value in found.items()}
    return replace(parsed, columns={**parsed.columns, **pieces})


def columns(part: Part) -> dict[str, str | None]:
    """Names and values in the folders of a file's name, None for a missing one.

    >>> from pathlib import Path
    >>> columns(Part("carrier=A%20A/day=__HIVE_DEFAULT_PARTITION__/x=1.parquet", Path()))
    {'carrier': 'A A', 'day': None}
    """
    found: dict[str, str | None] = {}
    for folder in part.name.split("/")[:-1]:
        name, equals, value = folder.partition("=")
        if not name or not equals:
            continue
        name = _plain(part, name)
        if name in found:
            raise malformed(part, f"column {name!r} is in the names of two folders: write it once")
        found[name] = None if value in _MISSING else _plain(part, value)
    return found


def check(parts: Sequence[Part]) -> None:
    """Raises ReadingError (MalformedData) unless all files lie in folders of the same columns."""
    names = {part.name: frozenset(columns(part)) for part in parts}
    every = frozenset[str]().union(*names.values())
    for name, there in names.items():
        if lacking := sorted(every - there):
            raise ReadingError(
                "MalformedData", f"{name!r} lies in no folder '{lacking[0]}=…', as other files do: name those alone"
            )


def _plain(part: Part, text: str) -> str:
    """Text without the percent signs that stand for what a folder's name cannot hold."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise malformed(part, f"the folder's name {text!r} is not UTF-8 once its percent signs are decoded") from error


def _piece(part: Part, value: str | None, rows: int) -> Piece:
    return Piece(part.name, pa.chunked_array([pa.repeat(pa.scalar(value, pa.string()), rows)]), text=True)
