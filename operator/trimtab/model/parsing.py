"""Parsing: files of each format into pieces of columns, with nothing guessed. A file that breaks its format is
named, with the line.

What a piece's values mean is decided in `kinds`, over all files together.
"""

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from trimtab.api.dataset import DataFormat
from trimtab.model import disguises
from trimtab.model.parts import Parsed, Part, Piece, ReadingError, check_names, malformed, short

EXTENSIONS = {
    ".parquet": DataFormat.PARQUET,
    ".csv": DataFormat.CSV,
    ".jsonl": DataFormat.JSON_LINES,
    ".ndjson": DataFormat.JSON_LINES,
}
_BLOCK = 32 << 20
_NO_UTF8 = "is not UTF-8: save the file as UTF-8"
_HALF = re.compile("[\ud800-\udfff]")


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


def parse(part: Part, format: DataFormat, missing: Sequence[str] = ()) -> Parsed:  # noqa: A002
    """The columns of one file. `missing` are the cells of CSV that hold nothing, beside the empty one. Raises
    ReadingError (MalformedData) that names the file and, where there are lines, the line."""
    if format == DataFormat.CSV:
        return _csv(part, missing)
    return _parquet(part) if format == DataFormat.PARQUET else _json_lines(part)


# ---------------------------------------------------------------- Parquet


def _parquet(part: Part) -> Parsed:
    try:
        file = pyarrow.parquet.ParquetFile(part.path, memory_map=True, coerce_int96_timestamp_unit="us")
        check_names(part, file.schema_arrow.names)
        table = file.read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise malformed(part, f"is no whole Parquet file ({short(error)})") from error
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


def _csv(part: Part, missing: Sequence[str]) -> Parsed:
    _check_text(part)
    header = _header(part)
    if header is None:
        return Parsed(part.name, 0, {})
    check_names(part, header, 1)
    options = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()),
        null_values=["", *missing],
        strings_can_be_null=True,
        check_utf8=True,
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


def _bytes(part: Part) -> Any:
    zipped = part.path.suffix.lower() == ".gz"
    return gzip.GzipFile(part.path) if zipped else part.path.open("rb")


def _lines(part: Part) -> io.TextIOWrapper:
    return io.TextIOWrapper(_bytes(part), encoding="utf-8-sig", errors="surrogateescape", newline="")


def _check_text(part: Part) -> None:
    """Refuse what is no text at all, by its first bytes."""
    try:
        with _bytes(part) as file:
            said = disguises.told(file.read(disguises.HEAD), part.name)
    except (OSError, EOFError) as error:
        raise malformed(part, f"cannot be decompressed ({short(error)})") from error
    if said:
        raise malformed(part, said)


def _is_utf8(text: str) -> bool:
    """Whether the bytes of a text were UTF-8."""
    return not any("\udc80" <= character <= "\udcff" for character in text)


def _header(part: Part) -> list[str] | None:
    """The names in the first record; None for a file without any."""
    try:
        with _lines(part) as lines:
            header = next((row for row in csv.reader(lines) if row), None)
    except (csv.Error, OSError, EOFError) as error:
        raise malformed(part, f"the first line is no header ({short(error)})", 1) from error
    if header and not all(_is_utf8(name) and "\0" not in name for name in header):  # zero bytes: UTF-16 without a mark
        raise malformed(part, _NO_UTF8, 1)
    return header


def _broken_csv(part: Part, width: int, error: Exception) -> ReadingError:
    """Find the line at fault, which Arrow does not name."""
    with _lines(part) as lines:
        reader = csv.reader(lines, strict=True)
        started = 1
        try:
            for row in reader:
                if row and len(row) != width:
                    return malformed(part, f"{len(row)} values where the header has {width} columns", started)
                if not all(map(_is_utf8, row)):
                    return malformed(part, _NO_UTF8, started)
                started = reader.line_num + 1
        except csv.Error as fault:
            return malformed(part, f"a quote is not closed, or stands inside a value ({short(fault)})", started)
        except (OSError, EOFError) as fault:
            return malformed(part, f"cannot be decompressed ({short(fault)})")
    return malformed(part, short(error))


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
    check_names(part, [*columns])
    return Parsed(part.name, rows, {name: Piece(part.name, column) for name, column in columns.items()})


def _objects(part: Part) -> Iterator[dict[str, Any]]:
    _check_text(part)
    decode = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant).decode
    try:
        with _lines(part) as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                if not (line.isascii() or _is_utf8(line)):
                    raise malformed(part, _NO_UTF8, number)
                try:
                    row = decode(line)
                except ValueError as error:
                    said = str(error) if isinstance(error, _TwiceError) else f"is no JSON object ({short(error)})"
                    raise malformed(part, said, number) from error
                if not isinstance(row, dict):
                    raise malformed(part, f"is {type(row).__name__}, not an object with one member a column", number)
                _check_object(part, row, line, number)
                yield row
    except (OSError, EOFError) as error:
        raise malformed(part, f"cannot be decompressed ({short(error)})") from error


def _check_object(part: Part, row: dict[str, Any], line: str, number: int) -> None:
    if "" in row:
        raise malformed(part, "a member has no name: name it, or leave it out", number)
    if "\\u" in line and _HALF.search(json.dumps(row, ensure_ascii=False)):
        raise malformed(part, "holds half a character (\\ud800 to \\udfff alone), which is no text", number)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise _TwiceError(f"column {twice!r} is there more than once: every column needs a name of its own")
    return row


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON: write null for a missing value")
