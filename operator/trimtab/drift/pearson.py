"""The test statistic: whether two histograms can come from the same distribution. numpy only."""

import numpy as np
from numpy.typing import NDArray


def statistic(window: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Two-sample Pearson chi-squared of two histograms over the same bins.

    X² = sum (w - t n / (n + m))² / (t n / (n + m)) + the same for the reference, with t = w + r; simplified here.
    Without a shift it is chi-squared with B - 1 degrees of freedom, and with a shift of size delta (a small PSI)
    noncentral with noncentrality delta * `effective(n, m)`. It treats the reference as the sample it is, so a small
    one makes the test weak, not wrong. It never exceeds n + m. Bins that neither side has rows in add nothing.

    >>> round(statistic(np.array([30.0, 70.0]), np.array([500.0, 500.0])), 3)
    14.565

    Source: Pearson (1911), On the probability that two independent distributions of frequency are really samples
    from the same population, Biometrika 8.
    """
    n, m = window.sum(), reference.sum()
    both = window + reference
    apart = window * np.sqrt(m / n) - reference * np.sqrt(n / m)
    return float((apart**2 / np.maximum(both, 1)).sum())


def effective(n: float, m: float) -> float:
    """Rows that n against m rows are worth: n m / (n + m), at most the smaller of both.

    >>> effective(1000, 1000), round(effective(1000, 99_000))
    (500.0, 990)
    """
    return n * m / (n + m)
