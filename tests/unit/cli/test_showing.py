"""The report in the terminal and as a page: nothing of a user's text gets out of hand."""

from html.parser import HTMLParser
from io import StringIO

import pytest
from rich.console import Console

from tests.unit.cli import make
from trimtab.cli import page, report, terminal
from trimtab.cli.report import Report, Subject

HOSTILE = '<script>alert("x")</script>\x1b[31m[bold]&'


def told(name: str = "temp", level: str = "UA", *, moved_from: int | None = 26) -> Report:
    profile = make.profile(name=name, level=level)
    ledger = make.ledger(profile, 30, moved_from=moved_from)
    return report.report(Subject("shop", "late", "7"), profile, ledger, make.SETTINGS)


def printed(of: Report, *, every: bool = False) -> str:
    written = StringIO()
    terminal.show(Console(width=160, file=written, color_system=None), of, every=every)
    return written.getvalue()


class Page(HTMLParser):
    """Tags opened, attributes and texts of a page; everything that is opened must be closed."""

    ALONE = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "xlink:href")]
        if tag not in self.ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_terminal_names_who_what_and_how_far() -> None:
    text = printed(told())
    assert "shop/late version 7: Drifting (Major)" in text
    assert "1,000 rows of the 1h" in text
    assert "beside 20,000 rows of the reference" in text
    assert "2 more columns" in text


def test_all_columns_are_shown_when_asked_for() -> None:
    text = printed(told(moved_from=None), every=True)
    assert all(name in text for name in ("temp", "carrier", "score"))
    assert "more columns" not in text


@pytest.mark.parametrize("every", [False, True])
def test_a_column_cannot_colour_or_steer_the_terminal(every: bool) -> None:
    text = printed(told(name=HOSTILE, level=HOSTILE), every=every)
    assert "\x1b" not in text
    assert "[bold]" in text


def test_bars_are_drawn_to_one_scale_and_what_was_seen_is_never_drawn_as_nothing() -> None:
    assert terminal.sparks((report.Bar("a", 0.5, 0.001), report.Bar("b", 0.5, 0.999))) == ("▄▄", "▁█")
    assert terminal.sparks(()) == ("", "")


def test_the_page_is_whole_and_needs_nothing_from_anywhere() -> None:
    read = Page(page.html(told()))
    assert read.open == []
    assert read.links == []
    assert not {"script", "link", "img", "iframe", "object"} & set(read.tags)
    assert read.tags.count("article") == 3


def test_a_column_cannot_put_anything_into_the_page() -> None:
    text = page.html(told(name=HOSTILE, level=HOSTILE))
    read = Page(text)
    assert "script" not in read.tags
    assert "\x1b" not in text
    assert any("alert(" in told for told in read.texts)


def test_every_bin_tells_its_numbers() -> None:
    of = told()
    read = Page(page.html(of))
    bars = sum(len(column.bars) for column in of.columns)
    judged = sum(shift is not None for column in of.columns for shift in column.recent)
    assert read.tags.count("title") == 1 + bars + judged
    assert read.tags.count("circle") == judged
