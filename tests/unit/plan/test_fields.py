"""Every field of a spec changes something that is planned: one that is accepted and ignored is a defect.

Each field of the complete objects in tests/cluster/objects.py is changed by itself, and what is planned for it in a few
situations is compared. `card` is for readers.
"""

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.unit.plan import samples, schema
from tests.unit.plan.complete import SPECS
from tests.unit.plan.effects import EFFECTS
from trimtab.plan.intent import Object

Path = tuple[str | int, ...]
FOR_READERS = {"Model": ("card",)}
"""What is not for the operator."""
RECORDS = {
    "ModelVersion": (
        "artifact.bytes",
        "signature",
        "profile",
        "parity",
        "gates.[].value",
        "gates.[].bound",
        "lineage.trainingJob",
        "lineage.dataset.name",
        "lineage.trainedUntil",
        "lineage.image",
        "lineage.parametersDigest",
        "lineage.champion",
        "lineage.seed",
    )
}
"""What Trimtab writes down of a version for people and tools, and no decision reads."""


def fields(node: schema.Schema, path: str = "") -> Iterator[str]:
    """Every leaf below a schema: `gates.[].bound.metric`; a map and a list of plain values are leaves."""
    if "properties" in node:
        for name, child in node["properties"].items():
            yield from fields(child, f"{path}.{name}" if path else name)
    elif node.get("type") == "array" and "properties" in node["items"]:
        yield from fields(node["items"], f"{path}.[]")
    else:
        yield path


def node_at(kind: str, field: str) -> schema.Schema:
    node = schema.of(kind, "spec")
    for step in field.split("."):
        node = node["items"] if step == "[]" else node["properties"][step]
    return node


def subject_to(field: str, prefixes: tuple[str, ...]) -> bool:
    return any(field == prefix or field.startswith(f"{prefix}.") for prefix in prefixes)


# ---------------------------------------------------------------- changing one field


ABSENT: Any = object()


def places(value: Any, steps: list[str], at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Where a field stands, or could stand, in a spec, and what stands there; of a list's items each."""
    step = steps[0]
    if step == "[]":
        for number, item in enumerate(value):
            yield from places(item, steps[1:], (*at, number))
    elif len(steps) == 1:
        yield (*at, step), value.get(step, ABSENT)
    elif step in value:
        yield from places(value[step], steps[1:], (*at, step))


def others(node: schema.Schema, value: Any) -> Iterator[Any]:
    """Other values that the schema takes."""
    if "enum" in node:
        yield from (other for other in node["enum"] if other != value and len(node["enum"]) > 1)
    elif "pattern" in node:
        yield from (other for other in samples.BY_PATTERN[node["pattern"]] if other != value)
    elif node.get("x-kubernetes-int-or-string"):
        yield "3"
    elif value is ABSENT:
        yield from _anything(node)
    else:
        yield from _neighbours(node, value)


def _anything(node: schema.Schema) -> list[Any]:
    by_type: dict[str | None, list[Any]] = {
        "boolean": [True, False],
        "integer": [node.get("minimum", 1), node.get("minimum", 1) + 1],
        "number": [0.125],
        "string": ["changed"],
    }
    return by_type.get(node.get("type"), [])


def _neighbours(node: schema.Schema, value: Any) -> Iterator[Any]:
    match node.get("type"):
        case "boolean":
            yield not value
        case "integer":
            yield value + 1 if value < node.get("maximum", value + 1) else value - 1
        case "number":
            yield value + 0.125
        case "array":
            yield [*value, next(others(node["items"], value[0]))]
        case "object":
            yield {**value, "more": next(others(node["additionalProperties"], "1"))}
        case "string":
            yield f"{value}, changed"
        case None:
            yield {"other": value}


def changed(spec: Object, place: Path, value: Any) -> Object:
    found = copy.deepcopy(spec)
    node: Any = found
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    return found


@cache
def unchanged(kind: str, number: int) -> str:
    """What is planned for a complete object as it is."""
    return EFFECTS[kind](SPECS[kind][number])


def matters(kind: str, field: str) -> bool | None:
    """Whether a change of this field alone changes what is planned; None when nothing else may stand there."""
    node, effects, tried = node_at(kind, field), EFFECTS[kind], False
    for number, spec in enumerate(SPECS[kind]):
        for place, value in places(spec, field.split(".")):
            for other in others(node, value):
                tried = True
                if effects(changed(spec, place, other)) != unchanged(kind, number):
                    return True
    return False if tried else None


def every_field() -> Iterator[tuple[str, str]]:
    for kind in SPECS:
        for field in fields(schema.of(kind, "spec")):
            if not subject_to(field, FOR_READERS.get(kind, ())) and not subject_to(field, RECORDS.get(kind, ())):
                yield kind, field


ONE_VALUE = {"rollout.type", "training.estimator.preprocess", "retraining.triggers.[].type"}
"""Enums that have one member so far."""


@pytest.mark.parametrize(("kind", "field"), [pytest.param(*row, id="/".join(row)) for row in every_field()])
def test_a_change_of_the_field_changes_something_planned(kind: str, field: str) -> None:
    assert matters(kind, field) is (None if field in ONE_VALUE else True)
