"""What the cache keeps of an object: what planners and `apply` read, and nothing that only costs memory. Pure."""

from collections.abc import Callable, Iterable
from typing import Any

from trimtab.api.meta import PREFIX
from trimtab.controller.cache import Object

_NEVER_READ = frozenset({"managedFields", "selfLink", "resourceVersion"})
_UNREAD = {kind: _NEVER_READ | {"labels", "annotations", "generateName"} for kind in ("Pod", "ReplicaSet")}
"""Metadata that nobody reads, by kind."""
COUNTS_COMPONENT = "counts"
"""Component label of ConfigMaps that hold windows of counts: up to 700 KiB, read live when they are needed."""


def slim(obj: Object) -> Object:
    """The object without what nobody reads."""
    left_out = _UNREAD.get(obj["kind"], _NEVER_READ)
    meta = {key: value for key, value in obj["metadata"].items() if key not in left_out}
    if annotations := meta.get("annotations"):
        meta["annotations"] = {key: value for key, value in annotations.items() if key.startswith(PREFIX)}
    kept: Object = {"apiVersion": obj.get("apiVersion"), "kind": obj["kind"], "metadata": meta}
    return kept | _CONTENT.get(obj["kind"], _whole)(obj)


def _whole(obj: Object) -> Object:
    return {key: obj[key] for key in ("spec", "status", "data") if key in obj}


def _pod(obj: Object) -> Object:
    status = obj.get("status", {})
    wanted = ("phase", "reason", "message", "podIP", "conditions", "initContainerStatuses", "containerStatuses")
    node = obj.get("spec", {}).get("nodeName")
    return {
        **({"spec": {"nodeName": node}} if node else {}),
        "status": {key: status[key] for key in wanted if key in status},
    }


def _replica_set(obj: Object) -> Object:
    return {}


def _job(obj: Object) -> Object:
    return {"spec": {"suspend": obj.get("spec", {}).get("suspend", False)}, "status": obj.get("status", {})}


def _config(obj: Object) -> Object:
    component = (obj["metadata"].get("labels") or {}).get("app.kubernetes.io/component")
    return {} if component == COUNTS_COMPONENT else {"data": obj.get("data", {})}


def _policy(obj: Object) -> Object:
    return {"spec": obj.get("spec", {})}


_CONTENT: dict[str, Callable[[Object], Object]] = {
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "Job": _job,
    "ConfigMap": _config,
    "Service": _policy,
    "NetworkPolicy": _policy,
}


def references(obj: Object) -> Iterable[str]:
    """The names under which others look for this object: what it refers to, as `Kind/namespace/name`."""
    spec, namespace = obj.get("spec") or {}, obj["metadata"].get("namespace", "")
    if obj["kind"] in ("TrainingJob", "ModelVersion", "ModelDeployment") and "modelRef" in spec:
        yield f"Model/{namespace}/{spec['modelRef']['name']}"
    if obj["kind"] in ("Model", "TrainingJob"):
        for name in datasets(spec):
            yield f"Dataset/{namespace}/{name}"


def datasets(spec: dict[str, Any]) -> list[str]:
    """Datasets that a Model, or a TrainingJob with a body of its own, trains or judges on."""
    training = spec.get("training") or {}
    found = [training.get("data", {}).get("datasetRef", {}).get("name")]
    found.append(training.get("validation", {}).get("dataset", {}).get("datasetRef", {}).get("name"))
    return [name for name in found if name]
