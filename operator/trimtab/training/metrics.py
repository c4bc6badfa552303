"""Metrics: scores of predictions on held-out rows, weighted, so that a bootstrap costs a pass and no copy. Pure.

Names and directions are those of scikit-learn's scorers, and log_loss, rmse, mae, brier. Where scikit-learn has a function the
values are the same; tests hold that.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from trimtab.training.failures import Reason, StepFailure
from trimtab.training.scores import Judged, Score, Undefined, classification, ranking, regression


@dataclass(frozen=True)
class Metric:
    """One metric. `prepare` sorts and counts once what every resample needs."""

    name: str
    task: str
    greater_is_better: bool
    prepare: Callable[[Judged], Score]

    @property
    def sign(self) -> float:
        """1 where more is better, else -1."""
        return 1.0 if self.greater_is_better else -1.0


def _table() -> dict[str, Metric]:
    one: list[tuple[str, str, bool, Callable[[Judged], Score]]] = []
    for name, higher, score in classification.SCORES:
        one.append((name, "Classification", higher, score))
    for name, higher, score in ranking.SCORES:
        one.append((name, "Classification", higher, score))
    for name, higher, score in regression.SCORES:
        one.append((name, "Regression", higher, score))
    return {name: Metric(name, task, higher, score) for name, task, higher, score in one}


METRICS = _table()
DEFAULTS = {
    "Binary": ("roc_auc", "average_precision", "brier"),
    "Multiclass": ("balanced_accuracy", "f1_macro", "log_loss"),
    "Regression": ("rmse", "mae", "r2"),
}


def find(name: str, task: str) -> Metric:
    """The metric of that name. Raises StepFailure (MetricUnknown) with those that come close."""
    found = METRICS.get(name)
    if found and found.task == task:
        return found
    said = f"there is no metric {name!r}"
    if found:
        said = f"metric {name!r} is for task {found.task}, and the task is {task}"
    there = [metric.name for metric in METRICS.values() if metric.task == task]
    close = difflib.get_close_matches(name, there, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else f"for {task} there are {', '.join(there)}"
    raise StepFailure(Reason.METRIC_UNKNOWN, f"{said}: {hint}")


def defaults(task: str, classes: int | None) -> tuple[str, ...]:
    """What is measured when nobody says."""
    if task == "Regression":
        return DEFAULTS["Regression"]
    return DEFAULTS["Binary" if classes == 2 else "Multiclass"]


def value(metric: Metric, judged: Judged) -> float:
    """The metric on all rows. Raises Undefined."""
    return metric.prepare(judged)(None)


__all__ = ["METRICS", "Judged", "Metric", "Score", "Undefined", "defaults", "find", "value"]
