"""The values of one tensor, from JSON or an array to columns: what is text, what is a number, what is missing. Pure.

Missing (null, and the empty text in a category) is NaN in numbers and the empty text in categories. Nothing is guessed
that changes a value: digits in quotes are not numbers, numbers are not text, true is not 1.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Input
from trimtab.model.frame import Column
from trimtab.model.values import parse_time
from trimtab.serving.refusal import RefusedError, client

Data: TypeAlias = list[Any] | NDArray[Any]
_INTEGERS = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
_FLOATS = frozenset({"FP16", "FP32", "FP64"})
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
    try:
        text = repr(value)
    except RecursionError:  # the parser takes more depth than the interpreter has words for
        return "a list" if isinstance(value, list) else "an object"
    return text if len(text) <= 60 else f"{text[:57]}..."


def column(data: Data, datatype: Any, wanted: Input) -> Column:
    """One column of a frame: float64[n], or object[n] of `str` for a category. Raises `RefusedError`."""
    if wanted.kind == "Category":
        return _texts(data, datatype, wanted)
    if wanted.kind == "Time" and datatype == "BYTES":
        return _times(data, wanted)
    if wanted.kind == "Boolean" and datatype == "BOOL":
        return _booleans(data, wanted)
    return numbers(data, datatype, (wanted,))[:, 0]


def numbers(data: Data, datatype: Any, wanted: Sequence[Input]) -> NDArray[np.float64]:
    """float64[n, columns] of row-major data; raises `RefusedError` naming column, row and value."""
    _check_numeric(datatype, wanted[0])
    table = _from_array(data, wanted) if isinstance(data, np.ndarray) else _from_list(data, datatype, wanted)
    if datatype not in _FLOATS:
        _check(np.abs(table) >= _INEXACT, data, wanted, "is beyond 2^53 and would be rounded: send FP64 if it may be")
    if any(each.kind == "Boolean" for each in wanted):
        boolean = np.array([each.kind == "Boolean" for each in wanted])
        odd = (table != 0) & (table != 1) & ~np.isnan(table)
        _check(odd & boolean, data, wanted, "is neither 0 nor 1, as a Boolean is")
    return table


def _from_list(data: list[Any], datatype: str, wanted: Sequence[Input]) -> NDArray[np.float64]:
    if datatype == "FP16":
        raise client(f"input {wanted[0].name!r}: FP16 has no form in JSON, send FP32")
    kinds = _check_kinds(data, _NUMBER_OR_MISSING, wanted, f"is not a number, which datatype {datatype} needs")
    table: NDArray[np.float64] = np.array(data, np.float64).reshape(-1, len(wanted))
    if _MISSING in kinds:
        _check_missing(np.isnan(table), wanted)
    if datatype == "FP32":
        _check(np.abs(table) > _LARGEST_FP32, data, wanted, "is outside FP32: send FP64")
    elif datatype != "FP64":
        low, high = _INTEGERS[datatype]
        _check((table != np.floor(table)) & ~np.isnan(table), data, wanted, f"is not whole, as {datatype} is")
        _check((table < low) | (table > high), data, wanted, f"is outside {datatype}")
    return table


def _from_array(data: NDArray[Any], wanted: Sequence[Input]) -> NDArray[np.float64]:
    """Numbers of any datatype. NaN is missing; infinity is refused as JSON refuses it: no profile has a place for it."""
    table = data.astype(np.float64).reshape(-1, len(wanted))
    if not np.isfinite(table).all():
        _check(np.isinf(table), data, wanted, "is infinite, which no value of a column is")
        _check_missing(np.isnan(table), wanted)
    return table


def _texts(data: Data, datatype: Any, wanted: Input) -> Column:
    if datatype != "BYTES":
        raise client(
            f"input {wanted.name!r} is a Category: send its values as text in datatype BYTES, not {short(datatype)}"
        )
    kinds = _check_kinds(data, _TEXT_OR_MISSING, (wanted,), "is not text, which datatype BYTES needs")
    texts = np.empty(len(data), object)
    texts[:] = ["" if value is None else value for value in data] if _MISSING in kinds else data
    if not wanted.accepts_missing:
        _check_missing(texts == "", (wanted,))
    return texts


def _booleans(data: Data, wanted: Input) -> Column:
    if isinstance(data, np.ndarray):
        _check(data > 1, data, (wanted,), "is neither 0 nor 1, which datatype BOOL needs")
        return data.astype(np.float64)
    kinds = _check_kinds(data, _BOOLEAN_OR_MISSING, (wanted,), "is neither true nor false, which datatype BOOL needs")
    column = np.array(data, np.float64)
    if _MISSING in kinds:
        _check_missing(np.isnan(column), (wanted,))
    return column


def _times(data: Data, wanted: Input) -> Column:
    """Seconds since 1970 UTC of RFC 3339 text; a time without a zone is UTC."""
    _check_kinds(data, _TEXT_OR_MISSING, (wanted,), "is not text, which datatype BYTES needs")
    seconds = np.full(len(data), np.nan)
    for i, text in enumerate(data):
        if text:
            moment = parse_time(text)
            if moment is None:
                raise refusal(wanted, i, text, "is not a time such as 2013-01-31T12:00:00Z")
            seconds[i] = moment
    _check_missing(np.isnan(seconds), (wanted,))
    return seconds


# ---------------------------------------------------------------- checks


def refusal(wanted: Input, row: int, value: Any, problem: str) -> RefusedError:
    """What is wrong with one value."""
    return client(f"input {wanted.name!r}, row {row}: {short(value)} {problem}")


def _check(wrong: NDArray[np.bool_], data: Data, wanted: Sequence[Input], problem: str) -> None:
    """Refuse the first value at which `wrong`[n, columns] holds."""
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        value = data[i].item() if isinstance(data[i], np.generic) else data[i]
        raise refusal(wanted[i % len(wanted)], i // len(wanted), value, problem)


def _check_kinds(data: Data, kinds: frozenset[type], wanted: Sequence[Input], problem: str) -> set[type]:
    """The types that are there, all of them among `kinds`."""
    there = set(map(type, data))
    if not there <= kinds:
        i = next(i for i, value in enumerate(data) if type(value) not in kinds)
        value = data[i].item() if isinstance(data[i], np.generic) else data[i]
        if isinstance(value, Literal) and value.text == "NaN":
            problem = "is no JSON: send null where a number is missing"
        elif isinstance(value, list):
            problem = "is nested deeper than the shape of its tensor"
        raise refusal(wanted[i % len(wanted)], i // len(wanted), value, problem)
    return there


def _check_missing(missing: NDArray[np.bool_], wanted: Sequence[Input]) -> None:
    """Refuse the first value that is `missing`[n, columns] where the model needs one."""
    if all(each.accepts_missing for each in wanted) or not missing.any():
        return
    needed = ~np.array([each.accepts_missing for each in wanted])
    wrong = np.flatnonzero(missing.reshape(-1, len(wanted)) & needed)
    if len(wrong):
        row, place = divmod(int(wrong[0]), len(wanted))
        raise refusal(wanted[place], row, None, "is missing, and the model needs a value here")


def _check_numeric(datatype: Any, wanted: Input) -> None:
    if isinstance(datatype, str) and (datatype in _FLOATS or datatype in _INTEGERS):
        return
    expected = {"Boolean": "BOOL", "Time": "BYTES or FP64"}.get(wanted.kind, "FP64 or another numeric datatype")
    raise client(f"input {wanted.name!r} is a {wanted.kind}: send datatype {expected}, not {short(datatype)}")
