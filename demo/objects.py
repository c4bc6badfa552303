"""The YAML of the demo: what a user would write. Kept as files in build/demo, so that each can be looked at and applied again."""

from pathlib import Path
from typing import Any

import yaml

from demo.down import NAMESPACE

FOLDER = Path(__file__).parent.parent / "build" / "demo"
API = "trimtab.dev/v1alpha1"
CLAIMS = ("flights", "models")

Json = dict[str, Any]


def claims() -> list[Json]:
    """The namespace, a claim for the data and one for the models."""
    space = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    }
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return [space, *[_core("PersistentVolumeClaim", name, spec=spec) for name in CLAIMS]]


def loader(image: str) -> Json:
    """A pod that holds the data claim open while files are copied into it."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "loader",
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-c", "import signal; signal.pause()"],
                "securityContext": security,
                "volumeMounts": [{"name": "flights", "mountPath": "/flights"}],
            }
        ],
        "volumes": [{"name": "flights", "persistentVolumeClaim": {"claimName": "flights"}}],
    }
    return _core("Pod", "loader", spec=spec)


def dataset(month: str) -> Json:
    """A month of flights, and what must hold of it."""
    return _ours(
        "Dataset",
        "flights",
        source={"uri": f"pvc://flights/{month}.parquet"},
        targetColumn="late",
        timeColumn="time_hour",
        features={"exclude": ["tailnum"]},
        expect={
            "rows": {"min": 5000},
            "columns": [
                {"name": "distance", "type": "Number", "min": 0, "max": 6000, "maxMissing": "1%"},
                {"name": "carrier", "type": "Category", "maxMissing": "0%"},
            ],
        },
    )


def model() -> Json:
    """How the model is trained, judged, and trained again."""
    return _ours(
        "Model",
        "late-flights",
        task="Classification",
        training={
            "data": {"datasetRef": {"name": "flights"}},
            "target": {"positive": "true"},
            "validation": {"type": "Time", "fraction": "20%"},
            "estimator": {"name": "HistGradientBoostingClassifier", "params": {"max_iter": 200}},
        },
        store={"uri": "pvc://models/trimtab"},
        gates=[{"name": "quality", "type": "Bound", "bound": {"metric": "roc_auc", "atLeast": 0.58}}],
        retraining={
            "mode": "Automatic",
            "triggers": [{"name": "drift", "type": "Drift", "drift": {"severity": "Moderate"}}],
            "cooldown": "1m",
        },
    )


def deployment(window: int) -> Json:
    """Serves the champion and watches what is asked of it."""
    return _ours(
        "ModelDeployment",
        "late-flights",
        modelRef={"name": "late-flights"},
        replicas=2,
        monitoring={"window": f"{window}s", "falseAlarmEvery": "90d", "sensitivity": "Medium"},
    )


def pinned(version: int) -> Json:
    """Serves one version beside, to compare with."""
    return _ours("ModelDeployment", f"late-flights-v{version}", modelRef={"name": "late-flights", "version": version})


def write(name: str, *objects: Json) -> Path:
    """The objects as one YAML file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.yaml"
    path.write_text(yaml.safe_dump_all(objects, sort_keys=False))
    return path


def _core(kind: str, name: str, **content: Any) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **content}


def _ours(kind: str, name: str, **spec: Any) -> Json:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
