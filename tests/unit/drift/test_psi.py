import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.drift import psi

HISTOGRAM = st.lists(st.integers(1, 10_000), min_size=10, max_size=10).map(lambda v: np.array(v, float))


@given(HISTOGRAM, HISTOGRAM)
def test_psi_is_never_negative_and_the_same_both_ways(a: np.ndarray, b: np.ndarray) -> None:
    assert psi.index(a, b) >= 0
    assert psi.index(a, b) == pytest.approx(psi.index(b, a))


@given(HISTOGRAM)
def test_equal_shares_have_no_psi(a: np.ndarray) -> None:
    assert psi.index(a, a) == 0


@given(HISTOGRAM, HISTOGRAM, st.permutations(range(10)))
def test_the_order_of_bins_does_not_matter(a: np.ndarray, b: np.ndarray, order: list[int]) -> None:
    assert psi.index(a[order], b[order]) == pytest.approx(psi.index(a, b))


@pytest.mark.parametrize("sigmas", [0.1, 0.3, 0.5, 1.0])
def test_psi_of_two_normals_is_their_distance_squared(sigmas: float) -> None:
    grid = np.linspace(-9, 9, 2001)
    a, b = (np.exp(-((grid - mean) ** 2) / 2) * 1e9 for mean in (0.0, sigmas))
    assert psi.index(a, b) == pytest.approx(sigmas**2, rel=0.01)


def test_correction_takes_off_what_chance_adds() -> None:
    rng = np.random.default_rng(0)
    found = [
        psi.index(w.astype(float), r.astype(float)) - psi.bias(10, 500, 5000)
        for w, r in zip(rng.multinomial(500, [0.1] * 10, 2000), rng.multinomial(5000, [0.1] * 10, 2000), strict=True)
    ]
    assert abs(float(np.mean(found))) < 0.001  # the mean itself is 0.0198


def test_an_empty_bin_costs_a_bounded_amount() -> None:
    assert psi.index(np.array([0.0, 1e6]), np.array([1e6, 0.0])) < 30
