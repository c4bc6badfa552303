"""Who wants a pass when an object changed: itself, the object of ours that owns it, and whoever decides on what it says. Pure."""

from collections.abc import Iterator

from trimtab.controller.cache import Cache, Object, name_of, owner_of
from trimtab.controller.resources import OURS
from trimtab.controller.slim import datasets

Key = tuple[str, str, str]
"""Kind, namespace and name of an object of ours."""
_CHAIN = 4


def rung(cache: Cache, obj: Object) -> Iterator[Key]:
    """Keys that a change of this object concerns."""
    if obj["kind"] in OURS:
        yield name_of(obj)
        yield from _neighbours(cache, obj)
    if (owner := _owner(cache, obj)) is not None:
        yield owner


def _owner(cache: Cache, obj: Object) -> Key | None:
    """The object of ours that owns this one, through ReplicaSets and Jobs."""
    namespace = obj["metadata"].get("namespace", "")
    above: Object | None = obj
    for _ in range(_CHAIN):
        reference = owner_of(above) if above is not None else None
        if reference is None:
            return None
        if reference["kind"] in OURS:
            return reference["kind"], namespace, reference["name"]
        above = cache.by_uid(reference["uid"])
    return None


def _neighbours(cache: Cache, obj: Object) -> Iterator[Key]:
    namespace, name, spec = obj["metadata"].get("namespace", ""), obj["metadata"]["name"], obj.get("spec") or {}
    if obj["kind"] in ("Dataset", "Model"):
        yield from cache.referring_names(f"{obj['kind']}/{namespace}/{name}")
    if obj["kind"] == "Dataset":  # a run without a body of its own reads its Model's Dataset
        for user in cache.referring_names(f"Dataset/{namespace}/{name}", "Model"):
            yield from cache.referring_names(f"Model/{namespace}/{user.name}", "TrainingJob")
    if obj["kind"] in ("Model", "TrainingJob"):
        yield from (("Dataset", namespace, dataset) for dataset in datasets(spec))
    model_name = (spec.get("modelRef") or {}).get("name")
    if model_name is None:
        return
    yield "Model", namespace, model_name
    model = cache.get("Model", namespace, model_name)
    if obj["kind"] == "TrainingJob":
        yield from cache.referring_names(f"Model/{namespace}/{model_name}", "TrainingJob")
        yield from (("Dataset", namespace, dataset) for dataset in datasets((model or {}).get("spec") or {}))
    elif obj["kind"] == "ModelVersion":
        yield from cache.referring_names(f"Model/{namespace}/{model_name}", "ModelDeployment")
    elif obj["kind"] == "ModelDeployment":
        for entry in obj.get("status", {}).get("versions", ()):
            if "name" in entry:
                yield "ModelVersion", namespace, entry["name"]
        if "version" in spec["modelRef"]:
            yield "ModelVersion", namespace, f"{model_name}-{spec['modelRef']['version']}"
        for version in cache.referring(f"Model/{namespace}/{model_name}", "ModelVersion"):  # those that it let go
            users = version.get("status", {}).get("usedBy", ())
            if any(user["kind"] == obj["kind"] and user["name"] == name for user in users):
                yield name_of(version)
