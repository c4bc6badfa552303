"""TrainingJob: when a run may begin, how far it is, what it left behind. A run that ended never runs again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.meta import Annotation, Label
from trimtab.api.model import Model, OnDelete
from trimtab.api.outcomes import Outcome, Stalled
from trimtab.api.reasons import CommonReason, Reason, named
from trimtab.api.reasons import TrainingJobReason as Why
from trimtab.api.trainingjob import Stage, TrainingJob
from trimtab.api.wire.runs import Run
from trimtab.plan import conditions, hindrances, inputs, naming, obstacles, stage, versions
from trimtab.plan.conditions import FALSE, TRUE, UNKNOWN, Finding
from trimtab.plan.inputs import Observed
from trimtab.plan.intent import Child, NewVersion, Notice, Object, Patch, Plan
from trimtab.plan.jobs import PODS_SECONDS, RUN_FILE, JobView
from trimtab.plan.stage import Fault
from trimtab.plan.steps import training_job

__all__ = ["Observed", "plan"]

START_SECONDS = 15.0
BEGUN = "the run was accepted and its Job exists"


def plan(observed: Observed, now: float) -> Plan:
    """The run's next step, or the report of its end."""
    status = observed.run.get("status", {})
    if status.get("stage") in inputs.ENDED:
        return _over(observed, now)
    if observed.version is not None:
        return _succeeded(observed, observed.version, now)
    if observed.view is None:
        return _begin(observed, now)
    return _follow(observed, observed.view, now)


# ---------------------------------------------------------------- before the Job


def _begin(observed: Observed, now: float) -> Plan:
    spec = TrainingJob.model_validate(observed.run).spec
    if spec.suspend:
        return Plan(
            status=_status(
                observed,
                Stage.PENDING,
                None,
                now,
                reason=CommonReason.SUSPENDED,
                message="spec.suspend is true: the run begins when it is false",
            )
        )
    if observed.config is not None:  # resolved before, when only the Job was not made yet
        resolved = inputs.resolved(observed)
        return _start(observed, resolved, now) if resolved is not None else _damaged(observed, now)
    outcome, where = obstacles.in_the_way(observed, spec)
    if outcome is not None:
        return Plan(
            status=_status(observed, where, outcome, now), again=conditions.again(outcome) or obstacles.ABSENT_AGAIN
        )
    return _start(observed, inputs.resolve(observed, spec), now)


def _start(observed: Observed, run: Run, now: float) -> Plan:
    meta = observed.run["metadata"]
    name = f"{meta['name']}-{naming.digest(meta['uid'])}"
    labels = {
        **naming.labels(Label.TRAINING_JOB, meta["name"], "training"),
        str(Label.MODEL): observed.run["spec"]["modelRef"]["name"],
    }
    config = naming.child(observed.run, "v1", "ConfigMap", name, labels)
    config["data"] = {RUN_FILE: run.to_json()}
    assert run.job is not None
    reason = observed.run["spec"].get("trigger", {}).get("reason")
    why = f": {reason}" if reason else ""
    built = training_job(
        observed.run, name, labels, run.job, (run.data.source.uri, run.data.source.credentials), observed.defaults
    )
    status = _status(observed, Stage.PENDING, None, now, reason=Why.ACCEPTED, message=BEGUN)
    status.setdefault("startTime", conditions.timestamp(now))
    return Plan(
        children=(Child(config, once=True), Child(built, once=True)),
        status=status,
        again=START_SECONDS,
        notices=(Notice("Normal", str(Why.ACCEPTED), f"Job {name} trains on {run.job.expected_digest}{why}"),),
    )


# ---------------------------------------------------------------- while the Job is there


