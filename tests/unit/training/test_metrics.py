"""Metrics give what scikit-learn gives, weighted or not, and say why where there is no value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from trimtab.training import judging, metrics
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.scores import Judged, Undefined

BINARY = {
    "accuracy": lambda y, c, p, w: sk.accuracy_score(y, c, sample_weight=w),
    "balanced_accuracy": lambda y, c, p, w: sk.balanced_accuracy_score(y, c, sample_weight=w),
    "precision": lambda y, c, p, w: sk.precision_score(y, c, sample_weight=w, zero_division=0),
    "recall": lambda y, c, p, w: sk.recall_score(y, c, sample_weight=w, zero_division=0),
    "f1": lambda y, c, p, w: sk.f1_score(y, c, sample_weight=w, zero_division=0),
    "jaccard": lambda y, c, p, w: sk.jaccard_score(y, c, sample_weight=w, zero_division=0),
    "matthews_corrcoef": lambda y, c, p, w: sk.matthews_corrcoef(y, c, sample_weight=w),
    "roc_auc": lambda y, c, p, w: sk.roc_auc_score(y, p[:, 1], sample_weight=w),
    "average_precision": lambda y, c, p, w: sk.average_precision_score(y, p[:, 1], sample_weight=w),
    "log_loss": lambda y, c, p, w: sk.log_loss(y, p, sample_weight=w, labels=[0, 1]),
    "neg_log_loss": lambda y, c, p, w: -sk.log_loss(y, p, sample_weight=w, labels=[0, 1]),
    "brier": lambda y, c, p, w: sk.brier_score_loss(y, p[:, 1], sample_weight=w),
    "neg_brier_score": lambda y, c, p, w: -sk.brier_score_loss(y, p[:, 1], sample_weight=w),
}
MANY = {
    f"{name}_{average}": (lambda y, c, p, w, f=f, a=average: f(y, c, average=a, sample_weight=w, zero_division=0))
    for name, f in {
        "precision": sk.precision_score,
        "recall": sk.recall_score,
        "f1": sk.f1_score,
        "jaccard": sk.jaccard_score,
    }.items()
    for average in ("macro", "micro", "weighted")
} | {
    "accuracy": lambda y, c, p, w: sk.accuracy_score(y, c, sample_weight=w),
    "balanced_accuracy": lambda y, c, p, w: sk.balanced_accuracy_score(y, c, sample_weight=w),
    "matthews_corrcoef": lambda y, c, p, w: sk.matthews_corrcoef(y, c, sample_weight=w),
    "log_loss": lambda y, c, p, w: sk.log_loss(y, p, sample_weight=w, labels=[0, 1, 2]),
    "brier": lambda y, c, p, w: sk.brier_score_loss(y, p, sample_weight=w, labels=[0, 1, 2]),
    "roc_auc_ovr": lambda y, c, p, w: sk.roc_auc_score(y, p, multi_class="ovr", sample_weight=w),
    "roc_auc_ovr_weighted": lambda y, c, p, w: sk.roc_auc_score(
        y, p, multi_class="ovr", average="weighted", sample_weight=w
    ),
}
ONE_BY_ONE = {
    "roc_auc_ovo": lambda y, p: sk.roc_auc_score(y, p, multi_class="ovo"),
    "roc_auc_ovo_weighted": lambda y, p: sk.roc_auc_score(y, p, multi_class="ovo", average="weighted"),
}
NUMBERS = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "explained_variance": sk.explained_variance_score,
    "neg_root_mean_squared_error": lambda y, v, **k: -sk.root_mean_squared_error(y, v, **k),
    "neg_mean_squared_error": lambda y, v, **k: -sk.mean_squared_error(y, v, **k),
    "neg_mean_absolute_error": lambda y, v, **k: -sk.mean_absolute_error(y, v, **k),
    "neg_mean_absolute_percentage_error": lambda y, v, **k: -sk.mean_absolute_percentage_error(y, v, **k),
    "neg_mean_squared_log_error": lambda y, v, **k: -sk.mean_squared_log_error(y, v, **k),
    "neg_root_mean_squared_log_error": lambda y, v, **k: -sk.root_mean_squared_log_error(y, v, **k),
    "neg_median_absolute_error": lambda y, v, **k: -sk.median_absolute_error(y, v, **k),
}


def classified(k: int, n: int = 300, seed: int = 0) -> Judged:
    """Rows of k classes with scores that have ties."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    scores = rng.random((n, k)).round(2) + 0.3 * np.eye(k)[truth] + 0.001
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    return Judged(truth, probabilities.argmax(axis=1), probabilities, positive=1 if k == 2 else None, count=k)


def taken(rows: Judged, index: np.ndarray) -> Judged:
    """The rows again, as often as `index` names them."""
    return judging.some(rows, index)


def weight(n: int, seed: int = 1) -> np.ndarray:
    """As a bootstrap gives it: whole numbers, some of them zero."""
    return np.random.default_rng(seed).integers(0, 4, n).astype(float)


