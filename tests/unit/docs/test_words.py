"""What the pages say of settings, reasons and conditions is what the code has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT
from trimtab.api import reasons as module
from trimtab.api.conditions import KINDS_OWN, ConditionType
from trimtab.api.kinds import KINDS
from trimtab.api.reasons import REASONS, CommonReason, DatasetReason, Reason
from trimtab.controller.settings import Settings

DOCS = ROOT / "docs"
NOBODY_GIVES = {"OutputsDisagree"}
"""Understood when a deployment says it, which none does."""

every_kind = pytest.mark.parametrize("kind", [row.kind for row in KINDS])


def test_operations_list_every_setting_with_its_default_and_meaning() -> None:
    rows = [line for line in (DOCS / "operations.md").read_text().splitlines() if line.startswith("| `TRIMTAB_")]
    assert rows == [
        f"| `TRIMTAB_{name.upper()}` | {'' if field.default == '' else f'`{field.default}`'} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def given() -> Iterator[Reason]:
    """Reasons that a planner or the controller names."""
    for folder in ("plan", "controller"):
        for path in (ROOT / "operator" / "trimtab" / folder).glob("*.py"):
            yield from named_in(ast.parse(path.read_text()))


def named_in(tree: ast.Module) -> Iterator[Reason]:
    """`Why.SERVING` and the like, by what `Why` is in this module."""
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "trimtab.api.reasons"]
    enums = {alias.asname or alias.name: getattr(module, alias.name) for node in imported for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            enum = enums.get(node.value.id)
            if isinstance(enum, type) and issubclass(enum, Reason) and node.attr in enum.__members__:
                yield enum[node.attr]


def told(page: Path) -> set[str]:
    """CamelCase words in the cells of tables that have a column for reasons, the last column left out."""
    words: set[str] = set()
    for table in re.findall(r"(?:^\|.*\n)+", page.read_text(), re.MULTILINE):
        head, _, *rows = table.splitlines()
        if "reason" in head:
            cells = [cell for row in rows for cell in row.split("|")[1:-2]]
            words |= {word for cell in cells for word in re.findall(r"`([A-Z][A-Za-z]+)`", cell)}
    return words


@every_kind
def test_a_kinds_page_tells_its_reasons_and_no_others(kind: str) -> None:
    found = told(DOCS / "kinds" / f"{kind.lower()}.md")
    enum = REASONS[kind]
    in_use = {reason.value for reason in given() if type(reason) is enum} - NOBODY_GIVES
    assert in_use <= found
    known = {reason.value for each in (enum, CommonReason, DatasetReason) for reason in each}
    assert found - known - {condition.value for condition in ConditionType} == set()


def test_the_common_reasons_are_told_once() -> None:
    in_use = {reason.value for reason in given() if type(reason) is CommonReason}
    assert told(DOCS / "kinds" / "README.md") == in_use


@every_kind
def test_a_kinds_page_names_its_conditions_and_its_fields(kind: str) -> None:
    text = (DOCS / "kinds" / f"{kind.lower()}.md").read_text()
    assert [one.value for one in KINDS_OWN[kind] if f"`{one.value}`" not in text] == []
    assert f"({kind.lower()}.fields.md)" in text
