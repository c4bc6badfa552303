"""Strategies for what a CRD accepts: from its schema, made to keep the rules that are written in CEL."""

from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests import make
from tests.unit.plan import samples, schema
from tests.unit.plan.schema import Schema
from trimtab.plan.intent import Object

JSON = st.sampled_from([None, True, 0, 1.5, "1.0", [1, None], {"0": 1, "a b": {"c": []}}])
ENV = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["MODE", "HOME", "_x"]), "value": st.just(samples.HIDDEN)}),
    max_size=2,
    unique_by=lambda variable: str(variable["name"]),
)


def from_schema(node: Schema, name: str = "") -> SearchStrategy[Any]:
    """Values of a schema; `name` is the member's."""
    if name == "env":
        return ENV
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if node.get("x-kubernetes-int-or-string"):
        return st.sampled_from(["1", "500m", "2Gi", 1, 0])
    match node.get("type"):
        case "object":
            return _object(node)
        case "array":
            return _array(node)
        case "string":
            return _text(node)
        case "integer":
            low, high = node.get("minimum", 0), node.get("maximum", 2**53)
            return st.sampled_from([value for value in (low, 0, 1, 2, 3, 7, high) if low <= value <= high])
        case "number":
            return st.sampled_from([0, 0.58, 1, 1e-9, 12345.678])
        case "boolean":
            return st.booleans()
    return JSON


