"""What holds back a run that is wanted: ordered checks, of which the first that objects is told on the Model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.model import RetrainingMode, RunCause
from trimtab.api.quantities import parse_duration
from trimtab.api.reasons import CommonReason, DatasetReason, Reason
from trimtab.api.reasons import ModelReason as Why
from trimtab.plan import conditions, patience
from trimtab.plan.dataset import spec_digest
from trimtab.plan.patience import same_inputs
from trimtab.plan.triggers import Situation, Wish

LOOK_EVERY = 3600.0
"""Seconds between two looks at data that a drift trigger found unchanged."""


@dataclass(frozen=True, slots=True)
class Held:
    """The run is not opened. `look`: the data shall be looked at first. `again`: seconds until it may be otherwise."""

    wish: Wish
    reason: Reason
    message: str
    look: bool = False
    again: float | None = None
    until: float | None = None
    """When a run that failed is followed by another one, in seconds since 1970; None: not by itself."""


def _active(seen: Situation, asked: Wish, now: float) -> Held | None:
    run = next((run for run in seen.runs if run.get("status", {}).get("stage") not in ("Succeeded", "Failed")), None)
    if run is None:
        return None
    return Held(asked, Why.RUN_ACTIVE, f"TrainingJob {run['metadata']['name']} has not ended")


def _cooldown(seen: Situation, asked: Wish, now: float) -> Held | None:
    if asked.cause is not RunCause.DRIFT or not seen.last_drift_run:
        return None
    left = seen.last_drift_run + parse_duration(seen.spec.retraining.cooldown) - now
    if left <= 0:
        return None
    until = conditions.timestamp(seen.last_drift_run + parse_duration(seen.spec.retraining.cooldown))
    return Held(asked, Why.COOLDOWN_ACTIVE, f"{asked.message}; the cooldown lasts until {until}", again=left)


def _unlooked(seen: Situation, asked: Wish, now: float) -> Held | None:
    """The data must have been looked at, after the trigger came, before anything is said of them."""
    name = seen.spec.training.data.dataset_ref.name
    if seen.dataset is None:
        text = f"{asked.message}; there is no Dataset {name} in this namespace"
        return Held(asked, CommonReason.DATASET_NOT_FOUND, text)
    look = seen.dataset.get("status", {}).get("look")
    current = look is not None and look["specDigest"] == spec_digest(seen.dataset)
    if not current or conditions.instant(look["time"]) < asked.since:
        return Held(
            asked, DatasetReason.LOOKING, f"{asked.message}; Dataset {name} is looked at first", look=True, again=60.0
        )
    return None


def _until_changed(asked: Wish, reason: Reason, message: str, seen: Situation, now: float) -> Held:
    """Held back by the data as they are: they are looked at again, since nobody else asks for that."""
    assert seen.dataset is not None
    wait = conditions.instant(seen.dataset["status"]["look"]["time"]) + LOOK_EVERY - now
    return Held(asked, reason, f"{asked.message}; {message}", look=wait <= 0, again=max(wait, 60.0))


def _bad_data(seen: Situation, asked: Wish, now: float) -> Held | None:
    assert seen.dataset is not None
    status, name = seen.dataset["status"], seen.dataset["metadata"]["name"]
    validated = conditions.find(status, Type.VALIDATED)
    if validated is not None and validated["status"] == "True" and "digest" in status:
        return None
    text = f"Dataset {name}: {validated['message'] if validated else 'nothing is known of its data'}"
    return _until_changed(asked, Why.DATA_QUALITY_BLOCKED, text, seen, now)


def _bad_production(seen: Situation, asked: Wish, now: float) -> Held | None:
    if asked.cause is not RunCause.DRIFT:
        return None
    for deployment in seen.deployments:
        quality = conditions.find(deployment.get("status", {}), Type.DATA_QUALITY)
        if quality is not None and quality["status"] == "False":
            text = f"{asked.message}; ModelDeployment {deployment['metadata']['name']}: {quality['message']}"
            return Held(asked, Why.DATA_QUALITY_BLOCKED, text)
    return None


def _unchanged(seen: Situation, asked: Wish, now: float) -> Held | None:
    """A drift trigger with the data that the champion was trained on would train the same model again."""
    assert seen.dataset is not None
    since = _trained_on(seen, seen.dataset["status"]["digest"]) if asked.cause is RunCause.DRIFT else None
    if since is None:
        return None
    text = (
        f"a run would be opened, had Dataset {seen.dataset['metadata']['name']} changed since {since}: "
        "give it newer rows, or point spec.source.uri at them"
    )
    return _until_changed(asked, Why.DATA_UNCHANGED, text, seen, now)


def _trained_on(seen: Situation, digest: str) -> str | None:
    """What these very data led to: the champion, or with this very spec a run whose version is not champion."""
    champion = seen.champion
    if champion is not None and champion["spec"].get("lineage", {}).get("dataset", {}).get("digest") == digest:
        return f"version {champion['spec']['version']}"
    for run in seen.runs:
        if run.get("status", {}).get("stage") == "Succeeded" and same_inputs(seen, run, digest):
            return f"TrainingJob {run['metadata']['name']}"
    return f"TrainingJob {seen.removed['trainingJob']}" if patience.remembered(seen, digest, failed=False) else None


def _failed_before(seen: Situation, asked: Wish, now: float) -> Held | None:
    """The same spec on the same data failed: only another spec, other data or a person make it worth another run, unless
    neither was the cause. Then it is tried again, later each time."""
    failed = patience.last_failed(seen)
    if failed is None or (failed.until is not None and failed.until <= now):
        return None
    opens = failed.until is not None and _mode(seen, asked, now) is None
    when = f"; another run is opened at {conditions.timestamp(failed.until)}" if failed.until and opens else ""
    text = f"TrainingJob {failed.name} failed on the same spec and data{when}: {failed.message}"
    held = _until_changed(asked, Why.LAST_RUN_FAILED, text, seen, now)
    held = replace(held, look=held.look or (failed.run is not None and _changed_under(seen, failed.run)))
    if failed.until is None:
        return held
    again = min(held.again or LOOK_EVERY, failed.until - now)
    return replace(held, again=again, until=failed.until if opens else None)


def _changed_under(seen: Situation, run: Mapping[str, Any]) -> bool:
    """Whether the run itself found other data than the look before it, and none was taken since."""
    assert seen.dataset is not None
    status, look = run["status"], seen.dataset["status"]["look"]
    ended = status.get("completionTime")
    changed = status.get("failure", {}).get("reason") == DatasetReason.DATA_CHANGED
    return changed and ended is not None and conditions.instant(look["time"]) < conditions.instant(ended)


def _mode(seen: Situation, asked: Wish, now: float) -> Held | None:
    if asked.cause is not RunCause.DRIFT:
        return None
    if seen.spec.retraining.mode is RetrainingMode.RECOMMEND:
        return Held(asked, Why.RECOMMENDED, f"{asked.message}; retraining.mode is Recommend: create a TrainingJob")
    if seen.spec.retraining.mode is RetrainingMode.OBSERVE:
        return Held(asked, Why.OBSERVED, f"{asked.message}; retraining.mode is Observe: a run would have been opened")
    return None


GUARDS: tuple[Callable[[Situation, Wish, float], Held | None], ...] = (
    _active,
    _cooldown,
    _unlooked,
    _bad_data,
    _bad_production,
    _unchanged,
    _failed_before,
    _mode,
)
"""What must not be so for a run to be opened; the first that is so is told on the Model."""


def held(seen: Situation, asked: Wish, now: float) -> Held | None:
    """Why the run that is asked for is not opened; None: it is."""
    return next((found for guard in GUARDS if (found := guard(seen, asked, now)) is not None), None)
