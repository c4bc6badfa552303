"""From outcomes to conditions: the one place that knows what Ready, Reconciling and Stalled mean and when a transition is new.

A time is written only when a status flips, so a status that says the same is equal to the last one.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.outcomes import Outcome, Stalled, Waiting
from trimtab.api.reasons import Reason
from trimtab.api.texts import CONTROL

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"
MESSAGE_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition before it is known whether it is news."""

    type: Type
    status: str
    reason: Reason
    message: str


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, to the second.

    >>> timestamp(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time.

    >>> instant("1970-01-01T00:01:00Z")
    60.0
    """
    return datetime.datetime.fromisoformat(text).timestamp()


def sentence(text: str) -> str:
    """Text as a status and an Event take it, wherever it came from: valid, without control characters, bounded.

    >>> sentence("no\\x1b such\\ud800 file")
    'no such? file'
    """
    clean = CONTROL.sub("", text.encode("utf-8", "replace").decode())
    return clean if len(clean) <= MESSAGE_LENGTH else clean[: MESSAGE_LENGTH - 1] + "…"


def summary(outcome: Outcome | None, *, reason: Reason, message: str) -> list[Finding]:
    """Ready, and Reconciling or Stalled beside it. `reason` and `message` are said when nothing is in the way."""
    if outcome is None:
        return [Finding(Type.READY, TRUE, reason, message)]
    abnormal = Type.STALLED if isinstance(outcome, Stalled) else Type.RECONCILING
    return [
        Finding(Type.READY, FALSE, outcome.reason, outcome.message),
        Finding(abnormal, TRUE, outcome.reason, outcome.message),
    ]


def again(outcome: Outcome | None) -> float | None:
    """Seconds after which an outcome asks for another look."""
    return outcome.after if isinstance(outcome, Waiting) else None


def merge(
    old: Sequence[Mapping[str, Any]], findings: Iterable[Finding], *, generation: int, now: float
) -> list[dict[str, Any]]:
    """The list of conditions, each keeping its transition time while its status stays. Sorted by type."""
    known = {entry["type"]: entry for entry in old}
    merged = [_entry(known.get(finding.type), finding, generation, now) for finding in findings]
    return sorted(merged, key=lambda entry: str(entry["type"]))


def _entry(old: Mapping[str, Any] | None, finding: Finding, generation: int, now: float) -> dict[str, Any]:
    same = old is not None and old["status"] == finding.status
    return {
        "type": str(finding.type),
        "status": finding.status,
        "reason": str(finding.reason),
        "message": sentence(finding.message),
        "lastTransitionTime": old["lastTransitionTime"] if old is not None and same else timestamp(now),
        "observedGeneration": generation,
    }


def refuse(
    status: Mapping[str, Any], *, reason: Reason, message: str, stalled: bool, generation: int, now: float
) -> dict[str, Any]:
    """A status in which Ready is False because the API server, or another owner, stood in the way."""
    outcome: Outcome = Stalled(reason, message) if stalled else Waiting(reason, 0.0, message)
    kept = [
        entry
        for entry in status.get("conditions", ())
        if entry["type"] not in (Type.READY, Type.RECONCILING, Type.STALLED)
    ]
    told = merge(
        status.get("conditions", ()), summary(outcome, reason=reason, message=""), generation=generation, now=now
    )
    conditions = sorted([*kept, *told], key=lambda entry: str(entry["type"]))
    return {**status, "observedGeneration": generation, "conditions": conditions}


def find(status: Mapping[str, Any], kind: Type) -> Mapping[str, Any] | None:
    """A condition of an object's status, or None."""
    return next((entry for entry in status.get("conditions", ()) if entry["type"] == kind), None)


def holds(status: Mapping[str, Any], kind: Type) -> bool:
    """Whether a condition is True."""
    entry = find(status, kind)
    return entry is not None and entry["status"] == TRUE
