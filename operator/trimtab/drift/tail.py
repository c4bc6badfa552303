"""Upper tails of the laws that verdicts use, in logarithms, right as far out as data can reach.

The one module that imports scipy, and of it only scipy.special: what counts in a serving pod must not import this.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

LEAST_COMPLEMENT = 1e-9
"""Below this, 1 - cdf has lost digits to the 1."""

LEAST_DIRECT = 1e-290
"""Below this, a direct tail runs out of exponent."""

STEPS = 12
"""Secant steps for a quantile; four are enough."""


def log_chi_squared(x: ArrayLike, df: ArrayLike, shift: ArrayLike) -> Floats:
    """ln P(X >= x) for X noncentral chi-squared with `df` degrees of freedom and noncentrality `shift`; elementwise.

    From scipy's cdf while its complement has digits, and from the saddlepoint approximation beyond, where the
    complement is rounding noise, 0 or negative. The result is within 1e-3 of the truth from 4 degrees of freedom on
    and within 0.04 for one. ValueError for anything not finite, x or shift below 0, or df below 1.

    >>> log_chi_squared([3.84146, 60.0, 900.0], [1, 19, 19], [0, 20, 20]).round(2).tolist()
    [-3.0, -3.26, -313.12]
    """
    x, df, shift = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, np.float64)) for v in (x, df, shift)))
    if not (np.isfinite(x + df + shift).all() and (x >= 0).all() and (shift >= 0).all() and (df >= 1).all()):
        raise ValueError(f"no tail of chi-squared at {x}, {df} degrees of freedom, noncentrality {shift}")
    central = shift == 0
    upper = np.where(central, special.chdtrc(df, x), 1 - special.chndtr(x, df, shift))
    near = upper > np.where(central, LEAST_DIRECT, LEAST_COMPLEMENT)
    found: Floats = np.log(np.where(near, upper, 1.0))
    if not near.all():
        far = ~near
        found[far] = _saddlepoint(x[far], df[far], shift[far])
    return found


def chi_squared_above(log_level: ArrayLike, df: ArrayLike, shift: ArrayLike) -> Floats:
    """The x with ln P(X >= x) = log_level, the inverse of `log_chi_squared`, for levels of 0.05 and below.

    The square root of x and that of -2 ln P are nearly linear in each other, so the secant method is there at once.

    >>> chi_squared_above(np.log(0.05), 1, 0).round(3).tolist()
    [3.841]
    """
    goal = np.sqrt(-2 * np.atleast_1d(np.asarray(log_level, np.float64)))
    goal, df, shift = np.broadcast_arrays(goal, np.asarray(df, np.float64), np.asarray(shift, np.float64))
    before: Floats = np.sqrt(df + shift)
    root: Floats = before + 0.8 * goal
    missed_before = np.sqrt(-2 * log_chi_squared(before**2, df, shift)) - goal
    for _ in range(STEPS):
        missed = np.sqrt(-2 * log_chi_squared(root**2, df, shift)) - goal
        if (np.abs(missed) < 1e-9).all():
            break
        moved = missed - missed_before
        step = np.where(moved == 0, 0.0, missed * (root - before) / np.where(moved == 0, 1.0, moved))
        before, missed_before, root = root, missed, np.maximum(root - step, 1e-6)
    return root**2


def log_binomial(hits: int, rows: int, rate: float) -> float:
    """ln P(X >= hits) for X binomial; exact.

    >>> round(log_binomial(2, 10, 0.1), 4)
    -1.3322

    Far out, where the tail is smaller than any float, its first term over the geometric series that bounds the rest:
    >>> round(log_binomial(1000, 1000, 0.02), 2), round(float(1000 * np.log(0.02)), 2)
    (-3912.02, -3912.02)
    """
    if hits <= 0 or rate >= 1:
        return 0.0
    direct = float(special.betainc(hits, rows - hits + 1, rate))
    if direct > LEAST_DIRECT:
        return float(np.log(direct))
    first = special.xlogy(hits, rate) + special.xlog1py(rows - hits, -rate) - np.log(rows + 1)
    first -= special.betaln(hits + 1, rows - hits + 1)
    ratio = (rows - hits) * rate / ((hits + 1) * (1 - rate))
    return float(first - np.log1p(-ratio))


def _saddlepoint(x: Floats, df: Floats, shift: Floats) -> Floats:
    """Lugannani and Rice's approximation with its second-order term, far above the mean.

    Source: Daniels (1987), Tail probability approximations, International Statistical Review 55.
    """
    u = np.where(shift > 0, 2 * x / (df + np.sqrt(df * df + 4 * shift * x)), x / df)  # 1 / (1 - 2t) at the saddlepoint
    t = (1 - 1 / u) / 2
    w = np.sqrt(2 * (t * x - shift * t * u - df / 2 * np.log(u)))
    k2, k3, k4 = (c * (df * u**n + n * shift * u ** (n + 1)) for c, n in ((2, 2), (8, 3), (48, 4)))
    v = t * np.sqrt(k2)
    l3, l4 = k3 / k2**1.5, k4 / k2**2
    second = (l4 / 8 - 5 * l3**2 / 24) / v - l3 / (2 * v**2) - 1 / v**3 + 1 / w**3
    mills = np.sqrt(np.pi / 2) * special.erfcx(w / np.sqrt(2))
    found: Floats = -(w**2) / 2 - np.log(2 * np.pi) / 2 + np.log(mills + 1 / v - 1 / w + second)
    return found