@pytest.mark.parametrize("name", BINARY)
def test_two_classes_score_as_in_scikit_learn(name: str) -> None:
    rows = classified(2)
    score = metrics.METRICS[name].prepare(rows)
    for w in (None, weight(rows.rows)):
        expected = BINARY[name](rows.truth, rows.classes, rows.probabilities, w)
        assert score(w) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", MANY)
def test_three_classes_score_as_in_scikit_learn(name: str) -> None:
    rows = classified(3)
    score = metrics.METRICS[name].prepare(rows)
    for w in (None, weight(rows.rows)):
        assert score(w) == pytest.approx(MANY[name](rows.truth, rows.classes, rows.probabilities, w), abs=1e-12)


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_pairs_of_classes_score_as_in_scikit_learn_and_weights_as_repeated_rows(name: str) -> None:
    rows = classified(3, n=120)
    score = metrics.METRICS[name].prepare(rows)
    assert score(None) == pytest.approx(ONE_BY_ONE[name](rows.truth, rows.probabilities), abs=1e-12)
    w = weight(rows.rows)
    again = np.repeat(np.arange(rows.rows), w.astype(int))
    repeated = taken(rows, again)
    assert score(w) == pytest.approx(ONE_BY_ONE[name](repeated.truth, repeated.probabilities), abs=1e-12)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_score_as_in_scikit_learn(name: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.gamma(2.0, 3.0, 200)
    rows = Judged(truth, values=truth + rng.normal(0, 0.3, 200).clip(-0.5, 0.5))
    score = metrics.METRICS[name].prepare(rows)
    w = weight(200)
    again = np.repeat(np.arange(200), w.astype(int))
    assert score(None) == pytest.approx(NUMBERS[name](rows.truth, rows.values), rel=1e-12)
    assert score(w) == pytest.approx(NUMBERS[name](*((part := taken(rows, again)).truth, part.values)), rel=1e-12)


def test_the_largest_error_counts_only_rows_that_were_drawn() -> None:
    score = metrics.METRICS["neg_max_error"].prepare(
        Judged(np.array([1.0, 2.0, 3.0]), values=np.array([1.0, 2.5, 9.0]))
    )
    assert score(None) == -6.0
    assert score(np.array([1.0, 2.0, 0.0])) == -0.5


def test_every_metric_of_the_table_is_compared_with_another_source() -> None:
    checked = {*BINARY, *MANY, *ONE_BY_ONE, *NUMBERS, "neg_max_error"}
    assert checked == set(metrics.METRICS)


def test_directions_are_those_of_scikit_learns_scorers_where_it_has_one_of_that_name() -> None:
    scorers = set(sk.get_scorer_names())
    plain = {"log_loss", "rmse", "mae", "brier", "jaccard_macro", "jaccard_micro", "jaccard_weighted"}
    assert {name for name in metrics.METRICS if name not in scorers} <= plain
    assert {name for name, metric in metrics.METRICS.items() if not metric.greater_is_better} == {
        "log_loss",
        "rmse",
        "mae",
        "brier",
    }


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "recall", "f1"])
def test_a_metric_of_the_positive_class_has_no_value_when_no_row_is_of_it(name: str) -> None:
    rows = Judged(np.zeros(4, int), np.zeros(4, int), np.tile([0.7, 0.3], (4, 1)), positive=1, count=2)
    with pytest.raises(Undefined, match="held-out"):
        metrics.value(metrics.METRICS[name], rows)


def test_a_ranking_metric_has_no_value_without_probabilities() -> None:
    rows = Judged(np.array([0, 1]), np.array([0, 1]), positive=1, count=2)
    with pytest.raises(Undefined, match="no probabilities"):
        metrics.value(metrics.METRICS["roc_auc"], rows)


def test_a_class_that_only_the_model_knows_counts_as_wrong() -> None:
    rows = Judged(np.array([0, 1, 1, 0]), np.array([0, -1, 1, -1]), positive=1, count=2)
    assert metrics.value(metrics.METRICS["accuracy"], rows) == 0.5
    assert metrics.value(metrics.METRICS["recall"], rows) == 0.5
    assert metrics.value(metrics.METRICS["precision"], rows) == 1.0


@given(st.integers(2, 4), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_weights_are_as_good_as_repeating_rows(k: int, seed: int) -> None:
    rows, w = classified(k, n=60, seed=seed), weight(60, seed)
    again = np.repeat(np.arange(60), w.astype(int))
    repeated = taken(rows, again)
    for name in ("accuracy", "balanced_accuracy", "f1_macro", "log_loss", "brier"):
        metric = metrics.METRICS[name]
        assert metric.prepare(rows)(w) == pytest.approx(metric.prepare(repeated)(None), abs=1e-12)


def test_an_unknown_metric_is_told_with_those_that_come_close() -> None:
    with pytest.raises(StepFailure) as failure:
        metrics.find("roc_acu", "Classification")
    assert failure.value.reason is Reason.METRIC_UNKNOWN
    assert failure.value.message.startswith("there is no metric 'roc_acu': did you mean roc_auc")
    assert failure.value.exit_code == 3


def test_a_metric_of_the_other_task_is_told_to_be_one() -> None:
    with pytest.raises(StepFailure, match="metric 'rmse' is for task Regression, and the task is Classification"):
        metrics.find("rmse", "Classification")
