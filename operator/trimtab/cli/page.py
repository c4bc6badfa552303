"""A report as one HTML file that needs nothing else: no script, no font, no picture from anywhere. Pure: text out."""

from collections.abc import Sequence
from html import escape

from trimtab.cli import terminal
from trimtab.cli.report import Bar, Column, Report
from trimtab.drift import sentences
from trimtab.drift.shifts import Shift

WIDTH, HEIGHT = 340, 120
"""Of a histogram, in CSS pixels."""

TREND = 44
"""Height of the line of base windows."""

LONGEST_LABEL = 22

STYLE = """
:root { color-scheme: light dark; --reference: #8aa0b8; --calm: #2f8f5b; --drift: #c8443c; --unsure: #b98a17; --line: #8884 }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 0 .2rem } h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere }
p, h1 { overflow-wrap: anywhere } p { margin: .2rem 0 } .dim { opacity: .7 }
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 1rem; margin-top: 1.2rem }
article { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .8rem }
.Drifting { border-left: 4px solid var(--drift) } .InDistribution { border-left: 4px solid var(--calm) }
.Unknown { border-left: 4px solid var(--unsure) }
svg { display: block; width: 100%; height: auto; margin-top: .4rem }
.reference { fill: var(--reference) } .Drifting .window { fill: var(--drift) }
.InDistribution .window { fill: var(--calm) } .Unknown .window { fill: var(--unsure) }
.trend { fill: none; stroke: currentColor; stroke-width: 1.5 }
.dot { fill: currentColor } .over { fill: var(--drift) } text { font-size: 10px; fill: currentColor }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .8em; vertical-align: -1px }
"""


def html(report: Report) -> str:
    """The whole page. Every text of a user's or of data is escaped."""
    verdict = report.verdict
    title = f"{report.namespace}/{report.deployment}, version {report.version}"
    told = f"{verdict.verdict}{f' ({verdict.severity})' if verdict.severity else ''}"
    span = sentences.span(report.scale * report.seconds)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}: {escape(told)}</title><style>{STYLE}</style></head><body>",
            f'<header class="{verdict.verdict}" style="padding-left:.8rem"><h1>{escape(title)}: {escape(told)}</h1>',
            f"<p>{escape(verdict.message)}</p>",
            f'<p class="dim">{report.rows:,} rows of the {span} from {report.began:%Y-%m-%d %H:%M:%S} to '
            f"{report.ended:%Y-%m-%d %H:%M:%S} UTC, beside {report.reference_rows:,} rows of the reference.",
            '<span class="key" style="background:var(--reference)"></span>reference',
            '<span class="key" style="background:currentColor"></span>window</p></header>',
            '<main class="columns">',
            *(_article(column, report.seconds) for column in report.columns),
            "</main></body></html>",
        ]
    )


def _article(column: Column, seconds: float) -> str:
    shift = column.shift
    size = "not judged" if shift.psi is None else f"shift {shift.psi:.3f}, counts from {shift.threshold:.3f}"
    name = sentences.shown(column.name)
    moved = "; ".join(terminal.moved(column, 3))
    return "".join(
        [
            f'<article class="{shift.verdict}"><h2>{escape(name)}{" (answered)" if column.output else ""}</h2>',
            f'<p class="dim">{escape(_verdict(column))}: {size}, {shift.rows:,} rows</p>',
            f"<p>{escape(moved)}</p>" if moved else "",
            _histogram(column.bars, name),
            _trend(column, seconds),
            "</article>",
        ]
    )


def _verdict(column: Column) -> str:
    shift = column.shift
    if shift.reason is not None:
        return f"Unknown, {sentences.WHY[shift.reason]}"
    return f"{shift.verdict}{f', {shift.severity}' if shift.severity else ''}"


def _histogram(bars: Sequence[Bar], name: str) -> str:
    """Two bars a bin, side by side; hovering one tells its numbers."""
    top = max((max(bar.reference, bar.window) for bar in bars), default=0.0) or 1.0
    wide = WIDTH / max(1, len(bars))
    drawn = "".join(_pair(bar, i * wide, wide, top) for i, bar in enumerate(bars))
    ends = _ends(bars)
    label = escape(f"{name}: share of rows by bin, reference and window", quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 14}" role="img" aria-label="{label}">{drawn}{ends}</svg>'


def _pair(bar: Bar, x: float, wide: float, top: float) -> str:
    told = f"{sentences.shown(bar.label)}: reference {bar.reference:.1%}, window {bar.window:.1%}"
    each = wide * 0.42
    parts = [
        f'<rect class="{kind}" x="{x + at:.1f}" y="{HEIGHT - share / top * HEIGHT:.1f}" '
        f'width="{each:.1f}" height="{share / top * HEIGHT:.1f}"/>'
        for kind, share, at in (("reference", bar.reference, wide * 0.06), ("window", bar.window, wide * 0.52))
    ]
    return f"<g><title>{escape(told)}</title>{''.join(parts)}</g>"


def _ends(bars: Sequence[Bar]) -> str:
    """The labels of the first and the last bin; those between are told by hovering."""
    if not bars:
        return ""
    first, last = (escape(_short(bar.label)) for bar in (bars[0], bars[-1]))
    text = f'<text x="0" y="{HEIGHT + 11}">{first}</text>'
    return text if len(bars) == 1 else f'{text}<text x="{WIDTH}" y="{HEIGHT + 11}" text-anchor="end">{last}</text>'


def _short(label: str) -> str:
    plain = sentences.shown(label)
    return plain if len(plain) <= LONGEST_LABEL else f"{plain[: LONGEST_LABEL - 1]}…"


def _trend(column: Column, seconds: float) -> str:
    """The shift of each base window, oldest first; red where it counted by itself."""
    told = [(place, shift, shift.psi or 0.0) for place, shift in enumerate(column.recent) if shift is not None]
    if not told:
        return ""
    step = WIDTH / max(1, len(column.recent) - 1)
    points = [(place * step, TREND - psi / (column.highest or 1.0) * (TREND - 6), shift) for place, shift, psi in told]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    label = escape(f"shift in each of the last {len(column.recent)} windows of {sentences.span(seconds)}", quote=True)
    return "".join(
        [
            f'<svg viewBox="-4 0 {WIDTH + 8} {TREND + 18}" role="img" aria-label="{label}">',
            f'<text x="0" y="{TREND + 15}">{label}</text>',
            f'<polyline class="trend" points="{line}"/>',
            *(_dot(x, y, shift) for x, y, shift in points),
            "</svg>",
        ]
    )


def _dot(x: float, y: float, shift: Shift) -> str:
    told = f"shift {shift.psi:.3f}, counts from {shift.threshold:.3f}, {shift.rows:,} rows"
    kind = "dot over" if shift.verdict == "Drifting" else "dot"
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"><title>{told}</title></circle>'
