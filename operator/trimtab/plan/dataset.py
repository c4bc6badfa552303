"""Dataset: when to look at the data, and what the last look found. A look is a short Job: the fetch step alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.dataset import Dataset, SeenColumn
from trimtab.api.meta import Annotation, Label
from trimtab.api.outcomes import Outcome, Stalled, Waiting
from trimtab.api.reasons import CommonReason, DatasetReason, Reason, named
from trimtab.api.wire.runs import Look, Run, unpack
from trimtab.plan import conditions, hindrances, naming, pods, symptoms
from trimtab.plan.conditions import FALSE, TRUE, UNKNOWN, Finding
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Child, Notice, Object, Plan, unwanted
from trimtab.plan.jobs import PODS_SECONDS, RUN_FILE, JobView, Step, job

LOOK_SECONDS, LOOK_RETRIES = 1800.0, 1
UNREADABLE_AGAIN = 300.0
START_SECONDS = 45.0
SMALL, ROOM = {"cpu": "100m", "memory": "256Mi"}, {"memory": "2Gi"}
RETRIED = "It is tried again in 5 minutes, or when the spec changes."
COLUMNS, FAILURES = 2000, 100
"""Most that a status holds."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A Dataset, its looks, and the times at which those who use it asked for a look."""

    dataset: Object
    looks: tuple[JobView, ...]
    configs: tuple[Object, ...]
    """ConfigMaps of looks, this one's and earlier ones'."""
    asked: tuple[str, ...]
    """RFC 3339 times: each asks for a look that began no earlier."""
    defaults: Defaults


NOT_LOOKED_AT = Finding(
    Type.VALIDATED, UNKNOWN, DatasetReason.NOT_LOOKED_AT, "the data have not been looked at with this spec yet"
)


