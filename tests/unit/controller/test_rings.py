"""Who wants a pass when an object changed."""

from typing import Any

import pytest

from tests import make
from trimtab.controller import rings
from trimtab.controller.cache import Cache
from trimtab.controller.resources import WATCHED
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
