"""Kinds: what a column is (Number, Category, Boolean, Time), and its pieces as one normalised column. Nothing is
guessed.

Arrow's columns take fast paths here; everything else goes through `values`, and both give the same.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trimtab.api.wire.models import Kind
from trimtab.model import values
from trimtab.model.parts import Piece, ReadingError

NUMBER = f"^(?:{values.NUMBER.pattern})$"
_LEADING_ZERO = r"^[ \t]*[+-]?0[0-9]"
_LONG_INTEGER = r"^[ \t]*[+-]?[0-9]{16,}[ \t]*$"
_DIGITS = len(str(values.EXACT))
BOOLEAN = r"^(?i:true|false)$"
_MIXED = "mixed"


def natural(name: str, pieces: list[Piece]) -> Kind | None:
    """What a column is when nobody says. None: no piece holds a value. Raises ReadingError for pieces that do not
    fit together."""
    if pieces[0].text:
        return of_text(pa.chunked_array([chunk for piece in pieces for chunk in arrow(piece).chunks], pa.string()))
    found: dict[str, Piece] = {}
    for piece in pieces:
        kind = _of_python(name, piece) if isinstance(piece.values, list) else _of_arrow(name, piece)
        if kind:
            found.setdefault(kind, piece)
    if len(found) > 1 and all(isinstance(piece.values, list) for piece in pieces):
        return "Category"
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise ReadingError(
            "MalformedData",
            f"column {name!r} is {one} in {first.part!r} and {other} in {second.part!r}: write it with one "
            f"type, or exclude it",
        )
    kind = next(iter(found), None)
    if kind == _MIXED or (kind == "Number" and any(map(_loses_digits, pieces))):
        return "Category"
    return kind  # type: ignore[return-value]


def normalised(pieces: list[Piece], kind: Kind) -> values.Normalised:
    """The pieces below each other as one column of a frame."""
    done = [_normalised(piece, kind) for piece in pieces]
    return values.Normalised(
        np.concatenate([one.values for one in done]), np.concatenate([one.invalid for one in done])
    )


def example(pieces: list[Piece], row: int) -> str:
    """The value in a row as it stands in the file, for a message."""
    for piece in pieces:
        if row < len(piece.values):
            value = piece.values[row]
            return (_shown(value) if isinstance(value, pa.Scalar) else repr(value))[:60]
        row -= len(piece.values)
    raise IndexError(row)


def _shown(value: pa.Scalar) -> str:
    """A cell of Arrow's; a moment that Python knows no date for as the number it is."""
    try:
        return repr(value.as_py())
    except (OverflowError, ValueError):
        return str(value.value)


def arrow(piece: Piece) -> pa.ChunkedArray:
    """The values of a piece that are Arrow's."""
    assert isinstance(piece.values, pa.ChunkedArray)
    return piece.values


def _all(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern), min_count=0).as_py())


def _any(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, pattern), min_count=0).as_py())


def of_text(column: pa.ChunkedArray) -> Kind | None:
    """What a column of text is by nature. Numbers only if no cell would lose anything by it: a leading zero, or digits
    that float64 does not hold."""
    if column.null_count == len(column):
        return None
    if _all(column, NUMBER):
        if _any(column, _LEADING_ZERO):
            return "Category"
        long = column.filter(pc.match_substring_regex(column, _LONG_INTEGER))
        return "Category" if any(map(_is_long, long.to_pylist())) else "Number"
    return "Boolean" if _all(column, BOOLEAN) else "Category"


def _is_long(cell: str) -> bool:
    """Whether float64 does not hold all digits of an integer."""
    digits = cell.strip(" \t").lstrip("+-0")
    return len(digits) > _DIGITS or int(digits or 0) > values.EXACT


def _loses_digits(piece: Piece) -> bool:
    """Whether a piece of numbers has an integer that float64 does not hold: most such are names of things."""
    if isinstance(piece.values, list):
        return any(type(value) is int and abs(value) > values.EXACT for value in piece.values)
    if not _is_whole(piece.values.type):
        return False
    ends = pc.min_max(piece.values).as_py().values()
    return any(end is not None and abs(end) > values.EXACT for end in ends)


def _is_whole(of: pa.DataType) -> bool:
    return bool(pa.types.is_integer(of) or (pa.types.is_decimal(of) and of.scale == 0))