def _follow(observed: Observed, view: JobView, now: float) -> Plan:
    if view.finished and not view.told(now):
        status = _status(observed, stage.current(view), None, now, reason=Why.ACCEPTED, message=BEGUN)
        return Plan(status=status | {"attempts": max(1, view.attempts)}, again=PODS_SECONDS)
    if view.complete:
        return _completed(observed, view, now)
    if view.failed:
        return _failed(observed, stage.fault(view, _timeout(observed)), view, now)
    if (said := hindrances.evicted_too_often(view)) is not None:
        return replace(_failed(observed, stage.evicted(view, said), view, now), patches=_suspension(view, asked=True))
    asked = bool(observed.run["spec"].get("suspend"))
    patches = _suspension(view, asked=asked)
    if asked:
        status = _status(
            observed,
            Stage.PENDING,
            None,
            now,
            reason=CommonReason.SUSPENDED,
            message="spec.suspend is true: the run was stopped",
        )
        return Plan(patches=patches, status=status)
    where, outcome = stage.current(view), _block(view, now)
    if outcome is not None and outcome.reason is CommonReason.JOB_SUSPENDED:
        where = Stage.QUEUED
    status = _status(observed, where, outcome, now, reason=Why.ACCEPTED, message=BEGUN)
    status["attempts"] = max(1, view.attempts)
    status.setdefault("startTime", view.job["metadata"]["creationTimestamp"])
    waits = outcome is not None or where is Stage.PENDING
    again = conditions.again(outcome) or (obstacles.BLOCKED_AGAIN if waits else hindrances.lost_in(view, now))
    return Plan(patches=patches, status=status, again=again)


def _suspension(view: JobView, *, asked: bool) -> tuple[Patch, ...]:
    """Suspends the Job, or resumes what was suspended here: a Job that another controller suspended is that one's."""
    there, ours, meta = bool(view.job["spec"].get("suspend")), hindrances.suspended_here(view), view.job["metadata"]
    if (asked and there) or (not asked and not ours):
        return ()
    marked: Object = {"annotations": {str(Annotation.SUSPENDED): "true" if asked else None}}
    body: Object = {"metadata": marked, "spec": {"suspend": asked}}
    return (Patch("Job", meta["namespace"], meta["name"], meta["uid"], body),)


def _damaged(observed: Observed, now: float) -> Plan:
    assert observed.config is not None
    text = (
        f"ConfigMap {observed.config['metadata']['name']} holds no run that can be read: delete it, and it is made anew"
    )
    return Plan(status=_status(observed, Stage.PENDING, Stalled(CommonReason.INVALID_SPEC, text), now))


def _timeout(observed: Observed) -> str:
    run = inputs.resolved(observed)
    return run.job.training.timeout if run is not None and run.job is not None else ""


def _block(view: JobView, now: float) -> Outcome | None:
    """Why the run does not go on; a Job without a pod is forbidden one by a quota or a policy."""
    if (found := hindrances.found(view, now, "the run")) is not None or view.newest() is not None:
        return found
    if view.suspended or now - conditions.instant(view.began) < START_SECONDS:
        return None
    _, message = view.said("FailureTarget")
    text = message or "see its events for the quota or policy that forbids one"
    return Stalled(CommonReason.CHILD_REFUSED, f"Job {view.job['metadata']['name']} has no pod: {text}")


def _completed(observed: Observed, view: JobView, now: float) -> Plan:
    published, run = stage.published(view), inputs.resolved(observed)
    if published is None or run is None:
        lost = "its result cannot be read any more (its pod is gone)" if published is None else "its ConfigMap is gone"
        text = f"the Job ended well, but {lost}: create another TrainingJob"
        return _failed(observed, Fault(Stage.PUBLISHING, str(Why.JOB_GONE), text), view, now)
    meta = observed.run["metadata"]
    new = NewVersion(
        model=observed.run["spec"]["modelRef"]["name"],
        namespace=meta["namespace"],
        run_uid=meta["uid"],
        spec=versions.from_run(run, published, observed.run),
        owner=_version_owner(observed.model),
    )
    status = _status(observed, Stage.PUBLISHING, None, now, reason=Why.ACCEPTED, message=BEGUN)
    status["attempts"] = max(1, view.attempts)
    return Plan(version=new, status=status, again=0.0)


