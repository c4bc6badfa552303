"""How far a training run is, and why it failed: read from the Job and its pods."""

from dataclasses import dataclass

from trimtab.api.reasons import Reason, named
from trimtab.api.reasons import TrainingJobReason as Why
from trimtab.api.trainingjob import Stage
from trimtab.api.wire.runs import EXIT_DO_NOT_RETRY, Published
from trimtab.plan import conditions, symptoms
from trimtab.plan.jobs import JobView
from trimtab.plan.symptoms import Ending

STAGES = {
    "fetch": Stage.FETCHING,
    "train": Stage.TRAINING,
    "evaluate": Stage.EVALUATING,
    "publish": Stage.PUBLISHING,
}
"""The stage that each container is, in running order."""

FAILED = {
    "fetch": Why.DATA_UNREADABLE,
    "train": Why.TRAINING_FAILED,
    "evaluate": Why.EVALUATION_FAILED,
    "publish": Why.PUBLISH_FAILED,
}
"""The reason where a step gives none of its own, or one that only it knows."""

MEANT = {
    "ExpectationsFailed": Why.DATA_INVALID,
    "NoModelWritten": Why.NO_MODEL,
    "ModelUnusable": Why.NO_MODEL,
    "PickleNotAllowed": Why.PICKLE_REFUSED,
}
"""Words of the steps that the conditions have a reason for under another name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the run failed, and where."""

    stage: Stage
    reason: str
    message: str
    log_tail: str | None = None

    def as_json(self) -> dict[str, str]:
        told = {"stage": str(self.stage), "reason": self.reason, "message": conditions.sentence(self.message)}
        tail = symptoms.clean(self.log_tail or "")
        return {**told, "logTail": tail} if tail else told


def reason(fault: Fault) -> Reason:
    """The condition's reason: the step's own word where the API has it, else what its stage means."""
    known = named(fault.reason, Why) or MEANT.get(fault.reason)
    return known or next((FAILED[step] for step, where in STAGES.items() if where is fault.stage), Why.TRAINING_FAILED)


def current(view: JobView) -> Stage:
    """The step that runs now, or that comes next."""
    pod = view.newest()
    if pod is None:
        return Stage.PENDING
    stage = Stage.FETCHING
    for status in symptoms.statuses(pod):
        if status["name"] not in STAGES:
            continue
        stage = STAGES[status["name"]]
        if (status.get("state", {}).get("terminated") or {}).get("exitCode", -1) != 0:
            return stage
    return stage


def published(view: JobView) -> Published | None:
    """What the pod that succeeded put into the store."""
    for pod in view.pods:
        for status in symptoms.statuses(pod):
            end = symptoms.ending(status)
            if status["name"] == "publish" and end is not None and end.code == 0 and end.report is not None:
                return end.report.published
    return None


def fault(view: JobView, timeout: str) -> Fault:
    """Why a Job that failed did so: the newest pod's own words first, then the Job's."""
    pod = view.newest()
    if pod is not None:
        if pod.get("status", {}).get("reason") == "DeadlineExceeded":
            text = f"the attempt took longer than training.timeout ({timeout}): raise it, or train on less"
            return Fault(current(view), str(Why.TIMED_OUT), text)
        if (evicted := symptoms.eviction(pod)) is not None and evicted.own:
            text = f"the pod was evicted: {evicted.message}: raise training.resources.limits.ephemeral-storage"
            return Fault(current(view), str(Why.STORAGE_EXCEEDED), text)
        end = symptoms.failed_ending(pod)
        if end is not None:
            return _ended(end, view)
    reason, message = view.said("Failed")
    return Fault(current(view), str(Why.RETRIES_SPENT), message or reason or "the Job failed and left no pod to read")


def evicted(view: JobView, said: str) -> Fault:
    """A Job whose pods were evicted one after the other. `said`: how often, and the last one why."""
    text = f"{said}: give training.resources.requests what the run uses, or name other nodes in training.pod"
    return Fault(current(view), str(Why.EVICTED), text)


def _ended(end: Ending, view: JobView) -> Fault:
    reason, message = symptoms.told(end)
    tail = end.report.log_tail if end.report is not None else symptoms.clean(end.text)
    if not reason:
        reason = str(
            Why.NOT_RETRIABLE if end.code == EXIT_DO_NOT_RETRY else FAILED.get(end.container, Why.TRAINING_FAILED)
        )
    if end.reason == "OOMKilled":
        message += ": raise training.resources.limits.memory"
        tail = symptoms.clean(end.text)
    if view.attempts > 1:
        message += f" (attempt {view.attempts})"
    return Fault(STAGES.get(end.container, Stage.TRAINING), reason, message, tail or None)
