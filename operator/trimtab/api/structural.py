"""From pydantic's JSON schema to the structural schema that a CustomResourceDefinition may hold. Pure.

Every keyword is either carried over, rewritten here, or refused with the path at which it stands: nothing is lost in
silence.

| pydantic writes | the API server reads |
|---|---|
| `$ref` with siblings | the definition itself, siblings on top |
| `anyOf: [X, null]`, `default: null` | X, optional |
| `anyOf: [integer, string]` | `x-kubernetes-int-or-string` |
| `const` | `enum` with one member |
| `{}` (any JSON) | `x-kubernetes-preserve-unknown-fields`, `nullable` |
| `title` | nothing |
| a default that says nothing (null, empty list or map) | nothing |
| a default inside an item of a list | nothing |

Defaults in items are left to the classes: whoever compares a list whole, as Argo CD does, would see what the server
filled in as a change of theirs.
"""

from __future__ import annotations

from typing import Any

from trimtab.api.shape import RULES

Schema = dict[str, Any]

DEFINITIONS = "#/$defs/"
LIST_TYPE = "x-kubernetes-list-type"

BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
CARRIED = (
    "description",
    "type",
    "format",
    "enum",
    "pattern",
    *BOUNDS,
    LIST_TYPE,
    "x-kubernetes-list-map-keys",
    "required",
    RULES,
)
DROPPED = ("title",)
REWRITTEN = ("$ref", "$defs", "anyOf", "const", "default", "properties", "items", "additionalProperties")


class NotStructuralError(Exception):
    """A schema that cannot be said in a CustomResourceDefinition."""


def structural(schema: Schema, *, defaults: bool = True) -> Schema:
    """The structural form of what `model_json_schema()` returned.

    Without `defaults` none is written: what the operator reports must never be filled in by the server.
    Raises NotStructuralError with the path of what cannot be said.
    """
    return _Writer(schema.get("$defs", {}), defaults).node(schema, "")


class _Writer:
    def __init__(self, definitions: dict[str, Schema], defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def node(self, raw: Schema, path: str) -> Schema:
        raw = self._resolved(raw, path)
        unknown = set(raw) - {*CARRIED, *DROPPED, *REWRITTEN, "x-kubernetes-int-or-string"}
        if unknown:
            raise NotStructuralError(
                f"{path or 'root'}: {', '.join(sorted(unknown))} cannot be said in a structural schema"
            )
        written = {key: raw[key] for key in CARRIED if key in raw}
        if "description" in written:
            written["description"] = prose(written["description"])
        if "const" in raw:
            written["enum"] = [raw["const"]]
        if self._defaults and not says_nothing(default := without_nothings(raw.get("default"))):
            written["default"] = default
        written |= self._form(raw, path)
        return written

    def _form(self, raw: Schema, path: str) -> Schema:
        """The part of a node that depends on its type."""
        if raw.get("x-kubernetes-int-or-string"):
            return {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
        match raw.get("type"):
            case "object":
                return self._object(raw, path)
            case "array":
                if LIST_TYPE not in raw:
                    raise NotStructuralError(f"{path}: a list must say how it is merged (atomic, set or keyed)")
                return {"items": _Writer(self._definitions, defaults=False).node(raw["items"], f"{path}[]")}
            case None if "enum" not in raw and "const" not in raw:
                return {"x-kubernetes-preserve-unknown-fields": True, "nullable": True}
            case None:
                raise NotStructuralError(f"{path}: an enum must say its type")
        return {}

    def _object(self, raw: Schema, path: str) -> Schema:
        if "properties" in raw:
            return {
                "properties": {name: self.node(child, f"{path}.{name}") for name, child in raw["properties"].items()}
            }
        values = raw.get("additionalProperties")
        if values is None or values is False:
            return {"properties": {}}
        return {"additionalProperties": self.node({} if values is True else values, f"{path}{{}}")}

    def _resolved(self, raw: Schema, path: str) -> Schema:
        """The node with references and alternatives replaced by what they stand for."""
        if "$ref" in raw:
            siblings = {key: value for key, value in raw.items() if key != "$ref"}
            return self._resolved(merged(self._definitions[raw["$ref"].removeprefix(DEFINITIONS)], siblings), path)
        if "anyOf" not in raw:
            return raw
        siblings = {key: value for key, value in raw.items() if key != "anyOf"}
        branches = [branch for branch in flattened(raw["anyOf"]) if branch.get("type") != "null"]
        if len(branches) == 1:
            return self._resolved(merged(branches[0], siblings), path)
        if [branch.get("type") for branch in branches] == ["integer", "string"]:
            both = {key: value for branch in branches for key, value in branch.items() if key not in ("type", "title")}
            return merged(both | {"x-kubernetes-int-or-string": True}, siblings)
        raise NotStructuralError(f"{path}: alternatives must be members of one object, with a rule that says which")


def merged(under: Schema, over: Schema) -> Schema:
    """Two halves of one node; `over` wins, and the rules of both hold."""
    both = under | over
    if RULES in under and RULES in over:
        both[RULES] = [*under[RULES], *over[RULES]]
    return both


def flattened(branches: list[Schema]) -> list[Schema]:
    """Alternatives of alternatives as one list."""
    return [leaf for branch in branches for leaf in (flattened(branch["anyOf"]) if "anyOf" in branch else [branch])]


def says_nothing(value: object) -> bool:
    """Whether a default is what absence means anyway. Zero, false and empty text do say something."""
    return value is None or value == [] or value == {}


def without_nothings(value: Any) -> Any:
    """A default without members that say nothing."""
    if isinstance(value, dict):
        return {key: kept for key, child in value.items() if not says_nothing(kept := without_nothings(child))}
    return value


def prose(text: str) -> str:
    """A docstring as running text: lines of a paragraph joined, paragraphs kept apart."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
