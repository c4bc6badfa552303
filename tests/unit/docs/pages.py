"""The pages of the documentation, taken apart: fenced blocks, links, headings, tables. Reads files of this repository only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[3]
NOT_OBJECTS = ("scrape_configs:", "inhibit_rules:")
"""What YAML that is for Prometheus and Alertmanager holds; their own tools check it, see tests/unit and tests/process/alerts."""


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, its text."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page, README and changelog included."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@cache
def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text())


def blocks(language: str | None = None) -> list[Block]:
    """All fenced blocks, or those of one language."""
    found = [
        Block(page, token.map[0] + 1, token.info.strip(), token.content)
        for page in pages()
        for token in tokens(page)
        if token.type == "fence" and token.map
    ]
    return [block for block in found if language is None or block.language == language]


def foreign(block: Block) -> bool:
    """Whether a block of YAML is no object of the cluster's."""
    return any(word in block.text for word in NOT_OBJECTS)


def links(page: Path) -> Iterator[str]:
    """Every address that a page links to."""
    for token in tokens(page):
        for child in token.children or ():
            if child.type in ("link_open", "image"):
                yield str(child.attrs.get("href") or child.attrs.get("src"))


def words(page: Path) -> Iterator[str]:
    """Every piece of code within the text."""
    for token in tokens(page):
        yield from (child.content for child in token.children or () if child.type == "code_inline")


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as GitHub makes it."""
    found = tokens(page)
    titles = [after.content for before, after in pairwise(found) if before.type == "heading_open"]
    return {anchor(title) for title in titles}


def anchor(title: str) -> str:
    """
    >>> anchor("What `kubectl` shows, in short")
    'what-kubectl-shows-in-short'
    """
    kept = re.sub(r"[^\w\- ]", "", title.lower())
    return kept.replace(" ", "-")
