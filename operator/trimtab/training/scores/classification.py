"""Metrics of predicted classes, all from one confusion matrix, and of probabilities row by row."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trimtab.training.scores import Floats, Judged, Score, Undefined, mean, weights

_ONE_CLASS = "the held-out rows hold one class only"
_NO_PROBABILITIES = "the model gives no probabilities"
_TINY = float(np.finfo(np.float64).eps)
Confusion = NDArray[np.float64]
"""[k, k + 1]: true class by predicted one; the last column is what the model predicts and the data do not have."""


def _from_confusion(formula: Callable[[Confusion, Judged], float]) -> Callable[[Judged], Score]:
    def prepare(judged: Judged) -> Score:
        assert judged.classes is not None
        k = judged.count
        predicted = np.where(judged.classes < 0, k, judged.classes)
        cells = judged.truth * (k + 1) + predicted

        def score(given: Floats | None) -> float:
            counts: Confusion = np.bincount(cells, weights(given, judged.rows), minlength=k * (k + 1)).astype(
                np.float64
            )
            return formula(counts.reshape(k, k + 1), judged)

        return score

    return prepare


def _parts(confusion: Confusion) -> tuple[Floats, Floats, Floats]:
    """Per class: rows that are right, rows of the class, rows predicted to be it."""
    k = len(confusion)
    return np.diagonal(confusion[:, :k]).astype(np.float64), confusion.sum(axis=1), confusion[:, :k].sum(axis=0)


def _accuracy(confusion: Confusion, judged: Judged) -> float:
    return float(np.trace(confusion[:, : len(confusion)]) / confusion.sum())


def _balanced_accuracy(confusion: Confusion, judged: Judged) -> float:
    right, there, _ = _parts(confusion)
    return float(np.mean(right[there > 0] / there[there > 0]))


def _safe(part: Floats, whole: Floats) -> Floats:
    """Quotients, zero for nothing by nothing, as scikit-learn has it."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _precision(right: Floats, there: Floats, said: Floats) -> Floats:
    return _safe(right, said)


def _recall(right: Floats, there: Floats, said: Floats) -> Floats:
    return _safe(right, there)


def _f1(right: Floats, there: Floats, said: Floats) -> Floats:
    return _safe(2 * right, there + said)


def _jaccard(right: Floats, there: Floats, said: Floats) -> Floats:
    return _safe(right, there + said - right)


_PerClass = Callable[[Floats, Floats, Floats], Floats]


def _binary(of: _PerClass) -> Callable[[Confusion, Judged], float]:
    def formula(confusion: Confusion, judged: Judged) -> float:
        if judged.positive is None:
            raise Undefined(
                f"it is for two classes, and there are {judged.count}: use the variants _macro, _micro or _weighted"
            )
        parts = _parts(confusion)
        if not parts[1][judged.positive]:
            raise Undefined("no held-out row is of the positive class")
        return float(of(*parts)[judged.positive])

    return formula


def _macro(of: _PerClass) -> Callable[[Confusion, Judged], float]:
    def formula(confusion: Confusion, judged: Judged) -> float:
        right, there, said = _parts(confusion)
        return float(of(right, there, said)[(there > 0) | (said > 0)].mean())

    return formula


def _weighted(of: _PerClass) -> Callable[[Confusion, Judged], float]:
    def formula(confusion: Confusion, judged: Judged) -> float:
        parts = _parts(confusion)
        return float(np.average(of(*parts), weights=parts[1]))

    return formula


def _micro(of: _PerClass) -> Callable[[Confusion, Judged], float]:
    def formula(confusion: Confusion, judged: Judged) -> float:
        right, there, said = (part.sum(keepdims=True) for part in _parts(confusion))
        return float(of(right, there, said)[0])

    return formula


def _matthews(confusion: Confusion, judged: Judged) -> float:
    right, there, said = _parts(confusion)
    n = confusion.sum()
    outside = n - said.sum()
    top = right.sum() * n - there @ said
    bottom = (n**2 - said @ said - outside**2) * (n**2 - there @ there)
    if not n**2 > there @ there:
        raise Undefined(_ONE_CLASS)
    return float(top / np.sqrt(bottom)) if bottom > 0 else 0.0


def _row_by_row(loss: Callable[[Judged], Floats], sign: float = 1.0) -> Callable[[Judged], Score]:
    def prepare(judged: Judged) -> Score:
        if judged.probabilities is None:
            raise Undefined(_NO_PROBABILITIES)
        losses = loss(judged)
        return lambda given: sign * mean(losses, given)

    return prepare


def _log_losses(judged: Judged) -> Floats:
    assert judged.probabilities is not None
    own = judged.probabilities[np.arange(judged.rows), judged.truth]
    return np.asarray(-np.log(np.clip(own, _TINY, 1 - _TINY)), np.float64)


def _brier_losses(judged: Judged) -> Floats:
    """Two classes: the squared error of one probability; more: summed over the classes."""
    assert judged.probabilities is not None
    if judged.count == 2:
        return np.asarray((judged.probabilities[:, 1] - judged.truth) ** 2, np.float64)
    wanted = np.eye(judged.count)[judged.truth]
    return np.asarray(((judged.probabilities - wanted) ** 2).sum(axis=1), np.float64)


_PER_CLASS: dict[str, _PerClass] = {"precision": _precision, "recall": _recall, "f1": _f1, "jaccard": _jaccard}
_AVERAGES = {"": _binary, "_macro": _macro, "_micro": _micro, "_weighted": _weighted}

SCORES: list[tuple[str, bool, Callable[[Judged], Score]]] = [
    ("accuracy", True, _from_confusion(_accuracy)),
    ("balanced_accuracy", True, _from_confusion(_balanced_accuracy)),
    *(
        (name + suffix, True, _from_confusion(average(of)))
        for name, of in _PER_CLASS.items()
        for suffix, average in _AVERAGES.items()
    ),
    ("matthews_corrcoef", True, _from_confusion(_matthews)),
    ("log_loss", False, _row_by_row(_log_losses)),
    ("neg_log_loss", True, _row_by_row(_log_losses, -1.0)),
    ("brier", False, _row_by_row(_brier_losses)),
    ("neg_brier_score", True, _row_by_row(_brier_losses, -1.0)),
]
