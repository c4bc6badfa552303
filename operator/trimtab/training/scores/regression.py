"""Metrics of predicted numbers."""

from collections.abc import Callable

import numpy as np

from trimtab.training.scores import Floats, Judged, Score, Undefined, mean, ratio, weights

_CONSTANT = "all held-out rows have the same target"
_TINY = float(np.finfo(np.float64).eps)


def _row_by_row(
    loss: Callable[[Floats, Floats], Floats], sign: float = 1.0, then: Callable[[float], float] = float
) -> Callable[[Judged], Score]:
    def prepare(judged: Judged) -> Score:
        assert judged.values is not None
        losses = loss(judged.truth, judged.values)
        return lambda given: sign * then(mean(losses, given))

    return prepare


def _absolute(truth: Floats, said: Floats) -> Floats:
    return np.abs(truth - said)


def _squared(truth: Floats, said: Floats) -> Floats:
    return np.asarray((truth - said) ** 2, np.float64)


def _relative(truth: Floats, said: Floats) -> Floats:
    return np.abs(truth - said) / np.maximum(np.abs(truth), _TINY)


def _squared_log(truth: Floats, said: Floats) -> Floats:
    if (truth <= -1).any() or (said <= -1).any():
        raise Undefined("a target or prediction is -1 or less, which has no logarithm here")
    return np.asarray((np.log1p(truth) - np.log1p(said)) ** 2, np.float64)


def _root(value: float) -> float:
    return float(np.sqrt(value))


def _explained(centred: bool) -> Callable[[Judged], Score]:
    """R², or with `centred` the explained variance, which forgives a constant error."""

    def prepare(judged: Judged) -> Score:
        assert judged.values is not None
        truth, errors = judged.truth, judged.truth - judged.values

        def score(given: Floats | None) -> float:
            weight = weights(given, judged.rows)
            spread = np.dot(weight, (truth - np.average(truth, weights=weight)) ** 2)
            left = np.dot(weight, (errors - (np.average(errors, weights=weight) if centred else 0.0)) ** 2)
            return 1.0 - ratio(left, spread, _CONSTANT)

        return score

    return prepare


def _median(judged: Judged) -> Score:
    assert judged.values is not None
    errors = np.sort(np.abs(judged.truth - judged.values))
    order = np.argsort(np.abs(judged.truth - judged.values), kind="stable")

    def score(given: Floats | None) -> float:
        if given is None:
            return -float(np.median(errors))
        reach = np.cumsum(given[order])
        half = reach[-1] / 2
        low, high = np.searchsorted(reach, half, "left"), np.searchsorted(reach, half, "right")
        return -float((errors[low] + errors[min(high, len(errors) - 1)]) / 2)

    return score


def _largest(judged: Judged) -> Score:
    assert judged.values is not None
    errors = np.abs(judged.truth - judged.values)
    return lambda given: -float(errors.max() if given is None else errors[given > 0].max())


SCORES: list[tuple[str, bool, Callable[[Judged], Score]]] = [
    ("rmse", False, _row_by_row(_squared, then=_root)),
    ("mae", False, _row_by_row(_absolute)),
    ("r2", True, _explained(centred=False)),
    ("explained_variance", True, _explained(centred=True)),
    ("neg_root_mean_squared_error", True, _row_by_row(_squared, -1.0, _root)),
    ("neg_mean_squared_error", True, _row_by_row(_squared, -1.0)),
    ("neg_mean_absolute_error", True, _row_by_row(_absolute, -1.0)),
    ("neg_mean_absolute_percentage_error", True, _row_by_row(_relative, -1.0)),
    ("neg_mean_squared_log_error", True, _row_by_row(_squared_log, -1.0)),
    ("neg_root_mean_squared_log_error", True, _row_by_row(_squared_log, -1.0, _root)),
    ("neg_median_absolute_error", True, _median),
    ("neg_max_error", True, _largest),
]
