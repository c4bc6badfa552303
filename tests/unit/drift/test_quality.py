from dataclasses import replace

import numpy as np
import pytest

from tests.unit.drift import make
from trimtab.drift import quality
from trimtab.drift.budget import Settings
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import NumberReference
from trimtab.drift.quality import Fault, Quality

HOURLY = Settings(make.HOUR, 90 * 86400)
X = make.number("x")
C = make.category("c")
PROFILE = make.profile(X, C)


def judged(x: FeatureCounts, scale: int = 1, settings: Settings = HOURLY) -> Quality:
    rows = sum(x.bins) + x.below + x.above + x.missing + x.invalid
    seen = {scale: make.window({"x": x, "c": make.shares(C, rows)}, scale)}
    return quality.judge(PROFILE, seen, settings)


def with_missing(rows: int, missing: int) -> FeatureCounts:
    return replace(make.shares(X, rows - missing), missing=missing)


def test_clean_rows_are_sound() -> None:
    found = judged(make.shares(X, 1000))
    assert (found.verdict, found.faults) == ("Sound", ())
    assert found.message == "No column is missing, invalid or frozen over 1,000 rows in 1h."


def test_no_rows_are_unknown() -> None:
    assert judged(make.shares(X, 0)).verdict == "Unknown"


def test_missing_values_are_named_with_column_and_share() -> None:
    found = judged(with_missing(1000, 190))
    assert found.faults == (Fault("x", "Missing", 0.19, 0.0, 1, 1000),)
    assert found.message == "'x': 19.0% missing, 0.0% in the reference, over 1,000 rows in 1h."


def test_invalid_values_are_named_with_column_and_share() -> None:
    found = judged(replace(make.shares(X, 900), invalid=100))
    assert [(fault.kind, fault.share) for fault in found.faults] == [("Invalid", 0.1)]
    assert "10.0% invalid" in found.message


