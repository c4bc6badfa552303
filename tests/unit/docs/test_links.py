"""Links, files and fields that the documentation names are there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.docs.pages import ROOT, anchors, links, pages, words
from tests.unit.plan import schema
from trimtab.api.kinds import KINDS

PACKAGE = ROOT / "operator" / "trimtab"
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|yaml|md)|[a-z_]+\.md")
FIELD = re.compile(r"[a-z][A-Za-z]*(?:\.[a-z][A-Za-z]*)+")

every_page = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


def broken(page: Path) -> Iterator[str]:
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or ROOT not in target.parents:
            yield f"{link}: no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: no such heading"


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    named = {match for word in words(page) if (match := word.strip()) and FILE.fullmatch(match)}
    roots = (ROOT, PACKAGE, page.parent, ROOT / "docs", PACKAGE / "controller")
    assert [name for name in sorted(named) if not any((root / name).exists() for root in roots)] == []


def members(node: dict[str, Any]) -> dict[str, Any]:
    """The fields below a node, through lists."""
    inner = node.get("items", node)
    found: dict[str, Any] = inner.get("properties", {})
    return found


def leads_somewhere(path: str) -> bool:
    """Whether a dotted path is one of fields: from `spec` or `status`, or from any object below them."""
    first, *rest = path.split(".")
    starts = [("spec", kind) for kind in KINDS] + [("status", kind) for kind in KINDS]
    roots = [schema.of(row.kind, part) for part, row in starts]
    below = roots if first in ("spec", "status") else [node for root in roots for node in named(root, first)]
    for name in rest:
        if any("additionalProperties" in node for node in below):  # a map: the name is the user's
            return True
        below = [members(node)[name] for node in below if name in members(node)]
    return bool(below)


def named(node: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Fields of this name at any depth."""
    for member, child in members(node).items():
        if member == name:
            yield child
        yield from named(child, name)


def is_field(word: str) -> bool:
    first = word.split(".")[0]
    fields = {field for row in KINDS for part in ("spec", "status") for field in members(schema.of(row.kind, part))}
    if FIELD.fullmatch(word) is None or word.endswith((".md", ".json", ".yaml")):
        return False
    return first in fields | {"spec", "status"}


@every_page
def test_fields_that_are_named_exist(page: Path) -> None:
    assert [word for word in sorted(set(words(page))) if is_field(word) and not leads_somewhere(word)] == []


def test_a_field_that_does_not_exist_is_noticed() -> None:
    assert is_field("spec.training.budget")
    assert not leads_somewhere("spec.training.budget")
    assert leads_somewhere("retraining.mode")
    assert leads_somewhere("status.failure.logTail")
