"""Parsing: files of each format into pieces of columns, with nothing guessed. A file that breaks its format is
named, with the line.

What a piece's values mean is decided in `kinds`, over all files together.
"""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from trimtab.api.dataset import DataFormat

EXTENSIONS = {
    ".parquet": DataFormat.PARQUET,
    ".csv": DataFormat.CSV,
    ".jsonl": DataFormat.JSON_LINES,
    ".ndjson": DataFormat.JSON_LINES,
}
_BLOCK = 32 << 20
_BOM = "\ufeff"


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


def format_of(parts: Sequence[Part], given: DataFormat | None) -> DataFormat:
    """The format of all parts: the one given, else by their extension. Raises ReadingError (UnknownFormat)."""
    if given is not None:
        return given
    found = {part.name: _extension(part.name) for part in parts}
    if unknown := [name for name, kind in found.items() if kind is None]:
        raise ReadingError(
            "UnknownFormat",
            f"{unknown[0]!r} ends in none of {', '.join(EXTENSIONS)}: set format, or name the files with a glob",
        )
    if len(formats := {kind for kind in found.values() if kind}) > 1:
        raise ReadingError(
            "UnknownFormat",
            f"the files are of several formats ({', '.join(sorted(formats))}): name those of one with a glob",
        )
    return formats.pop()


def _extension(name: str) -> DataFormat | None:
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    last = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else suffixes[-1] if suffixes else ""
    return EXTENSIONS.get(last)


def parse(part: Part, format: DataFormat) -> Parsed:  # noqa: A002
    """The columns of one file. Raises ReadingError (MalformedData) that names the file and, where there are lines,
    the line."""
    return {DataFormat.PARQUET: _parquet, DataFormat.CSV: _csv, DataFormat.JSON_LINES: _json_lines}[format](part)


def malformed(part: Part, said: str, line: int | None = None) -> ReadingError:
    """The error of a file that breaks its format."""
    where = f"{part.name!r}" if line is None else f"{part.name!r}, line {line}"
    return ReadingError("MalformedData", f"{where}: {said}")


def _unique(part: Part, names: Sequence[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise malformed(
            part, f"column {twice[0]!r} is there {names.count(twice[0])} times: every column needs a name of its own", 1
        )


# ---------------------------------------------------------------- Parquet


def _parquet(part: Part) -> Parsed:
    try:
        file = pyarrow.parquet.ParquetFile(part.path, memory_map=True)
        _unique(part, file.schema_arrow.names)
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise malformed(part, f"is no whole Parquet file ({_short(error)})") from error
    index = _pandas_index(table.schema)
    return Parsed(
        part.name, table.num_rows, {n: Piece(part.name, table[n]) for n in table.column_names if n not in index}
    )


def _pandas_index(schema: pa.Schema) -> set[str]:
    """Unnamed row numbers that pandas wrote beside the columns; they are no column of the user's."""
    try:
        listed = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    except ValueError:
        return set()
    return {name for name in listed if isinstance(name, str) and name.startswith("__index_level_")}


# ---------------------------------------------------------------- CSV


def _csv(part: Part) -> Parsed:
    header = _header(part)
    if header is None:
        return Parsed(part.name, 0, {})
    _unique(part, header)
    options = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()), null_values=[""], strings_can_be_null=True, check_utf8=True
    )
    try:
        table = pyarrow.csv.read_csv(
            part.path,
            read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _broken_csv(part, len(header), error) from error
    return Parsed(part.name, table.num_rows, {n: Piece(part.name, table[n], text=True) for n in table.column_names})


def _lines(part: Part) -> io.TextIOWrapper:
    zipped = part.path.suffix.lower() == ".gz"
    binary: Any = gzip.GzipFile(part.path) if zipped else part.path.open("rb")
    return io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _header(part: Part) -> list[str] | None:
    """The names in the first record; None for a file without any."""
    try:
        with _lines(part) as lines:
            return next((row for row in csv.reader(lines) if row), None)
    except (csv.Error, OSError, EOFError) as error:
        raise malformed(part, f"the first line is no header ({_short(error)})", 1) from error


def _broken_csv(part: Part, width: int, error: Exception) -> ReadingError:
    """Find the line at fault, which Arrow does not name."""
    with _lines(part) as lines:
        reader = csv.reader(lines, strict=True)
        started = 1
        try:
            for row in reader:
                if row and len(row) != width:
                    return malformed(part, f"{len(row)} values where the header has {width} columns", started)
                if any("\udc80" <= character <= "\udcff" for cell in row for character in cell):
                    return malformed(part, "is not UTF-8: save the file as UTF-8", started)
                started = reader.line_num + 1
        except csv.Error as fault:
            return malformed(part, f"a quote is not closed, or stands inside a value ({_short(fault)})", started)
        except (OSError, EOFError) as fault:
            return malformed(part, f"cannot be decompressed ({_short(fault)})")
    return malformed(part, _short(error))


# ---------------------------------------------------------------- JSON lines


class _TwiceError(ValueError):
    pass


def _json_lines(part: Part) -> Parsed:
    columns: dict[str, list[Any]] = {}
    rows = 0
    for row in _objects(part):
        for name, value in row.items():
            column = columns.get(name)
            if column is None:
                column = columns[name] = []
            if len(column) < rows:
                column.extend([None] * (rows - len(column)))
            column.append(value)
        rows += 1
    for column in columns.values():
        column.extend([None] * (rows - len(column)))
    return Parsed(part.name, rows, {name: Piece(part.name, column) for name, column in columns.items()})


def _objects(part: Part) -> Iterator[dict[str, Any]]:
    decode = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant).decode
    try:
        with _lines(part) as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    row = decode(line)
                except ValueError as error:
                    said = str(error) if isinstance(error, _TwiceError) else f"is no JSON object ({_short(error)})"
                    raise malformed(part, said, number) from error
                if not isinstance(row, dict):
                    raise malformed(part, f"is {type(row).__name__}, not an object with one member a column", number)
                yield row
    except (OSError, EOFError) as error:
        raise malformed(part, f"cannot be decompressed ({_short(error)})") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise _TwiceError(f"column {twice!r} is there more than once: every column needs a name of its own")
    return row


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON: write null for a missing value")


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
