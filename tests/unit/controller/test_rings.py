"""Who wants a pass when an object changed."""

from typing import Any, cast

import pytest

from tests import make
from trimtab.controller import rings
from trimtab.controller.apply import Applier
from trimtab.controller.cache import Cache
from trimtab.controller.client import Client
from trimtab.controller.loop import Loop
from trimtab.controller.observe import World
from trimtab.controller.resources import WATCHED
from trimtab.controller.settings import Settings
from trimtab.controller.slim import references, slim
from trimtab.plan.intent import Object

DATASET, HELD = make.dataset(), make.dataset("held-out")
VALIDATION = {"type": "Dataset", "dataset": {"datasetRef": {"name": "held-out"}}}
TRAINING = {"data": {"datasetRef": {"name": "flights"}}, "validation": VALIDATION, "estimator": {"name": "Ridge"}}
MODEL = make.model(training=TRAINING)
RUN, OWN = make.run("run"), make.run("own", training={**TRAINING, "data": {"datasetRef": {"name": "other"}}})
ONE = make.version(1, status={"usedBy": [{"kind": "ModelDeployment", "name": "late"}]})
TWO = make.version(2)
SERVES = make.deployment(status={"versions": [make.served(TWO)]})
ELSEWHERE = make.deployment("elsewhere", modelRef={"name": "other-model"})


def child(kind: str, name: str, parent: Object, **more: Any) -> Object:
    return make.obj(kind, name, {}, owner=parent, api_version="v1", **more)


JOB = child("Job", "run-job", RUN)
DEPLOYMENT = child("Deployment", "late-v2", SERVES)
REPLICAS = child("ReplicaSet", "late-v2-x", DEPLOYMENT)
ALL = (DATASET, HELD, MODEL, RUN, OWN, ONE, TWO, SERVES, ELSEWHERE, JOB, DEPLOYMENT, REPLICAS)


def cache(*objects: Object) -> Cache:
    seen = Cache(WATCHED, slim, references)
    for given in objects or ALL:
        seen.put(given)
    return seen


def rung(given: Object) -> set[str]:
    return {f"{kind}/{name}" for kind, _, name in rings.rung(cache(), given)}


CASES: dict[str, tuple[Object, set[str]]] = {
    "a Dataset: itself, who trains on it, and runs that are the Model's": (
        DATASET,
        {"Dataset/flights", "Model/late", "TrainingJob/run", "TrainingJob/own"},
    ),
    "a Dataset that is held out: likewise": (
        HELD,
        {"Dataset/held-out", "Model/late", "TrainingJob/run", "TrainingJob/own"},
    ),
    "a Model: itself, its Datasets, and whoever refers to it": (
        MODEL,
        {"Model/late", "Dataset/flights", "Dataset/held-out", "TrainingJob/run", "TrainingJob/own"}
        | {"ModelVersion/late-1", "ModelVersion/late-2", "ModelDeployment/late"},
    ),
    "a run: itself, its Model, the other runs, and its Datasets": (
        OWN,
        {"TrainingJob/own", "TrainingJob/run", "Model/late", "Dataset/other", "Dataset/held-out", "Dataset/flights"},
    ),
    "a version: itself, its Model and who may serve it": (
        TWO,
        {"ModelVersion/late-2", "Model/late", "ModelDeployment/late"},
    ),
    "a deployment: itself, its Model, what it serves and what it let go": (
        SERVES,
        {"ModelDeployment/late", "Model/late", "ModelVersion/late-2", "ModelVersion/late-1"},
    ),
    "a deployment that asks for a version: that one, too": (
        make.deployment("asks", modelRef={"name": "late", "version": 7}),
        {"ModelDeployment/asks", "Model/late", "ModelVersion/late-7"},
    ),
    "a Job: the run that owns it": (JOB, {"TrainingJob/run"}),
    "a Job's pod: the run, through the Job": (child("Pod", "p", JOB), {"TrainingJob/run"}),
    "a ReplicaSet: the deployment, through its Deployment": (REPLICAS, {"ModelDeployment/late"}),
    "a server's pod: the deployment, through both": (child("Pod", "q", REPLICAS), {"ModelDeployment/late"}),
    "a pod of nobody: nobody": (make.obj("Pod", "stray", {}, api_version="v1"), set()),
    "a pod whose owner is gone: nobody": (
        child("Pod", "late", make.obj("ReplicaSet", "gone", {}, uid="gone", api_version="apps/v1")),
        set(),
    ),
    "a run that a Model opened: that Model": (
        make.run("opened", owner=MODEL),
        {
            "TrainingJob/opened",
            "TrainingJob/run",
            "TrainingJob/own",
            "Model/late",
            "Dataset/flights",
            "Dataset/held-out",
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_change_concerns(case: str) -> None:
    given, expected = CASES[case]
    assert rung(given) == expected


def test_nobody_is_rung_across_namespaces() -> None:
    other = make.obj("Model", "late", MODEL["spec"], uid="other")
    other["metadata"]["namespace"] = "theirs"
    keys = list(rings.rung(cache(), other))
    assert {namespace for _, namespace, _ in keys} == {"theirs"}


# ---------------------------------------------------------------- what is heard


def loop(*objects: Object) -> Loop:
    world = World(cache(*objects), cast(Client, None), make.DEFAULTS, lambda _: None)
    return Loop(world, cast(Applier, None), Settings(), ())


def waiting(given: Loop) -> set[str]:
    return {f"{kind}/{name}" for kind, _, name in given.queue._dirty}


def newer(given: Object, **changes: Any) -> Object:
    return {**given, **changes, "metadata": {**given["metadata"], "resourceVersion": "2"}}


def test_what_is_known_already_rings_nobody() -> None:
    seen = loop()
    seen.heard("MODIFIED", MODEL)
    assert waiting(seen) == set()
    seen.heard(None, MODEL)
    assert waiting(seen) == set()


def test_a_deletion_rings_those_who_cared() -> None:
    seen = loop()
    seen.heard("DELETED", newer(TWO))
    assert waiting(seen) == {"ModelVersion/late-2", "Model/late", "ModelDeployment/late"}


def test_a_change_rings_those_who_were_referred_to_before_too() -> None:
    pinned = make.deployment("asks", modelRef={"name": "late", "version": 1})
    seen = loop(pinned, ONE, TWO)
    seen.heard("MODIFIED", newer(pinned, spec={"modelRef": {"name": "other-model", "version": 3}}))
    assert waiting(seen) == {
        "ModelDeployment/asks",
        "Model/late",
        "ModelVersion/late-1",
        "Model/other-model",
        "ModelVersion/other-model-3",
    }


def test_a_child_that_somebody_deleted_rings_its_owner() -> None:
    service = child("Service", "late", SERVES)
    seen = loop(*ALL, service)
    seen.heard("DELETED", service)
    assert waiting(seen) == {"ModelDeployment/late"}
