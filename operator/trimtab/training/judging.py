"""Judging: what a model says of the held-out rows, as metrics with their uncertainty. Pure but for the engine that predicts."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from trimtab.api.evaluation import MetricValue
from trimtab.api.wire.models import Label
from trimtab.model.engine import Engine, Prediction
from trimtab.model.frame import Column, Frame, rows, take
from trimtab.training import bootstrap, handover, metrics, split
from trimtab.training.scores import Judged, Undefined

_SHUFFLED = 2000
"""Held-out rows on which importances are measured."""


def judged(
    said: Prediction, classes: tuple[Label, ...] | None, schema: handover.Schema, truth: NDArray[np.generic]
) -> Judged:
    """Predictions of a model that knows `classes`, in terms of the schema's classes."""
    if schema.classes is None or said.classes is None or classes is None:
        return Judged(truth=truth.astype(np.float64), values=said.values)
    place = {label: code for code, label in enumerate(schema.classes)}
    codes = np.array([place.get(label, -1) for label in classes], np.int64)
    probabilities = None
    if said.probabilities is not None:
        probabilities = np.zeros((len(truth), len(schema.classes)))
        known = codes >= 0
        probabilities[:, codes[known]] = said.probabilities[:, known]
    return Judged(
        truth=truth.astype(np.int64),
        classes=codes[said.classes],
        probabilities=probabilities,
        positive=schema.positive,
        count=len(schema.classes),
    )


def some(whole: Judged, index: NDArray[np.generic]) -> Judged:
    """The rows that `index` names."""
    return Judged(
        truth=whole.truth[index],
        classes=None if whole.classes is None else whole.classes[index],
        probabilities=None if whole.probabilities is None else whole.probabilities[index],
        values=None if whole.values is None else whole.values[index],
        positive=whole.positive,
        count=whole.count,
    )


def measured(
    names: Iterable[str], whole: Judged, times: NDArray[np.float64], task: str, seed: int
) -> dict[str, MetricValue]:
    """Each metric once, with its 95 % interval: drawn by day where rows have a time, else row by row."""
    block, count = bootstrap.blocks_of(split.days(times) if np.isfinite(times).any() else None, whole.rows)
    return {name: _measured(metrics.find(name, task), whole, block, count, seed) for name in dict.fromkeys(names)}


def _measured(metric: metrics.Metric, whole: Judged, block: NDArray[np.int64], count: int, seed: int) -> MetricValue:
    try:
        score = metric.prepare(whole)
        value = score(None)
    except Undefined as error:
        return MetricValue(name=metric.name, reason=str(error))
    if not np.isfinite(value):
        return MetricValue(name=metric.name, reason="it is beyond all numbers on these rows")
    try:
        low, high = bootstrap.interval(bootstrap.distribution(score, block, count, seed)[0])
    except bootstrap.Indeterminate:
        return MetricValue(name=metric.name, value=value)
    return MetricValue(name=metric.name, value=value, lower=low, upper=high)


def importances(
    engine: Engine, frame: Frame, truth: NDArray[np.generic], schema: handover.Schema, metric: str, seed: int
) -> dict[str, float]:
    """How much worse the metric gets when a column is shuffled; columns without effect have 0. Empty where it has no value."""
    generator = np.random.default_rng(seed)
    sample = np.sort(generator.permutation(rows(frame))[:_SHUFFLED])
    names = [column.name for column in engine.signature.inputs]
    part, truth = take({name: frame[name] for name in names}, sample), truth[sample]
    measure = metrics.find(metric, schema.task)
    order = generator.permutation(len(sample))

    def value(changed: dict[str, Column]) -> float:
        said = judged(engine.predict(changed), engine.signature.classes, schema, truth)
        return measure.sign * metrics.value(measure, said)

    try:
        whole = value(part)
        return {name: round(whole - value(part | {name: part[name][order]}), 6) for name in names}
    except Undefined:
        return {}
