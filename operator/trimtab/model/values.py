"""Values: what one cell of each kind may be, and how it is normalised. The same for a file, a request and a user's
own twin.

Imports numpy alone, so that the slim server can use it. Missing is NaN in columns of numbers and the empty text in
categories; what is neither missing nor of the kind is invalid: it is counted, and then treated as missing.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Kind
from trimtab.model.frame import Column

NUMBER = re.compile(r"[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*")
"""Text that is a number. No thousands marks, no `nan`, no `inf`, no underscores."""
EXACT = 1 << 53
"""Integers beyond this are not exact as float64."""
EARLIEST, LATEST = -62_135_596_800.0, 253_402_300_800.0
"""The years 1 to 9999, in seconds since 1970: what a time can be. The end is included, since the last microsecond rounds
to it."""
_LAST_SECOND = LATEST - 1
_BOOLEANS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class Normalised:
    """A column of a frame, and which of its rows (bool[n]) held something that is no value of its kind."""

    values: Column
    invalid: NDArray[np.bool_]


def normalise(kind: Kind, values: Sequence[Any] | NDArray[Any], *, text: bool = False) -> Normalised:
    """Normalise a column given as Python values (of JSON, of a file) or as an array.

    `text` says that all values are text by nature, as in CSV: then text that reads as a number, a boolean or a time
    is one. Otherwise digits in text stay text, and are no number.
    """
    if kind == "Category":
        return _category(values)
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        return _numeric(kind, values)
    read = {"Number": _number, "Boolean": _boolean, "Time": _time}[kind]
    if kind == "Number" and not text:
        quick = _plain_numbers(values)
        if quick is not None:
            return _numeric(kind, quick)
    cells = [read(value, text) for value in values]
    numbers = np.array([math.nan if cell is None else cell for cell in cells], np.float64)
    return Normalised(numbers, np.array([cell is None for cell in cells], np.bool_))


def label_text(value: Any) -> str:
    """A value as the text that stands for it in a category: integers without a point, booleans in lower case.

    >>> label_text(1.0), label_text(7), label_text(0.5), label_text(True), label_text("007")
    ('1', '7', '0.5', 'true', '007')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e16 else repr(number)
    return str(value)


def is_missing(value: Any) -> bool:
    """None, NaN and the empty text."""
    return value is None or value == "" or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def parse_time(text: str) -> float | None:
    """Seconds since 1970 of a time in ISO 8601, UTC unless it names its zone; None for anything else, and for one that
    is not within the years 1 to 9999 in UTC.

    >>> parse_time("2013-01-01T05:00:00Z"), parse_time("2013-01-01 05:00"), parse_time("1/1/2013")
    (1357016400.0, 1357016400.0, None)
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return seconds if EARLIEST <= seconds <= LATEST else None


def format_time(seconds: float) -> str:
    """RFC 3339 in UTC, down to the microsecond where there is one.

    >>> format_time(1357016400.0), format_time(LATEST)
    ('2013-01-01T05:00:00Z', '9999-12-31T23:59:59Z')
    """
    return datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC).isoformat().replace("+00:00", "Z")


def _plain_numbers(values: Iterable[Any]) -> NDArray[np.float64] | None:
    """The values as an array when they are numbers and nothing else, which is the common case in a request."""
    if not {type(value) for value in values} <= {int, float}:
        return None
    try:
        return np.array(values, np.float64)
    except OverflowError:
        return None


def _numeric(kind: Kind, values: NDArray[Any]) -> Normalised:
    numbers = values.astype(np.float64)
    invalid = np.isinf(numbers)
    if kind == "Time":
        invalid |= (numbers < EARLIEST) | (numbers > LATEST)
    if kind == "Boolean":
        invalid |= ~(np.isnan(numbers) | (numbers == 0) | (numbers == 1))
    if kind == "Number" and values.dtype.kind == "b":
        invalid = np.ones(len(values), np.bool_)
    if invalid.any():
        numbers[invalid] = np.nan
    return Normalised(numbers, invalid)


def _category(values: Sequence[Any] | NDArray[Any]) -> Normalised:
    out = np.empty(len(values), object)
    invalid = np.zeros(len(values), np.bool_)
    for row, value in enumerate(values):
        if is_missing(value):
            out[row] = ""
        elif isinstance(value, dict | list | bytes):
            out[row], invalid[row] = "", True
        else:
            out[row] = label_text(value)
    return Normalised(out, invalid)


def _number(value: Any, text: bool) -> float | None:
    """The number, NaN when missing, None when it is no number."""
    if is_missing(value):
        return math.nan
    if isinstance(value, bool | np.bool_):
        return None
    if text and isinstance(value, str) and not NUMBER.fullmatch(value):
        return None
    if isinstance(value, str) and not text:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _boolean(value: Any, text: bool) -> float | None:
    if is_missing(value):
        return math.nan
    if isinstance(value, bool | np.bool_):
        return float(value)
    if isinstance(value, str):
        folded = value.strip().casefold() if text else ""
        return _BOOLEANS.get(folded, float(folded) if folded in ("0", "1") else None)
    return float(value) if isinstance(value, int | float | np.number) and value in (0, 1) else None


def _time(value: Any, text: bool) -> float | None:
    if is_missing(value):
        return math.nan
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, int | float | np.number) and not isinstance(value, bool) and not text:
        return float(value) if EARLIEST <= value <= LATEST else None
    return None