def _text(node: Schema) -> SearchStrategy[str]:
    free = (*samples.TEXTS, "long " * (node.get("maxLength", 0) // 5))
    given = samples.BY_PATTERN[node["pattern"]] if "pattern" in node else free
    low, high = node.get("minLength", 0), node.get("maxLength", 10_000)
    return st.sampled_from([text for text in given if low <= len(text) <= high])


def _array(node: Schema) -> SearchStrategy[list[Any]]:
    items, low = from_schema(node["items"]), node.get("minItems", 0)
    keys = node.get("x-kubernetes-list-map-keys")
    unique: Callable[[Any], Any] | None = None
    if keys:

        def unique(item: Any) -> Any:
            return tuple(item.get(key) for key in keys)

    elif node["x-kubernetes-list-type"] == "set":
        unique = str
    return st.lists(items, min_size=low, max_size=max(low, 2), unique_by=unique)


def _object(node: Schema) -> SearchStrategy[Object]:
    if "properties" not in node:
        keys = st.sampled_from(["cpu", "memory", "nvidia.com/gpu"])
        return st.dictionaries(keys, from_schema(node["additionalProperties"]), max_size=2)
    required = set(node.get("required", ()))
    members = {name: from_schema(child, name) for name, child in node["properties"].items()}
    return st.fixed_dictionaries(
        {name: child for name, child in members.items() if name in required},
        optional={name: child for name, child in members.items() if name not in required},
    )


# ---------------------------------------------------------------- what is written in CEL


def _either(given: Object, first: str, second: str, otherwise: Object | None = None) -> None:
    """At most one of two members; exactly one, if there is something to be taken `otherwise`."""
    if first in given and second in given:
        del given[second]
    if otherwise is not None and first not in given and second not in given:
        given |= otherwise


def _place(given: Object) -> Object:
    scheme = given["uri"].split(":")[0]
    for member, schemes in (
        ("endpoint", "s3"),
        ("region", "s3"),
        ("caBundle", "s3 https"),
        ("credentials", "s3 gs az"),
    ):
        if scheme not in schemes.split():
            given.pop(member, None)
    return given


def _tolerations(pod: Object) -> None:
    for toleration in pod.get("tolerations", ()):
        if toleration.get("operator") == "Exists":
            toleration.pop("value", None)
        else:
            toleration.setdefault("key", "gpu")
        if toleration.get("effect") != "NoExecute":
            toleration.pop("tolerationSeconds", None)


def _labels(pod: Object) -> None:
    """Only keys that a rule lets through: all that this strategy makes are such."""
    for member in ("labels", "annotations"):
        assert not [key for key in pod.get(member, {}) if key.startswith("trimtab.dev/")]


def _dataset(spec: Object) -> Object:
    _place(spec["source"])
    _either(spec.get("features", {}), "include", "exclude")
    if spec.get("timeColumn") == spec["targetColumn"]:
        del spec["timeColumn"]
    if spec.get("format", "CSV") != "CSV":
        spec.pop("csv", None)
    _tolerations(spec.get("pod", {}))
    _labels(spec.get("pod", {}))
    if "timeColumn" not in spec:
        spec.get("expect", {}).pop("freshness", None)
    return spec


def _training(training: Object) -> Object:
    training["data"]["datasetRef"]["name"] = make.DATASET
    _either(training, "estimator", "container", {"estimator": {"name": "Ridge"}})
    validation = training.get("validation", {})
    if validation.get("type") == "Dataset":
        validation.pop("fraction", None)
        validation.setdefault("dataset", {"datasetRef": {"name": "held-out"}})
    else:
        validation.pop("dataset", None)
    if "container" in training:
        validation.pop("refit", None)
    _tolerations(training.get("pod", {}))
    _labels(training.get("pod", {}))
    if "timeout" in training:
        training["timeout"] = "90s"
    return training


def _gates(gates: list[Object]) -> None:
    for gate in gates:
        bound = gate.pop("bound", None) or {"metric": "roc_auc"}
        _either(bound, "atLeast", "atMost", {"atLeast": 0.5})
        champion = gate.pop("champion", None) or {"metric": "brier", "notWorseBy": 0}
        gate |= {"bound": bound} if gate["type"] == "Bound" else {"champion": champion}


def _model(spec: Object) -> Object:
    _training(spec["training"])
    if spec["task"] == "Regression":
        spec["training"].pop("target", None)
    if "store" in spec:
        _place(spec["store"])
    _gates(spec.get("gates", []))
    for trigger in spec.get("retraining", {}).get("triggers", ()):
        trigger.setdefault("drift", {})
    return spec


def _training_job(spec: Object) -> Object:
    spec["modelRef"]["name"] = make.MODEL
    if "training" in spec:
        _training(spec["training"])
    if "store" in spec:
        _place(spec["store"])
    _gates(spec.get("gates", []))
    return spec


def _model_version(spec: Object) -> Object:
    spec["modelRef"]["name"] = make.MODEL
    _place(spec["artifact"])
    for metric in spec.get("metrics", ()):
        _either(metric, "value", "reason", {"value": 0.5})
    return spec


def _model_deployment(spec: Object) -> Object:
    _either(spec, "modelRef", "artifact", {"modelRef": {"name": make.MODEL}})
    if "modelRef" in spec:
        spec["modelRef"]["name"] = make.MODEL
    else:
        artifact = _place(spec["artifact"])
        artifact |= {"allowPickle": True} if artifact["format"] == "Joblib" else {}
    _tolerations(spec.get("server", {}).get("pod", {}))
    _labels(spec.get("server", {}).get("pod", {}))
    monitoring = spec.get("monitoring", {})
    monitoring |= {"falseAlarmEvery": "7d"} if "falseAlarmEvery" in monitoring else {}
    _either(monitoring.get("features", {}), "include", "exclude")
    return spec


RULES: dict[str, Callable[[Object], Object]] = {
    "Dataset": _dataset,
    "Model": _model,
    "TrainingJob": _training_job,
    "ModelVersion": _model_version,
    "ModelDeployment": _model_deployment,
}


@cache
def specs(kind: str) -> SearchStrategy[Object]:
    """Specs that the CRD of a kind accepts."""
    return from_schema(schema.of(kind, "spec")).map(RULES[kind])


@cache
def statuses(kind: str) -> SearchStrategy[Object | None]:
    """Statuses that the CRD of a kind accepts, whoever wrote them; often what an object has that nobody looked at."""
    untouched: list[Object | None] = [None, {"observedGeneration": -1}]
    return st.sampled_from(untouched) | from_schema(schema.of(kind, "status"))
