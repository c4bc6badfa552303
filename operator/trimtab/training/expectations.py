"""What must hold of the data: each expectation of a Dataset against the table that was read. Pure; takes `now`."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trimtab.api.dataset import ColumnExpectation, DatasetSpec, ExpectationFailure
from trimtab.api.quantities import parse_duration, parse_share
from trimtab.api.wire.models import Kind
from trimtab.model import values
from trimtab.model.reading import Table

_AHEAD = 86_400.0
"""Clocks and zones differ by a day at most; a time further ahead is a mistake, or a placeholder, and makes nothing fresh."""
MOST = 100
"""More failures than a status holds help nobody."""


def declared(spec: DatasetSpec) -> dict[str, Kind]:
    """Kinds that the Dataset says columns have: those of its checks, and its time column."""
    columns = spec.expect.columns if spec.expect else []
    kinds: dict[str, Kind] = {column.name: column.type.value for column in columns if column.type}
    if spec.time_column:
        kinds[spec.time_column] = "Time"
    return kinds


def judged(spec: DatasetSpec, table: Table, labelled: NDArray[np.bool_], now: float) -> tuple[ExpectationFailure, ...]:
    """Every expectation that does not hold, in the order of the spec; none means that the data may be used.

    `labelled` is bool[rows], `now` in seconds since 1970.
    """
    return tuple(_failures(spec, table, int(labelled.sum()), now))[:MOST]


def share(part: int, whole: int) -> str:
    """A share as the API writes it, with at most four decimals; what is more than nothing is never shown as 0%.

    >>> share(1, 3), share(12, 12), share(1, 100_000_000)
    ('33.3333%', '100%', '0.0001%')
    """
    if part and part < whole:
        percent = min(max(100 * part / whole, 0.0001), 99.9999)
        return f"{percent:.4f}".rstrip("0").rstrip(".") + "%"
    return "100%" if part else "0%"


def _failures(spec: DatasetSpec, table: Table, labelled: int, now: float) -> Iterator[ExpectationFailure]:
    expect = spec.expect
    if expect and expect.rows and labelled < expect.rows.min:
        yield ExpectationFailure(
            rule="rows", rows=labelled, message=f"{labelled} rows have a label, at least {expect.rows.min} must"
        )
    if spec.time_column and spec.time_column in table.invalid:
        yield _no_times(table, spec.time_column, "timeColumn", "are no time")
    if expect and expect.freshness and spec.time_column in table.frame:
        yield from _age(
            spec.time_column, table, parse_duration(expect.freshness.max_age), expect.freshness.max_age, now
        )
    for column in expect.columns if expect else ():
        yield from _column(column, table)


def _age(name: str, table: Table, limit: float, wanted: str, now: float) -> Iterator[ExpectationFailure]:
    times = table.frame[name]
    past = times[times <= now + _AHEAD]
    if not len(past):
        beyond = " that is not in the future" if np.isfinite(times).any() else ""
        yield ExpectationFailure(
            column=name, rule="freshness", message=f"no row has a time in {name!r}{beyond}, so nothing is fresh"
        )
    elif now - (newest := float(past.max())) > limit:
        yield ExpectationFailure(
            column=name,
            rule="freshness",
            message=f"the newest {name!r} is {values.format_time(newest)}, at most {wanted} old it must be",
        )


def _column(expected: ColumnExpectation, table: Table) -> Iterator[ExpectationFailure]:
    name = expected.name
    if name not in table.frame:
        there = ", ".join(map(repr, [*table.frame][:10]))
        said = table.unsupported.get(name) or f"there is no column {name!r}; there are {there}"
        yield ExpectationFailure(column=name, rule="name", message=said)
        return
    column = table.frame[name]
    if expected.type and name in table.invalid:
        yield (_no_times if expected.type == "Time" else _no_values)(table, name, "type", f"are no {expected.type}")
    if expected.min is not None:
        yield from _out(table, name, "min", column < expected.min, f"are below {expected.min:g}")
    if expected.max is not None:
        yield from _out(table, name, "max", column > expected.max, f"are above {expected.max:g}")
    if expected.one_of is not None:
        strange = ~np.isin(column.astype(str), [*expected.one_of, ""])
        yield from _out(table, name, "oneOf", strange, "are none of those listed")
    if expected.max_missing is not None:
        missing = int(missing_in(column).sum())
        if missing > parse_share(expected.max_missing) * table.rows:
            yield _broken(table, name, "maxMissing", missing, f"are missing, at most {expected.max_missing} may be")


def _no_values(table: Table, name: str, rule: str, said: str) -> ExpectationFailure:
    return _broken(table, name, rule, table.invalid[name].rows, said, table.invalid[name].example)


def _no_times(table: Table, name: str, rule: str, said: str) -> ExpectationFailure:
    """Where no value at all is a time, and numbers stand there, they count in another unit."""
    failure = _no_values(table, name, rule, said)
    unit = None if np.isfinite(table.frame[name]).any() else _unit(table.invalid[name].example)
    if unit is None:
        return failure
    hint = f": numbers that look like {unit} since 1970; write timestamps, or text such as 2013-01-31T12:00:00Z"
    return failure.model_copy(update={"message": failure.message + hint})


def _unit(example: str) -> str | None:
    """What a number counts that is meant as a time of our days; None for what is no number.

    >>> _unit("1700000000"), _unit("'1700000000000'"), _unit("'1/1/2013'")
    ('seconds', 'milliseconds', None)
    """
    text = example.strip("'")
    if not values.NUMBER.fullmatch(text):
        return None
    units = {1e11: "seconds", 1e14: "milliseconds", 1e17: "microseconds"}
    return next((unit for limit, unit in units.items() if abs(float(text)) < limit), "nanoseconds")


def missing_in(column: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which rows of a frame's column hold nothing."""
    return np.asarray(column == "", np.bool_) if column.dtype == object else np.isnan(column.astype(np.float64))


def _out(table: Table, name: str, rule: str, wrong: NDArray[np.bool_], said: str) -> Iterator[ExpectationFailure]:
    if wrong.any():
        value = table.frame[name][int(np.argmax(wrong))]
        yield _broken(
            table, name, rule, int(wrong.sum()), said, repr(value if isinstance(value, str) else float(value))
        )


def _broken(table: Table, name: str, rule: str, rows: int, said: str, example: str = "") -> ExpectationFailure:
    part = share(rows, table.rows)
    instance = f", such as {example}" if example else ""
    return ExpectationFailure(
        column=name,
        rule=rule,
        rows=rows,
        share=part,
        message=f"{rows} of {table.rows} values of {name!r} ({part}) {said}{instance}",
    )
