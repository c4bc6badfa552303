"""Delay against the size of the shift, by method: one panel for each kind of shift, as one SVG that needs nothing else. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from tests.bench.drift.methods import OURS, SAME_RATE
from tests.bench.drift.outcomes import Delay, Outcome

COLOURS = {
    OURS: "#d1481f",
    SAME_RATE: "#f2a07b",
    "Evidently": "#0072b2",
    "NannyML": "#009e73",
    "whylogs": "#cc79a7",
    "river ADWIN": "#6b6b6b",
    "river PageHinkley": "#b0b0b0",
    "Frouros PSI": "#b8860b",
    "Frouros tests": "#56b4e9",
    "NannyML missing": "#00563f",
}
"""Of the methods that are drawn."""

ACROSS, WIDE, HIGH, LEFT, TOP = 4, 250, 190, 48, 118
LEAST, MOST = 50, 20_000
"""Rows at the lower end of a panel and at the upper; the line of misses lies above."""
TICKS = (100, 500, 2000, 8000)
LANES = 0.6
"""Part of the way to the next size that the methods at one size share, side by side, so that none hides another."""


def svg(outcomes: Sequence[Outcome]) -> str | None:
    """None when there is nothing to draw."""
    panels = _panels(outcomes)
    if not panels:
        return None
    down = math.ceil(len(panels) / ACROSS)
    width, height = LEFT + ACROSS * WIDE + 20, TOP + down * (HIGH + 52) + 10
    body = [*_words(), *_legend(panels)]
    for place, (axis, points) in enumerate(panels.items()):
        x, y = LEFT + place % ACROSS * WIDE, TOP + place // ACROSS * (HIGH + 52)
        body += [f'<g transform="translate({x},{y})">', *_panel(axis, points), "</g>"]
    style = (
        "text{font:11px system-ui,sans-serif;fill:#333}.t{font-size:17px;font-weight:600;fill:#111}"
        ".h{font-weight:600}.s{fill:#777}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    return "\n".join(
        [head, f"<style>{style}</style>", '<rect width="100%" height="100%" fill="#fff"/>', *body, "</svg>"]
    )


def _panels(outcomes: Sequence[Outcome]) -> dict[str, dict[float, Mapping[str, Delay]]]:
    """By kind of shift and size, what each method says."""
    found: dict[str, dict[float, Mapping[str, Delay]]] = {}
    for each in outcomes:
        if each.stream.size is not None and OURS in each.default:
            delays = {**each.equal, OURS: each.default[OURS]}
            found.setdefault(each.stream.axis, {})[each.stream.size] = delays
    return {axis: dict(sorted(points.items())) for axis, points in found.items() if len(points) > 1}


def _words() -> Iterator[str]:
    yield '<text class="t" x="16" y="30">Rows from a change to the alarm, by size of the change</text>'
    told = (
        "Median over runs, log scale; hollow at the top: missed in half of them. Peers at thresholds set to our rate of false "
        "alarms on the same stream without the change."
    )
    yield f'<text class="s" x="16" y="49">{escape(told)}</text>'


def _legend(panels: Mapping[str, Mapping[float, Mapping[str, Delay]]]) -> Iterator[str]:
    present = {name for points in panels.values() for delays in points.values() for name in delays}
    x = 16.0
    for name in (name for name in COLOURS if name in present):
        thick = 3 if name == OURS else 1.6
        dash = ' stroke-dasharray="4 2"' if name == SAME_RATE else ""
        yield f'<line x1="{x}" x2="{x + 20}" y1="74" y2="74" stroke="{COLOURS[name]}" stroke-width="{thick}"{dash}/>'
        yield f'<circle cx="{x + 10}" cy="74" r="3" fill="{COLOURS[name]}"/><text x="{x + 26}" y="78">{escape(name)}</text>'
        x += 44 + 6.1 * len(name)


def _panel(axis: str, points: Mapping[float, Mapping[str, Delay]]) -> Iterator[str]:
    inner = WIDE - 40
    yield f'<text class="h" x="0" y="-10">{escape(axis)}</text>'
    yield f'<line x1="0" x2="{inner}" y1="{_y(math.inf)}" y2="{_y(math.inf)}" stroke="#e3e3e3" stroke-dasharray="2 3"/>'
    yield f'<text class="s" x="-6" y="{_y(math.inf) + 4}" text-anchor="end">missed</text>'
    for tick in TICKS:
        yield f'<line x1="0" x2="{inner}" y1="{_y(tick):.1f}" y2="{_y(tick):.1f}" stroke="#eee"/>'
        yield f'<text class="s" x="-6" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:,}</text>'
    places = {size: inner * (i + 0.5) / len(points) for i, size in enumerate(points)}
    for size, x in places.items():
        yield f'<text class="s" x="{x:.1f}" y="{HIGH + 16}" text-anchor="middle">{size:g}</text>'
    names = [name for name in reversed(COLOURS) if any(name in delays for delays in points.values())]
    for lane, name in enumerate(names):
        aside = ((lane + 0.5) / len(names) - 0.5) * LANES * inner / len(points)
        yield from _line(name, [(x + aside, size, points[size].get(name)) for size, x in places.items()])


def _line(name: str, along: Sequence[tuple[float, float, Delay | None]]) -> Iterator[str]:
    there = [(x, size, delay) for x, size, delay in along if delay is not None]
    thick = 2.6 if name == OURS else 1.3
    dash = ' stroke-dasharray="4 2"' if name == SAME_RATE else ""
    path = " ".join(f"{x:.1f},{_y(delay.median):.1f}" for x, _, delay in there)
    yield f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="{thick}" opacity="0.75"{dash}/>'
    for x, size, delay in there:
        missed = math.isinf(delay.median)
        fill = "#fff" if missed else COLOURS[name]
        told = f"{name}, {size:g}: {_told(delay)}"
        yield (
            f'<circle cx="{x:.1f}" cy="{_y(delay.median):.1f}" r="{3.6 if name == OURS else 2.6}" fill="{fill}" '
            f'stroke="{COLOURS[name]}"><title>{escape(told)}</title></circle>'
        )


def _told(delay: Delay) -> str:
    median = "missed" if math.isinf(delay.median) else f"{delay.median:,.0f} rows"
    late = "missed" if math.isinf(delay.p90) else f"{delay.p90:,.0f}"
    return f"median {median}, 90th percentile {late}, {delay.missed} of {len(delay.rows)} runs missed"


def _y(rows: float) -> float:
    """Where so many rows lie, in pixels from the top of a panel."""
    if math.isinf(rows):
        return 4.0
    part = math.log(min(max(rows, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return HIGH - part * (HIGH - 26)
