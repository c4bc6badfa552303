"""Model: the champion, the next run, and what is kept. It owns the runs that it opened, and no version unless asked to."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.meta import API_VERSION, Annotation, Label
from trimtab.api.model import Model, ModelSpec, OnDelete, RunCause
from trimtab.api.outcomes import Outcome, Stalled, Waiting
from trimtab.api.reasons import CommonReason, Reason
from trimtab.api.reasons import ModelReason as Why
from trimtab.plan import conditions, guards, memory, naming, promotion, retention, triggers
from trimtab.plan.conditions import FALSE, TRUE, UNKNOWN, Finding
from trimtab.plan.defaults import Defaults
from trimtab.plan.guards import Held
from trimtab.plan.inputs import store_of
from trimtab.plan.intent import Child, Notice, Object, Patch, Plan, unwanted
from trimtab.plan.promotion import Choice
from trimtab.plan.triggers import Situation, Wish

ABSENT_AGAIN = 300.0


@dataclass(frozen=True, slots=True)
class Observed:
    """A Model with its versions, runs and deployments. `runs` are all runs of the Model, by hand too."""

    model: Object
    versions: tuple[Object, ...]
    runs: tuple[Object, ...]
    deployments: tuple[Object, ...]
    dataset: Object | None
    defaults: Defaults
    live: bool = False
    """Versions, runs and deployments were read from the API server just now: only then is anything removed."""


def spec_digest(spec: ModelSpec) -> str:
    """Digest of what a run depends on. Values that are defaults do not count: a new field with one changes nothing."""
    said = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, include={"task", "training", "metrics"})
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def plan(observed: Observed, now: float) -> Plan:
    """Champion, run, retention and status of one Model."""
    spec = Model.model_validate(observed.model).spec
    status = observed.model.get("status", {})
    choice = promotion.choose(spec, observed.versions)
    champion = _champion(choice, observed, spec)
    if spec.suspend:
        choice = promotion.kept(choice, champion)
    seen = _situation(observed, spec, champion)
    asked = None if spec.suspend else triggers.wish(seen)
    held = guards.held(seen, asked, now) if asked else None
    run = _run(observed, seen, asked) if asked and held is None and _store(observed, spec) is None else None
    told = _status(observed, spec, choice, champion, seen, asked, held, run, now)
    gone = _gone(observed, spec, champion)
    return Plan(
        children=(Child(run, once=True),) if run else (),
        unwanted=tuple(unwanted(dict(obj)) for obj in gone),
        patches=tuple(_owners(observed, spec)),
        status=told,
        notices=tuple(_notices(status, told, run, asked, gone)),
        again=_again(held, seen),
    )


def needs_live(observed: Observed) -> bool:
    """Whether something would be removed, and so must be decided on what the API server says now."""
    spec = Model.model_validate(observed.model).spec
    champion = _champion(promotion.choose(spec, observed.versions), observed, spec)
    return not observed.live and bool(_candidates(observed, spec, champion))


def _champion(choice: Choice, observed: Observed, spec: ModelSpec) -> Mapping[str, Any] | None:
    """The chosen version; while suspended, or with a pin that names nothing, the one that was champion before."""
    if not spec.suspend and not choice.missing_pin:
        return choice.version
    before = observed.model.get("status", {}).get("champion")
    if before is None:
        return choice.version if not choice.missing_pin and spec.champion else None
    return next((v for v in observed.versions if v["metadata"]["name"] == before["name"]), None)


def _situation(observed: Observed, spec: ModelSpec, champion: Mapping[str, Any] | None) -> Situation:
    status = observed.model.get("status", {})
    opened = _newest_first(observed.runs)
    reactive = [
        conditions.instant(run["metadata"]["creationTimestamp"])
        for run in opened
        if run["spec"].get("trigger", {}).get("type") == RunCause.DRIFT
    ]
    last = status.get("lastTrigger", {})
    if last.get("type") == RunCause.DRIFT and last.get("time"):
        reactive.append(conditions.instant(last["time"]))
    return Situation(
        spec=spec,
        spec_digest=spec_digest(spec),
        known_digest=status.get("specDigest"),
        champion=champion,
        versions=observed.versions,
        runs=opened,
        deployments=observed.deployments,
        dataset=observed.dataset,
        last_drift_run=max(reactive, default=0.0),
        last=last,
        removed=memory.removed(status, opened),
        removed_failed=memory.failed(status),
    )


def _newest_first(runs: tuple[Object, ...]) -> list[Object]:
    return sorted(runs, key=lambda run: (run["metadata"]["creationTimestamp"], run["metadata"]["name"]), reverse=True)


def _run(observed: Observed, seen: Situation, asked: Wish) -> Object:
    """The TrainingJob: named by what it would train on and the run before it, so that the same wish never opens two."""
    assert seen.dataset is not None
    meta = observed.model["metadata"]
    data = seen.dataset["status"]["digest"]
    gone = str(seen.removed.get("trainingJob", ""))
    before = gone or next((run["metadata"]["name"] for run in seen.runs if triggers.opened(run)), "")
    name = f"{meta['name']}-{naming.digest(meta['uid'], seen.spec_digest, data, str(asked.cause), before)}"
    built = naming.child(
        observed.model, API_VERSION, "TrainingJob", name, naming.labels(Label.MODEL, meta["name"], "training")
    )
    built["metadata"]["annotations"] = {Annotation.INPUTS: seen.spec_digest}
    if asked.trigger:
        built["metadata"]["annotations"][Annotation.TRIGGER] = asked.trigger
    built["spec"] = {
        "modelRef": {"name": meta["name"]},
        "trigger": {"type": str(asked.cause), "reason": asked.message[:1000]},
    }
    return built


def _store(observed: Observed, spec: ModelSpec) -> Outcome | None:
    if store_of(observed.model, None, observed.defaults) is not None:
        return None
    text = (
        "neither spec.store nor the operator's settings say where versions are kept: "
        "give spec.store.uri, such as s3://bucket/models or pvc://claim/models"
    )
    return Stalled(CommonReason.STORE_MISSING, text)


# ---------------------------------------------------------------- what goes


def _candidates(observed: Observed, spec: ModelSpec, champion: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    own = [run for run in _newest_first(observed.runs) if _owned(run, observed.model)]
    in_use = retention.in_use(observed.model["metadata"]["name"], observed.deployments)
    return [*retention.versions(spec, observed.versions, champion, in_use), *retention.runs(spec, own)]


def _gone(observed: Observed, spec: ModelSpec, champion: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return _candidates(observed, spec, champion) if observed.live else []


def _owned(run: Mapping[str, Any], model: Mapping[str, Any]) -> bool:
    return any(ref["uid"] == model["metadata"]["uid"] for ref in run["metadata"].get("ownerReferences") or ())


def _owners(observed: Observed, spec: ModelSpec) -> list[Patch]:
    """`onDelete: Delete` makes the Model an owner of its versions, `Retain` takes that back: the one write after creation."""
    wanted = spec.retention.on_delete is OnDelete.DELETE
    ours = {**naming.owner(observed.model), "controller": False, "blockOwnerDeletion": False}
    patches = []
    for version in observed.versions:
        meta = version["metadata"]
        references = meta.get("ownerReferences") or []
        there = any(ref["uid"] == ours["uid"] for ref in references)
        if wanted == there:
            continue
        kept = [ref for ref in references if ref["uid"] != ours["uid"]]
        body = {"metadata": {"ownerReferences": [*kept, ours] if wanted else kept or None}}
        patches.append(Patch("ModelVersion", meta["namespace"], meta["name"], meta["uid"], body))
    return patches


# ---------------------------------------------------------------- status


def _status(
    observed: Observed,
    spec: ModelSpec,
    choice: Choice,
    champion: Mapping[str, Any] | None,
    seen: Situation,
    asked: Wish | None,
    held: Held | None,
    run: Object | None,
    now: float,
) -> Object:
    old, generation = observed.model.get("status", {}), observed.model["metadata"]["generation"]
    status: Object = {"observedGeneration": generation}
    if champion is not None:
        status["champion"] = promotion.identity(champion)
    if observed.versions:
        status["latest"] = promotion.identity(max(observed.versions, key=promotion.number))
    status |= memory.opened(old, seen, asked, run, now)
    if held is not None and asked is not None and (asked.cause is RunCause.DRIFT or held.reason != Why.RUN_ACTIVE):
        status["suppressed"] = memory.suppressed(old, held, now)
    if held is not None and held.look:
        status["lookRequestTime"] = memory.look_request(old, seen, held, now)
    elif "lookRequestTime" in old and held is not None:
        status["lookRequestTime"] = old["lookRequestTime"]
    findings = [
        *conditions.summary(
            _outcome(observed, spec, choice, seen, held),
            reason=_ready(spec, champion),
            message=_sentence(spec, champion),
        ),
        memory.trained(old, seen, held),
        Finding(Type.PROMOTION_SUCCEEDED, _promoted(choice), choice.reason, choice.message),
    ]
    status["conditions"] = conditions.merge(old.get("conditions", ()), findings, generation=generation, now=now)
    return status


def _outcome(observed: Observed, spec: ModelSpec, choice: Choice, seen: Situation, held: Held | None) -> Outcome | None:
    """What keeps the spec as written from being in force. What becomes of runs and versions is told elsewhere."""
    if (missing := _store(observed, spec)) is not None:
        return missing
    if choice.missing_pin:
        return Stalled(choice.reason, choice.message)
    if observed.dataset is None:
        name = spec.training.data.dataset_ref.name
        return Waiting(CommonReason.DATASET_NOT_FOUND, ABSENT_AGAIN, f"there is no Dataset {name} in this namespace")
    return None


def _ready(spec: ModelSpec, champion: Mapping[str, Any] | None) -> Reason:
    if spec.suspend:
        return CommonReason.SUSPENDED
    return Why.PROMOTED if champion is not None else Why.NO_VERSION


def _sentence(spec: ModelSpec, champion: Mapping[str, Any] | None) -> str:
    if spec.suspend:
        return "spec.suspend is true: no new runs and no promotion"
    if champion is None:
        return "the spec is accepted; there is no champion yet"
    return f"version {promotion.number(champion)} is champion"


def _promoted(choice: Choice) -> str:
    if choice.good:
        return TRUE
    waits = choice.reason in (Why.NO_VERSION, Why.AWAITING_APPROVAL, CommonReason.SUSPENDED)
    return UNKNOWN if waits else FALSE


def _notices(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    run: Object | None,
    asked: Wish | None,
    gone: list[Mapping[str, Any]],
) -> list[Notice]:
    """What changed, as Events."""
    notices = []
    if (
        run is not None
        and asked is not None
        and old.get("lastTrigger", {}).get("trainingJob") != run["metadata"]["name"]
    ):
        notices.append(
            Notice("Normal", str(asked.cause), f"opened TrainingJob {run['metadata']['name']}: {asked.message}")
        )
    before, after = old.get("champion"), new.get("champion")
    if after is not None and before != after:
        notices.append(Notice("Normal", str(Why.PROMOTED), f"version {after['version']} is champion"))
    held = new.get("suppressed")
    if held is not None and held["reason"] != old.get("suppressed", {}).get("reason"):
        notices.append(Notice("Normal", held["reason"], held["message"]))
    for obj in gone:
        reason = Why.VERSION_REMOVED if obj["kind"] == "ModelVersion" else Why.RUN_REMOVED
        notices.append(
            Notice("Normal", str(reason), f"{obj['kind']} {obj['metadata']['name']} is removed by retention")
        )
    return notices


def _again(held: Held | None, seen: Situation) -> float | None:
    if held is not None:
        return held.again
    return ABSENT_AGAIN if seen.dataset is None else None
