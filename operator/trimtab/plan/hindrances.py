"""What keeps the pods of a Job from doing their work, in the order in which it is told. Shared by looks at data and by runs."""

from trimtab.api.meta import Annotation
from trimtab.api.outcomes import Outcome, Stalled, Waiting
from trimtab.api.reasons import CommonReason
from trimtab.plan import conditions, symptoms
from trimtab.plan.jobs import JobView

HELD_AGAIN = 300.0
LOST_SECONDS = 300.0
"""How long after its grace a pod may go on ending: then its node is not there to say that it has ended."""
EVICTIONS = 5
"""Evicted pods of one Job after which it is given up: disruptions cost no retry, so it would come back for ever."""


def found(view: JobView, now: float, subject: str) -> Outcome | None:
    """The first that stands in the way of the newest pod. `subject`: whose Job it is, as the subject of a sentence."""
    return _held(view) or _lost(view, now, subject) or _blocked(view, subject)


def _held(view: JobView) -> Outcome | None:
    if not held_by_another(view):
        return None
    text = f"Job {view.job['metadata']['name']} is suspended by another controller, such as a queue, and waits for it"
    return Waiting(CommonReason.JOB_SUSPENDED, HELD_AGAIN, text)


def held_by_another(view: JobView) -> bool:
    """Whether somebody but Trimtab keeps the Job from running."""
    return bool((view.job.get("spec") or {}).get("suspend")) and not suspended_here(view)


def suspended_here(view: JobView) -> bool:
    """Whether it was Trimtab that suspended the Job."""
    return Annotation.SUSPENDED in (view.job["metadata"].get("annotations") or {})


def _lost(view: JobView, now: float, subject: str) -> Outcome | None:
    pod, left = view.newest(), lost_in(view, now)
    if pod is None or left is None or left > 0:
        return None
    meta, node = pod["metadata"], (pod.get("spec") or {}).get("nodeName")
    text = (
        f"{subject} does not go on: pod {meta['name']} should have ended by {meta['deletionTimestamp']}, and its node "
        f"{f'{node} ' if node else ''}does not answer: delete the Node, or the pod by force"
    )
    return Stalled(CommonReason.NODE_LOST, text)


def lost_in(view: JobView, now: float) -> float | None:
    """Seconds until a newest pod that does not end is given up on; None when it is not ending."""
    pod = view.newest()
    if pod is None or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return None
    over = pod["metadata"].get("deletionTimestamp")  # when its grace is over, not when it was deleted
    return conditions.instant(over) + LOST_SECONDS - now if over else None


def _blocked(view: JobView, subject: str) -> Outcome | None:
    pod = view.newest()
    block = symptoms.block(pod) if pod is not None else None
    return Stalled(CommonReason.CHILD_NOT_STARTING, f"{subject} does not start: {block.message}") if block else None


def evicted_too_often(view: JobView) -> str | None:
    """What the nodes said last, once they evicted as many pods as are tried; None before, and when the Job ended."""
    evictions = [(pod, told) for pod in view.pods if (told := symptoms.eviction(pod)) is not None and not told.own]
    if view.finished or len(evictions) < EVICTIONS:
        return None
    newest = symptoms.newest(pod for pod, _ in evictions)
    said = next(told.message for pod, told in evictions if pod is newest)
    return f"{len(evictions)} pods were evicted by their nodes, the last one with: {said}"
