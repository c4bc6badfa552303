"""From what a user states to what a test needs: how often one false alarm is acceptable, and which shift is too small
to matter. Pure arithmetic on the standard library.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from trimtab.drift.profile import Reference, total

STRIDES = {1: 1, 6: 1, 24: 3, 168: 24}
"""Scales in base windows, and every how many of them each is judged."""

Sensitivity: TypeAlias = Literal["Low", "Medium", "High"]

TOLERATED: dict[Sensitivity, float] = {"High": 0.005, "Medium": 0.02, "Low": 0.05}
"""PSI that counts as no shift. 0.005, 0.02 and 0.05 are means moved by 0.07, 0.14 and 0.22 standard deviations. Less
sees more and alarms more: with 0 an unlucky reference alarms for ever once windows have more rows than it."""

SMALL = 5000
"""Reference rows below which the reference itself is uncertain by more than the finest preset."""

TOLERATED_SMALL = 0.01
"""PSI tolerated at least of a reference with fewer rows than that."""

HIGHEST_LEVEL = 0.05
"""Level that no test exceeds, however long the window and short the time between acceptable false alarms."""


@dataclass(frozen=True)
class Settings:
    """What the user states of the monitoring of one deployment."""

    window_seconds: float
    """Length of the base window."""
    false_alarm_every_seconds: float
    """Time in which one false alarm is acceptable, for each family of verdicts."""
    sensitivity: Sensitivity = "Medium"
    """How small a shift is tolerated."""
    exclude: frozenset[str] = frozenset()
    """Features that are counted but not judged."""


def level(settings: Settings, scale: int) -> float:
    """Level q of all tests of one family at one scale, taken together.

    q = window / (false alarm every * 4 scales) * stride. Each scale gets a fourth of the budget. One that is judged
    every k-th window may use k times the level: its false alarms per time stay the same, and it sees smaller shifts.
    The sum over the scales is one expected false alarm in the stated time, whatever the dependence between windows,
    as long as rows of a window are exchangeable with the reference's. Twice the time costs little power: ln 2 on a
    scale on which large windows have hundreds.

    >>> hourly = Settings(window_seconds=3600, false_alarm_every_seconds=90 * 86400)
    >>> round(level(hourly, 1), 7), round(level(hourly, 24), 7)
    (0.0001157, 0.0003472)
    """
    share = settings.window_seconds / (settings.false_alarm_every_seconds * len(STRIDES))
    return min(HIGHEST_LEVEL, share * STRIDES[scale])


def tolerated(reference: Reference, settings: Settings) -> float:
    """Shift of this reference, as PSI, that counts as none: the largest of the preset, of what the model passed its
    gates across, and of 0.01 below 5,000 reference rows (at 500 rows and 0, 8 false alarms come where 1 is promised).

    >>> from trimtab.drift.profile import NumberReference
    >>> few = NumberReference("x", (0.5,), (300, 200), 0.0, 1.0, 0, 0.0, "")
    >>> tolerated(few, Settings(3600, 7776000, "High")), tolerated(few, Settings(3600, 7776000, "Low"))
    (0.01, 0.05)
    """
    least = TOLERATED_SMALL if total(reference) < SMALL else 0.0
    return max(TOLERATED[settings.sensitivity], reference.tolerance, least)
