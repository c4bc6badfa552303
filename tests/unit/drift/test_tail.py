import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.drift import tail

# ln P(X >= x), df, noncentrality: the Poisson mixture of central tails, summed with 40 digits
EXACT = [
    (7, 9, 2, -0.2591271435426613),
    (60, 19, 20, -3.2596954407645176),
    (25, 4, 0.5, -8.76273741719367),
    (40, 1, 0, -22.093833084219643),
    (400, 9, 100, -50.46890989710853),
    (5000, 19, 3000, -128.41084803014485),
    (900, 19, 20, -313.12329790173766),
    (2000, 1, 0, -1004.0267419589519),
    (1_000_000, 19, 20, -495497.00529706985),
]


@pytest.mark.parametrize(("x", "df", "shift", "exact"), EXACT)
def test_tails_are_right_however_far_out(x: float, df: int, shift: float, exact: float) -> None:
    (found,) = tail.log_chi_squared(x, df, shift)
    assert found == pytest.approx(exact, abs=0.04 if df == 1 else 0.001)


@given(st.floats(0, 1e7), st.integers(1, 60), st.floats(0, 1e6) | st.just(0.0))
def test_a_tail_is_a_probability_and_falls(x: float, df: int, shift: float) -> None:
    here, further = tail.log_chi_squared([x, 1.1 * x + 1], df, shift)
    assert math.isfinite(here)
    assert further <= here + 1e-3 <= 1e-3


@given(st.floats(-2000, math.log(0.05)), st.integers(1, 60), st.floats(0, 1e5) | st.just(0.0))
def test_the_inverse_inverts(level: float, df: int, shift: float) -> None:
    (x,) = tail.chi_squared_above(level, df, shift)
    (back,) = tail.log_chi_squared(x, df, shift)
    assert back == pytest.approx(level, abs=0.02)


def test_a_table_of_quantiles() -> None:
    found = tail.chi_squared_above(np.log([0.05, 0.01, 0.001]), [1, 9, 19], 0)
    assert found == pytest.approx([3.8415, 21.6660, 43.8202], abs=1e-3)


@pytest.mark.parametrize(
    "bad", [(math.nan, 9, 1), (math.inf, 9, 1), (-1, 9, 1), (5, 0, 1), (5, 9, -1), (5, 9, math.nan)]
)
def test_what_is_no_statistic_is_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="no tail"):
        tail.log_chi_squared(*bad)


@given(st.integers(1, 300), st.floats(0.001, 0.999), st.data())
def test_binomial_tails_are_sums_of_their_terms(rows: int, rate: float, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, rows))
    terms = [math.comb(rows, k) * rate**k * (1 - rate) ** (rows - k) for k in range(hits, rows + 1)]
    exact = math.fsum(terms)
    if exact > 1e-280:
        assert tail.log_binomial(hits, rows, rate) == pytest.approx(math.log(exact), abs=1e-6)


def test_binomial_tails_beyond_all_floats_stay_finite_and_ordered() -> None:
    found = [tail.log_binomial(hits, 100_000, 0.01) for hits in (5_000, 20_000, 99_999, 100_000)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(100_000 * math.log(0.01))
    assert tail.log_binomial(0, 0, 0.01) == 0.0
    assert tail.log_binomial(5, 10, 1.01) == 0.0
