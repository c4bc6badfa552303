import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from trimtab.drift import pearson

HISTOGRAM = st.lists(st.integers(0, 10_000), min_size=6, max_size=6).filter(any).map(lambda v: np.array(v, float))


@given(HISTOGRAM, HISTOGRAM)
def test_it_is_the_textbook_sum_over_both_rows_of_the_table(w: np.ndarray, r: np.ndarray) -> None:
    n, m, t = w.sum(), r.sum(), w + r
    here = t > 0
    parts = [((x - t * k / (n + m)) ** 2)[here] / (t * k / (n + m))[here] for x, k in ((w, n), (r, m))]
    assert pearson.statistic(w, r) == pytest.approx(float(np.concatenate(parts).sum()), rel=1e-9, abs=1e-6)


@given(HISTOGRAM, HISTOGRAM)
def test_it_never_exceeds_the_number_of_rows(w: np.ndarray, r: np.ndarray) -> None:
    assert 0 <= pearson.statistic(w, r) <= (w.sum() + r.sum()) * (1 + 1e-9)


@pytest.mark.parametrize(("bins", "n", "m"), [(10, 100, 10_000), (20, 200, 10_000), (20, 1000, 2000)])
def test_without_a_shift_it_rejects_as_often_as_it_says(bins: int, n: int, m: int) -> None:
    rng = np.random.default_rng(1)
    even = np.full(bins, 1 / bins)
    windows, bases = (rng.multinomial(rows, even, 20_000).astype(float) for rows in (n, m))
    p = special.chdtrc(bins - 1, [pearson.statistic(w, r) for w, r in zip(windows, bases, strict=True)])
    for level in (0.1, 0.01, 0.001):
        assert np.mean(p <= level) == pytest.approx(level, rel=0.15, abs=3.5 * np.sqrt(level / p.size))
