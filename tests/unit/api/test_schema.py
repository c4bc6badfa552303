"""The generated schemas keep the rules of structural schemas and of this API, at every node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from trimtab.api.crd import definition
from trimtab.api.kinds import KINDS, KindRow
from trimtab.api.meta import UNSEEN
from trimtab.api.trainingjob import TrainingJobSpec

Schema = dict[str, Any]

FORBIDDEN = {
    "$ref",
    "$defs",
    "title",
    "const",
    "oneOf",
    "allOf",
    "not",
    "uniqueItems",
    "exclusiveMinimum",
    "propertyNames",
}
YAML_BOOLEANS = {"on", "off", "yes", "no", "y", "n", "true", "false"}
ANY_JSON = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"


def root(row: KindRow) -> Schema:
    schema: Schema = definition(row)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def walk(node: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    if "items" in node:
        yield from walk(node["items"], f"{path}[]")
    if "additionalProperties" in node:
        yield from walk(node["additionalProperties"], f"{path}{{}}")


def nodes(row: KindRow) -> Iterator[tuple[str, Schema]]:
    """Everything below spec and status, with its path."""
    for member in ("spec", "status"):
        yield from walk(root(row)["properties"][member], member)


every_kind = pytest.mark.parametrize("row", KINDS, ids=lambda row: row.kind)


@every_kind
def test_a_node_says_one_type_and_nothing_that_the_server_refuses(row: KindRow) -> None:
    for path, node in nodes(row):
        assert not FORBIDDEN & set(node), path
        assert [("type" in node), (INT_OR_STRING in node), (ANY_JSON in node)].count(True) == 1, path
        assert node.get("additionalProperties", {}) is not False, path
        if "anyOf" in node:
            assert node[INT_OR_STRING] is True, path
            assert node["anyOf"] == [{"type": "integer"}, {"type": "string"}], path


def bounded(node: Schema) -> bool:
    match node.get("type"):
        case "string":
            return "enum" in node or "maxLength" in node
        case "array":
            return "maxItems" in node and node.get("x-kubernetes-list-type") in ("atomic", "set", "map")
        case "integer":
            return {"minimum", "maximum"} <= set(node)
        case "object":
            return "properties" in node or "maxProperties" in node
        case "number" | "boolean":
            return True
    return ANY_JSON in node or {"maxLength", "pattern", "minimum"} <= set(node)


@every_kind
def test_texts_lists_maps_and_integers_are_bounded(row: KindRow) -> None:
    assert [path for path, node in nodes(row) if not bounded(node)] == []


@every_kind
def test_a_pattern_is_anchored_and_means_the_same_to_re2(row: KindRow) -> None:
    for path, node in nodes(row):
        pattern = node.get("pattern", "^$")
        assert pattern.startswith("^"), path
        assert pattern.endswith("$"), path
        assert not re.search(r"\\[dwsDWSbB]|\(\?", pattern), f"{path}: engines differ in classes and look-around"


@every_kind
def test_every_field_is_described_in_sentences(row: KindRow) -> None:
    for path, node in nodes(row):
        if not path.endswith(("[]", "{}")):
            assert re.fullmatch(r"(\S|\S[ \n])*\.", node["description"].replace("\n\n", "\n")), path


@every_kind
def test_map_lists_are_keyed_by_required_scalars(row: KindRow) -> None:
    for path, node in nodes(row):
        for key in node.get("x-kubernetes-list-map-keys", []):
            assert key in node["items"]["required"], path
            assert node["items"]["properties"][key]["type"] in ("string", "integer"), path


@every_kind
def test_words_are_camel_case_and_no_booleans_to_yaml(row: KindRow) -> None:
    for path, node in nodes(row):
        words = set(node.get("enum", []))
        assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*", word) for word in words), path
        if path != "status.conditions[].status":  # as in all of Kubernetes
            assert not YAML_BOOLEANS & {word.lower() for word in words}, path


@every_kind
def test_the_server_fills_nothing_into_a_status_that_somebody_wrote(row: KindRow) -> None:
    assert [path for path, node in nodes(row) if "default" in node and path.startswith("status.")] == []


@every_kind
def test_a_default_keeps_its_own_bounds(row: KindRow) -> None:
    for path, node in nodes(row):
        default = node.get("default")
        assert default not in ([], {}), path
        if isinstance(default, str):
            assert re.fullmatch(node.get("pattern", ".*"), default), path
            assert default in node.get("enum", [default]), path
        elif isinstance(default, int):
            assert node.get("minimum", default) <= default <= node.get("maximum", default), path
        elif isinstance(default, dict):
            assert set(node.get("required", [])) <= set(default) <= set(node["properties"]), path


@every_kind
def test_the_server_fills_nothing_into_an_item_of_a_list(row: KindRow) -> None:
    """Lists are compared whole by those who keep objects in Git."""
    assert [path for path, node in nodes(row) if "default" in node and "[]" in path] == []


@every_kind
def test_an_object_nobody_looked_at_says_so(row: KindRow) -> None:
    assert root(row)["properties"]["status"]["default"] == {"observedGeneration": UNSEEN}


@every_kind
def test_a_definition_fits_into_an_annotation_twice(row: KindRow) -> None:
    assert len(json.dumps(definition(row))) < 262_144 / 2


@every_kind
def test_columns_are_ready_reason_the_kinds_own_and_age(row: KindRow) -> None:
    columns = definition(row)["spec"]["versions"][0]["additionalPrinterColumns"]
    narrow = [column["name"] for column in columns if not column.get("priority")]
    assert narrow[:2] == ["Ready", "Reason"]
    assert narrow[-1] == "Age"
    assert 1 <= len(narrow[2:-1]) <= 2


@every_kind
def test_rules_point_at_members_that_exist(row: KindRow) -> None:
    for path, node in walk(root(row), row.kind):
        for rule in node.get("x-kubernetes-validations", []):
            assert set(rule) <= {"rule", "message", "fieldPath"}, path
            assert len(rule["message"]) <= 200, path
            assert rule.get("fieldPath", ".")[1:] in {"", *node.get("properties", {})}, path


def test_replicas_have_a_default_from_which_an_autoscaler_can_begin() -> None:
    deployment = next(row for row in KINDS if row.kind == "ModelDeployment")
    assert root(deployment)["properties"]["spec"]["properties"]["replicas"]["default"] == 1


def test_every_member_of_a_training_job_but_suspend_is_immutable() -> None:
    members = {field.alias for field in TrainingJobSpec.model_fields.values()}
    guarded = {rule.message.split()[0] for rule in TrainingJobSpec.rules}
    assert guarded == members - {"suspend"}


def test_every_attachment_of_a_discriminated_union_has_its_rule() -> None:
    for row in KINDS:
        for path, node in walk(root(row), row.kind):
            words = node.get("properties", {}).get("type", {}).get("enum", [])
            members = {word[0].lower() + word[1:] for word in words} & set(node.get("properties", {}))
            rules = " ".join(rule["rule"] for rule in node.get("x-kubernetes-validations", []))
            for member in members:
                word = member[0].upper() + member[1:]
                assert f"(self.type == '{word}') == has(self.{member})" in rules, path


def test_names_short_names_and_plurals_are_told_apart() -> None:
    names = [name for row in KINDS for name in (row.kind.lower(), row.plural, row.short_name)]
    assert len(set(names)) == len(names)
    assert [row.short_name for row in KINDS] == ["dset", "mdl", "tjob", "mdlv", "mdep"]
