"""Whether the API server would take an object: a walk along the schema of its CRD, members it would prune included."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from trimtab.api.crd import root_schema
from trimtab.api.kinds import KINDS

Schema = dict[str, Any]


@cache
def of(kind: str, part: str) -> Schema:
    """The schema of a kind's `spec` or `status`."""
    row = next(row for row in KINDS if row.kind == kind)
    found: Schema = root_schema(row.resource)["properties"][part]
    return found


def faults(value: Any, schema: Schema, path: str) -> Iterator[str]:
    """What is wrong with a value, each with its path; nothing when the API server takes it as it is."""
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            yield f"{path}: {value!r} is neither integer nor text"
        return
    match schema.get("type"):
        case "object":
            yield from _object(value, schema, path)
        case "array":
            yield from _array(value, schema, path)
        case "string":
            yield from _text(value, schema, path)
        case "integer" | "number":
            yield from _number(value, schema, path)
        case "boolean" if not isinstance(value, bool):
            yield f"{path}: {value!r} is not true or false"


def _object(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no object"
        return
    members, others = schema.get("properties", {}), schema.get("additionalProperties")
    if len(value) > schema.get("maxProperties", len(value)):
        yield f"{path}: {len(value)} members are too many"
    yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, child in value.items():
        inner = members.get(name, others)
        if inner is None:
            yield f"{path}.{name} would be pruned"
        else:
            yield from faults(child, inner, f"{path}.{name}")


def _array(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is no list"
        return
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{path}: {len(value)} items"
    keys = schema.get("x-kubernetes-list-map-keys")
    names = [tuple(item.get(key) for key in keys) for item in value] if keys else []
    if len(set(names)) < len(names):
        yield f"{path}: items of one name"
    for number, item in enumerate(value):
        yield from faults(item, schema["items"], f"{path}[{number}]")


def _text(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: {value!r} is no text"
        return
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{path}: {len(value)} characters"
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
    if any(0xD800 <= ord(character) < 0xE000 for character in value):
        yield f"{path}: {value!r} is no valid text"


def _number(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{path}: {value!r} is no number"
        return
    if schema["type"] == "integer" and not isinstance(value, int):
        yield f"{path}: {value!r} is no integer"
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value!r} is out of bounds"
