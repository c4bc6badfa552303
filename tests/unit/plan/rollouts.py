"""A deployment on its way: from nothing to version 1, to another champion, and what pods do meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests import make
from tests.unit.plan import worlds
from trimtab.api.conditions import ConditionType as Type
from trimtab.plan import conditions, modeldeployment
from trimtab.plan.intent import Object, Plan
from trimtab.plan.modeldeployment import Observed
from trimtab.plan.serving import SELECTED

ONE, TWO = make.version(1), make.version(2)
UNREADABLE = '{"reason": "ArtifactUnreachable", "message": "the store does not answer"}'
MISMATCH = '{"reason": "DigestMismatch", "message": "other bytes"}'


def champion(given: Object | None) -> Object:
    """The Model with this champion."""
    return make.model(status={"champion": make.identity(given)} if given else {})


def observed(deployment: Object | None = None, **given: Any) -> Observed:
    """A deployment that follows version 1, before anything was made."""
    nothing: dict[str, Any] = {"children": (), "service": None, "pods": {}, "judged": None}
    return Observed(
        deployment=deployment or make.deployment(),
        defaults=make.DEFAULTS,
        **{**nothing, "model": champion(ONE), "versions": (ONE, TWO), **given},
    )


def plan(seen: Observed, now: float = make.NOW) -> Plan:
    return modeldeployment.plan(seen, now)


def ready(child: Object, *, replicas: int | None = None) -> Object:
    """A Deployment whose pods all answer."""
    asked = child["spec"]["replicas"] if replicas is None else replicas
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), asked)
    return {**child, "status": {"observedGeneration": child["metadata"]["generation"], **counts}}


def made(seen: Observed, ok: Callable[[Object], bool] = lambda _: True, passes: int = 1) -> Observed:
    """The world after the plan was carried out and the pods of the Deployments that are `ok` came up."""
    for _ in range(passes):
        seen = worlds.after("ModelDeployment", seen, plan(seen))
        seen = replace(seen, children=tuple(ready(child) if ok(child) else child for child in seen.children))
    return seen


def serving(deployment: Object | None = None, **given: Any) -> Observed:
    """A deployment that serves version 1 and has settled."""
    return worlds.settled("ModelDeployment", made(observed(deployment, **given), passes=3))[0]


def following(seen: Observed, version: Object | None) -> Observed:
    return replace(seen, model=champion(version))


def points_at(seen: Observed) -> str:
    """The version that the Service points at, as its Deployment is named."""
    assert seen.service is not None
    return str(seen.service["spec"]["selector"][SELECTED]).removeprefix("late-")[:2]


def names(seen: Observed) -> list[str]:
    return sorted(child["metadata"]["name"].removeprefix("late-")[:2] for child in seen.children)


def told(plan: Plan, kind: Type = Type.READY) -> tuple[str, str]:
    assert plan.status is not None
    entry = conditions.find(plan.status, kind)
    assert entry is not None
    return entry["status"], entry["reason"]


def of(number: int, seen: Observed) -> Object:
    return next(child for child in seen.children if child["metadata"]["name"].startswith(f"late-v{number}-"))


def broken(seen: Observed, number: int, message: str, container: str = "fetch") -> Observed:
    """The pods of one version end with this message."""
    dead = make.waiting(container, "CrashLoopBackOff", "back-off", **make.ended(container, 3, message)["state"])
    pod = make.pod(init=(dead,), phase="Pending") if container == "fetch" else make.pod(main=(dead,))
    return replace(seen, pods={of(number, seen)["metadata"]["uid"]: (pod,)})


def is_one(child: Object) -> bool:
    return bool(child["metadata"]["name"].startswith("late-v1-"))


def changed(seen: Observed, **spec: Any) -> Observed:
    """The user changed the spec."""
    return replace(seen, deployment={**make.deployment(generation=2, **spec), "status": seen.deployment["status"]})
