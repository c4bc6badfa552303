"""Splits: which rows are held out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.api.wire.models import Kind
from trimtab.training import split
from trimtab.training.failures import Reason, StepFailure

KINDS: dict[str, Kind] = {"a": "Number", "b": "Category", "c": "Boolean"}


def frame(n: int = 50) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "a": rng.normal(size=n),
        "b": np.array([f"level {i % 7}" for i in range(n)], object),
        "c": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 2, n)),
    }


def test_the_newest_fifth_is_held_out() -> None:
    held = split.by_time(np.arange(100.0)[::-1], 0.2)
    assert held.tolist() == [True] * 20 + [False] * 80


@given(st.lists(st.integers(0, 8), min_size=2, max_size=80), st.floats(0.05, 0.95))
def test_one_instant_is_never_on_both_sides_and_neither_side_is_empty(instants: list[int], fraction: float) -> None:
    times = np.array(instants, float)
    if len(set(instants)) < 2:
        with pytest.raises(StepFailure):
            split.by_time(times, fraction)
        return
    held = split.by_time(times, fraction)
    assert held.any()
    assert not held.all()
    assert times[held].min() > times[~held].max()


def test_of_two_borders_the_nearer_one_is_taken() -> None:
    times = np.array([1.0] * 70 + [2.0] * 15 + [3.0] * 15)
    assert split.by_time(times, 0.2).sum() == 15
    assert split.by_time(times, 0.25).sum() == 30


def test_rows_without_a_time_are_not_held_out() -> None:
    times = np.array([np.nan, 1.0, 2.0, 3.0, np.nan])
    held = split.by_time(times, 0.2)
    assert held.tolist() == [False, False, False, True, False]


def test_one_instant_cannot_be_split() -> None:
    with pytest.raises(StepFailure, match="all rows are of one instant") as failure:
        split.by_time(np.full(9, 7.0), 0.2)
    assert failure.value.reason is Reason.SPLIT_IMPOSSIBLE


def test_a_rows_position_is_the_same_forever() -> None:
    """Golden values: a change here would put training rows of old models among the held-out ones of new models."""
    rows = {"a": np.array([1.5, np.nan]), "b": np.array(["AA", ""], object), "c": np.array([1.0, 0.0])}
    assert split.positions(rows, KINDS).tolist() == [0.27774295183164505, 0.7585229974037018]


def test_a_rows_position_depends_on_its_values_and_on_nothing_else() -> None:
    whole = frame()
    positions = split.positions(whole, KINDS)
    order = np.random.default_rng(1).permutation(50)
    shuffled = {name: whole[name][order] for name in ("c", "a", "b")}
    assert (split.positions(shuffled, KINDS) == positions[order]).all()
    alone = {name: column[3:4] for name, column in whole.items()}
    assert split.positions(alone, KINDS)[0] == positions[3]


def test_zero_has_no_sign_and_missing_is_one_thing() -> None:
    odd = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\xff", "<f8")[0]
    rows = {"a": np.array([0.0, -0.0, np.nan, odd]), "b": np.array(["x"] * 4, object), "c": np.zeros(4)}
    first, second, third, fourth = split.positions(rows, KINDS)
    assert first == second
    assert third == fourth
    assert first != third


def test_equal_rows_are_on_the_same_side() -> None:
    rows = {name: np.concatenate([column, column]) for name, column in frame().items()}
    held = split.by_hash(split.positions(rows, KINDS), 0.3)
    assert (held[:50] == held[50:]).all()


def test_about_the_fraction_is_held_out_and_a_larger_one_holds_the_smaller() -> None:
    positions = split.positions(frame(4000), KINDS)
    small, large = split.by_hash(positions, 0.1), split.by_hash(positions, 0.3)
    assert 0.08 < small.mean() < 0.12
    assert 0.27 < large.mean() < 0.33
    assert not (small & ~large).any()


def test_too_few_rows_cannot_be_split() -> None:
    with pytest.raises(StepFailure, match="1 rows are too few"):
        split.by_hash(np.array([0.9]), 0.2)


def test_the_newer_fifth_of_a_reference_needs_an_order_in_time() -> None:
    assert split.newer(np.full(10, np.nan)) is None
    assert split.newer(np.full(10, 3.0)) is None
    newer = split.newer(np.arange(10.0))
    assert newer is not None
    assert newer.tolist() == [False] * 8 + [True] * 2


def test_days_are_those_of_utc() -> None:
    assert split.days(np.array([0.0, 86_399.0, 86_400.0, np.nan, -1.0])).tolist() == [0, 0, 1, -1, -1]
