"""What planners see: gathered from the cache, and live from the API server where something must be unique or is removed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.controller.cache import Cache, Object
from trimtab.controller.client import Client
from trimtab.controller.resources import OURS, Resource
from trimtab.controller.slim import datasets, slim
from trimtab.plan import conditions, dataset, inputs, model, modeldeployment, modelversion, obstacles, trainingjob
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Plan
from trimtab.plan.jobs import JobView
from trimtab.plan.judgement import Judgement


@dataclass(frozen=True, slots=True)
class World:
    """Where observations come from. `judged` says what the monitor knows of the deployment with this uid."""

    cache: Cache
    client: Client
    defaults: Defaults
    judged: Callable[[str], Judgement | None]


def _job_views(cache: Cache, uid: str) -> list[JobView]:
    return [JobView(job, tuple(cache.owned(job["metadata"]["uid"], "Pod"))) for job in cache.owned(uid, "Job")]


def _referring(cache: Cache, kind: str, obj: Object, by: str) -> tuple[Object, ...]:
    namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
    return tuple(cache.referring(f"{kind}/{namespace}/{name}", by))


async def _live(world: World, resource: Resource, namespace: str, keep: Callable[[Object], bool]) -> tuple[Object, ...]:
    return tuple([slim(obj) async for obj in world.client.listed(resource, namespace) if keep(obj)])


def _names_model(name: str) -> Callable[[Object], bool]:
    return lambda obj: obj["spec"].get("modelRef", {}).get("name") == name


# ---------------------------------------------------------------- one observation a kind


async def _dataset(world: World, obj: Object) -> dataset.Observed:
    uid = obj["metadata"]["uid"]
    return dataset.Observed(
        dataset=obj,
        looks=tuple(_job_views(world.cache, uid)),
        configs=tuple(world.cache.owned(uid, "ConfigMap")),
        asked=tuple(_asked(world.cache, obj)),
        defaults=world.defaults,
    )


def _asked(cache: Cache, obj: Object) -> list[str]:
    """Times at which those who use the Dataset asked for a look."""
    models = _referring(cache, "Dataset", obj, "Model")
    asked = [user["status"]["lookRequestTime"] for user in models if "lookRequestTime" in user.get("status", {})]
    runs = [*_referring(cache, "Dataset", obj, "TrainingJob")]
    for user in models:
        runs += [run for run in _referring(cache, "Model", user, "TrainingJob") if not run["spec"].get("training")]
    for run in runs:
        if not inputs.ended(run) and not run.get("status", {}).get("startTime") and not run["spec"].get("suspend"):
            created = conditions.instant(run["metadata"]["creationTimestamp"])
            asked.append(conditions.timestamp(created - obstacles.LOOK_AGE))
    return asked


async def _model(world: World, obj: Object) -> model.Observed:
    namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
    names = datasets(obj["spec"])
    seen = model.Observed(
        model=obj,
        versions=_referring(world.cache, "Model", obj, "ModelVersion"),
        runs=_referring(world.cache, "Model", obj, "TrainingJob"),
        deployments=_referring(world.cache, "Model", obj, "ModelDeployment"),
        dataset=world.cache.get("Dataset", namespace, names[0]) if names else None,
        defaults=world.defaults,
    )
    if not model.needs_live(seen):
        return seen
    ours = _names_model(name)
    return model.Observed(
        model=obj,
        versions=await _live(world, OURS["ModelVersion"], namespace, ours),
        runs=await _live(world, OURS["TrainingJob"], namespace, ours),
        deployments=await _live(world, OURS["ModelDeployment"], namespace, ours),
        dataset=seen.dataset,
        defaults=world.defaults,
        live=True,
    )


async def _training_job(world: World, obj: Object) -> trainingjob.Observed:
    cache, meta = world.cache, obj["metadata"]
    namespace, model_name = meta["namespace"], obj["spec"]["modelRef"]["name"]
    parent = cache.get("Model", namespace, model_name)
    training = obj["spec"].get("training") or ((parent or {}).get("spec") or {}).get("training") or {}
    names = datasets({"training": training})
    views = _job_views(cache, meta["uid"])
    versions = cache.referring(f"Model/{namespace}/{model_name}", "ModelVersion")
    own = [v for v in versions if v["spec"].get("lineage", {}).get("trainingJob", {}).get("uid") == meta["uid"]]
    champion = ((parent or {}).get("status") or {}).get("champion", {}).get("name")
    configs = [c for c in cache.owned(meta["uid"], "ConfigMap") if c.get("data")]
    begins = not views and not own and not inputs.ended(obj)
    siblings = tuple(cache.referring(f"Model/{namespace}/{model_name}", "TrainingJob"))
    if begins:  # one at a time, and never twice: on what the API server says now
        siblings = await _live(world, OURS["TrainingJob"], namespace, _names_model(model_name))
    return trainingjob.Observed(
        run=obj,
        model=parent,
        dataset=cache.get("Dataset", namespace, names[0]) if names else None,
        validation=cache.get("Dataset", namespace, names[1]) if len(names) > 1 else None,
        config=configs[0] if configs else None,
        view=max(views, key=lambda view: str(view.job["metadata"]["creationTimestamp"]), default=None),
        version=own[0] if own else None,
        champion=cache.get("ModelVersion", namespace, champion) if champion else None,
        siblings=siblings,
        defaults=world.defaults,
    )


async def _model_version(world: World, obj: Object) -> modelversion.Observed:
    namespace, name = obj["metadata"]["namespace"], obj["spec"]["modelRef"]["name"]
    return modelversion.Observed(
        version=obj,
        model=world.cache.get("Model", namespace, name),
        deployments=tuple(world.cache.referring(f"Model/{namespace}/{name}", "ModelDeployment")),
    )


async def _model_deployment(world: World, obj: Object) -> modeldeployment.Observed:
    cache, meta = world.cache, obj["metadata"]
    reference = obj["spec"].get("modelRef")
    children = cache.owned(meta["uid"], "Deployment")
    name = reference["name"] if reference else None
    return modeldeployment.Observed(
        deployment=obj,
        model=cache.get("Model", meta["namespace"], name) if name else None,
        versions=tuple(cache.referring(f"Model/{meta['namespace']}/{name}", "ModelVersion")) if name else (),
        children=tuple(children),
        service=next((s for s in cache.owned(meta["uid"], "Service") if s["metadata"]["name"] == meta["name"]), None),
        pods={child["metadata"]["uid"]: tuple(pods_of(cache, child)) for child in children},
        judged=world.judged(meta["uid"]),
        defaults=world.defaults,
        configs=tuple(cache.owned(meta["uid"], "ConfigMap")),
    )


def pods_of(cache: Cache, deployment: Object) -> list[Object]:
    """Pods of a Deployment, found through the uids of its ReplicaSets."""
    sets = cache.owned(deployment["metadata"]["uid"], "ReplicaSet")
    return [pod for replica_set in sets for pod in cache.owned(replica_set["metadata"]["uid"], "Pod")]


@dataclass(frozen=True, slots=True)
class Planner:
    """How one kind is observed and planned."""

    observe: Callable[[World, Object], Awaitable[Any]]
    plan: Callable[[Any, float], Plan]


PLANNERS: Mapping[str, Planner] = {
    "Dataset": Planner(_dataset, dataset.plan),
    "Model": Planner(_model, model.plan),
    "TrainingJob": Planner(_training_job, trainingjob.plan),
    "ModelVersion": Planner(_model_version, modelversion.plan),
    "ModelDeployment": Planner(_model_deployment, modeldeployment.plan),
}
"""The kinds the operator plans for; a new kind is a new row."""
