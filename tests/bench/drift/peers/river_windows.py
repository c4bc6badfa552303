# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
"""river's detectors, one for each numeric column, row by row; and those for errors, where a model's are told.

Columns are standardised by the reference: a favour, since PageHinkley's threshold is in the column's unit. Every detector has
seen the reference's newest rows before the stream begins. Each detector is run at its default and at looser
and stricter settings.
"""

from typing import Any

import numpy as np
import protocol
from river import drift
from river.drift import binary

DELTAS = (0.02, 0.002, 1e-4, 1e-6, 1e-9)
THRESHOLDS = (50.0, 100.0, 200.0, 400.0, 800.0)
ALPHAS = (0.005, 1e-4, 1e-7)
PAST = 3000
"""Newest rows of the reference that a detector has seen."""
SIGMAS = (2.5, 3.0, 3.5, 4.0, 5.0, 6.0)
CONFIDENCES = (0.01, 0.001, 1e-5, 1e-8, 1e-12)

COLUMNS: dict[str, tuple[Any, tuple[float, ...], int]] = {
    "river ADWIN": (lambda x: drift.ADWIN(delta=x), DELTAS, 1),
    "river PageHinkley": (lambda x: drift.PageHinkley(threshold=x), THRESHOLDS, 0),
    "river KSWIN": (lambda x: drift.KSWIN(alpha=x, seed=0), ALPHAS, 0),
}
ERRORS: dict[str, tuple[Any, tuple[float, ...], int]] = {
    "river ADWIN, errors": (lambda x: drift.ADWIN(delta=x), DELTAS, 1),
    "river DDM, errors": (lambda x: binary.DDM(drift_threshold=x), SIGMAS, 1),
    "river HDDM_A, errors": (lambda x: binary.HDDM_A(drift_confidence=x), CONFIDENCES, 1),
}
DEFAULT = ["river ADWIN", "river PageHinkley", *ERRORS]


def watch(sample: protocol.Sample, only: list[str] | None) -> dict[str, Any]:
    chosen = only or DEFAULT
    skipped = sum(sample.sizes[: sample.history])
    columns = list(_standardised(sample, skipped))
    made = {}
    for name, (make, settings, default) in COLUMNS.items():
        if name in chosen and columns:
            fired = [_sorted(_fires(make(x), c, past, now) for c, past, now in columns) for x in settings]
            made[name] = {"settings": [str(x) for x in settings], "default": default, "fired": fired}
    for name, (make, settings, default) in ERRORS.items():
        if name in chosen and sample.errors is not None:
            past, now = sample.errors[:skipped].tolist(), sample.errors[skipped:].tolist()
            fired = [_sorted([_fires(make(x), None, past, now)]) for x in settings]
            made[name] = {"settings": [str(x) for x in settings], "default": default, "fired": fired}
    return made


def _standardised(sample: protocol.Sample, skipped: int) -> Any:
    for place, name in enumerate(sample.columns):
        past, now = sample.reference[name], sample.rows[name][skipped:]
        if protocol.is_number(past):
            kept = past[np.isfinite(past)]
            mean, deviation = kept.mean(), kept.std() or 1.0
            yield place, ((kept[-PAST:] - mean) / deviation).tolist(), ((now - mean) / deviation).tolist()


def _fires(detector: Any, column: int | None, past: list[float], now: list[float]) -> list[list[Any]]:
    for value in past:
        detector.update(value)
    found: list[list[Any]] = []
    for seen, value in enumerate(now, 1):
        if value == value:  # NaN is none
            detector.update(value)
            if detector.drift_detected:
                found.append([seen, column])
    return found


def _sorted(parts: Any) -> list[list[Any]]:
    return sorted((fired for part in parts for fired in part), key=lambda fired: fired[0])


def cost(sample: protocol.Sample) -> dict[str, Any]:
    columns = list(_standardised(sample, sum(sample.sizes[: sample.history])))
    found = {}
    for name, rows in (("river ADWIN", 1000), ("river PageHinkley", 1000), ("river KSWIN", 50)):
        make, settings, default = COLUMNS[name]
        parts = [(make(settings[default]), (past[-100:] + now)[: rows + 100]) for _, past, now in columns]
        spent = protocol.spent(lambda: [_fires(d, None, p[:100], p[100:]) for d, p in parts], 3)  # noqa: B023
        found[name] = {"record": 1e6 * spent / (rows + 100), "evaluate": None}
    return found


protocol.serve(watch, cost)
