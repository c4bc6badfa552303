"""A report in the terminal: small bars, reference beside window."""

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from trimtab.cli.report import Bar, Column, Report
from trimtab.drift import sentences

SHADES = " ▁▂▃▄▅▆▇█"
COLOURS = {"Drifting": "red", "InDistribution": "green", "Unknown": "yellow"}
WORDS = 0.02
"""Change of a share that is worth words."""

SEVERITIES = {"Minor": "yellow", "Moderate": "red", "Major": "bold red"}


def show(console: Console, report: Report, *, every: bool) -> None:
    """Print the report. `every`: all columns, not only those that drifted or come near it."""
    console.print(heading(report))
    shown = [column for column in report.columns if every or _worth_a_look(column)]
    if shown:
        console.print(table(shown, report.seconds))
    if left := len(report.columns) - len(shown):
        console.print(f"[dim]{left} more columns are at less than half of what would count; --all shows them.[/dim]")


def heading(report: Report) -> RenderableType:
    """Who, when, how many rows, and the verdict."""
    verdict = report.verdict
    title = Text.assemble(
        (f"{report.namespace}/{report.deployment}", "bold"),
        f" version {report.version}: ",
        (verdict.verdict, COLOURS[verdict.verdict]),
        f" ({verdict.severity})" if verdict.severity else "",
    )
    span = sentences.span(report.scale * report.seconds)
    told = (
        f"{report.rows:,} rows of the {span} to {report.ended:%Y-%m-%d %H:%M:%S} UTC, "
        f"beside {report.reference_rows:,} rows of the reference"
    )
    return Group(title, Text(told, "dim"), Text(verdict.message))


def table(columns: list[Column], seconds: float) -> Table:
    """One row a column, with its histograms."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column("column", overflow="fold")
    made.add_column("shift", justify="right")
    made.add_column("counts from", justify="right")
    made.add_column("reference", no_wrap=True)
    made.add_column("window", no_wrap=True)
    made.add_column(f"each {sentences.span(seconds)}", no_wrap=True)
    made.add_column("what moved most", overflow="fold")
    for column in columns:
        reference, window = sparks(column.bars)
        made.add_row(
            Text(sentences.shown(column.name), "italic" if column.output else ""),
            Text("–" if column.shift.psi is None else f"{column.shift.psi:.3f}", _colour(column)),
            "–" if column.shift.threshold is None else f"{column.shift.threshold:.3f}",
            Text(reference, "cyan"),
            Text(window, _colour(column)),
            recent(column),
            ", ".join(moved(column)),
        )
    return made


def sparks(bars: tuple[Bar, ...]) -> tuple[str, str]:
    """Reference and window as one character a bin, to one scale.

    >>> sparks((Bar("a", 0.5, 0.0), Bar("b", 0.5, 1.0)))
    ('▄▄', ' █')
    """
    top = max((max(bar.reference, bar.window) for bar in bars), default=0.0) or 1.0
    return (
        "".join(_shade(bar.reference / top) for bar in bars),
        "".join(_shade(bar.window / top) for bar in bars),
    )


def recent(column: Column) -> Text:
    """The shift of each base window; red where it counted by itself."""
    drawn = Text()
    for shift in column.recent:
        if shift is None:
            drawn.append("·", "dim")
        else:
            drawn.append(
                _shade((shift.psi or 0.0) / (column.highest or 1.0)), "red" if shift.verdict == "Drifting" else "dim"
            )
    return drawn


def moved(column: Column, most: int = 2) -> Iterator[str]:
    """The bins that changed most, in words; missing values too."""
    for bar in sorted(column.bars, key=lambda bar: -abs(bar.window - bar.reference))[:most]:
        if abs(bar.window - bar.reference) >= WORDS:
            yield f"{sentences.shown(bar.label)}: {bar.reference:.0%} → {bar.window:.0%}"
    if abs(column.missing - column.usual) >= WORDS:
        yield f"missing: {column.usual:.0%} → {column.missing:.0%}"


def _shade(share: float) -> str:
    """A share of something seen is never drawn as nothing."""
    step = round(share * (len(SHADES) - 1))
    return SHADES[max(step, 1 if share > 0 else 0)]


def _colour(column: Column) -> str:
    if column.shift.verdict == "Drifting":
        return SEVERITIES[column.shift.severity or "Minor"]
    return COLOURS[column.shift.verdict]


def _worth_a_look(column: Column) -> bool:
    return column.shift.verdict != "InDistribution" or column.ratio >= 0.5
