"""Expectations: each rule, what it says, and what it counts."""

import numpy as np
import pytest

from trimtab.api.dataset import DatasetSpec
from trimtab.model.reading import Invalid, Table
from trimtab.training import expectations

NOW = 1_400_000_000.0


def table() -> Table:
    return Table(
        frame={
            "distance": np.array([100.0, 7000.0, -1.0, np.nan]),
            "carrier": np.array(["AA", "B6", "", "ZZ"], object),
            "at": np.array([NOW - 100, NOW - 7200, np.nan, NOW - 9000]),
        },
        kinds={"distance": "Number", "carrier": "Category", "at": "Time"},
        invalid={"distance": Invalid(1, "'1,234'")},
        unsupported={"tags": "column 'tags' in 'a.parquet' is of type list<item: string>: exclude it"},
        rows=4,
    )


def failures(
    time_column: str | None = None, labelled: int = 4, **expect: object
) -> list[tuple[str | None, str, int | None, str | None]]:
    spec = DatasetSpec.model_validate(
        {"source": {"uri": "pvc://c/x"}, "targetColumn": "late", "timeColumn": time_column, "expect": expect}
    )
    mask = np.arange(4) < labelled
    return [(f.column, f.rule, f.rows, f.share) for f in expectations.judged(spec, table(), mask, NOW)]


def column(**rules: object) -> list[tuple[str | None, str, int | None, str | None]]:
    return failures(columns=[rules])


def test_what_holds_is_not_mentioned() -> None:
    assert failures(
        rows={"min": 4},
        columns=[
            {"name": "distance", "type": "Number", "min": -1, "max": 7000},
            {"name": "carrier", "oneOf": ["AA", "B6", "ZZ"]},
        ],
    ) == [("distance", "type", 1, "25%")]
    assert column(name="carrier", maxMissing="25%") == []


def test_rows_are_those_with_a_label() -> None:
    assert failures(labelled=3, rows={"min": 4}) == [(None, "rows", 3, None)]
    assert failures(labelled=3, rows={"min": 3}) == []


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"name": "distance", "min": 0}, ("distance", "min", 1, "25%")),
        ({"name": "distance", "max": 6000}, ("distance", "max", 1, "25%")),
        ({"name": "distance", "type": "Number"}, ("distance", "type", 1, "25%")),
        ({"name": "distance", "maxMissing": "24%"}, ("distance", "maxMissing", 1, "25%")),
        ({"name": "distance", "maxMissing": "0%"}, ("distance", "maxMissing", 1, "25%")),
        ({"name": "carrier", "oneOf": ["AA", "B6"]}, ("carrier", "oneOf", 1, "25%")),
        ({"name": "carrier", "maxMissing": "20%"}, ("carrier", "maxMissing", 1, "25%")),
        ({"name": "gone"}, ("gone", "name", None, None)),
        ({"name": "tags"}, ("tags", "name", None, None)),
    ],
)
def test_each_rule_tells_column_rows_and_share(rules: dict[str, object], expected: tuple[object, ...]) -> None:
    assert column(**rules) == [expected]


def test_zero_is_a_bound_like_any_other() -> None:
    assert column(name="distance", min=0, max=0) == [("distance", "min", 1, "25%"), ("distance", "max", 2, "50%")]


def test_freshness_is_the_age_of_the_newest_row() -> None:
    assert failures("at", freshness={"maxAge": "2m"}) == []
    assert failures("at", freshness={"maxAge": "90s"}) == [("at", "freshness", None, None)]


def timed(times: list[float], example: str | None = None, **expect: object) -> list[tuple[str, str]]:
    """Rule and message of what does not hold of a time column; an example stands for values that are no time."""
    spec = DatasetSpec.model_validate(
        {"source": {"uri": "pvc://c/x"}, "targetColumn": "late", "timeColumn": "at", "expect": expect}
    )
    invalid = {"at": Invalid(1, example)} if example else {}
    seen = Table({"at": np.array(times)}, {"at": "Time"}, invalid, {}, len(times))
    return [(f.rule, f.message) for f in expectations.judged(spec, seen, np.ones(len(times), bool), NOW)]


def test_a_time_in_the_future_makes_nothing_fresh() -> None:
    limit = {"maxAge": "1h"}
    assert timed([NOW - 60, 253_402_300_800.0], freshness=limit) == []
    assert timed([NOW + 86_400], freshness=limit) == []
    ((rule, said),) = timed([NOW - 7200, 253_402_300_800.0], freshness=limit)
    assert (rule, said) == ("freshness", "the newest 'at' is 2014-05-13T14:53:20Z, at most 1h old it must be")
    assert timed([NOW + 86_401, np.nan], freshness=limit) == [
        ("freshness", "no row has a time in 'at' that is not in the future, so nothing is fresh")
    ]


@pytest.mark.parametrize(
    ("example", "unit"),
    [
        ("1400000000", "seconds"),
        ("'1400000000'", "seconds"),
        ("1400000000000", "milliseconds"),
        ("'1400000000000000'", "microseconds"),
        ("1400000000000000000", "nanoseconds"),
    ],
)
def test_numbers_that_are_no_times_at_all_are_told_with_their_unit(example: str, unit: str) -> None:
    ((rule, said),) = timed([np.nan], example)
    assert rule == "timeColumn"
    hint = f": numbers that look like {unit} since 1970; write timestamps, or text such as 2013-01-31T12:00:00Z"
    assert said == f"1 of 1 values of 'at' (100%) are no time, such as {example}{hint}"
    ((_, of_some),) = timed([np.nan, NOW], example)
    assert of_some == f"1 of 2 values of 'at' (50%) are no time, such as {example}"
    both = timed([np.nan], example, columns=[{"name": "at", "type": "Time"}])
    assert [rule for rule, said in both if said.endswith(hint)] == ["timeColumn", "type"]


def test_the_message_names_an_example() -> None:
    spec = DatasetSpec.model_validate(
        {
            "source": {"uri": "pvc://c/x"},
            "targetColumn": "late",
            "expect": {"columns": [{"name": "distance", "type": "Number", "max": 6000}]},
        }
    )
    said = [failure.message for failure in expectations.judged(spec, table(), np.ones(4, bool), NOW)]
    assert said == [
        "1 of 4 values of 'distance' (25%) are no Number, such as '1,234'",
        "1 of 4 values of 'distance' (25%) are above 6000, such as 7000.0",
    ]


def test_kinds_are_those_of_the_checks_and_of_the_time_column() -> None:
    spec = DatasetSpec.model_validate(
        {
            "source": {"uri": "pvc://c/x"},
            "targetColumn": "late",
            "timeColumn": "at",
            "expect": {"columns": [{"name": "zip", "type": "Category"}, {"name": "n"}]},
        }
    )
    assert expectations.declared(spec) == {"zip": "Category", "at": "Time"}
