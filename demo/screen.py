"""What the demo shows in the terminal: steps, a live line for what is under way, tables, and commands to type."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.status import Status
from rich.table import Table

console = Console(highlight=False)
_started = time.monotonic()


def step(title: str, text: str = "") -> None:
    """A chapter of the story."""
    minutes, seconds = divmod(int(time.monotonic() - _started), 60)
    console.print(Rule(f"[bold]{escape(title)}[/]  [dim]{minutes}:{seconds:02d}[/]", align="left"))
    if text:
        console.print(escape(text))


def say(text: str) -> None:
    console.print(escape(text))


def good(text: str) -> None:
    console.print(f"[green]✓[/] {escape(text)}")


def try_it(*commands: str) -> None:
    """Commands to type in another terminal."""
    for command in commands:
        console.print(f"  [dim]see for yourself:[/] [cyan]{escape(command)}[/]", soft_wrap=True)


@contextmanager
def under_way(text: str) -> Iterator[Status]:
    """A line that lives while something is waited for; where there is no terminal, a line when it changes."""
    if console.is_terminal:
        with console.status(escape(text)) as status:
            yield status
        return
    console.print(escape(text))
    yield _Plain(text)  # type: ignore[misc]


class _Plain:
    """Prints a status line when it says something new."""

    def __init__(self, text: str) -> None:
        self._last = text

    def update(self, text: str) -> None:
        if text != self._last:
            console.print(text)
            self._last = text


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    drawn = Table(title=title, title_justify="left", show_edge=False)
    for column in columns:
        drawn.add_column(column)
    for row in rows:
        drawn.add_row(*[escape(cell) for cell in row])
    console.print(drawn)


def room(columns: int, most: int) -> int:
    """Characters of a bar in each of so many columns beside one of names, at most `most`, for this terminal."""
    return max(5, min(most, (console.width - 12) // columns - 4))


def bar(value: float, bound: float, width: int = 24) -> str:
    """A bar for a shift beside its threshold, on a logarithmic scale from 0.001 to 10.

    >>> bar(0.0, 0.05, 8), len(bar(100.0, 0.05, 8))
    ('··|·····', 8)
    """

    def place(number: float) -> int:
        import math

        return min(width, max(0, round((math.log10(max(number, 1e-3)) + 3) / 4 * width)))

    filled, mark = place(value), place(bound)
    cells = ["█" if i < filled else "·" for i in range(width)]
    cells[min(mark, width - 1)] = "|"
    return "".join(cells)
