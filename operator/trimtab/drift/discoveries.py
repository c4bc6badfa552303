"""Which of many tests count: false-discovery control over the features of one scale. Standard library only."""

from collections.abc import Sequence
from math import log


def rejected(log_p: Sequence[float], level: float) -> int:
    """How many of the smallest p-values count at this level, by the rule of Benjamini and Hochberg.

    The largest R for which the R-th smallest of F p-values is at most level * R / F. Without any shift the chance of
    one or more is at most `level` when tests are independent or depend positively, as columns do that move together;
    with shifts, false ones are at most that share of those reported, on average. More features cost each little: a
    hundred times as many make the bar for one alone a hundred times lower, and for many at once no lower at all.

    Args:
        log_p: natural logarithms of the p-values, in any order.
        level: q, above 0.

    >>> from math import log
    >>> rejected([log(p) for p in (0.03, 0.001, 0.8, 0.02)], level=0.05)
    3
    >>> rejected([], level=0.05)
    0

    Source: Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
    """
    ranked = sorted(log_p)
    return max((rank for rank, p in enumerate(ranked, 1) if p <= bar(level, rank, len(ranked))), default=0)


def bar(level: float, rank: int, tests: int) -> float:
    """ln of the p-value up to which `rank` of `tests` p-values may lie.

    >>> round(bar(0.05, 1, 10), 3) == round(log(0.005), 3)
    True
    """
    return log(level * rank / tests)
