"""Metrics of the order that probabilities put rows in: sorted once, then weighted."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from trimtab.training.scores import Floats, Judged, Score, Undefined, ratio, weights

_ONE_CLASS = "the held-out rows hold one class only"


class _Ranked:
    """Rows in order of a score, highest first, with the places where it changes."""

    def __init__(self, scores: Floats, positive: NDArray[np.bool_]) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
        self.positive = positive[self.order].astype(np.float64)

    def counts(self, given: Floats) -> tuple[Floats, Floats]:
        """Weight of positive and of all rows down to each place."""
        ordered = given[self.order]
        return np.cumsum(ordered * self.positive)[self.last], np.cumsum(ordered)[self.last]

    def auc(self, given: Floats) -> float:
        """Area under the ROC curve, by trapezoids between ties."""
        positive, all_rows = self.counts(given)
        negative = all_rows - positive
        if not positive[-1] or not negative[-1]:
            raise Undefined(_ONE_CLASS)
        before = np.concatenate([[0.0], positive[:-1]])
        area = np.sum(np.diff(negative, prepend=0.0) * (positive + before)) / 2
        return float(area / (positive[-1] * negative[-1]))

    def average_precision(self, given: Floats) -> float:
        """Precision summed over the steps of recall."""
        positive, all_rows = self.counts(given)
        if not positive[-1]:
            raise Undefined("no held-out row is of the positive class")
        precision = np.divide(positive, all_rows, out=np.zeros_like(positive), where=all_rows > 0)
        return float(np.sum(np.diff(positive, prepend=0.0) * precision) / positive[-1])


def _probabilities(judged: Judged) -> Floats:
    if judged.probabilities is None:
        raise Undefined("the model gives no probabilities")
    return judged.probabilities


def _of_positive(area: Callable[[_Ranked, Floats], float]) -> Callable[[Judged], Score]:
    def prepare(judged: Judged) -> Score:
        scores = _probabilities(judged)
        if judged.positive is None:
            raise Undefined(f"it is for two classes, and there are {judged.count}: use roc_auc_ovr or roc_auc_ovo")
        ranked = _Ranked(scores[:, judged.positive], judged.truth == judged.positive)
        return lambda given: area(ranked, weights(given, judged.rows))

    return prepare


def _one_against_rest(by_share: bool) -> Callable[[Judged], Score]:
    def prepare(judged: Judged) -> Score:
        scores = _probabilities(judged)
        each = [_Ranked(scores[:, code], judged.truth == code) for code in range(judged.count)]

        def score(given: Floats | None) -> float:
            weight = weights(given, judged.rows)
            shares = np.bincount(judged.truth, weight, minlength=judged.count)
            areas = np.array([ranked.auc(weight) for ranked in each])
            return float(np.average(areas, weights=shares if by_share else None))

        return score

    return prepare


def _one_against_one(by_share: bool) -> Callable[[Judged], Score]:
    def prepare(judged: Judged) -> Score:
        scores = _probabilities(judged)
        pairs = [_pair(judged.truth, scores, a, b) for a, b in combinations(range(judged.count), 2)]

        def score(given: Floats | None) -> float:
            weight = weights(given, judged.rows)
            areas = [(one.auc(weight[rows]) + other.auc(weight[rows])) / 2 for rows, one, other in pairs]
            sizes = [weight[rows].sum() for rows, _, _ in pairs] if by_share else [1.0] * len(pairs)
            return ratio(np.dot(areas, sizes), np.sum(sizes), _ONE_CLASS)

        return score

    return prepare


def _pair(truth: NDArray[np.int64], scores: Floats, a: int, b: int) -> tuple[NDArray[np.bool_], _Ranked, _Ranked]:
    rows = (truth == a) | (truth == b)
    return rows, _Ranked(scores[rows, a], truth[rows] == a), _Ranked(scores[rows, b], truth[rows] == b)


SCORES: list[tuple[str, bool, Callable[[Judged], Score]]] = [
    ("roc_auc", True, _of_positive(_Ranked.auc)),
    ("average_precision", True, _of_positive(_Ranked.average_precision)),
    ("roc_auc_ovr", True, _one_against_rest(by_share=False)),
    ("roc_auc_ovr_weighted", True, _one_against_rest(by_share=True)),
    ("roc_auc_ovo", True, _one_against_one(by_share=False)),
    ("roc_auc_ovo_weighted", True, _one_against_one(by_share=True)),
]
