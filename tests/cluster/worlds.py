"""What a namespace looks like, without what differs between two runs of the same story: for comparing end states."""

import json
import re
from typing import Any

from tests.cluster.kubectl import Kubectl

KINDS = "modeldeployments,models,datasets,trainingjobs,modelversions,deployments,services,configmaps,networkpolicies,jobs"
HASH = re.compile(r"(?<=[-:])[0-9a-f]{8}(?![0-9a-z])|(?<=sha256:)[0-9a-f]{64}")
VOLATILE = {"lastTransitionTime", "time", "startTime", "completionTime", "uid", "clusterIP", "clusterIPs", "since"}


def world(kubectl: Kubectl) -> list[str]:
    """Every object of ours in the namespace: kind, name, what is meant of it, and the conditions it reports."""
    found = []
    listed = kubectl.do("get", KINDS, "-o", "json").replace(kubectl.namespace, "NAMESPACE")
    for item in json.loads(listed)["items"]:
        if item["metadata"]["name"] == "kube-root-ca.crt":
            continue
        found.append(json.dumps(_essence(item), sort_keys=True))
    return sorted(found)


def _essence(item: dict[str, Any]) -> Any:
    meta = item["metadata"]
    told = {
        "kind": item["kind"],
        "name": meta["name"],
        "labels": meta.get("labels"),
        "owners": [(ref["kind"], ref["name"]) for ref in meta.get("ownerReferences", ())],
        "finalizers": meta.get("finalizers"),
        "spec": item.get("spec") if item["kind"] not in ("Job",) else None,
        "conditions": sorted(
            (entry["type"], entry["status"], entry["reason"])
            for entry in item.get("status", {}).get("conditions", ())
            if item["apiVersion"].startswith("trimtab.dev/")
        ),
    }
    return _without_hashes(told)


def _without_hashes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_hashes(entry) for key, entry in value.items() if key not in VOLATILE}
    if isinstance(value, list | tuple):
        return [_without_hashes(entry) for entry in value]
    return HASH.sub("HASH", value) if isinstance(value, str) else value


def condition(kubectl: Kubectl, name: str, kind: str) -> tuple[str, str, str] | None:
    """Status, reason and message of a condition of an object such as `mdep/late`; None while it has none."""
    entries = kubectl.get(name).get("status", {}).get("conditions", ())
    return next(((e["status"], e["reason"], e["message"]) for e in entries if e["type"] == kind), None)


def is_so(kubectl: Kubectl, name: str, kind: str, status: str, reason: str | None = None) -> bool:
    """Whether a condition has this status, and this reason if one is given."""
    found = condition(kubectl, name, kind)
    return found is not None and found[0] == status and reason in (None, found[1])
