"""A complete object of every kind, for tests to change."""

from __future__ import annotations

import copy
from typing import Any

from trimtab.api.kinds import KINDS

Json = Any

DIGEST = "sha256:" + "0" * 64
LATE = "late-flights"

SPECS: dict[str, Json] = {
    "Dataset": {
        "source": {"uri": "pvc://flights/2013-01.parquet"},
        "targetColumn": "late",
        "timeColumn": "time_hour",
        "features": {"exclude": ["tailnum"]},
        "expect": {
            "rows": {"min": 5000},
            "freshness": {"maxAge": "1d12h"},
            "columns": [
                {"name": "distance", "type": "Number", "min": 0, "max": 6000, "maxMissing": "1%"},
                {"name": "carrier", "type": "Category", "maxMissing": "0%", "oneOf": ["AA", "B6"]},
            ],
        },
    },
    "Model": {
        "task": "Classification",
        "card": {"owner": "ops@example.com", "links": [{"name": "Data", "url": "https://example.com/flights"}]},
        "training": {
            "data": {"datasetRef": {"name": "flights"}},
            "target": {"positive": "true"},
            "validation": {"type": "Time", "fraction": "20%", "refit": True},
            "estimator": {
                "name": "HistGradientBoostingClassifier",
                "params": {"max_iter": 200, "class_weight": {"0": 1}},
            },
            "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
            "pod": {
                "nodeSelector": {"disk": "ssd"},
                "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}],
            },
        },
        "store": {
            "uri": "s3://models/late",
            "endpoint": "http://10.0.0.1:7070",
            "credentials": {"secretRef": {"name": "s3"}},
        },
        "metrics": ["roc_auc", "brier"],
        "gates": [
            {"name": "quality", "type": "Bound", "bound": {"metric": "roc_auc", "atLeast": 0.58}},
            {
                "name": "no-worse",
                "type": "Champion",
                "champion": {"metric": "roc_auc", "notWorseBy": 0.005, "blocks": "Day"},
            },
        ],
        "promotion": {"mode": "Manual", "approvals": [{"version": 7, "decision": "Approved"}]},
        "champion": {"version": 6},
        "retraining": {
            "triggers": [{"name": "drift", "type": "Drift", "drift": {"severity": "Moderate"}}],
            "cooldown": "24h",
        },
        "retention": {"versions": 10, "runs": {"succeeded": 0}, "onDelete": "Delete"},
    },
    "TrainingJob": {
        "modelRef": {"name": LATE},
        "training": {
            "data": {"datasetRef": {"name": "flights"}},
            "container": {"image": "example.com/train:1", "args": ["--fast"], "env": [{"name": "MODE", "value": ""}]},
        },
        "trigger": {"type": "Manual", "reason": "to see"},
    },
    "ModelVersion": {
        "modelRef": {"name": LATE},
        "version": 7,
        "artifact": {"uri": "s3://models/late/manifest.json", "digest": DIGEST, "format": "ONNX"},
        "signature": {"inputs": [{"name": "a b", "datatype": "FP64", "shape": [-1]}], "outputs": []},
        "metrics": [
            {"name": "roc_auc", "value": 0.7, "lower": 0.65, "upper": 0.75},
            {"name": "brier", "reason": "one class"},
        ],
    },
    "ModelDeployment": {
        "modelRef": {"name": LATE, "version": 7},
        "server": {"flavor": "Slim", "env": [{"name": "MODE", "value": "x"}]},
        "rollout": {"type": "Rolling"},
        "monitoring": {"window": "10s", "falseAlarmEvery": "90d", "features": {"include": ["distance"]}},
    },
}
NAMES = {
    "Dataset": "flights",
    "Model": LATE,
    "TrainingJob": "run",
    "ModelVersion": f"{LATE}-7",
    "ModelDeployment": LATE,
}


def make(kind: str, name: str | None = None, **changes: Any) -> Json:
    """A complete object; `a__b__0=value` changes spec.a.b[0], None removes it."""
    spec = copy.deepcopy(SPECS[kind])
    for path, value in changes.items():
        *parents, last = [int(step) if step.isdigit() else step for step in path.split("__")]
        node = spec
        for step in parents:
            node = node[step] if isinstance(step, int) else node.setdefault(step, {})
        if value is None:
            del node[last]
        else:
            node[last] = value
    body = {"apiVersion": "trimtab.dev/v1alpha1", "kind": kind, "metadata": {"name": name or NAMES[kind]}, "spec": spec}
    return copy.deepcopy(body)


def plural(kind: str) -> str:
    return next(row.plural for row in KINDS if row.kind == kind)
