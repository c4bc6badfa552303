"""Population stability index: how large a shift is, in the unit that people know.

PSI says how far, never whether: it has no error rate. `pearson` and `tail` decide. numpy only.
"""

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 0.5
"""Rows added to every bin of both sides, so that an empty bin costs a bounded amount. It makes PSI of small samples
smaller, never larger; on bins of 5 rows and more, as `pooling` leaves them, the effect is a few per cent."""


def index(window: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """PSI between two histograms over the same bins: the symmetric Kullback-Leibler divergence, in nats.

    psi = sum over bins of (p - q) * ln(p / q), with p = (w + 0.5) / (n + 0.5 B) and q likewise.
    Two normal distributions d standard deviations apart have PSI d² before binning. By habit 0.1 is called minor and
    0.25 major; without any shift its mean is (B - 1)(1/n + 1/m), which `corrected` takes off.

    >>> round(index(np.array([30.0, 70.0]), np.array([500.0, 500.0])), 3)
    0.166
    >>> index(np.array([30.0, 70.0]), np.array([300.0, 700.0])) < 1e-3
    True

    Source: Yurdakul and Naranjo (2020), Statistical properties of the population stability index, Journal of Risk
    Model Validation 14(4).
    """
    p = (window + SMOOTHING) / (window.sum() + SMOOTHING * window.size)
    q = (reference + SMOOTHING) / (reference.sum() + SMOOTHING * reference.size)
    return float(((p - q) * np.log(p / q)).sum())


def bias(bins: int, n: float, m: float, phi: float = 1.0) -> float:
    """Mean PSI of n rows against m when nothing has shifted: phi (B - 1)(1/n + 1/m).

    >>> round(bias(10, 100, 10_000), 4)
    0.0909
    """
    return phi * (bins - 1) * (1 / n + 1 / m)


def corrected(window: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """PSI less its mean without a shift, at least 0. Empty histograms on either side are an error of the caller.

    >>> corrected(np.array([48.0, 52.0]), np.array([500.0, 500.0]))
    0.0
    """
    expected = bias(window.size, window.sum(), reference.sum())
    return max(0.0, index(window, reference) - expected)
