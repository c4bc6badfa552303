"""When a Model wants a run: ordered checks, of which the first that finds a cause is told. `guards` say why it waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.meta import Annotation
from trimtab.api.model import ModelSpec, RetrainingMode, RunCause, Severity, Trigger
from trimtab.plan import conditions

SEVERITIES = (Severity.MINOR, Severity.MODERATE, Severity.MAJOR)


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody asks for a run: `since` in seconds since 1970, for a trigger of which name."""

    cause: RunCause
    message: str
    trigger: str | None = None
    since: float = 0.0


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
    last: Mapping[str, Any] = field(default_factory=dict)
    """`status.lastTrigger`; empty: no run was opened."""
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
    if (cause := _removed_cause(seen)) is not None:
        return Wish(cause, "the last run for this spec failed")
    for run in seen.runs:
        stage, cause = run.get("status", {}).get("stage"), run["spec"].get("trigger", {}).get("type")
        if stage == "Succeeded":
            return None
        if stage == "Failed" and on_spec(seen, run) and cause in (RunCause.INITIAL, RunCause.SPEC_CHANGED):
            return Wish(RunCause(cause), "the last run for this spec failed")
    return None


def _removed_cause(seen: Situation) -> RunCause | None:
    """Why the run was opened that failed for this spec and that retention removed since; None: it had a trigger."""
    last = seen.removed
    plain = last.get("type") in (RunCause.INITIAL, RunCause.SPEC_CHANGED)
    return (
        RunCause(last["type"]) if plain and seen.removed_failed and last.get("specDigest") == seen.spec_digest else None
    )


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
