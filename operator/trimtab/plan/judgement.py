"""What the verdicts on a deployment's traffic mean for its status. Figures in it change only when the verdict does.

A verdict speaks of the version that serves; of another one nothing is known yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.api.reasons import named
from trimtab.drift import sentences
from trimtab.drift.quality import Quality
from trimtab.drift.verdicts import Verdict
from trimtab.plan import conditions
from trimtab.plan.conditions import FALSE, TRUE, UNKNOWN, Finding
from trimtab.plan.intent import Object

SHOWN = 10
LARGEST_PART = 99_999
"""A part of a duration has at most five digits."""
SILENT = Finding(Type.DATA_QUALITY, UNKNOWN, Why.TOO_FEW_ROWS, "no rows have been counted yet")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the monitor has to say of one version: a verdict, or the reason why there is none."""

    digest: str
    """Of the artifact that was judged."""
    window_seconds: float
    verdict: Verdict | None = None
    quality: Quality | None = None
    reason: Why = Why.TOO_FEW_ROWS
    message: str = "no rows have been counted yet"


_STATUS = {"InDistribution": TRUE, "Drifting": FALSE, "Unknown": UNKNOWN}
_REASONS = {
    "NoDrift": Why.NO_DRIFT,
    "FeatureDrift": Why.FEATURE_DRIFT,
    "PredictionDrift": Why.PREDICTION_DRIFT,
    "TooFewRows": Why.TOO_FEW_ROWS,
    "NothingToJudge": Why.NO_REFERENCE,
}


def drift(judged: Judgement | None, digest: str | None, old: Mapping[str, Any]) -> tuple[Object | None, list[Finding]]:
    """`status.drift`, and the conditions InDistribution and DataQuality. `digest` of the version that serves."""
    if judged is None and digest is not None and digest == _stable_digest(old) and old.get("drift"):
        return dict(old["drift"]), _as_it_stands(old)  # an operator that just started knows nothing better
    if judged is None or judged.digest != digest:
        finding = Finding(Type.IN_DISTRIBUTION, UNKNOWN, Why.TOO_FEW_ROWS, "no rows have been counted yet")
        return {"verdict": "Unknown", "reason": str(Why.TOO_FEW_ROWS)}, [finding, SILENT]
    if judged.verdict is None:
        finding = Finding(Type.IN_DISTRIBUTION, UNKNOWN, judged.reason, judged.message)
        return {"verdict": "Unknown", "reason": str(judged.reason)}, [_unchanged(finding, old), _quality(judged, old)]
    told = _told(judged.verdict, judged.window_seconds)
    before = old.get("drift", {})
    finding = Finding(
        Type.IN_DISTRIBUTION, _STATUS[judged.verdict.verdict], _REASONS[judged.verdict.reason], judged.verdict.message
    )
    if _essence(before) == _essence(told) and _same_features(before, judged.verdict):
        return dict(before), [_unchanged(finding, old), _quality(judged, old)]
    return told, [finding, _quality(judged, old)]


def unknown(judged: Judgement) -> str | None:
    """The reason why nothing is said of drift, as the condition gives it; None where there is a verdict."""
    if judged.verdict is None:
        return str(judged.reason)
    return str(_REASONS[judged.verdict.reason]) if judged.verdict.verdict == "Unknown" else None


def _stable_digest(old: Mapping[str, Any]) -> str | None:
    """The version that the last status called Stable: its verdicts are of that one."""
    return next((entry["digest"] for entry in old.get("versions", ()) if entry["role"] == "Stable"), None)


def _as_it_stands(old: Mapping[str, Any]) -> list[Finding]:
    """The verdicts of the last status, word for word."""
    told = []
    for kind in (Type.IN_DISTRIBUTION, Type.DATA_QUALITY):
        entry = conditions.find(old, kind)
        reason = named(entry["reason"], Why) if entry is not None else None
        if entry is None or reason is None:
            told.append(Finding(kind, UNKNOWN, Why.TOO_FEW_ROWS, SILENT.message))
        else:
            told.append(Finding(kind, entry["status"], reason, entry["message"]))
    return told


def _essence(drift: Mapping[str, Any]) -> tuple[Any, ...]:
    """What must change for the figures to be written anew, beside the set of features."""
    return drift.get("verdict"), drift.get("severity"), drift.get("reason")


def _same_features(before: Mapping[str, Any], verdict: Verdict) -> bool:
    """Whether the features that were shown are those that drift; of more than are shown, whether they still do."""
    shown = {feature["name"] for feature in before.get("features", ())}
    drifting = {shift.name for shift in verdict.features if shift.verdict == "Drifting"}
    return shown == drifting if len(drifting) <= SHOWN else len(shown) == SHOWN and shown <= drifting


def _unchanged(finding: Finding, old: Mapping[str, Any], kind: Type = Type.IN_DISTRIBUTION) -> Finding:
    """The sentence that was told when the verdict was new: its figures stay with it."""
    entry = conditions.find(old, kind)
    if entry is None or entry["status"] != finding.status or entry["reason"] != str(finding.reason):
        return finding
    return Finding(finding.type, finding.status, finding.reason, entry["message"])


def _told(verdict: Verdict, window_seconds: float) -> Object:
    told: Object = {"verdict": verdict.verdict, "reason": str(_REASONS[verdict.reason])}
    if verdict.severity is not None:
        told["severity"] = verdict.severity
    if verdict.verdict != "Unknown":
        told |= {"scale": duration(verdict.scale * window_seconds), "rows": verdict.rows}
    shifts = [shift for shift in verdict.features if shift.verdict == "Drifting"]
    worst = sorted(shifts, key=lambda shift: (-(shift.psi or 0.0), shift.name))[:SHOWN]
    if worst:
        told["features"] = [
            {
                "name": shift.name,
                "severity": shift.severity or "Minor",
                "shift": round(max(0.0, shift.psi or 0.0), 4),
                "tolerated": round(max(0.0, shift.threshold or 0.0), 4),
            }
            for shift in worst
        ]
    return told


_FAULTS = {
    "Missing": Why.VALUES_MISSING,
    "Invalid": Why.VALUES_INVALID,
    "Vanished": Why.COLUMN_VANISHED,
    "Frozen": Why.FEED_FROZEN,
}


def _quality(judged: Judgement, old: Mapping[str, Any]) -> Finding:
    found = judged.quality
    if found is None or found.verdict == "Unknown":
        return SILENT
    if found.verdict == "Sound":
        return Finding(Type.DATA_QUALITY, TRUE, Why.VALUES_VALID, "no column is missing, invalid or frozen")
    worst = max(found.faults, key=lambda fault: (fault.share, fault.column))
    told = Finding(Type.DATA_QUALITY, FALSE, _FAULTS[worst.kind], found.message)
    names = [sentences.shown(fault.column) for fault in found.faults][: sentences.NAMED]
    entry = conditions.find(old, Type.DATA_QUALITY)
    same = entry is not None and all(f"'{name}'" in entry["message"] for name in names)
    return _unchanged(told, old, Type.DATA_QUALITY) if same else told


def duration(seconds: float) -> str:
    """A span of time as the API writes it.

    >>> duration(20), duration(3600), duration(86400), duration(5400), duration(16_800_168)
    ('20s', '1h', '1d', '90m', '194d10h42m48s')
    """
    whole = max(1, round(seconds))
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    for unit, size in units:
        if whole % size == 0 and whole // size <= LARGEST_PART:
            return f"{whole // size}{unit}"
    parts = []
    for unit, size in units:
        number, whole = divmod(whole, size)
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts)
