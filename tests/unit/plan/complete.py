"""Complete specs of every kind: together those of a kind hold every member, those that exclude one another in turn."""

import copy
from typing import Any

from tests import make
from tests.cluster import objects
from trimtab.plan.intent import Object

S3 = {
    "uri": "s3://b/x",
    "endpoint": "http://10.0.0.1:7070",
    "region": "r-1",
    "caBundle": "-----BEGIN CERTIFICATE-----",
    "credentials": {"secretRef": {"name": "s3"}},
}
POD = {
    "labels": {"kueue.x-k8s.io/queue-name": "team-a"},
    "annotations": {"example.com/cost-centre": "7"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [
        {"key": "gpu", "operator": "Equal", "value": "a", "effect": "NoExecute", "tolerationSeconds": 5},
    ],
    "priorityClassName": "high",
    "serviceAccountName": "trainer",
    "imagePullSecrets": [{"name": "registry"}],
}
SPREAD = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
RESOURCES = {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
CONTAINER = {"image": "i:1", "command": ["a"], "args": ["b"], "env": [{"name": "MODE", "value": "x"}]}


def complete(kind: str, **changes: Any) -> Object:
    spec: Object = copy.deepcopy(objects.SPECS[kind])
    return {**spec, **copy.deepcopy(changes)}


def training(**changes: Any) -> Object:
    given = {**objects.SPECS["Model"]["training"], "pod": POD, "resources": RESOURCES, **changes}
    return {key: value for key, value in given.items() if value is not None}


ESTIMATOR = {"name": "Ridge", "params": {"alpha": 1}, "preprocess": "Auto"}
IN_CONTAINER = training(estimator=None, container=CONTAINER, validation={"type": "Hash", "fraction": "20%"})
ON_DATASET = training(validation={"type": "Dataset", "dataset": {"datasetRef": {"name": "held-out"}}, "refit": True})
GATES = [
    {"name": "q", "type": "Bound", "bound": {"metric": "brier", "atLeast": 0.5}},
    {"name": "p", "type": "Bound", "bound": {"metric": "brier", "atMost": 0.5}},
    {
        "name": "c",
        "type": "Champion",
        "champion": {"metric": "brier", "notWorseBy": 0.1, "blocks": "Day", "whenInconclusive": "Keep"},
    },
]
BY_HAND: dict[str, Any] = {
    "promotion": {"mode": "Manual", "approvals": [{"version": 7, "decision": "Approved"}]},
    "champion": None,
    "store": None,
}
SPECS: dict[str, list[Object]] = {
    "Dataset": [
        complete("Dataset", source=S3, format="CSV", csv={"missing": ["NA"]}),
        complete("Dataset", resources=RESOURCES, pod=POD),
        complete("Dataset", features={"include": ["distance"]}),
    ],
    "Model": [
        complete("Model", store=S3, gates=GATES, training=training(estimator=ESTIMATOR)),
        complete("Model", store=S3, gates=GATES, training=IN_CONTAINER),
        complete("Model", store=S3, gates=GATES, training=ON_DATASET),
        {key: value for key, value in complete("Model", gates=GATES, **BY_HAND).items() if value is not None},
    ],
    "TrainingJob": [
        complete("TrainingJob", store=S3, gates=GATES, training=training(estimator=ESTIMATOR)),
        complete("TrainingJob", store=S3, gates=GATES, training=IN_CONTAINER),
        complete("TrainingJob", store=S3, gates=GATES, training=ON_DATASET),
    ],
    "ModelVersion": [
        complete(
            "ModelVersion",
            artifact={**S3, "uri": "s3://models/1/manifest.json", "digest": make.digest(7), "format": "Joblib"},
            gates=[{"name": "c", "verdict": "Failed", "message": "so", "value": 1, "bound": 2}],
            lineage=make.version(7)["spec"]["lineage"] | {"twinTrainedUntil": "2013-01-25T00:00:00Z"},
        )
    ],
    "ModelDeployment": [
        complete(
            "ModelDeployment",
            replicas=2,
            server={
                "flavor": "Auto",
                "grpc": True,
                "resources": RESOURCES,
                "env": CONTAINER["env"],
                "pod": {**POD, "topologySpreadConstraints": [SPREAD]},
            },
        ),
        {
            **{key: value for key, value in complete("ModelDeployment").items() if key != "modelRef"},
            "artifact": {
                **S3,
                "uri": "s3://b/m.onnx",
                "digest": make.digest(7),
                "format": "Joblib",
                "allowPickle": True,
            },
            "server": {"flavor": "Auto"},
            "monitoring": {"features": {"exclude": ["a"]}},
        },
    ],
}
"""Complete objects; together they hold every member that excludes another."""
