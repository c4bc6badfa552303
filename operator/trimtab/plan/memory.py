"""What a Model's status must remember: which runs were opened and held back, outliving the runs themselves. Pure."""

from collections.abc import Mapping
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.reasons import ModelReason as Why
from trimtab.api.reasons import named
from trimtab.plan import conditions, patience, triggers
from trimtab.plan.conditions import FALSE, TRUE, UNKNOWN, Finding
from trimtab.plan.guards import Held
from trimtab.plan.intent import Object
from trimtab.plan.triggers import Situation, Wish


def opened(old: Mapping[str, Any], seen: Situation, asked: Wish | None, run: Object | None, now: float) -> Object:
    """The last trigger, and the spec for which there was a run."""
    kept: Object = {key: old[key] for key in ("lastTrigger", "specDigest") if key in old}
    if (failure := _failure(seen)) is not None:
        kept["lastTrigger"] = {**kept["lastTrigger"], "failure": failure}
    if run is not None and asked is not None and seen.dataset is not None:
        if kept.get("lastTrigger", {}).get("trainingJob") != run["metadata"]["name"]:
            kept["lastTrigger"] = {
                "type": str(asked.cause),
                "message": conditions.sentence(asked.message),
                "time": conditions.timestamp(now),
                "trainingJob": run["metadata"]["name"],
                "specDigest": seen.spec_digest,
                "dataDigest": seen.dataset["status"]["digest"],
                **({"name": asked.trigger} if asked.trigger else {}),
                **({"repeats": repeats} if (repeats := patience.in_a_row(seen)) else {}),
            }
        kept["specDigest"] = seen.spec_digest
    elif ("specDigest" not in kept and (seen.versions or seen.runs)) or triggers.covered(seen):
        kept["specDigest"] = seen.spec_digest
    return kept


def _failure(seen: Situation) -> Object | None:
    """How the run that was opened last failed, where it is there to say so."""
    named = (run for run in seen.runs if run["metadata"]["name"] == seen.last.get("trainingJob"))
    return next((failure for run in named if (failure := patience.failure(run)) is not None), None)


def removed(old: Mapping[str, Any], runs: list[Object]) -> Mapping[str, Any]:
    """The last trigger when its run is gone and none is newer, else nothing. `runs` are newest first."""
    last: Mapping[str, Any] = old.get("lastTrigger", {})
    if "trainingJob" not in last or any(run["metadata"]["name"] == last["trainingJob"] for run in runs):
        return {}
    newer = runs and runs[0]["metadata"]["creationTimestamp"] > last.get("time", "")
    return {} if newer else last


def failed(old: Mapping[str, Any]) -> bool:
    """Whether the newest run is remembered as one that failed."""
    entry = conditions.find(old, Type.TRAINED)
    return entry is not None and entry["status"] == FALSE


def suppressed(old: Mapping[str, Any], held: Held, now: float) -> Object:
    """Why a run is not opened, and since when it has been so."""
    before = old.get("suppressed", {})
    same = before.get("reason") == str(held.reason)
    told: Object = {
        "reason": str(held.reason),
        "since": before["since"] if same else conditions.timestamp(now),
        "message": conditions.sentence(held.message),
    }
    return {**told, "trigger": held.wish.trigger} if held.wish.trigger else told


def look_request(old: Mapping[str, Any], seen: Situation, held: Held, now: float) -> str:
    """A new request, unless one is out that no look has answered yet."""
    look = ((seen.dataset or {}).get("status", {}).get("look") or {}).get("time", "")
    before = str(old.get("lookRequestTime", ""))
    outstanding = before > look and conditions.instant(before) >= held.wish.since if before else False
    return before if outstanding else conditions.timestamp(max(now, held.wish.since))


def trained(old: Mapping[str, Any], seen: Situation, held: Held | None) -> Finding:
    """How the newest run ended; of one that retention removed, how it had ended. And when another one follows."""
    before = conditions.find(old, Type.TRAINED)
    if seen.removed and before is not None and before["status"] != UNKNOWN:
        return Finding(Type.TRAINED, before["status"], named(before["reason"], Why) or Why.NO_RUN, before["message"])
    if not seen.runs:
        return Finding(Type.TRAINED, UNKNOWN, Why.NO_RUN, "no run has been opened yet")
    last = seen.runs[0]
    name, status = last["metadata"]["name"], last.get("status", {})
    if status.get("stage") == "Succeeded":
        return Finding(Type.TRAINED, TRUE, Why.VERSION_PUBLISHED, f"TrainingJob {name} left a version behind")
    if status.get("stage") == "Failed":
        text = status.get("failure", {}).get("message", "see its status")
        again = f"; another run is opened at {conditions.timestamp(held.until)}" if held and held.until else ""
        return Finding(Type.TRAINED, FALSE, Why.RUN_FAILED, f"TrainingJob {name} failed{again}: {text}")
    return Finding(Type.TRAINED, UNKNOWN, Why.RUNNING, f"TrainingJob {name} has not ended")
