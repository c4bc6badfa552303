"""How long a run that failed holds back the next one for the same spec and data: for good, unless its reason passes by itself.

Pure: from the runs that are there, and from what the Model's status remembers of those that retention removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.api.reasons import TrainingJobReason as Why
from trimtab.plan import conditions
from trimtab.plan.triggers import Situation, on_spec, opened

FIRST_HOLD, LONGEST_HOLD = 3600.0, 86_400.0
"""Seconds until the next run after one failure that passes, doubled with each one more, and the most it comes to."""
PASSING = frozenset(
    {
        "Unreachable",
        "AccessDenied",
        "NotFound",
        "DiskFull",
        "InternalError",
        Why.DATA_UNREADABLE.value,
        Why.PUBLISH_FAILED.value,
        Why.RETRIES_SPENT.value,
        Why.EVICTED.value,
        Why.JOB_GONE.value,
    }
)
"""Reasons of a run's failure that neither spec nor data are the cause of: store, credentials, node. They may heal unseen."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The newest run that failed on the spec and the data as they are."""

    name: str
    message: str
    until: float | None
    """When the next one may be opened, in seconds since 1970; None: never by itself."""
    run: Mapping[str, Any] | None = None
    """The run, unless retention removed it."""


def last_failed(seen: Situation) -> Failed | None:
    """The failure that holds the next run back, or held it back until its time was over; None: there is none."""
    digest = _digest(seen)
    for run in seen.runs:
        if run.get("status", {}).get("stage") == "Failed" and same_inputs(seen, run, digest):
            failure = run["status"].get("failure", {})
            until = _until(seen, str(failure.get("reason", "")), _ended(run))
            return Failed(run["metadata"]["name"], failure.get("message", ""), until, run)
    if not remembered(seen, digest, failed=True):
        return None
    past: Mapping[str, Any] = seen.last.get("failure", {})
    until = _until(seen, past["reason"], conditions.instant(past["time"])) if past else None
    told = "change one of them, or create a TrainingJob" if until is None else str(past["reason"])
    return Failed(f"{seen.last['trainingJob']}, which is gone,", told, until)


def same_inputs(seen: Situation, run: Mapping[str, Any], digest: str) -> bool:
    """Whether a run was opened for the spec as it is, and for data of this digest."""
    return on_spec(seen, run) and run.get("status", {}).get("dataDigest") == digest


def remembered(seen: Situation, digest: str, *, failed: bool) -> bool:
    """Whether the run that is gone was for this spec and these data, and ended so."""
    return _same_before(seen, seen.removed, digest) and seen.removed_failed is failed


def in_a_row(seen: Situation) -> int:
    """How many runs, one after the other and newest first, failed on this spec and data for a reason that passes.

    Those that retention removed since are known by `lastTrigger.repeats` of the last one.
    """
    own, digest, count = [run for run in seen.runs if opened(run)], _digest(seen), 0
    for run in own:
        if not (same_inputs(seen, run, digest) and _passed(run)):
            break
        count += 1
    last = seen.removed or (seen.last if own and own[0]["metadata"]["name"] == seen.last.get("trainingJob") else {})
    failed = count > 0 or (bool(seen.removed) and last.get("failure", {}).get("reason") in PASSING)
    known = failed and _same_before(seen, last, digest)
    return max(count, int(last.get("repeats", 0)) + 1) if known else count


def failure(run: Mapping[str, Any]) -> dict[str, str] | None:
    """What a Model's status remembers of how a run failed; None while it has not."""
    status = run.get("status", {})
    if status.get("stage") != "Failed":
        return None
    reason = str(status.get("failure", {}).get("reason") or Why.TRAINING_FAILED)
    return {"reason": reason, "time": conditions.timestamp(_ended(run))}


def _digest(seen: Situation) -> str:
    return str((seen.dataset or {}).get("status", {}).get("digest", ""))


def _same_before(seen: Situation, last: Mapping[str, Any], digest: str) -> bool:
    same = last.get("specDigest") == seen.spec_digest and last.get("dataDigest") == digest
    return same and "trainingJob" in last


def _passed(run: Mapping[str, Any]) -> bool:
    return (failure(run) or {}).get("reason") in PASSING


def _ended(run: Mapping[str, Any]) -> float:
    return conditions.instant(run["status"].get("completionTime") or run["metadata"]["creationTimestamp"])


def _until(seen: Situation, reason: str, ended: float) -> float | None:
    if reason not in PASSING:
        return None
    doubled = FIRST_HOLD * 2.0 ** min(max(in_a_row(seen), 1) - 1, 16)
    return ended + min(doubled, LONGEST_HOLD)
