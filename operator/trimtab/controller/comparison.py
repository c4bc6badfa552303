"""Whether an object is as it is meant: the digest of an intent, and what others may add beside it. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from trimtab.api.meta import Annotation
from trimtab.controller.cache import Object


def intent_of(obj: Object) -> str:
    """A short digest of the full intent: tells a field that we no longer mean from one that somebody added."""
    return hashlib.sha256(json.dumps(obj, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


QUANTITIES = frozenset({"requests", "limits", "sizeLimit"})
MERGED = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "ports": "name",
    "imagePullSecrets": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ownerReferences": "uid",
}
"""Lists into which others may put items of their own, as server-side apply merges them, and what names an item of ours."""


def within(want: Any, have: Any, field: str = "") -> bool:
    """Everything wanted is there; what others added beside it does not count. Quantities are compared as numbers.
    `field` is the name of the member that is compared."""
    if isinstance(want, Mapping):
        return isinstance(have, Mapping) and all(
            (key in have and within(value, have[key], field if field in QUANTITIES else key))
            or (value in ({}, [], None) and not have.get(key))
            for key, value in want.items()
        )
    if isinstance(want, (list, tuple)):
        return isinstance(have, list) and _within_list(want, have, field)
    if want == have:
        return type(want) is type(have) or not (isinstance(want, bool) or isinstance(have, bool))
    return field in QUANTITIES and _same_quantity(want, have)


def _within_list(want: Sequence[Any], have: list[Any], field: str) -> bool:
    key = MERGED.get(field)
    if key is None or not all(isinstance(item, Mapping) and key in item for item in want):
        return len(want) == len(have) and all(within(w, h) for w, h in zip(want, have, strict=True))
    named = {item[key]: item for item in have if key in item}
    return all(item[key] in named and within(item, named[item[key]]) for item in want)


def _same_quantity(want: Any, have: Any) -> bool:
    try:
        return bool(parse_quantity(want) == parse_quantity(have))
    except ValueError:
        return False


def settled(want: Object, have: Object) -> bool:
    """The object carries the digest of this very intent, and nobody changed what we mean."""
    annotations = have["metadata"].get("annotations") or {}
    return annotations.get(Annotation.INTENT) == intent_of(want) and within(want, have)
