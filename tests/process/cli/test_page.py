"""The page of `trimtab drift --html`, in a browser: what a person sees."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.unit.cli import make
from trimtab.cli import page, report
from trimtab.cli.report import Report, Subject

LONG = "the_number_of_minutes_between_the_scheduled_and_the_actual_departure_of_the_flight_before"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=_shell(), args=["--no-sandbox"])
        yield launched
        launched.close()


def _shell() -> str:
    found = shutil.which("chromium-headless-shell")
    assert found is not None, "there is no browser: python3 -m cluster tools brings it"
    return found


def told(name: str = "temp") -> Report:
    profile = make.profile(name=name)
    return report.report(Subject("shop", "late", "7"), profile, make.ledger(profile, 30, moved_from=26), make.SETTINGS)


def opened(browser: Browser, folder: Path, of: Report, *, width: int = 1200, scheme: str = "light") -> Page:
    """The page as its file is opened; nothing may be asked of the network, and nothing may be logged."""
    file = folder / "drift.html"
    file.write_text(page.html(of), encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: asked.append(message.text))
    shown.goto(file.as_uri())
    assert asked == [file.as_uri()]
    return shown


def test_the_drifted_column_comes_first_and_its_window_has_the_colour_of_drift(
    browser: Browser, tmp_path: Path
) -> None:
    shown = opened(browser, tmp_path, told())
    assert shown.title() == "shop/late, version 7: Drifting (Major)"
    first = shown.locator("article").first
    assert first.locator("h2").inner_text() == "temp"
    colour = "element => getComputedStyle(element).fill"
    window = first.locator("rect.window").first.evaluate(colour)
    calm = shown.locator("article").nth(1).locator("rect.window").first.evaluate(colour)
    assert window == "rgb(200, 68, 60)"
    assert calm == "rgb(47, 143, 91)"
    assert first.locator("circle.over").count() == 4


def test_bars_are_as_high_as_their_shares(browser: Browser, tmp_path: Path) -> None:
    of = told()
    shown = opened(browser, tmp_path, of)
    column = of.columns[0]
    drawn = shown.locator("article").first.locator("rect")
    boxes = [drawn.nth(place).bounding_box() for place in range(drawn.count())]
    heights = [box["height"] for box in boxes if box is not None]
    shares = [share for bar in column.bars for share in (bar.reference, bar.window)]
    assert len(heights) == len(shares)
    top = max(shares)
    for height, share in zip(heights, shares, strict=True):
        assert height == pytest.approx(share / top * max(heights), abs=1.0)


@pytest.mark.parametrize("width", [380, 800, 1600])
def test_nothing_is_wider_than_the_window_or_lies_outside_its_frame(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    shown = opened(browser, tmp_path, told(name=LONG), width=width)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    outside = """() => [...document.querySelectorAll('article')].flatMap(article => {
        const frame = article.getBoundingClientRect();
        return [...article.querySelectorAll('h2, p, rect, circle')].filter(part => {
            const box = part.getBoundingClientRect();
            return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
        }).map(part => part.outerHTML);
    })"""
    assert shown.evaluate(outside) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_in_dark(browser: Browser, tmp_path: Path, scheme: str) -> None:
    shown = opened(browser, tmp_path, told(), scheme=scheme)
    picture = tmp_path / "drift.png"
    shown.screenshot(path=picture, full_page=True)
    text = shown.locator("h1").evaluate("element => getComputedStyle(element).color")
    assert text == {"light": "rgb(0, 0, 0)", "dark": "rgb(255, 255, 255)"}[scheme]