def _of_python(name: str, piece: Piece) -> str | None:
    kinds = {type(value) for value in piece.values} - {type(None)}
    if kinds & {dict, list}:
        raise ReadingError(
            "UnsupportedColumn", f"column {name!r} in {piece.part!r} holds objects or lists: exclude it, or flatten it"
        )
    if kinds == {str} and all(value == "" for value in piece.values if value is not None):
        return None
    names = {bool: "Boolean", int: "Number", float: "Number", str: "Category"}
    found = {names[kind] for kind in kinds}
    return _MIXED if len(found) > 1 else next(iter(found), None)


def _of_arrow(name: str, piece: Piece) -> Kind | None:
    column = arrow(piece)
    of = column.type
    if pa.types.is_null(of) or column.null_count == len(column):
        return None
    if pa.types.is_boolean(of):
        return "Boolean"
    if pa.types.is_integer(of) or pa.types.is_floating(of) or pa.types.is_decimal(of):
        return "Number"
    if _is_text(of) or (pa.types.is_dictionary(of) and _is_plain(of.value_type)):
        return "Category"
    if pa.types.is_timestamp(of) or pa.types.is_date(of):
        return "Time"
    raise ReadingError(
        "UnsupportedColumn",
        f"column {name!r} in {piece.part!r} is of type {of}: exclude it, or write it as another type",
    )


def _is_text(of: pa.DataType) -> bool:
    return bool(pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of))


def _is_plain(of: pa.DataType) -> bool:
    return _is_text(of) or bool(pa.types.is_integer(of) or pa.types.is_floating(of) or pa.types.is_boolean(of))


def _normalised(piece: Piece, kind: Kind) -> values.Normalised:
    if isinstance(piece.values, list):
        return values.normalise(kind, piece.values)
    column = piece.values
    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], column.type.value_type)
    if pa.types.is_null(column.type):
        column = column.cast(pa.float64() if kind != "Category" else pa.string())
    of = column.type
    if kind == "Category":
        return _text(column)
    if pa.types.is_timestamp(of) or pa.types.is_date(of):
        return _time(column, kind)
    if _is_text(of):
        return _from_text(column.cast(pa.string()), kind, piece.text)
    return _number(column, kind)


def _none_invalid(column: Any) -> values.Normalised:
    return values.Normalised(column, np.zeros(len(column), np.bool_))


def _all_invalid(column: pa.ChunkedArray) -> values.Normalised:
    return values.Normalised(np.full(len(column), np.nan), pc.is_valid(column).to_numpy())


def _number(column: pa.ChunkedArray, kind: Kind) -> values.Normalised:
    boolean = pa.types.is_boolean(column.type)
    if kind == "Time" or (kind == "Number" and boolean):
        return _all_invalid(column)
    numbers = (column.cast(pa.uint8()) if boolean else column).cast(pa.float64(), safe=False).to_numpy()
    return values.normalise(kind, np.asarray(numbers, np.float64))


def _time(column: pa.ChunkedArray, kind: Kind) -> values.Normalised:
    if kind != "Time":
        return _all_invalid(column)
    stamps = column.cast(pa.timestamp("ms")) if pa.types.is_date(column.type) else column
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[stamps.type.unit]
    counts = stamps.cast(pa.int64())
    seconds = np.asarray(counts.fill_null(0).to_numpy(), np.int64) / per_second
    seconds[pc.is_null(counts).to_numpy()] = np.nan
    return values.normalise(kind, seconds)


def _text(column: pa.ChunkedArray) -> values.Normalised:
    if (pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)) and not _is_whole(column.type):
        return values.normalise("Category", np.asarray(column.cast(pa.float64()).to_numpy(), np.float64))
    text = column.cast(pa.string()).fill_null("")
    return _none_invalid(np.asarray(text.to_numpy(), object))


def _from_text(column: pa.ChunkedArray, kind: Kind, text: bool) -> values.Normalised:
    """Text that a Dataset says to be numbers, booleans or times."""
    if kind != "Number" or not text:
        return values.normalise(kind, column.to_pylist(), text=text)
    valid = pc.match_substring_regex(column, NUMBER)
    trimmed = pc.replace_substring_regex(column, r"^[ \t]*\+?|[ \t]+$", "")
    numbers = pc.if_else(valid, trimmed, pa.scalar(None, pa.string())).cast(pa.float64())
    done = values.normalise("Number", np.asarray(numbers.to_numpy(), np.float64))
    return values.Normalised(done.values, done.invalid | pc.invert(valid).fill_null(False).to_numpy())
