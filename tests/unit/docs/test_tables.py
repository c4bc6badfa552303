"""What the pages show of `kubectl get` has the columns that kubectl shows."""

import re

import pytest

from tests.unit.docs.pages import ROOT, blocks
from trimtab.api.crd import definition
from trimtab.api.kinds import KINDS, KindRow


def columns(row: KindRow) -> list[str]:
    listed = definition(row)["spec"]["versions"][0]["additionalPrinterColumns"]
    return ["NAME", *(column["name"].upper() for column in listed if not column.get("priority"))]


def heads(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.startswith("NAME ")]


@pytest.mark.parametrize("row", KINDS, ids=lambda row: row.kind)
def test_the_table_on_a_kinds_page_is_kubectls(row: KindRow) -> None:
    page = ROOT / "docs" / "kinds" / f"{row.kind.lower()}.md"
    found = [head for block in blocks("") if block.page == page for head in heads(block.text)]
    assert found == [columns(row)]


def test_the_tables_in_the_readme_are_kubectls() -> None:
    found = [head for block in blocks("") if block.page == ROOT / "README.md" for head in heads(block.text)]
    assert sorted(found) == sorted(columns(row) for row in KINDS)
