import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.drift import make
from trimtab.drift import counting
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import CategoryReference, NumberReference

ODD = [0.0, -0.0, 1.0, 2.0, 0.5, np.nan, np.inf, -np.inf, 5e-324, 1.7976931348623157e308]
VALUES = st.lists(st.sampled_from(ODD) | st.floats(-3, 3) | st.floats(), max_size=50)
NUMBERS = [
    NumberReference("levels", (0.5, 1.5), (3, 3, 3), 0.0, 2.0, 0, 0.0, ""),
    NumberReference("one value", (), (9,), 1.0, 1.0, 0, 0.0, ""),
    NumberReference("no values", (), (0,), None, None, 9, 0.0, ""),
    NumberReference("threshold beyond", (0.2, 0.5), (3, 6, 0), 0.0, 0.4, 0, 0.0, ""),
    NumberReference("widest", (0.0,), (3, 3), -1.7976931348623157e308, 1.7976931348623157e308, 0, 0.0, ""),
]
TEXT = CategoryReference("c", ("a", "b"), (5, 4, 2), ("rare", "scarce"), 0, 0.0, "")
TEXTS = st.lists(st.sampled_from(["a", "b", "rare", "scarce", "never", "", "A", " a"]), max_size=50)


def by_definition(reference: NumberReference, values: Sequence[float]) -> FeatureCounts:
    bins = [0] * len(reference.counts)
    below = above = missing = invalid = 0
    for value in values:
        if math.isnan(value):
            missing += 1
        elif math.isinf(value):
            invalid += 1
        elif reference.low is not None and value < reference.low:
            below += 1
        elif reference.high is not None and value > reference.high:
            above += 1
        else:
            bins[sum(edge < value for edge in reference.edges)] += 1
    return FeatureCounts(tuple(bins), below, above, missing, invalid)


@given(st.sampled_from(NUMBERS), VALUES)
def test_a_number_falls_where_the_definition_says(reference: NumberReference, values: list[float]) -> None:
    assert counting.count(reference, np.array(values, np.float64)) == by_definition(reference, values)


@given(st.sampled_from(NUMBERS), VALUES.filter(len))
def test_large_batches_are_counted_as_small_ones(reference: NumberReference, values: list[float]) -> None:
    many = (values * counting.SORTED_FROM)[: counting.SORTED_FROM]
    assert counting.count(reference, np.array(many)) == by_definition(reference, many)


@given(st.sampled_from(NUMBERS), VALUES, st.integers(0, 50), st.randoms(use_true_random=False))
def test_any_split_and_order_of_rows_adds_up_to_the_same(
    reference: NumberReference, values: list[float], at: int, random: Random
) -> None:
    whole = counting.count(reference, np.array(values, np.float64))
    shuffled = random.sample(values, len(values))
    one, other = (counting.count(reference, np.array(part, np.float64)) for part in (shuffled[:at], shuffled[at:]))
    assert counting.add(one, other) == whole
    assert counting.add(other, one) == whole
    assert counting.subtract(whole, one) == other


@given(st.sampled_from(NUMBERS), VALUES, st.integers(0, 9))
def test_every_row_is_counted_once(reference: NumberReference, values: list[float], unreadable: int) -> None:
    found = counting.count(reference, np.array(values, np.float64), invalid=unreadable)
    assert counting.rows(found) == len(values) + unreadable


@given(TEXTS)
def test_levels_are_told_from_rare_unseen_and_missing(values: list[str]) -> None:
    found = counting.count(TEXT, np.array(values, object))
    assert found.bins == (values.count("a"), values.count("b"), values.count("rare") + values.count("scarce"))
    assert found.missing == values.count("")
    assert found.unseen == sum(value in {"never", "A", " a"} for value in values)
    assert counting.rows(found) == len(values)


def test_values_on_an_edge_and_on_the_ends_are_inside() -> None:
    reference = NumberReference("x", (1.0, 2.0), (3, 3, 3), 0.0, 3.0, 0, 0.0, "")
    found = counting.count(reference, np.array([0.0, 1.0, 2.0, 3.0]))
    assert found == FeatureCounts((2, 1, 1))


def test_a_text_that_reads_as_missing_is_text() -> None:
    found = counting.count(TEXT, np.array(["nan", "None", "NA", "null"], object))
    assert (found.unseen, found.missing) == (4, 0)


def test_no_rows_count_as_zero() -> None:
    for reference in NUMBERS:
        assert counting.count(reference, np.array([], np.float64)) == counting.zero(reference)
    assert counting.count(TEXT, np.array([], object)) == counting.zero(TEXT)


def test_counts_are_plain_integers_that_json_takes() -> None:
    found = counting.count(make.number(), np.array([0.1, 0.5]))
    assert all(type(n) is int for n in counting.flat(found))


def test_counts_over_other_bins_are_never_combined() -> None:
    for combine in (counting.add, counting.subtract):
        with pytest.raises(ValueError, match="over 1 and over 2 bins"):
            combine(FeatureCounts((1,)), FeatureCounts((1, 0)))


@pytest.mark.parametrize("field", ["below", "above", "missing", "invalid", "unseen"])
def test_counts_never_go_below_zero(field: str) -> None:
    with pytest.raises(ValueError, match="went down"):
        counting.subtract(FeatureCounts((5,)), FeatureCounts((0,), **{field: 1}))
