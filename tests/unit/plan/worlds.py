"""What a plan does to what was observed: children put in, status put in, as the API server would. No controller runs."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from tests import make
from trimtab.plan import conditions, dataset, model, modeldeployment, modelversion, trainingjob
from trimtab.plan.intent import Child, Object, Patch, Plan
from trimtab.plan.jobs import JobView

O = TypeVar("O")  # noqa: E741


def created(child: Child, now: float) -> Object:
    """A child as the API server keeps it once it was made."""
    made = copy.deepcopy(child.obj)
    made["metadata"] |= {
        "uid": f"uid-of-{child.kind}-{child.name}",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": conditions.timestamp(now),
    }
    return made


def applied(child: Child, have: Object, now: float) -> Object:
    """A child after another server-side apply: what is meant is in it, its status stays."""
    made = created(child, now)
    changed = made.get("spec") != have.get("spec")
    meta = {**have["metadata"], **copy.deepcopy(child.obj["metadata"])}
    meta["annotations"] = {**(have["metadata"].get("annotations") or {}), **(made["metadata"].get("annotations") or {})}
    meta["generation"] = have["metadata"]["generation"] + changed
    return {**have, **made, "metadata": meta}


def _with_status(obj: Object, plan: Plan) -> Object:
    return obj if plan.status is None else {**obj, "status": copy.deepcopy(dict(plan.status))}


def _gone(plan: Plan) -> set[str]:
    return {entry.uid for entry in plan.unwanted}


def _rest(objects: tuple[Object, ...], plan: Plan) -> tuple[Object, ...]:
    return tuple(obj for obj in objects if obj["metadata"]["uid"] not in _gone(plan))


def _view(child: Child, now: float) -> JobView:
    built = created(child, now)
    return JobView({**built, "spec": {"suspend": False}, "status": {}})


def _patched(obj: Object, patches: tuple[Patch, ...]) -> Object:
    for patch in patches:
        if patch.uid == obj["metadata"]["uid"]:
            obj = _merged(obj, patch.body)
    return obj


def _merged(obj: Any, patch: Mapping[str, Any]) -> Any:
    """A JSON merge patch (RFC 7386)."""
    kept = {key: value for key, value in obj.items() if patch.get(key, value) is not None}
    changed = {
        key: _merged(obj.get(key) or {}, value) if isinstance(value, dict) else value
        for key, value in patch.items()
        if value is not None
    }
    return {**kept, **changed}


def _dataset(seen: dataset.Observed, plan: Plan, now: float) -> dataset.Observed:
    looks = tuple(look for look in seen.looks if look.job["metadata"]["uid"] not in _gone(plan))
    configs = _rest(seen.configs, plan)
    for child in plan.children:
        there = {obj["metadata"]["name"] for obj in (*configs, *[dict(look.job) for look in looks])}
        if child.kind == "Job" and all(look.job["metadata"]["name"] != child.name for look in looks):
            looks = (*looks, _view(child, now))
        elif child.kind == "ConfigMap" and child.name not in there:
            configs = (*configs, created(child, now))
    return replace(seen, dataset=_with_status(seen.dataset, plan), looks=looks, configs=configs)


def _model(seen: model.Observed, plan: Plan, now: float) -> model.Observed:
    runs = _rest(seen.runs, plan)
    names = {run["metadata"]["name"] for run in runs}
    runs = (*runs, *[created(child, now) for child in plan.children if child.name not in names])
    versions = tuple(_patched(version, plan.patches) for version in _rest(seen.versions, plan))
    after = replace(seen, model=_with_status(seen.model, plan), runs=runs, versions=versions)
    return replace(after, live=after.live or model.needs_live(after))


def _training_job(seen: trainingjob.Observed, plan: Plan, now: float) -> trainingjob.Observed:
    after = replace(seen, run=_with_status(seen.run, plan))
    for child in plan.children:
        if child.kind == "ConfigMap" and after.config is None:
            after = replace(after, config=created(child, now))
        elif child.kind == "Job" and after.view is None:
            after = replace(after, view=_view(child, now))
    if after.view is not None:
        after = replace(after, view=replace(after.view, job=_patched(dict(after.view.job), plan.patches)))
    if plan.version is not None:
        spec = {**copy.deepcopy(dict(plan.version.spec)), "modelRef": {"name": plan.version.model}, "version": 1}
        after = replace(after, version=make.obj("ModelVersion", f"{plan.version.model}-1", spec))
    return after


def _model_version(seen: modelversion.Observed, plan: Plan, now: float) -> modelversion.Observed:
    return replace(seen, version=_with_status(seen.version, plan))


def _model_deployment(seen: modeldeployment.Observed, plan: Plan, now: float) -> modeldeployment.Observed:
    children = {obj["metadata"]["name"]: obj for obj in _rest(seen.children, plan)}
    service = seen.service
    for child in plan.children:
        if child.kind == "Deployment":
            have = children.get(child.name)
            children[child.name] = applied(child, have, now) if have else created(child, now)
        elif child.kind == "Service":
            service = applied(child, service, now) if service else created(child, now)
    return replace(
        seen,
        deployment=_with_status(seen.deployment, plan),
        children=tuple(_patched(obj, plan.patches) for obj in children.values()),
        service=service,
        configs=_rest(seen.configs, plan),
    )


PLANNERS: dict[str, tuple[Callable[[Any, float], Plan], Callable[[Any, Plan, float], Any]]] = {
    "Dataset": (dataset.plan, _dataset),
    "Model": (model.plan, _model),
    "TrainingJob": (trainingjob.plan, _training_job),
    "ModelVersion": (modelversion.plan, _model_version),
    "ModelDeployment": (modeldeployment.plan, _model_deployment),
}


def after(kind: str, observed: O, plan: Plan, now: float = make.NOW) -> O:
    """The observation once the plan was carried out."""
    found: O = PLANNERS[kind][1](observed, plan, now)
    return found


def settled(kind: str, observed: O, now: float = make.NOW, passes: int = 8) -> tuple[O, Plan]:
    """The observation and the plan at which nothing changes any more; fails if that takes too long."""
    for _ in range(passes):
        plan = PLANNERS[kind][0](observed, now)
        moved = after(kind, observed, plan, now)
        if moved == observed:
            return observed, plan
        observed = moved
    raise AssertionError(f"a {kind} does not settle within {passes} passes")
