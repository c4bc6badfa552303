"""What the report says of a deployment's windows."""

import numpy as np
import pytest

from tests.unit.cli import make
from trimtab.cli import report
from trimtab.cli.report import Bar, Subject
from trimtab.drift import windows
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import CategoryReference, NumberReference

SUBJECT = Subject("shop", "late", "7")


def test_drifted_columns_come_first_with_the_shift_that_the_verdict_tells() -> None:
    profile = make.profile()
    told = report.report(SUBJECT, profile, make.ledger(profile, 30, moved_from=26), make.SETTINGS)
    assert (told.verdict.verdict, told.verdict.reason, told.scale, told.rows) == ("Drifting", "FeatureDrift", 1, 1000)
    first = told.columns[0]
    assert (first.name, first.shift) == ("temp", told.verdict.features[0])
    assert [column.name for column in told.columns[1:]] == sorted(
        ["carrier", "score"], key=lambda name: -next(c.ratio for c in told.columns if c.name == name)
    )
    assert [shift is not None and shift.verdict == "Drifting" for shift in first.recent] == [False] * 20 + [True] * 4


def test_the_window_ends_where_the_last_base_window_did() -> None:
    profile = make.profile()
    told = report.report(SUBJECT, profile, make.ledger(profile, 30), make.SETTINGS, 6)
    assert told.ended.timestamp() == make.BEGAN + 30 * make.HOUR
    assert told.began.timestamp() == make.BEGAN + 24 * make.HOUR
    assert told.rows == 6000


def test_shares_of_a_column_add_up_to_one_on_either_side() -> None:
    profile = make.profile()
    told = report.report(SUBJECT, profile, make.ledger(profile, 30, moved_from=26), make.SETTINGS)
    for column in told.columns:
        assert sum(bar.reference for bar in column.bars) == pytest.approx(1)
        assert sum(bar.window for bar in column.bars) == pytest.approx(1)


def test_without_a_row_everything_is_unknown_and_nothing_is_divided_by_zero() -> None:
    profile = make.profile()
    told = report.report(SUBJECT, profile, windows.begin(profile, make.HOUR, make.BEGAN), make.SETTINGS)
    assert (told.verdict.verdict, told.rows) == ("Unknown", 0)
    assert all(column.ratio == 0 and column.highest == 0 for column in told.columns)
    assert all(shift is None for column in told.columns for shift in column.recent)


def test_a_scale_that_is_not_judged_is_refused_with_those_that_are() -> None:
    profile = make.profile()
    with pytest.raises(ValueError, match="7 is no scale that is judged: choose one of 1, 6, 24, 168"):
        report.report(SUBJECT, profile, make.ledger(profile, 1), make.SETTINGS, 7)


def test_missing_and_unreadable_values_are_a_share_of_all_rows_not_a_bin() -> None:
    profile = make.profile()
    ledger = make.ledger(profile, 1)
    told = report.report(SUBJECT, profile, ledger, make.SETTINGS)
    assert {column.missing for column in told.columns} == {0.0}
    number = NumberReference("x", (1.5,), (50, 50), 0.0, 4.0, 25, 0.0, "")
    assert report.bars(number, FeatureCounts((3, 1), missing=90, invalid=6)) == (
        Bar("0 to 1.5", 0.5, 0.75),
        Bar("1.5 to 4", 0.5, 0.25),
    )


def test_rare_and_unseen_levels_have_bars_only_where_there_are_any() -> None:
    plain = CategoryReference("c", ("a", "b"), (6, 4, 0), (), 0, 0.0, "")
    assert [bar.label for bar in report.bars(plain, FeatureCounts((1, 1, 0)))] == ["a", "b"]
    assert report.bars(plain, FeatureCounts((1, 0, 0), unseen=1))[-1] == Bar("never seen", 0.0, 0.5)
    rare = CategoryReference("c", ("a",), (6, 4), ("x", "y"), 0, 0.0, "")
    assert [bar.label for bar in report.bars(rare, FeatureCounts((1, 0)))] == ["a", "2 rare levels"]


def test_a_reference_without_values_has_one_bin_and_no_numbers() -> None:
    empty = NumberReference("x", (), (0,), None, None, 10, 0.0, "")
    assert report.bars(empty, FeatureCounts((0,), missing=5)) == (Bar("– to –", 0.0, 0.0),)


def test_two_columns_of_one_name_are_kept_apart() -> None:
    """A feature may be called as the score is."""
    profile = make.profile(name="score")
    told = report.report(SUBJECT, profile, make.ledger(profile, 30, moved_from=26), make.SETTINGS)
    by_kind = {column.output: column for column in told.columns if column.name == "score"}
    assert by_kind[False].shift.verdict == "Drifting"
    assert by_kind[True].shift.verdict == "InDistribution"
    assert np.mean([shift is not None and shift.verdict == "Drifting" for shift in by_kind[True].recent]) == 0
