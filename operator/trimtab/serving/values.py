"""The values of one tensor, from JSON to columns: what is text, what is a number, what is missing. Pure.

Missing (null, and the empty text in a category) is NaN in numbers and the empty text in categories. Nothing is guessed
that changes a value: digits in quotes are not numbers, numbers are not text, true is not 1.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire import Input
from trimtab.model.frame import Column
from trimtab.model.values import parse_time
from trimtab.serving.refusal import RefusedError, client

_INTEGERS = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
_FLOATS = frozenset({"FP32", "FP64"})
_LARGEST_FP32 = float(np.finfo(np.float32).max)
_INEXACT = 2**53
"""From here on, not every whole number is a 64-bit float."""
_MISSING = type(None)
_NUMBER_OR_MISSING: frozenset[type] = frozenset({int, float, _MISSING})
_BOOLEAN_OR_MISSING: frozenset[type] = frozenset({bool, _MISSING})
_TEXT_OR_MISSING: frozenset[type] = frozenset({str, _MISSING})


class Literal:
    """A word or number that is not JSON but that other writers put where a number belongs."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def fraction(text: str) -> float | Literal:
    """A float, or a literal where it overflows."""
    value = float(text)
    return value if math.isfinite(value) else Literal(text)


def whole(text: str) -> int | float | Literal:
    """An int of at most 18 digits; beyond, as the strict parser does beyond 64 bits, the nearest float."""
    return int(text) if len(text) <= 18 else fraction(text)


def short(value: Any) -> str:
    """A value as it may stand in a message: bounded, and in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict) and len(value) > 6:
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def column(data: list[Any], datatype: Any, wanted: Input) -> Column:
    """One column of a frame: float64[n], or object[n] of `str` for a category. Raises `RefusedError`."""
    if wanted.kind == "Category":
        return _texts(data, datatype, wanted)
    if wanted.kind == "Time" and datatype == "BYTES":
        return _times(data, wanted)
    if wanted.kind == "Boolean" and datatype == "BOOL":
        return _booleans(data, wanted)
    return numbers(data, datatype, (wanted,))[:, 0]


def numbers(data: list[Any], datatype: Any, wanted: Sequence[Input]) -> NDArray[np.float64]:
    """float64[n, columns] of row-major data; raises `RefusedError` naming column, row and value."""
    _check_numeric(datatype, wanted[0])
    kinds = _check_kinds(data, _NUMBER_OR_MISSING, wanted, f"is not a number, which datatype {datatype} needs")
    table: NDArray[np.float64] = np.array(data, np.float64).reshape(-1, len(wanted))
    if _MISSING in kinds:
        _check_missing(data, wanted)
    if datatype == "FP32":
        _check(np.abs(table) > _LARGEST_FP32, data, wanted, "is outside FP32: send FP64")
    elif datatype != "FP64":
        _check_whole(table, data, datatype, wanted)
    if any(each.kind == "Boolean" for each in wanted):
        boolean = np.array([each.kind == "Boolean" for each in wanted])
        odd = (table != 0) & (table != 1) & ~np.isnan(table)
        _check(odd & boolean, data, wanted, "is neither 0 nor 1, as a Boolean is")
    return table


def _texts(data: list[Any], datatype: Any, wanted: Input) -> Column:
    if datatype != "BYTES":
        raise client(
            f"input {wanted.name!r} is a Category: send its values as text in datatype BYTES, not {short(datatype)}"
        )
    kinds = _check_kinds(data, _TEXT_OR_MISSING, (wanted,), "is not text, which datatype BYTES needs")
    texts = np.empty(len(data), object)
    texts[:] = ["" if value is None else value for value in data] if _MISSING in kinds else data
    if not wanted.accepts_missing:
        _check_missing([value or None for value in data], (wanted,))
    return texts


def _booleans(data: list[Any], wanted: Input) -> Column:
    kinds = _check_kinds(data, _BOOLEAN_OR_MISSING, (wanted,), "is neither true nor false, which datatype BOOL needs")
    if _MISSING in kinds:
        _check_missing(data, (wanted,))
    return np.array(data, np.float64)


def _times(data: list[Any], wanted: Input) -> Column:
    """Seconds since 1970 UTC of RFC 3339 text; a time without a zone is UTC."""
    _check_kinds(data, _TEXT_OR_MISSING, (wanted,), "is not text, which datatype BYTES needs")
    _check_missing([value or None for value in data], (wanted,))
    seconds = np.full(len(data), np.nan)
    for i, text in enumerate(data):
        if text:
            moment = parse_time(text)
            if moment is None:
                raise refusal(wanted, i, text, "is not a time such as 2013-01-31T12:00:00Z")
            seconds[i] = moment
    return seconds


# ---------------------------------------------------------------- checks


def refusal(wanted: Input, row: int, value: Any, problem: str) -> RefusedError:
    """What is wrong with one value."""
    return client(f"input {wanted.name!r}, row {row}: {short(value)} {problem}")


def _check(wrong: NDArray[np.bool_], data: list[Any], wanted: Sequence[Input], problem: str) -> None:
    """Refuse the first value at which `wrong`[n, columns] holds."""
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        raise refusal(wanted[i % len(wanted)], i // len(wanted), data[i], problem)


def _check_kinds(data: list[Any], kinds: frozenset[type], wanted: Sequence[Input], problem: str) -> set[type]:
    """The types that are there, all of them among `kinds`."""
    there = set(map(type, data))
    if not there <= kinds:
        i = next(i for i, value in enumerate(data) if type(value) not in kinds)
        if isinstance(data[i], list):
            problem = "is nested deeper than the shape of its tensor"
        raise refusal(wanted[i % len(wanted)], i // len(wanted), data[i], problem)
    return there


def _check_missing(data: list[Any], wanted: Sequence[Input]) -> None:
    if all(each.accepts_missing for each in wanted):
        return
    for i, value in enumerate(data):
        if value is None and not wanted[i % len(wanted)].accepts_missing:
            raise refusal(
                wanted[i % len(wanted)], i // len(wanted), None, "is missing, and the model needs a value here"
            )


def _check_numeric(datatype: Any, wanted: Input) -> None:
    if isinstance(datatype, str) and (datatype in _FLOATS or datatype in _INTEGERS):
        return
    if datatype == "FP16":
        raise client(f"input {wanted.name!r}: FP16 has no form in JSON, send FP32")
    expected = {"Boolean": "BOOL", "Time": "BYTES or FP64"}.get(wanted.kind, "FP64 or another numeric datatype")
    raise client(f"input {wanted.name!r} is a {wanted.kind}: send datatype {expected}, not {short(datatype)}")


def _check_whole(table: NDArray[np.float64], data: list[Any], datatype: str, wanted: Sequence[Input]) -> None:
    low, high = _INTEGERS[datatype]
    _check((table != np.floor(table)) & ~np.isnan(table), data, wanted, f"is not whole, as {datatype} is")
    _check((table < low) | (table > high), data, wanted, f"is outside {datatype}")
    _check(np.abs(table) >= _INEXACT, data, wanted, "is beyond 2^53 and would be rounded: send FP64 if it may be")