def _version_owner(model: Mapping[str, Any] | None) -> Object | None:
    if model is None or Model.model_validate(model).spec.retention.on_delete is not OnDelete.DELETE:
        return None
    return {**naming.owner(model), "controller": False, "blockOwnerDeletion": False}


def _succeeded(observed: Observed, version: Mapping[str, Any], now: float) -> Plan:
    spec = version["spec"]
    message = f"ModelVersion {version['metadata']['name']} was published"
    status = _status(
        observed,
        Stage.SUCCEEDED,
        None,
        now,
        reason=Why.PUBLISHED,
        message=message,
        succeeded=Finding(Type.SUCCEEDED, TRUE, Why.PUBLISHED, message),
    )
    status |= {
        "metrics": spec.get("metrics", []),
        "modelVersionRef": {"name": version["metadata"]["name"]},
    }
    if digest := spec.get("lineage", {}).get("dataset", {}).get("digest"):
        status["dataDigest"] = digest
    status.setdefault("startTime", observed.run["metadata"]["creationTimestamp"])
    status["completionTime"] = (observed.view.time("Complete") if observed.view else None) or conditions.timestamp(now)
    return Plan(status=status, notices=(Notice("Normal", str(Why.PUBLISHED), message),))


def _failed(observed: Observed, fault: Fault, view: JobView, now: float) -> Plan:
    text = f"{fault.stage}: {fault.message}"
    reason = stage.reason(fault)
    status = _status(
        observed,
        Stage.FAILED,
        None,
        now,
        reason=Why.ACCEPTED,
        message="the run was accepted; it failed",
        succeeded=Finding(Type.SUCCEEDED, FALSE, reason, text),
    )
    status |= {
        "failure": fault.as_json(),
        "attempts": max(1, view.attempts),
        "completionTime": view.time("Failed") or conditions.timestamp(now),
    }
    run = inputs.resolved(observed)
    if run is not None and run.job is not None and run.job.expected_digest:
        status["dataDigest"] = run.job.expected_digest
    return Plan(status=status, notices=(Notice("Warning", fault.reason, text),))


# ---------------------------------------------------------------- status


def _status(
    observed: Observed,
    where: Stage,
    outcome: Outcome | None,
    now: float,
    *,
    reason: Reason = Why.ACCEPTED,
    message: str = "",
    succeeded: Finding | None = None,
) -> Object:
    old, generation = observed.run.get("status", {}), observed.run["metadata"]["generation"]
    if succeeded is None:
        told = outcome.message if outcome else message
        succeeded = Finding(Type.SUCCEEDED, UNKNOWN, Why.RUNNING if outcome is None else outcome.reason, told)
    findings = [*conditions.summary(outcome, reason=reason, message=message), succeeded]
    merged = conditions.merge(old.get("conditions", ()), findings, generation=generation, now=now)
    return {**old, "observedGeneration": generation, "stage": str(where), "conditions": merged}


def _over(observed: Observed, now: float) -> Plan:
    """The report of an end that was told before, saying that this generation was seen."""
    status = observed.run["status"]
    well, message = status["stage"] == Stage.SUCCEEDED, status.get("failure", {}).get("message", "it has ended")
    ready = _told(status, Finding(Type.READY, TRUE, Why.ACCEPTED, BEGUN))
    end = Finding(Type.SUCCEEDED, TRUE if well else FALSE, Why.PUBLISHED if well else Why.TRAINING_FAILED, message)
    where = Stage(status["stage"])
    told = _status(observed, where, None, now, reason=ready.reason, message=ready.message, succeeded=_told(status, end))
    return Plan(status=told)


def _told(status: Mapping[str, Any], finding: Finding) -> Finding:
    """The condition in the words in which it stands, where it says the same."""
    entry = conditions.find(status, finding.type)
    if entry is None or entry["status"] != finding.status:
        return finding
    return Finding(finding.type, finding.status, named(entry["reason"], Why) or finding.reason, entry["message"])
