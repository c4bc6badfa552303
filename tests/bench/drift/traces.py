"""What a detector answered for one sample, and what follows: alarms, false ones, delays, thresholds. Pure."""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from scipy import special

MISSED = math.inf
"""Delay of an alarm that never came."""


class Alarm(NamedTuple):
    """Raised when so many rows were seen; of a column, by its name, or of all together."""

    row: int
    column: str | None


Threshold: TypeAlias = float
"""A bar for scores; of a detector that fires, the number of one of its settings."""


@dataclass(frozen=True)
class Trace:
    """One detector on one sample."""

    columns: tuple[str, ...]
    ends: tuple[int, ...]
    """Rows seen when each window ended."""
    default: Threshold
    scores: tuple[tuple[float | None, ...], ...] = ()
    """Of each window and column; a detector of all columns together has one."""
    fired: tuple[tuple[Alarm, ...], ...] = ()
    """By setting, from the loosest to the strictest."""

    def alarms(self, threshold: Threshold | None) -> tuple[Alarm, ...]:
        """In order of rows. None: nothing is strict enough, so none."""
        if threshold is None:
            return ()
        if self.fired:
            return self.fired[int(threshold)]
        return tuple(
            Alarm(end, self.columns[i] if len(scores) == len(self.columns) else None)
            for end, scores in zip(self.ends, self.scores, strict=True)
            for i, score in enumerate(scores)
            if score is not None and score >= threshold
        )

    def windows(self, threshold: Threshold | None) -> set[int]:
        """Windows with an alarm."""
        return {bisect.bisect_left(self.ends, alarm.row) for alarm in self.alarms(threshold)}


def trace(answer: dict[str, Any], detector: str, ends: Sequence[int]) -> Trace:
    """From an answer of `peers/protocol.py`."""
    columns, found = tuple(answer["columns"]), answer["detectors"][detector]
    if "scores" in found:
        scores = tuple(map(tuple, found["scores"]))
        return Trace(columns, tuple(ends[: len(scores)]), found["bar"], scores=scores)
    fired = tuple(
        tuple(Alarm(row, None if place is None else columns[place]) for row, place in alarms)
        for alarms in found["fired"]
    )
    return Trace(columns, tuple(ends), found["default"], fired=fired)


def onsets(windows: set[int]) -> int:
    """How many times an alarm begins: windows with one behind a window without.

    >>> onsets({0, 1, 2, 7})
    2
    """
    return sum(window - 1 not in windows for window in windows)


def calibrated(traces: Sequence[Trace], share: float) -> Threshold | None:
    """The loosest threshold with alarms in at most that share of the windows; None when no setting is strict enough.

    >>> calm = Trace(("x",), (10, 20, 30), 1.0, scores=((0.2,), (0.9,), (0.4,)))
    >>> [round(calibrated([calm], share), 6) for share in (0, 0.5)]
    [0.9, 0.4]
    """
    allowed = int(share * sum(len(each.ends) for each in traces))
    if traces[0].fired:
        settings = range(len(traces[0].fired))
        quiet = (s for s in settings if sum(len(each.windows(s)) for each in traces) <= allowed)
        return next(quiet, None)
    known = ([s for s in scores if s is not None] for each in traces for scores in each.scores)
    highest = sorted((max(scores) for scores in known if scores), reverse=True)
    return math.nextafter(highest[allowed], math.inf) if allowed < len(highest) else -math.inf


def delay(alarms: Sequence[Alarm], change: int) -> float:
    """Rows from the change, after so many rows, to the first alarm behind it.

    >>> delay((Alarm(40, None), Alarm(130, "x")), 100), delay((), 100)
    (30, inf)
    """
    return next((alarm.row - change for alarm in alarms if alarm.row > change), MISSED)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least that share does not exceed; a miss is beyond all.

    >>> quantile([500, MISSED, 1000], 0.5), quantile([500, MISSED], 0.9)
    (1000, inf)
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


class Named(NamedTuple):
    """How often columns were named after a change, over all windows: rightly, wrongly, and not at all."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        named = self.right + self.wrong
        return self.right / named if named else None

    @property
    def recall(self) -> float | None:
        due = self.right + self.missed
        return self.right / due if due else None


def named(trace: Trace, threshold: Threshold | None, change: int, drifted: Sequence[str]) -> Named:
    """Columns named in the windows from `change` on, beside those that drifted."""
    windows = len(trace.ends) - change
    found = {
        (bisect.bisect_left(trace.ends, alarm.row), alarm.column)
        for alarm in trace.alarms(threshold)
        if alarm.column is not None
    }
    after = [column for window, column in found if window >= change]
    right = sum(column in drifted for column in after)
    return Named(right, len(after) - right, windows * len(drifted) - right)


def interval(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share.

    >>> [round(bound, 4) for bound in interval(0, 100)]
    [0.0, 0.0362]
    """
    tail = (1 - level) / 2
    low = float(special.betaincinv(hits, of - hits + 1, tail)) if hits else 0.0
    high = float(special.betaincinv(hits + 1, of - hits, 1 - tail)) if hits < of else 1.0
    return low, high
