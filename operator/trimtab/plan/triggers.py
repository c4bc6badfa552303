"""When a Model opens a run, and why it does not: ordered checks that return a run, or a suppressed trigger with its reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.meta import Annotation
from trimtab.api.model import ModelSpec, RetrainingMode, RunCause, Severity, Trigger
from trimtab.api.quantities import parse_duration
from trimtab.api.reasons import CommonReason, DatasetReason, Reason
from trimtab.api.reasons import ModelReason as Why
from trimtab.plan import conditions
from trimtab.plan.dataset import spec_digest

LOOK_EVERY = 3600.0
"""Seconds between two looks at data that a drift trigger found unchanged."""
SEVERITIES = (Severity.MINOR, Severity.MODERATE, Severity.MAJOR)


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody asks for a run: `since` in seconds since 1970, for a trigger of which name."""

    cause: RunCause
    message: str
    trigger: str | None = None
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """The run is not opened. `look`: the data shall be looked at first. `again`: seconds until it may be otherwise."""

    wish: Wish
    reason: Reason
    message: str
    look: bool = False
    again: float | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """All that decides whether a run is opened. Runs are this Model's, newest first."""

    spec: ModelSpec
    spec_digest: str
    known_digest: str | None
    """Spec digest of the newest run, or of when versions of an earlier Model were taken up; None: never."""
    champion: Mapping[str, Any] | None
    versions: Sequence[Mapping[str, Any]]
    runs: Sequence[Mapping[str, Any]]
    deployments: Sequence[Mapping[str, Any]]
    dataset: Mapping[str, Any] | None
    last_drift_run: float
    """When the last run that a trigger opened was opened; 0: never."""
    removed: Mapping[str, Any] = field(default_factory=dict)
    """`status.lastTrigger`, once the run that it names is gone and none is newer; else empty."""
    removed_failed: bool = False
    """Whether that run failed."""


def wish(seen: Situation) -> Wish | None:
    """Why there should be a run, first reason first; None when there is none."""
    return _initial(seen) or _changed(seen) or _repeat(seen) or _drift(seen)


def _initial(seen: Situation) -> Wish | None:
    if seen.versions or seen.runs:
        return None
    return Wish(RunCause.INITIAL, "the Model has no version and no run")


def _changed(seen: Situation) -> Wish | None:
    if seen.known_digest is None or seen.known_digest == seen.spec_digest or covered(seen):
        return None
    return Wish(RunCause.SPEC_CHANGED, "task, training or metrics were changed")


def covered(seen: Situation) -> bool:
    """Whether the run that was opened last is for the spec as it is now. An older one is not enough: a spec that was
    changed and changed back is a change, too."""
    newest = next((run for run in seen.runs if opened(run)), None)
    return newest is not None and on_spec(seen, newest)


def opened(run: Mapping[str, Any]) -> bool:
    """Whether a Model opened the run, and not a person."""
    return Annotation.INPUTS in (run["metadata"].get("annotations") or {})


def on_spec(seen: Situation, run: Mapping[str, Any]) -> bool:
    """Whether a run was opened for the spec as it is now."""
    return (run["metadata"].get("annotations") or {}).get(Annotation.INPUTS) == seen.spec_digest


def _repeat(seen: Situation) -> Wish | None:
    """A run for this spec without a trigger that failed is wanted again; a guard holds it back until the data change."""
    for run in seen.runs:
        stage, cause = run.get("status", {}).get("stage"), run["spec"].get("trigger", {}).get("type")
        if stage == "Succeeded":
            return None
        if stage == "Failed" and on_spec(seen, run) and cause in (RunCause.INITIAL, RunCause.SPEC_CHANGED):
            return Wish(RunCause(cause), "the last run for this spec failed")
    return None


def _drift(seen: Situation) -> Wish | None:
    if seen.spec.retraining.mode is RetrainingMode.DISABLED or seen.champion is None:
        return None
    for trigger in seen.spec.retraining.triggers:
        for deployment in seen.deployments:
            since = _drifting(trigger, deployment, seen.champion)
            if since is not None:
                drift = deployment["status"]["drift"]
                named = ", ".join(feature["name"] for feature in drift.get("features", ())[:3])
                text = (
                    f"ModelDeployment {deployment['metadata']['name']} reports {drift.get('severity')} drift of {named}"
                )
                return Wish(RunCause.DRIFT, text, trigger.name, since)
    return None


def _drifting(trigger: Trigger, deployment: Mapping[str, Any], champion: Mapping[str, Any]) -> float | None:
    """Since when a deployment drifts, on the champion, as severely as the trigger asks; None when it does not."""
    status = deployment.get("status", {})
    drift, condition = status.get("drift") or {}, conditions.find(status, Type.IN_DISTRIBUTION)
    if (
        trigger.drift is None
        or drift.get("verdict") != "Drifting"
        or condition is None
        or condition["status"] != "False"
    ):
        return None
    stable = next((entry for entry in status.get("versions", ()) if entry["role"] == "Stable"), None)
    if stable is None or stable.get("version") != champion["spec"]["version"]:
        return None
    if SEVERITIES.index(Severity(drift.get("severity", "Minor"))) < SEVERITIES.index(trigger.drift.severity):
        return None
    return conditions.instant(condition["lastTransitionTime"])


# ---------------------------------------------------------------- what holds a run back


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
        if run.get("status", {}).get("stage") == "Succeeded" and _same_inputs(seen, run, digest):
            return f"TrainingJob {run['metadata']['name']}"
    return f"TrainingJob {seen.removed['trainingJob']}" if _remembered(seen, digest, failed=False) else None


def _same_inputs(seen: Situation, run: Mapping[str, Any], digest: str) -> bool:
    return on_spec(seen, run) and run.get("status", {}).get("dataDigest") == digest


def _remembered(seen: Situation, digest: str, *, failed: bool) -> bool:
    """Whether the run that is gone was for this spec and these data, and ended so."""
    last = seen.removed
    same = last.get("specDigest") == seen.spec_digest and last.get("dataDigest") == digest
    return same and "trainingJob" in last and seen.removed_failed is failed


def _failed_before(seen: Situation, asked: Wish, now: float) -> Held | None:
    """The same spec on the same data failed: only another spec, other data or a person make it worth another run."""
    assert seen.dataset is not None
    digest = seen.dataset["status"]["digest"]
    for run in seen.runs:
        if run.get("status", {}).get("stage") == "Failed" and _same_inputs(seen, run, digest):
            failure = run["status"].get("failure", {})
            text = (
                f"TrainingJob {run['metadata']['name']} failed on the same spec and data: {failure.get('message', '')}"
            )
            held = _until_changed(asked, Why.LAST_RUN_FAILED, text, seen, now)
            return replace(held, look=held.look or _changed_under(seen.dataset, run))
    if _remembered(seen, digest, failed=True):
        text = (
            f"TrainingJob {seen.removed['trainingJob']}, which is gone, failed on the same spec and data: "
            "change one of them, or create a TrainingJob"
        )
        return _until_changed(asked, Why.LAST_RUN_FAILED, text, seen, now)
    return None


def _changed_under(dataset: Mapping[str, Any], run: Mapping[str, Any]) -> bool:
    """Whether the run itself found other data than the look before it, and none was taken since."""
    status = run["status"]
    ended = status.get("completionTime")
    changed = status.get("failure", {}).get("reason") == DatasetReason.DATA_CHANGED
    return (
        changed
        and ended is not None
        and conditions.instant(dataset["status"]["look"]["time"]) < conditions.instant(ended)
    )


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