@pytest.mark.parametrize("rows", [1000, 1_000_000])
def test_up_to_one_point_more_than_the_reference_is_sound(rows: int) -> None:
    assert judged(with_missing(rows, rows // 100)).verdict == "Sound"


def test_with_many_rows_little_more_than_one_point_counts() -> None:
    assert judged(with_missing(1_000_000, 11_000)).verdict == "Faulty"
    assert judged(with_missing(1000, 11)).verdict == "Sound"


def test_as_much_missing_as_in_the_reference_is_sound() -> None:
    reference = replace(X, missing=20_000)
    seen = {1: make.window({"x": with_missing(1000, 505)})}
    assert quality.judge(make.profile(reference), seen, HOURLY).verdict == "Sound"


@pytest.mark.parametrize("rows", [5, 1000])
def test_a_column_without_any_value_has_vanished(rows: int) -> None:
    found = judged(with_missing(rows, rows))
    assert [fault.kind for fault in found.faults] == ["Vanished"]
    assert "missing in every row" in found.message


def test_a_column_that_was_always_empty_has_not_vanished() -> None:
    empty = replace(X, edges=(), counts=(0,), low=None, high=None, missing=20_000)
    seen = {1: make.window({"x": FeatureCounts((0,), missing=5000)})}
    assert quality.judge(make.profile(empty), seen, HOURLY).verdict == "Sound"


def test_a_feed_that_stands_still_for_a_day_is_frozen() -> None:
    still = FeatureCounts((0,) * 7 + (480,) + (0,) * 12)
    found = judged(still, scale=24)
    assert found.faults == (Fault("x", "Frozen", 1.0, 0.05, 24, 480),)
    assert "every value is in one place" in found.message


@pytest.mark.parametrize("scale", [1, 6])
def test_standing_still_for_less_than_a_day_is_not_frozen(scale: int) -> None:
    assert judged(FeatureCounts((0,) * 7 + (480,) + (0,) * 12), scale=scale).verdict == "Sound"


@pytest.mark.parametrize(
    "counts",
    [
        FeatureCounts((0,) * 20, above=480),
        FeatureCounts((0,) * 19 + (400,), above=80),
        FeatureCounts((0,) * 7 + (479, 1) + (0,) * 11),
        FeatureCounts((0,) * 7 + (60,) + (0,) * 12),
    ],
    ids=["beyond the range", "partly beyond", "two places", "few rows"],
)
def test_what_is_not_one_value_within_the_range_is_not_frozen(counts: FeatureCounts) -> None:
    assert judged(counts, scale=24).verdict == "Sound"


@pytest.mark.parametrize(
    "reference",
    [replace(X, distinct=31), replace(X, counts=(30_000,) + (1000,) * 19)],
    ids=["a day of the month", "mostly one value"],
)
def test_a_column_that_may_well_stand_still_is_not_frozen(reference: NumberReference) -> None:
    seen = {24: make.window({"x": FeatureCounts((480,) + (0,) * 19)}, 24)}
    assert quality.judge(make.profile(reference), seen, HOURLY).verdict == "Sound"


def test_excluded_columns_are_not_judged() -> None:
    assert judged(with_missing(1000, 1000), settings=replace(HOURLY, exclude=frozenset({"x"}))).verdict == "Sound"


def test_the_worst_of_each_column_is_told_in_the_profiles_order() -> None:
    x = replace(make.shares(X, 500), missing=200, invalid=300)
    seen = {1: make.window({"x": x, "c": replace(make.shares(C, 0), missing=1000)})}
    found = quality.judge(PROFILE, seen, HOURLY)
    assert [(fault.column, fault.kind) for fault in found.faults] == [("x", "Invalid"), ("c", "Vanished")]


def test_few_rows_by_night_do_not_silence_the_day() -> None:
    seen = {
        1: make.window({"x": make.shares(X, 3), "c": make.shares(C, 3)}),
        24: make.window({"x": with_missing(2000, 400), "c": make.shares(C, 2000)}, 24),
    }
    assert [fault.scale for fault in quality.judge(PROFILE, seen, HOURLY).faults] == [24]


def test_shares_are_told_of_every_judged_column_over_the_newest_window_with_rows() -> None:
    day = make.window({"x": with_missing(2000, 20), "c": replace(make.shares(C, 1990), invalid=10)}, 24)
    hour = make.window({"x": with_missing(100, 50), "c": make.shares(C, 100)})
    empty = make.window({"x": make.shares(X, 0), "c": make.shares(C, 0)})
    told = quality.judge(PROFILE, {1: hour, 24: day}, HOURLY)
    assert [(share.column, share.missing, share.invalid) for share in told.shares] == [("x", 0.5, 0.0), ("c", 0.0, 0.0)]
    sound = quality.judge(PROFILE, {1: empty, 24: day}, replace(HOURLY, exclude=frozenset({"x"})))
    assert [(share.column, share.missing, share.invalid) for share in sound.shares] == [("c", 0.0, 0.005)]
    assert quality.judge(PROFILE, {1: empty}, HOURLY).shares == ()


def test_two_bad_hours_of_a_week_do_not_block_for_a_week() -> None:
    seen = {
        24: make.window({"x": make.shares(X, 24_000), "c": make.shares(C, 24_000)}, 24),
        168: make.window({"x": with_missing(168_000, 5000), "c": make.shares(C, 168_000)}, 168),
    }
    assert quality.judge(PROFILE, seen, HOURLY).verdict == "Sound"


def test_false_alarms_stay_below_the_level() -> None:
    rng = np.random.default_rng(0)
    loose = Settings(make.HOUR, 5 * make.HOUR)
    reference = replace(X, counts=(950,) * 20, missing=1000)
    alarms = 0
    for missing in rng.binomial(300, 0.05 + quality.FLOOR, size=400):
        seen = {1: make.window({"x": with_missing(300, int(missing))})}
        alarms += quality.judge(make.profile(reference), seen, loose).verdict == "Faulty"
    assert alarms / 400 <= 0.05