def spec_digest(obj: Mapping[str, Any]) -> str:
    """What the user said of the data, without defaults of ours: a change of it asks for a look."""
    spec = Dataset.model_validate(obj).spec
    return naming.digest(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def plan(observed: Observed, now: float) -> Plan:
    """One look at a time; its result goes into the status, then its Job goes, and its ConfigMap with it."""
    decided = _decide(observed, now)
    gone = {entry.name for entry in decided.unwanted}
    kept = {child.name for child in decided.children} | {
        look.job["metadata"]["name"] for look in observed.looks if look.job["metadata"]["name"] not in gone
    }
    leftover = tuple(unwanted(config) for config in observed.configs if config["metadata"]["name"] not in kept)
    return replace(decided, unwanted=(*decided.unwanted, *leftover))


def _decide(observed: Observed, now: float) -> Plan:
    inputs = spec_digest(observed.dataset)
    running = [look for look in observed.looks if _inputs(look) == inputs]
    stale = [look for look in observed.looks if _inputs(look) != inputs]
    status = observed.dataset.get("status", {})
    if running:
        look = max(running, key=lambda view: str(view.job["metadata"]["creationTimestamp"]))
        return _report(observed, look, inputs, [*stale, *[other for other in running if other is not look]], now)
    if _due(status, inputs, observed.asked, now):
        return _begin(observed, inputs, stale, now)
    return Plan(
        unwanted=tuple(unwanted(dict(view.job)) for view in stale),
        status=_standing(observed, now),
        again=_retry_after(status, now),
    )


def _inputs(look: JobView) -> str:
    return str((look.job["metadata"].get("annotations") or {}).get(Annotation.INPUTS, ""))


def _due(status: Mapping[str, Any], inputs: str, asked: tuple[str, ...], now: float) -> bool:
    look = status.get("look")
    if look is None or look["specDigest"] != inputs or conditions.find(status, Type.VALIDATED) is None:
        return True
    retry = _retry_after(status, now)
    return _as_of(asked) > look["time"] or (retry is not None and retry <= 0)


def _as_of(asked: tuple[str, ...]) -> str:
    return max(asked, default="")


def _retry_after(status: Mapping[str, Any], now: float) -> float | None:
    """Seconds until data that could not be read are looked at again; None where the last look read them."""
    validated, look = conditions.find(status, Type.VALIDATED), status.get("look")
    if look is None or validated is None or validated["reason"] != DatasetReason.DATA_UNREADABLE:
        return None
    return conditions.instant(look["time"]) + UNREADABLE_AGAIN - now


def _begin(observed: Observed, inputs: str, stale: list[JobView], now: float) -> Plan:
    obj, status = observed.dataset, observed.dataset.get("status", {})
    last = status.get("look", {}).get("time", "")
    meta = obj["metadata"]
    name = f"{meta['name']}-look-{naming.digest(meta['uid'], inputs, _as_of(observed.asked), last)}"
    labels = naming.labels(Label.DATASET, meta["name"], "look")
    spec = Dataset.model_validate(obj).spec
    run = Run(namespace=meta["namespace"], name=meta["name"], uid=meta["uid"], data=spec)
    config = naming.child(obj, "v1", "ConfigMap", name, labels)
    config["data"] = {RUN_FILE: run.to_json()}
    claim = pods.claim_of(spec.source.uri)
    step = Step(
        name="fetch",
        image=observed.defaults.trainer_image,
        args=("fetch",),
        resources=pods.resources(spec.resources, SMALL, ROOM),
        mounts=(
            pods.mount("data", f"{pods.ROOT}/data"),
            *([pods.claim_mount(claim, read_only=True)] if claim else []),
        ),
        secrets=tuple(pods.credentials("DATA_", spec.source.credentials)),
    )
    built = job(
        obj,
        name,
        labels,
        [step],
        config=name,
        folders=["data"],
        claims=[claim] if claim else [],
        retries=LOOK_RETRIES,
        timeout=LOOK_SECONDS,
        room=pods.room(spec.resources),
        settings=spec.pod,
        annotations={Annotation.INPUTS: inputs},
    )
    return Plan(
        children=(Child(config, once=True), Child(built, once=True)),
        unwanted=tuple(unwanted(dict(view.job)) for view in stale),
        status=_looking(observed, inputs, now),
        again=START_SECONDS,
    )


def _report(observed: Observed, look: JobView, inputs: str, others: list[JobView], now: float) -> Plan:
    """What a look that exists says: still running, found, or failed. A Job goes once its result is in the status."""
    status = dict(observed.dataset.get("status", {}))
    started = look.job["metadata"]["creationTimestamp"]
    gone = [unwanted(dict(view.job)) for view in others]
    evicted = hindrances.evicted_too_often(look)
    if evicted is not None and status.get("look") != {"time": started, "specDigest": inputs}:
        return _unread(
            observed, {**status, "look": {"time": started, "specDigest": inputs}}, "Evicted", evicted, gone, now
        )
    if (look.finished or evicted is not None) and status.get("look") == {"time": started, "specDigest": inputs}:
        return Plan(
            unwanted=(*gone, unwanted(dict(look.job))), status=_standing(observed, now), again=_retry_after(status, now)
        )
    if not look.told(now):
        return Plan(
            unwanted=tuple(gone),
            status=_looking(observed, inputs, now, None if look.finished else _in_the_way(look, now)),
            again=PODS_SECONDS if look.finished else START_SECONDS,
        )
    status["look"] = {"time": started, "specDigest": inputs}
    found = _found(look)
    if found is None:
        return _unread(observed, status, *_why_failed(look), gone, now)
    return _found_plan(observed, status, found, gone, now)


def _unread(observed: Observed, status: Object, reason: str, message: str, gone: list[Any], now: float) -> Plan:
    """Data of which nothing is known, and why."""
    told = f"{reason}: {message}" if reason else message
    finding = Finding(Type.VALIDATED, UNKNOWN, DatasetReason.DATA_UNREADABLE, told)
    return Plan(
        unwanted=tuple(gone),
        status=_status(observed, status, _unreadable(finding), finding, now),
        notices=(Notice("Warning", str(DatasetReason.DATA_UNREADABLE), message),),
        again=UNREADABLE_AGAIN,
    )


def _in_the_way(look: JobView, now: float) -> Outcome | None:
    """Why a look does not go on; a Job without a pod is forbidden one by a quota or a policy."""
    if (found := hindrances.found(look, now, "the look at the data")) is not None or look.pods or look.suspended:
        return found
    if now - conditions.instant(look.began) <= START_SECONDS / 3:
        return None
    text = f"Job {look.job['metadata']['name']} has no pod: see its events for the quota or policy that forbids one"
    return Stalled(CommonReason.CHILD_NOT_STARTING, text)


def _found_plan(observed: Observed, status: Object, found: Look, gone: list[Any], now: float) -> Plan:
    old = status.get("digest")
    failures = [failure.as_json() for failure in found.failures[:FAILURES]]
    status |= {"digest": found.digest, "rows": found.rows, "columns": _columns(found), "failures": failures}
    if failures:
        text = " ".join(failure["message"] for failure in failures[:5])
        finding = Finding(Type.VALIDATED, FALSE, DatasetReason.EXPECTATIONS_FAILED, text)
    else:
        text = f"{found.rows} rows hold what spec.expect asks"
        finding = Finding(Type.VALIDATED, TRUE, DatasetReason.EXPECTATIONS_HOLD, text)
    notices = [Notice("Warning", str(DatasetReason.EXPECTATIONS_FAILED), text)] if failures else []
    if old is not None and old != found.digest:
        notices.append(
            Notice(
                "Normal", str(DatasetReason.DATA_CHANGED), f"the data are {found.digest[:19]} now, {found.rows} rows"
            )
        )
    return Plan(
        unwanted=tuple(gone), status=_status(observed, status, None, finding, now), notices=tuple(notices), again=0.0
    )


def _columns(found: Look) -> list[Object]:
    """The columns as a status holds them; none where the look's own list is damaged."""
    try:
        packed = json.loads(unpack(found.packed)) if found.packed else found.columns
        columns = {column.name: column.as_json() for column in map(SeenColumn.model_validate, packed)}
    except (ValueError, TypeError):
        return []
    return list(columns.values())[:COLUMNS]


def _found(look: JobView) -> Look | None:
    """The report of the pod that read the data, or None."""
    if not look.complete:
        return None
    for pod in look.pods:
        for status in symptoms.statuses(pod):
            end = symptoms.ending(status)
            if end is not None and end.code == 0 and end.report is not None and end.report.look is not None:
                return end.report.look
    return None


def _why_failed(look: JobView) -> tuple[str, str]:
    pod = look.newest()
    if pod is not None and (evicted := symptoms.eviction(pod)) is not None and evicted.own:
        return "StorageExceeded", f"{evicted.message}: raise spec.resources.limits.ephemeral-storage"
    end = symptoms.failed_ending(pod) if pod is not None else None
    if end is not None:
        reason, message = symptoms.told(end)
        return reason, f"{message}{': raise spec.resources.limits.memory' if end.reason == 'OOMKilled' else ''}"
    reason, message = look.said("Failed")
    return reason, message or "the look at the data left no report."


def _validated(status: Mapping[str, Any]) -> Finding:
    """The condition as it stands."""
    entry = conditions.find(status, Type.VALIDATED)
    if entry is None:
        return NOT_LOOKED_AT
    return Finding(Type.VALIDATED, entry["status"], _word(entry["reason"]), entry["message"])


def _word(text: str) -> Reason:
    return named(text, DatasetReason, CommonReason) or CommonReason.PROGRESSING


def _status(observed: Observed, status: Object, outcome: Outcome | None, validated: Finding, now: float) -> Object:
    generation = observed.dataset["metadata"]["generation"]
    findings = [
        *conditions.summary(outcome, reason=_word(str(validated.reason)), message=validated.message),
        validated,
    ]
    merged = conditions.merge(status.get("conditions", ()), findings, generation=generation, now=now)
    return {**status, "observedGeneration": generation, "conditions": merged}


def _unreadable(validated: Finding) -> Outcome | None:
    """What data that could not be read mean for Ready."""
    if validated.reason != DatasetReason.DATA_UNREADABLE:
        return None
    return Stalled(DatasetReason.DATA_UNREADABLE, f"{validated.message.rstrip('.')}. {RETRIED}")


def _standing(observed: Observed, now: float) -> Object:
    """The status that the last look left, saying that this generation was seen."""
    status = dict(observed.dataset.get("status", {}))
    validated = _validated(status)
    return _status(observed, status, _unreadable(validated), validated, now)


def _looking(observed: Observed, inputs: str, now: float, block: Outcome | None = None) -> Object:
    """The status while a look is under way. Only a spec that was never looked at makes the Dataset unready by that:
    another look at the same one, as a Model asks for, changes nothing until it finds something or cannot start."""
    status = dict(observed.dataset.get("status", {}))
    if status.get("look", {}).get("specDigest") != inputs:
        waiting = Waiting(DatasetReason.LOOKING, START_SECONDS, "a Job looks at the data")
        return _status(observed, status, block or waiting, NOT_LOOKED_AT, now)
    stalled = isinstance(block, Stalled)
    return _status(observed, status, block, _validated(status), now) if stalled else _standing(observed, now)
