import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.drift import counting, profile, references
from trimtab.drift.profile import Profile

RNG = np.random.default_rng(0)
NUMBERS = st.lists(st.floats(width=32) | st.sampled_from([0.0, 1.0, np.nan, np.inf]), max_size=60)
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "d e", "ü"]), max_size=60)


def last_fifth(rows: int) -> np.ndarray:
    return np.arange(rows) >= 0.8 * rows


@given(NUMBERS, st.booleans())
def test_every_reference_row_of_a_number_is_counted_once(values: list[float], ordered: bool) -> None:
    data = np.array(values, np.float64)
    reference = references.number("x", data, last_fifth(data.size) if ordered else None)
    again = counting.count(reference, data)
    assert again.bins == reference.counts
    assert (again.below, again.above, again.missing) == (0, 0, reference.missing)
    assert profile.total(reference) + reference.missing + np.isinf(data).sum() == data.size
    assert profile.faults(Profile(data.size, (reference,), None, None)) == ()
    json.dumps(asdict(reference), allow_nan=False)


@given(TEXTS, st.booleans())
def test_every_reference_row_of_a_category_is_counted_once(values: list[str], ordered: bool) -> None:
    data = np.array(values, object)
    reference = references.category("c", data, last_fifth(data.size) if ordered else None)
    again = counting.count(reference, data)
    assert again.bins == reference.counts
    assert (again.unseen, again.missing) == (0, reference.missing)
    assert profile.faults(Profile(data.size, (reference,), None, None)) == ()


@given(TEXTS)
def test_the_order_of_rows_does_not_change_a_category(values: list[str]) -> None:
    one = references.category("c", np.array(values, object))
    other = references.category("c", np.array(values[::-1], object))
    assert (one.levels, one.counts, one.known) == (other.levels, other.counts, other.known)


def test_infinite_values_are_in_no_bin_and_not_missing() -> None:
    reference = references.number("x", np.array([1.0, 2.0, np.inf, -np.inf, np.nan]))
    assert (sum(reference.counts), reference.missing, reference.low, reference.high) == (2, 1, 1.0, 2.0)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]], ids=["no rows", "all missing"])
def test_a_column_without_values_has_one_empty_bin_and_no_range(values: list[float]) -> None:
    reference = references.number("x", np.array(values, np.float64))
    assert (reference.edges, reference.counts, reference.low, reference.high) == ((), (0,), None, None)


def test_a_constant_column_has_one_bin() -> None:
    assert references.number("x", np.full(5000, 3.0)).counts == (5000,)


def test_below_two_thousand_rows_there_are_ten_bins_and_nine_levels() -> None:
    assert len(references.number("x", RNG.normal(size=1999)).counts) == 10
    assert len(references.number("x", RNG.normal(size=2000)).counts) == 20
    texts = np.array([f"l{i % 25:02}" for i in range(1999)], object)
    assert len(references.category("c", texts).levels) == 9


def test_levels_are_chosen_on_the_older_rows_and_counted_on_all() -> None:
    values = np.array(["a"] * 4000 + ["new"] * 1000, object)
    reference = references.category("c", values, last_fifth(5000))
    assert (reference.levels, reference.counts, reference.known) == (("a",), (4000, 1000), ("new",))


def test_at_most_thirty_levels_with_half_a_per_cent_each() -> None:
    many = np.array([f"l{i % 40:02}" for i in range(8000)], object)
    assert len(references.category("c", many).levels) == 30
    rare = np.array(["a"] * 9960 + ["b"] * 40, object)
    assert references.category("c", rare).levels == ("a",)


def test_known_rare_levels_stop_at_a_thousand_and_the_most_frequent_stay() -> None:
    values = np.array([f"id{i:05}" for i in range(3000)] * 2 + ["twice"] * 7, object)
    reference = references.category("c", values)
    assert len(reference.known) == 1000
    assert reference.known[0] == "twice"
    assert reference.levels == ()


def test_unseen_levels_to_be_expected_are_those_one_half_has_and_the_other_lacks() -> None:
    assert references.category("c", np.array(["a", "a", "b", "b"] * 500, object)).novel == 0.0
    assert references.category("c", np.array([f"{i}" for i in range(1500)], object)).novel == 1.0


def test_rows_without_order_in_time_tolerate_nothing_and_say_so() -> None:
    reference = references.number("x", RNG.normal(size=5000))
    assert reference.tolerance == 0.0
    assert "no order in time" in reference.why


def test_a_shift_between_older_and_newer_rows_is_tolerated_with_its_size() -> None:
    values = RNG.normal(size=20_000)
    newer = last_fifth(values.size)
    still = references.number("x", values, newer)
    moved = references.number("x", values + 0.5 * newer, newer)
    assert still.tolerance < 0.005
    assert moved.tolerance == pytest.approx(0.25, rel=0.15)  # PSI of two normals 0.5 apart
    assert f"{moved.tolerance:.3f}" in moved.why


def test_too_few_newer_rows_tolerate_nothing_and_say_so() -> None:
    values = np.concatenate([np.zeros(396), np.ones(99)])
    reference = references.number("x", values, last_fifth(values.size))
    assert reference.tolerance == 0.0
    assert "99 rows" in reference.why


def test_a_category_tolerates_its_own_shift_in_time() -> None:
    older, newer = ["a"] * 4000 + ["b"] * 4000, ["a"] * 500 + ["b"] * 1500
    reference = references.category("c", np.array(older + newer, object), last_fifth(10_000))
    assert reference.tolerance == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5), rel=0.02)


def test_a_score_has_the_decision_threshold_as_an_edge() -> None:
    scores = RNG.beta(2, 5, size=10_000)
    reference = references.score("score", scores, threshold=0.5)
    assert 0.5 in reference.edges
    assert len(reference.counts) == 20
    above = sum(c for edge, c in zip(reference.edges, reference.counts[1:], strict=True) if edge >= 0.5)
    assert above == (scores > 0.5).sum()


def test_a_threshold_beyond_all_scores_is_an_edge_too() -> None:
    reference = references.score("score", RNG.uniform(0, 0.4, size=5000), threshold=0.5)
    assert reference.edges[-1] == 0.5
    assert reference.counts[-1] == 0
    assert profile.faults(Profile(5000, (), None, reference)) == ()


def test_without_a_threshold_a_score_is_a_number() -> None:
    scores = RNG.uniform(size=3000)
    assert references.score("score", scores) == references.number("score", scores)


def test_every_label_is_a_level_of_the_predictions_in_the_models_order() -> None:
    reference = references.classes("predictions", ["z", "a", "m"], np.array(["a", "z", "z"], object))
    assert (reference.levels, reference.counts) == (("z", "a", "m"), (2, 1, 0, 0))
