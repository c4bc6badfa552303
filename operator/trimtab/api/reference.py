"""The field tables of the documentation: `python -m trimtab.api.reference docs/kinds/ [--check]`.

Made from the schemas of the CustomResourceDefinitions, at build time only. Each file stands alone and is meant to be
linked from the kind's own page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from trimtab.api import generated
from trimtab.api.conditions import KINDS_OWN, ConditionType
from trimtab.api.crd import definition
from trimtab.api.kinds import KINDS, KindRow
from trimtab.api.meta import API_VERSION
from trimtab.api.quantities import DURATION, INSTANT, PART, SHARE
from trimtab.api.reasons import REASONS, CommonReason, Reason
from trimtab.api.shape import RULES
from trimtab.api.structural import Schema

MODULE = "trimtab.api.reference"
SPOKEN = {DURATION: "duration", SHARE: "share", PART: "share", INSTANT: "time"}
"""Patterns that have a name."""
HEADER = f"<!-- Generated from operator/trimtab/api by `python -m {MODULE} docs/kinds/`. Do not edit. -->\n"


def page(row: KindRow) -> str:
    """Spec, status, conditions and reasons of a kind, as Markdown."""
    root = definition(row)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    parts = [
        HEADER,
        f"# {row.kind}: fields\n\n`{API_VERSION}`, `{row.plural}`, short `{row.short_name}`. {root['description']}\n",
        f"A name has up to {row.resource.name_length} characters: lower-case letters, digits and dashes.\n",
    ]
    for member in ("spec", "status"):
        schema = root["properties"][member]
        parts.append(f"## {member}\n\n{schema['description']}\n\n{field_table(schema, member)}")
    rules = list(advice(root, row.kind))
    if rules:
        parts.append("## What is refused\n\n" + table(("where", "message"), rules))
    parts.append(f"## Conditions\n\n{condition_table(row.kind)}")
    parts.append(f"## Reasons\n\n{reason_table(row.kind)}")
    return "\n".join(parts)


def field_table(schema: Schema, path: str) -> str:
    """One row per field, in the order of the schema."""
    rows = [
        (f"`{where}`", type_of(node), default_of(node, required), node.get("description", ""))
        for where, node, required in fields(schema, path)
    ]
    return table(("field", "type", "default", "meaning"), rows)


def fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    """All fields below a node: path, node, and whether the field must be given."""
    for name, child in schema.get("properties", {}).items():
        where = f"{path}.{name}"
        yield where, child, name in schema.get("required", [])
        below, mark = (child["items"], "[]") if "items" in child else (child, "")
        yield from fields(below, where + mark)


def type_of(node: Schema) -> str:
    """What may be written there, in a word or two."""
    if "enum" in node:
        return ", ".join(f"`{word}`" for word in node["enum"])
    if node.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "items" in node:
        return f"list of {plural_of(node['items'])}"
    if "additionalProperties" in node:
        return f"map of {plural_of(node['additionalProperties'])}"
    return SPOKEN.get(node.get("pattern", "")) or str(node.get("type", "any JSON"))


def plural_of(node: Schema) -> str:
    """The type of a list's items or a map's values."""
    one = type_of(node)
    return one if one.startswith(("`", "any")) else f"{one.removesuffix('y')}ies" if one == "quantity" else f"{one}s"


def default_of(node: Schema, required: bool) -> str:
    """The default, or that there must be a value."""
    if required:
        return "required"
    default = node.get("default")
    if default is None or isinstance(default, dict):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def advice(node: Schema, path: str) -> Iterator[tuple[str, str]]:
    """The message of every rule at and below a node, with where it applies."""
    for rule in node.get(RULES, []):
        yield f"`{path}`", rule["message"]
    for name, child in node.get("properties", {}).items():
        yield from advice(child, f"{path}.{name}")
    if "items" in node:
        yield from advice(node["items"], f"{path}[]")


def condition_table(kind: str) -> str:
    """The conditions of a kind; three of them are everybody's."""
    shown = (ConditionType.READY, *KINDS_OWN[kind], ConditionType.RECONCILING, ConditionType.STALLED)
    return table(("condition", "meaning"), [(f"`{one.value}`", one.__doc__ or "") for one in shown])


def reason_table(kind: str) -> str:
    """The reasons of a kind, then those of all."""
    enums: tuple[type[Reason], ...] = (REASONS[kind], CommonReason)
    return table(("reason", "meaning"), [(f"`{one.value}`", one.__doc__ or "") for enum in enums for one in enum])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; what would break a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell(text) for text in line) + " |\n" for line in lines)


def cell(text: str) -> str:
    """Text that fits into one cell; `<` is markup anywhere but in code."""
    pieces = text.replace("|", "\\|").split("`")
    shown = "`".join(piece if index % 2 else piece.replace("<", "&lt;") for index, piece in enumerate(pieces))
    return shown.replace("\n\n", "<br><br>").replace("\n", " ")


def files() -> dict[str, str]:
    """All files by name."""
    return {f"{row.kind.lower()}.fields.md": page(row) for row in KINDS}


if __name__ == "__main__":
    sys.exit(generated.main(MODULE, "*.fields.md", files))
