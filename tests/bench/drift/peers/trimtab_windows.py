# mypy: disable-error-code="import-not-found,misc"
"""Trimtab, through the functions that a serving pod and the operator call: references, counting, windows, verdicts, quality.

At its defaults; and at the budget of one false alarm in as many windows as peers' thresholds are set on, so that both have the
same rate. Counts come from one pod, and only ever grow.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import protocol

from trimtab.drift import counting, quality, references, verdicts, windows
from trimtab.drift.budget import Settings
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Profile, Reference
from trimtab.drift.vectors import Counted
from trimtab.drift.windows import Source, Window

HOUR = 3600.0
DEFAULT = Settings(HOUR, 90 * 86400)
SAME_RATE = 320
"""Windows in which one false alarm is acceptable at the peers' rate."""
EQUAL = Settings(HOUR, SAME_RATE * HOUR)
SCORE = "score"
NEWER = 0.8


def watch(sample: protocol.Sample, only: list[str] | None) -> dict[str, Any]:
    """`only`: drift at its defaults and nothing else, where that is all that is asked."""
    profile = profiled(sample)
    budgets = {"default": DEFAULT} if only else {"peers' rate": EQUAL, "default": DEFAULT}
    found: dict[str, list[list[list[Any]]]] = {
        name: [[] for _ in budgets] for name in only or ["Trimtab", "Trimtab quality"]
    }
    place = {name: i for i, name in enumerate(sample.columns)}
    seen = 0
    for size, due in zip(sample.sizes[sample.history :], _due(profile, sample), strict=True):
        seen += size
        for i, settings in enumerate(budgets.values()):
            for name, fired in found.items():
                fired[i] += [[seen, place[column]] for column in ASKED[name](profile, due, settings)]
    made = {"settings": list(budgets), "default": len(budgets) - 1}
    return {name: {**made, "fired": fired} for name, fired in found.items()}


def profiled(sample: protocol.Sample) -> Profile:
    """What the training pod would have made of the reference."""
    rows = len(next(iter(sample.reference.values())))
    newer = np.arange(rows) >= NEWER * rows if sample.ordered else None
    features = [_reference(n, values, newer) for n, values in sample.reference.items() if n != SCORE]
    score = references.score(SCORE, sample.reference[SCORE]) if SCORE in sample.reference else None
    return Profile(rows, tuple(features), None, score)


def _reference(name: str, values: Any, newer: Any) -> Reference:
    if protocol.is_number(values):
        return references.number(name, values, newer)
    return references.category(name, values.astype(object), newer)


def _due(profile: Profile, sample: protocol.Sample) -> Iterator[dict[int, Window]]:
    """The windows due after each base window behind the history."""
    ledger = windows.begin(profile, HOUR, 0)
    total: Counted | None = None
    for hour, window in enumerate(sample.windows()):
        total = _added(total, counted(profile, window))
        ledger, problem = windows.absorb(ledger, Source("pod", "boot"), hour + 1, total, hour * HOUR)
        assert problem is None, problem
        ledger = windows.close(ledger, (hour + 1) * HOUR)
        if hour >= sample.history:
            yield windows.by_scale(ledger)


def counted(profile: Profile, window: dict[str, Any]) -> Counted:
    """What a pod counts of one window."""
    rows = len(next(iter(window.values())))
    features = {reference.name: _count(reference, window[reference.name]) for reference in profile.features}
    return Counted(rows, features, None, _count(profile.score, window[SCORE]) if profile.score else None)


def _count(reference: Reference, values: Any) -> FeatureCounts:
    return counting.count(reference, values if protocol.is_number(values) else values.astype(object))


def _added(total: Counted | None, more: Counted) -> Counted:
    if total is None:
        return more
    features = {name: counting.add(total.features[name], counts) for name, counts in more.features.items()}
    score = counting.add(total.score, more.score) if total.score and more.score else None
    return Counted(total.rows + more.rows, features, None, score)


def _drifted(profile: Profile, due: dict[int, Window], settings: Settings) -> list[str]:
    verdict = verdicts.judge(profile, due, settings)
    if verdict.verdict != "Drifting":
        return []
    shifts = [*verdict.features, *([verdict.score] if verdict.score else [])]
    return [shift.name for shift in shifts if shift.verdict == "Drifting"]


def _faulty(profile: Profile, due: dict[int, Window], settings: Settings) -> list[str]:
    return [fault.column for fault in quality.judge(profile, due, settings).faults]


ASKED = {"Trimtab": _drifted, "Trimtab quality": _faulty}


def cost(sample: protocol.Sample) -> dict[str, Any]:
    profile, window = profiled(sample), next(sample.shown())
    record = protocol.spent(lambda: counted(profile, window), 30) / len(next(iter(window.values())))
    ledger = windows.begin(profile, HOUR, 0)
    for hour, each in enumerate(sample.windows()):
        ledger, _ = windows.absorb(ledger, Source(str(hour), ""), 1, counted(profile, each), hour * HOUR)
        ledger = windows.close(windows.forget(ledger, set()), (hour + 1) * HOUR)
    columns = [(reference, window[reference.name]) for reference in profile.features]
    single = protocol.spent(lambda: [counting.count(r, v[i : i + 1]) for i in range(50) for r, v in columns], 10) / 50
    return {
        "Trimtab": {"record": 1e6 * record, "evaluate": 1e3 * protocol.spent(lambda: _judged(profile, ledger), 50)},
        "Trimtab, row by row": {"record": 1e6 * single, "evaluate": None},
    }


def _judged(profile: Profile, ledger: windows.Ledger) -> None:
    due = windows.by_scale(ledger)
    verdicts.judge(profile, due, DEFAULT)
    quality.judge(profile, due, DEFAULT)


if __name__ == "__main__":
    protocol.serve(watch, cost)
