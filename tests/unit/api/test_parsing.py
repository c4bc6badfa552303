"""Whatever the schema accepts, the classes parse; what they write, they read; and both know the same defaults."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.api.crd import definition
from trimtab.api.dataset import Dataset
from trimtab.api.kinds import KINDS, KindRow
from trimtab.api.meta import API_VERSION, Resource
from trimtab.api.model import Model
from trimtab.api.modeldeployment import ModelDeployment

Schema = dict[str, Any]
Json = Any

SCHEMAS = {row.kind: definition(row)["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for row in KINDS}
TEXT = st.characters(exclude_categories=["Cs"])
INT64 = 2**63 - 1
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-INT64, INT64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(TEXT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(TEXT, max_size=5), inner, max_size=3),
    max_leaves=5,
)


def a_real_day(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def texts(schema: Schema) -> st.SearchStrategy[str]:
    longest = schema.get("maxLength", 20)
    if "pattern" not in schema:
        return st.text(TEXT, min_size=schema.get("minLength", 0), max_size=min(longest, 20))
    matching = st.from_regex(re.compile(schema["pattern"]), fullmatch=True, alphabet=TEXT)
    fitting = matching.filter(lambda text: schema.get("minLength", 0) <= len(text) <= longest)
    return fitting.filter(a_real_day) if schema.get("format") == "date-time" else fitting


def values(schema: Schema) -> st.SearchStrategy[Json]:
    """Any value that a structural schema accepts, its rules in CEL aside."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "x-kubernetes-preserve-unknown-fields" in schema:
        return ANY_JSON
    integers = st.integers(schema.get("minimum", -INT64), schema.get("maximum", INT64))
    if "x-kubernetes-int-or-string" in schema:
        return integers | texts(schema)
    match schema["type"]:
        case "object":
            return objects(schema)
        case "array":
            return st.lists(values(schema["items"]), min_size=schema.get("minItems", 0), max_size=2)
        case "string":
            return texts(schema)
        case "integer":
            return integers
        case "number":
            return st.floats(
                schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False
            ) | st.integers(schema.get("minimum", -1000), 1000)
    assert schema["type"] == "boolean"
    return st.booleans()


def objects(schema: Schema) -> st.SearchStrategy[Json]:
    if "additionalProperties" in schema:
        return st.dictionaries(st.text(TEXT, max_size=8), values(schema["additionalProperties"]), max_size=2)
    members = {name: values(child) for name, child in schema["properties"].items()}
    required = {name: members.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(required, optional=members | {"fromTheFuture": st.just({"x": 1})})


def with_defaults(value: Json, schema: Schema) -> Json:
    """What the API server makes of a value: absent members with a default get it, at every depth."""
    if isinstance(value, list):
        return [with_defaults(item, schema["items"]) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    filled = dict(value)
    for name, child in schema["properties"].items():
        if name not in filled and "default" in child:
            filled[name] = child["default"]
        if name in filled:
            filled[name] = with_defaults(filled[name], child)
    return filled


STRATEGIES = {row.kind: values(SCHEMAS[row.kind]) for row in KINDS}


def parsed(row: KindRow, body: Json) -> Resource:
    metadata = {"name": "x", "generation": 1, "managedFields": []}
    return row.resource.model_validate({"apiVersion": API_VERSION, "kind": row.kind, **body, "metadata": metadata})


@pytest.mark.parametrize("row", KINDS, ids=lambda row: row.kind)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_schema_accepts_is_parsed_and_comes_back_equal(row: KindRow, data: st.DataObject) -> None:
    body = data.draw(STRATEGIES[row.kind])
    once = parsed(row, body)
    assert row.resource.model_validate(once.as_json()) == once
    assert parsed(row, with_defaults(body, SCHEMAS[row.kind])) == once


MINIMAL: dict[str, Json] = {
    "Dataset": {"source": {"uri": "pvc://c/x.csv"}, "targetColumn": "y"},
    "Model": {
        "task": "Classification",
        "training": {"data": {"datasetRef": {"name": "d"}}, "estimator": {"name": "Ridge"}},
        "retraining": {"triggers": [{"name": "drift", "type": "Drift", "drift": {}}]},
        "gates": [{"name": "g", "type": "Champion", "champion": {"metric": "rmse", "notWorseBy": 0}}],
    },
    "TrainingJob": {"modelRef": {"name": "m"}},
    "ModelVersion": {
        "modelRef": {"name": "m"},
        "version": 1,
        "artifact": {"uri": "s3://b/m.onnx", "digest": "sha256:" + "0" * 64, "format": "ONNX"},
    },
    "ModelDeployment": {"modelRef": {"name": "m"}, "server": {}, "monitoring": {}},
}


@pytest.mark.parametrize("row", KINDS, ids=lambda row: row.kind)
def test_the_server_fills_in_what_the_classes_assume(row: KindRow) -> None:
    body = {"metadata": {"name": "x"}, "spec": MINIMAL[row.kind]}
    filled = with_defaults(body, SCHEMAS[row.kind])
    assert parsed(row, filled) == parsed(row, body)
    assert filled["status"] == {"observedGeneration": -1}


def test_the_defaults_are_these() -> None:
    model = Model.model_validate({"metadata": {"name": "x"}, "spec": MINIMAL["Model"]}).spec
    assert model.training.timeout == "24h"
    assert model.training.retries == 2
    assert model.training.validation.type == "Hash"
    assert model.promotion.mode == "Automatic"
    assert model.retraining.cooldown == "24h"
    assert model.retraining.triggers[0].drift is not None
    assert model.retraining.triggers[0].drift.severity == "Moderate"
    assert model.retention.on_delete == "Retain"
    assert (model.retention.versions, model.retention.runs.succeeded, model.retention.runs.failed) == (10, 3, 3)
    deployment = ModelDeployment.model_validate({"metadata": {"name": "x"}, "spec": MINIMAL["ModelDeployment"]}).spec
    assert deployment.replicas == 1
    assert deployment.monitoring.as_json() == {"window": "1h", "falseAlarmEvery": "90d", "sensitivity": "Medium"}


def test_zero_and_null_are_values() -> None:
    spec = MINIMAL["Model"] | {
        "training": {
            "data": {"datasetRef": {"name": "d"}},
            "estimator": {"name": "Ridge", "params": {"max_depth": None, "ccp_alpha": 0}},
            "retries": 0,
        }
    }
    model = Model.model_validate({"metadata": {"name": "x"}, "spec": spec})
    written = model.as_json()["spec"]["training"]
    assert written["retries"] == 0
    assert written["estimator"]["params"] == {"max_depth": None, "ccp_alpha": 0}


def test_names_are_taken_as_python_or_as_json_spells_them() -> None:
    spec = {"source": {"uri": "pvc://c/x.csv"}, "target_column": "y"}
    assert Dataset.model_validate({"metadata": {"name": "x"}, "spec": spec}).spec.target_column == "y"
