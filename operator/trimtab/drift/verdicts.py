"""The verdict on one deployment's traffic to one version: drifting, in distribution, or honestly unknown.

Pure. It puts together what `shifts` finds at every scale: a large shift shows in one base window, a small one in a
week of them. A verdict comes from the scales that can judge, and is Unknown only when none can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from trimtab.drift import sentences, shifts
from trimtab.drift.budget import Settings
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Profile, Reference
from trimtab.drift.shifts import Severity, Shift
from trimtab.drift.windows import Window

Reason: TypeAlias = Literal["NoDrift", "FeatureDrift", "PredictionDrift", "TooFewRows", "NothingToJudge"]


@dataclass(frozen=True)
class Scale:
    """What one scale says."""

    scale: int
    """Base windows summed."""
    rows: int
    """All rows of the window."""
    features: tuple[Shift, ...]
    predictions: Shift | None
    score: Shift | None


@dataclass(frozen=True)
class Verdict:
    """What all scales say together."""

    verdict: shifts.Verdict
    reason: Reason
    severity: Severity | None
    """Of the worst column; None unless drifting."""
    scale: int
    """Base windows in the window that the verdict is told of; 0 when no window was given."""
    rows: int
    """Rows of that window."""
    wanted: int
    """Rows still missing when there are too few."""
    features: tuple[Shift, ...]
    """One per judged feature, in the profile's order, at the scale that says most of it."""
    predictions: Shift | None
    score: Shift | None
    message: str
    scales: tuple[Scale, ...]
    """Every scale by itself, shortest first."""


class _Findings(NamedTuple):
    scales: tuple[Scale, ...]
    features: tuple[Shift, ...]
    predictions: Shift | None
    score: Shift | None

    def named(self, verdict: shifts.Verdict) -> list[tuple[str, Shift]]:
        """The columns with this verdict and what to call each; no feature's name is mistaken for an output's."""
        features = [(f"'{sentences.shown(shift.name)}'", shift) for shift in self.features]
        outputs = [(name, s) for name, s in (("the predictions", self.predictions), ("the score", self.score)) if s]
        return [(name, shift) for name, shift in (*features, *outputs) if shift.verdict == verdict]


def judge(profile: Profile, seen: Mapping[int, Window], settings: Settings, phi: float = 1.0) -> Verdict:
    """Judge the windows due, by scale, as `windows.by_scale` gives them.

    Without a shift beyond what is tolerated, one false alarm is to be expected in the time that `settings` states,
    whatever the number of features and replicas and the size of windows. A longer scale is judged again only when
    its window moves on, so its verdict, right or wrong, stays for up to 3 base windows (24) or 24 (168).

    Args:
        profile: the reference of the version that served.
        seen: the windows to judge; a scale left out is not judged.
        settings: budget, tolerated shift, features left out.
        phi: over-dispersion, see `shifts.judge`. Without times in the reference it is 1: right for rows that come
            independently, too eager where one window's rows resemble one another, as an hour's weather does.
    """
    scales = tuple(_scale(profile, seen[scale], settings, phi) for scale in sorted(seen))
    found = _Findings(
        scales=scales,
        features=tuple(max(column, key=_weight) for column in zip(*(scale.features for scale in scales), strict=True)),
        predictions=_chief([scale.predictions for scale in scales]),
        score=_chief([scale.score for scale in scales]),
    )
    return _drifting(found, settings) or _in_distribution(found, settings) or _unknown(found, settings)


def _scale(profile: Profile, window: Window, settings: Settings, phi: float) -> Scale:
    """Features, predictions and score of one window share its level: they are one family."""
    counted = window.counted
    columns: list[tuple[Reference, FeatureCounts]] = [
        (reference, counted.features[reference.name])
        for reference in profile.features
        if reference.name not in settings.exclude
    ]
    outputs = [(profile.predictions, counted.predictions), (profile.score, counted.score)]
    present = [(reference, counts) for reference, counts in outputs if reference is not None and counts is not None]
    judged = iter(shifts.judge([*columns, *present], window.scale, settings, phi))
    features = tuple(next(judged) for _ in columns)
    ends = [next(judged) if reference is not None and counts is not None else None for reference, counts in outputs]
    return Scale(window.scale, counted.rows, features, *ends)


def _weight(shift: Shift) -> tuple[int, int, float]:
    """What a column at one scale says, by how much it says: drift before none before unknown; of drift, the more
    severe and then the shorter, hence newer, window; otherwise the one with more rows."""
    if shift.verdict == "Drifting":
        return 2, ("Minor", "Moderate", "Major").index(shift.severity or "Minor"), -shift.scale
    return int(shift.verdict == "InDistribution"), shift.rows, shift.scale


def _chief(column: Sequence[Shift | None]) -> Shift | None:
    return max((shift for shift in column if shift is not None), key=_weight, default=None)


def _drifting(found: _Findings, settings: Settings) -> Verdict | None:
    drifted = found.named("Drifting")
    if not drifted:
        return None
    reason: Reason = "FeatureDrift" if any(s.verdict == "Drifting" for s in found.features) else "PredictionDrift"
    message = sentences.drifting(drifted, len(found.features), settings.window_seconds)
    return _verdict(found, "Drifting", reason, max((shift for _, shift in drifted), key=_weight), message)


def _in_distribution(found: _Findings, settings: Settings) -> Verdict | None:
    judged = found.named("InDistribution")
    if not judged:
        return None
    chief = max((shift for _, shift in judged), key=_weight)
    span = chief.scale * settings.window_seconds
    message = sentences.in_distribution(len(judged), _rows(found, chief), span, found.named("Unknown"))
    return _verdict(found, "InDistribution", "NoDrift", chief, message)


def _unknown(found: _Findings, settings: Settings) -> Verdict:
    unknown = found.named("Unknown")
    hungry = [shift for _, shift in unknown if shift.reason == "TooFewRows"]
    empty = [shift for _, shift in unknown if shift.reason == "Missing"]
    if empty and not hungry:
        least = min(empty, key=lambda shift: shift.wanted)
        told = sentences.missing(unknown, _rows(found, least), least.scale * settings.window_seconds)
        return _verdict(found, "Unknown", "TooFewRows", least, told, least.wanted)
    if not hungry:
        chief = unknown[0][1] if unknown else None
        return _verdict(found, "Unknown", "NothingToJudge", chief, sentences.nothing(unknown))
    chief = min(hungry, key=lambda shift: shift.wanted)
    message = sentences.too_few(_rows(found, chief), chief.scale * settings.window_seconds, chief.wanted)
    return _verdict(found, "Unknown", "TooFewRows", chief, message, chief.wanted)


def _rows(found: _Findings, chief: Shift) -> int:
    return next(scale.rows for scale in found.scales if scale.scale == chief.scale)


def _verdict(
    found: _Findings, verdict: shifts.Verdict, reason: Reason, chief: Shift | None, message: str, wanted: int = 0
) -> Verdict:
    return Verdict(
        verdict=verdict,
        reason=reason,
        severity=chief.severity if chief else None,
        scale=chief.scale if chief else 0,
        rows=_rows(found, chief) if chief else 0,
        wanted=wanted,
        features=found.features,
        predictions=found.predictions,
        score=found.score,
        message=message,
        scales=found.scales,
    )
