"""Parts: the files of the data, what is read out of each, and how one that cannot be read is told. Opens nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from trimtab.api.texts import COLUMN_LENGTH


class ReadingError(ValueError):
    """Data that cannot be read as they are. `reason` is a CamelCase word, the message names file, place and remedy."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Part:
    """A file of the data: its name as people know it, and where its bytes lie."""

    name: str
    path: Path


@dataclass(frozen=True)
class Piece:
    """One column of one file. `values` are Arrow's or (JSON) Python's; `text` says that all is text by nature, as in
    CSV."""

    part: str
    values: pa.ChunkedArray | list[Any]
    text: bool = False


@dataclass(frozen=True)
class Parsed:
    """The columns of one file, in its own order, all of `rows` values."""

    part: str
    rows: int
    columns: dict[str, Piece]


def malformed(part: Part, said: str, line: int | None = None) -> ReadingError:
    """The error of a file that breaks its format."""
    where = f"{part.name!r}" if line is None else f"{part.name!r}, line {line}"
    return ReadingError("MalformedData", f"{where}: {said}")


def check_names(part: Part, names: Sequence[str], line: int | None = None) -> None:
    """Refuse columns without a name, with a name twice, or with one that no status could hold. `line` is where the names
    stand, in a file that has lines."""
    for place, name in enumerate(names, 1):
        if not name:
            raise malformed(part, f"column {place} has no name: {_unnamed(place, len(names))}", line)
        if len(name) > COLUMN_LENGTH:
            said = f"the name of column {place}, {name[:40]!r}…, has {len(name)} characters: {COLUMN_LENGTH} are most"
            raise malformed(part, said, line)
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        said = f"column {twice[0]!r} is there {names.count(twice[0])} times: every column needs a name of its own"
        raise malformed(part, said, line)


def _unnamed(place: int, columns: int) -> str:
    """What to do about a column without a name: most are row numbers in front, or a comma too many at the end."""
    if place == 1:
        return "write the file without its index (index=False in pandas, row.names=FALSE in R), or name it"
    return "write no comma at the end of the lines, or name it" if place == columns else "name it, or leave it out"


def short(error: Exception) -> str:
    """The first line of what an error says."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
