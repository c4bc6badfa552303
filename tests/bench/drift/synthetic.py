"""Streams that are drawn: a distribution for every column, and what becomes of it. Pure functions of a generator.

All take `rng` and give a `Sample`. n rows in a window, m in the reference, F columns; a change begins with a window.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tests.bench.drift.samples import SCORE, Columns, Sample

Draw: TypeAlias = Callable[[Generator, int], NDArray[Any]]
"""So many values of one column."""
Change: TypeAlias = Callable[[Generator, dict[str, NDArray[Any]], NDArray[np.int64]], None]
"""Changes rows in place; the last argument counts the rows from the change on, 0, 1, 2 ..."""

DAY = 24


def normal(rng: Generator, rows: int) -> NDArray[Any]:
    return rng.normal(size=rows)


def lognormal(rng: Generator, rows: int) -> NDArray[Any]:
    return rng.lognormal(size=rows)


def cauchy(rng: Generator, rows: int) -> NDArray[Any]:
    return rng.standard_cauchy(size=rows)


def ties(rng: Generator, rows: int) -> NDArray[Any]:
    """70 % of the rows are 0."""
    return np.where(rng.random(rows) < 0.7, 0.0, rng.normal(size=rows))


def integers(rng: Generator, rows: int) -> NDArray[Any]:
    return rng.poisson(3, rows).astype(float)


def gaps(rng: Generator, rows: int) -> NDArray[Any]:
    """1 % missing."""
    return np.where(rng.random(rows) < 0.01, np.nan, rng.normal(size=rows))


def levels(k: int) -> Draw:
    """k levels, the i-th as frequent as 1 / i."""
    shares = zipf(k)

    def draw(rng: Generator, rows: int) -> NDArray[Any]:
        return texts(rng.choice(k, rows, p=shares))

    return draw


def zipf(k: int) -> NDArray[np.float64]:
    weights = 1 / np.arange(1, k + 1)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def texts(places: NDArray[Any]) -> NDArray[Any]:
    """Levels by name."""
    names: NDArray[Any] = np.array([f"L{i}" for i in range(int(places.max()) + 1)])
    found: NDArray[Any] = names[places]
    return found


def independent(rng: Generator, draws: dict[str, Draw], m: int, sizes: tuple[int, ...]) -> Sample:
    """Rows of independent columns, without a change."""
    reference = {name: draw(rng, m) for name, draw in draws.items()}
    rows = {name: draw(rng, sum(sizes)) for name, draw in draws.items()}
    return Sample(reference, rows, sizes)


def alike(draw: Draw, columns: int) -> dict[str, Draw]:
    return {f"x{i}": draw for i in range(columns)}


def correlated(rng: Generator, columns: int, m: int, sizes: tuple[int, ...], rho: float) -> Sample:
    """Normal columns of which every two have the correlation rho."""

    def table(rows: int) -> Columns:
        common = rng.normal(size=rows) * np.sqrt(rho)
        own = np.sqrt(1 - rho)
        return {f"x{i}": common + own * rng.normal(size=rows) for i in range(columns)}

    return Sample(table(m), table(sum(sizes)), sizes)


def changed(
    rng: Generator, sample: Sample, history: int, window: int, change: Change, drifted: tuple[str, ...]
) -> Sample:
    """The sample with a change from `window` behind the history on."""
    rows = {name: values.copy() for name, values in sample.rows.items()}
    start = sum(sample.sizes[: history + window])
    later = {name: values[start:] for name, values in rows.items()}
    change(rng, later, np.arange(len(next(iter(later.values())))))
    for name, values in later.items():
        rows[name] = np.concatenate([rows[name][:start], values])
    return replace(sample, rows=rows, history=history, change=window, drifted=drifted)


# ---------------------------------------------------------------- changes of the ladder


def mean(by: float, columns: tuple[str, ...] = ("x0",)) -> Change:
    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        for name in columns:
            rows[name] += by

    return change


def spread(factor: float) -> Change:
    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        rows["x0"] *= factor

    return change


def tail(share: float) -> Change:
    """A share of the rows lies 3 to 5 standard deviations out."""

    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        hit = rng.random(at.size) < share
        rows["x0"][hit] = rng.uniform(3, 5, hit.sum())

    return change


def segment(share: float, by: float) -> Change:
    """The mean of a share of the rows moves."""

    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        rows["x0"][rng.random(at.size) < share] += by

    return change


def gradual(by: float, over: int) -> Change:
    """The mean moves by `by` within `over` rows, evenly."""

    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        rows["x0"] += by * np.minimum(1.0, at / over)

    return change


def recurring(by: float, length: int) -> Change:
    """The mean moves for `length` rows, is back for as many, and so on."""

    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        rows["x0"] += by * (at // length % 2 == 0)

    return change


def missing(share: float) -> Change:
    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        rows["x0"][rng.random(at.size) < share] = np.nan

    return change


def vanishes(level: int) -> Change:
    """A level is no more; its rows have the first one."""

    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        gone = texts(np.array([level]))[0]
        rows["x0"] = np.where(rows["x0"] == gone, texts(np.array([0]))[0], rows["x0"])

    return change


def appears(share: float) -> Change:
    """A level that nobody has seen has a share of the rows."""

    def change(rng: Generator, rows: dict[str, NDArray[Any]], at: NDArray[np.int64]) -> None:
        rows["x0"] = np.where(rng.random(at.size) < share, "new", rows["x0"])

    return change


# ---------------------------------------------------------------- joint


def joint(rng: Generator, m: int, sizes: tuple[int, ...], history: int, window: int | None, scored: bool) -> Sample:
    """Five columns correlated by 0.7, of which the first turns its correlations round: no column alone changes.

    `scored`: with what a linear model says that was fitted to x0 + x1 on rows of the reference.
    """
    sample = correlated(rng, 5, m, sizes, 0.7)
    if window is not None:
        sample = changed(rng, sample, history, window, lambda r, rows, at: rows.update(x0=-rows["x0"]), ())
    else:
        sample = replace(sample, history=history)
    if not scored:
        return sample
    reference, rows = ({**t, SCORE: (t["x0"] + t["x1"]) / 2} for t in (sample.reference, sample.rows))
    return replace(sample, reference=reference, rows=rows, drifted=(SCORE,) if window is not None else ())


# ---------------------------------------------------------------- rows that are not exchangeable


def hours(sizes: tuple[int, ...]) -> NDArray[np.int64]:
    """The window of every row."""
    return np.repeat(np.arange(len(sizes)), sizes)


def spread_over(m: int, windows: int) -> tuple[int, ...]:
    """Sizes of windows that m rows make, as evenly as can be."""
    return tuple(m * (i + 1) // windows - m * i // windows for i in range(windows))


def daily(rng: Generator, columns: int, m: int, sizes: tuple[int, ...], swing: float = 0.4) -> Sample:
    """The mean goes up and down in 24 windows; so it did in the 20 days of the reference."""

    def table(sizes: tuple[int, ...]) -> Columns:
        level = swing * np.sin(2 * np.pi * hours(sizes) / DAY)
        return {f"x{i}": rng.normal(size=sum(sizes)) + level for i in range(columns)}

    return Sample(table(spread_over(m, 20 * DAY)), table(sizes), sizes, ordered=True)


def wandering(rng: Generator, columns: int, m: int, sizes: tuple[int, ...], size: float = 0.2) -> Sample:
    """The mean of a window follows an AR(1) of 0.9 with a standard deviation of 0.2; so it did in 480 of the reference."""

    def table(sizes: tuple[int, ...]) -> Columns:
        return {
            f"x{i}": rng.normal(size=sum(sizes)) + autoregression(rng, len(sizes), 0.9, size)[hours(sizes)]
            for i in range(columns)
        }

    return Sample(table(spread_over(m, 20 * DAY)), table(sizes), sizes, ordered=True)


def autoregression(rng: Generator, length: int, memory: float, size: float) -> NDArray[np.float64]:
    """An AR(1) process in its stationary law with standard deviation `size`."""
    value, found = size * rng.normal(), np.empty(length)
    for i in range(length):
        value = memory * value + size * np.sqrt(1 - memory**2) * rng.normal()
        found[i] = value
    return found


def bursts(rng: Generator, columns: int, m: int, sizes: tuple[int, ...], rho: float = 0.01) -> Sample:
    """Ten levels whose shares are drawn anew for each window (Dirichlet-multinomial): a client sends many like rows."""
    shares = zipf(10)

    def column(sizes: tuple[int, ...]) -> NDArray[Any]:
        parts = [rng.choice(10, n, p=rng.dirichlet(shares * (1 / rho - 1))) for n in sizes]
        return texts(np.concatenate(parts))

    def table(sizes: tuple[int, ...]) -> Columns:
        return {f"x{i}": column(sizes) for i in range(columns)}

    return Sample(table(spread_over(m, 20 * DAY)), table(sizes), sizes, ordered=True)


def swings(windows: int, least: int, most: int) -> tuple[int, ...]:
    """Rows in each window where traffic by night is a tenth of that by day."""
    level = (1 - np.cos(2 * np.pi * np.arange(windows) / DAY)) / 2
    return tuple(np.rint(least * (most / least) ** level).astype(int).tolist())
