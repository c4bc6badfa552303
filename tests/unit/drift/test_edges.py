import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from trimtab.drift import edges

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TIED = st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, -3.0, 7.0]) | FINITE, min_size=1, max_size=200)
LIMITS = st.integers(2, 20)


def counts(values: np.ndarray, cut: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(cut, values), minlength=cut.size + 1)


@given(TIED, LIMITS)
def test_bins_are_ascending_never_empty_and_no_more_than_allowed(values: list[float], limit: int) -> None:
    data = np.array(values)
    cut = edges.quantiles(data, np.unique(data), limit)
    assert (np.diff(cut) > 0).all()
    assert cut.size < limit
    assert (counts(data, cut) > 0).all()


@given(TIED, st.floats(-5, 5), LIMITS)
def test_a_threshold_is_an_edge_wherever_it_lies(values: list[float], threshold: float, limit: int) -> None:
    data = np.array(values)
    cut = edges.split(data, threshold, limit)
    assert threshold in cut
    assert (np.diff(cut) > 0).all()
    assert cut.size < limit
    inner = counts(data, cut)
    assert (inner > 0).sum() >= inner.size - 1  # only a side without any value may be empty


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=100, unique=True))
def test_rounding_to_float32_moves_no_row_to_another_bin(values: list[float]) -> None:
    data = np.array(values) + 1e-3  # no longer floats of 32 bits
    rounded = data.astype(np.float32).astype(np.float64)
    spread = np.unique(data)
    if spread.size > 1 and np.diff(spread).min() < 0.3:
        return
    cut = edges.quantiles(data, spread, 20)
    assert_array_equal(np.searchsorted(cut, data), np.searchsorted(cut, rounded))


def test_a_value_with_five_per_cent_of_the_rows_has_a_bin_of_its_own() -> None:
    rng = np.random.default_rng(0)
    data = np.concatenate([rng.normal(size=9000), np.full(600, 0.5), np.full(400, -0.25)])
    cut = edges.quantiles(data, np.unique(data), 20)
    held = counts(data, cut)
    alone = held[np.searchsorted(cut, 0.5)]
    assert alone == 600
    assert held[np.searchsorted(cut, -0.25)] > 400  # four per cent: it shares its bin
    assert held.size == 20


def test_bins_hold_equally_many_rows_where_values_allow_it() -> None:
    data = np.random.default_rng(0).lognormal(size=20_000)
    held = counts(data, edges.quantiles(data, np.unique(data), 20))
    assert held.min() == held.max() == 1000


def test_few_distinct_values_have_a_bin_each() -> None:
    data = np.repeat(np.arange(1.0, 13.0), np.arange(1, 13) ** 3)
    cut = edges.quantiles(data, np.unique(data), 20)
    assert_array_equal(cut, np.arange(1.5, 12.0))


def test_a_value_that_only_the_newer_rows_have_lies_on_no_edge() -> None:
    data = np.array([0.0, 0.0, 1.0, 2.0, 2.0])
    cut = edges.quantiles(data, np.array([0.0, 2.0]), 20)
    assert_array_equal(cut, [0.5])


def test_more_heavy_values_than_bins_still_give_bins() -> None:
    data = np.repeat(np.arange(25.0), 40)
    cut = edges.quantiles(data, np.unique(data), 10)
    held = counts(data, cut)
    assert held.size == 10
    assert held.max() <= 4 * held.min()


def test_neighbouring_floats_can_be_told_apart() -> None:
    low, high = 1.0, np.nextafter(1.0, 2.0)
    cut = edges.quantiles(np.array([low, high]), np.array([low, high]), 20)
    assert_array_equal(np.searchsorted(cut, [low, high]), [0, 1])


def test_small_references_get_ten_bins() -> None:
    assert [edges.most_bins(rows) for rows in (100, 1999, 2000)] == [10, 10, 20]
