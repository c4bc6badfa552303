"""Names of children: the parent's name and a hash of what made them, never of our own defaults. A name is the cheapest lock.

A golden test holds these names over releases: a changed name would make a second child of what exists.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from trimtab.api.meta import MANAGED_BY, Label
from trimtab.plan.intent import Object

HASH_LENGTH = 8


def digest(*inputs: Any) -> str:
    """Eight hexadecimal digits over the inputs, which are JSON values.

    >>> digest("a", 1) == digest("a", 1), digest("a", 1) == digest("a", 2)
    (True, False)
    """
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def labels(kind: Label, name: str, component: str) -> dict[str, str]:
    """Labels of a child of the object `name` of a kind; `component` says what the child is for."""
    return {
        "app.kubernetes.io/managed-by": MANAGED_BY,
        "app.kubernetes.io/part-of": "trimtab",
        "app.kubernetes.io/component": component,
        str(kind): name,
    }


def owner(parent: Mapping[str, Any]) -> Object:
    """The controller ownerReference that a child carries."""
    meta = parent["metadata"]
    return {
        "apiVersion": parent["apiVersion"],
        "kind": parent["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def child(parent: Mapping[str, Any], api_version: str, kind: str, name: str, labels: Mapping[str, str]) -> Object:
    """An object of ours without its content."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": parent["metadata"]["namespace"],
            "labels": dict(labels),
            "ownerReferences": [owner(parent)],
        },
    }
