"""Which streams there are, what each is called, and what it is judged beside. A table; `synthetic`, `corruptions` and `packaged`
make the rows.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator

from tests.bench.drift import corruptions, packaged, synthetic
from tests.bench.drift.samples import Sample
from tests.bench.drift.synthetic import Change, alike

ROWS, REFERENCE = 500, 10_000
WEEK = 168
BEFORE, AFTER = 2, 24
"""Windows that all methods are shown before and after a change; ours has counted a week before."""
TWIN = 64
"""Windows of the stream without a change on which thresholds are set."""

PARTS = ("null", "ladder", "joint", "season", "generators", "corruptions", "nannyml")


@dataclass(frozen=True)
class Stream:
    """One stream."""

    key: str
    title: str
    part: str
    make: Callable[[Generator], Sample]
    family: str
    """Key of the stream without a change that thresholds are taken from; its own when it has none itself."""
    size: float | None = None
    """Size of the shift, for the picture."""
    axis: str = ""
    """What that size is of."""
    peers: tuple[int, int] | None = None
    """Repeats and windows that peers are shown; None: as many as ours."""
    repeats: int | None = None
    """At most so many."""
    exchangeable: bool = True
    """Whether rows are exchangeable with the reference's, as the budget supposes; of streams without a change."""
    subject: str = "Trimtab"
    """Which of our verdicts is asked."""

    @property
    def null(self) -> bool:
        """Whether nothing changes."""
        return self.family == self.key

    def sample(self, seed: int, repeat: int) -> Sample:
        """The same for the same seed and repeat."""
        return self.make(np.random.default_rng([seed, zlib.crc32(self.key.encode()), repeat]))


def table() -> list[Stream]:
    """All streams; one without a change comes before those that are judged beside it."""
    return [*_null(), *_ladder(), *_joint(), *_season(), *_generators(), *_corruptions(), *_nannyml()]


# ---------------------------------------------------------------- nothing changes


def _null() -> Iterator[Stream]:
    shapes = {
        "normal": ("normal", synthetic.normal),
        "lognormal": ("lognormal", synthetic.lognormal),
        "cauchy": ("Cauchy", synthetic.cauchy),
        "ties": ("70 % ties", synthetic.ties),
        "integers": ("integers", synthetic.integers),
        **{f"k{k}": (f"{k} levels", synthetic.levels(k)) for k in (2, 10, 50, 500)},
    }
    for key, (title, draw) in shapes.items():
        yield _nothing(key, title, partial(_independent, draw, 10, REFERENCE, ROWS, 2 * WEEK), (3, 12))
    make = partial(_correlated, 10, REFERENCE, ROWS, 2 * WEEK)
    yield _nothing("correlated", "correlated by 0.8", make, (3, 12))
    shown = {50: (3, 24), 100: (3, 24), 2000: (3, 12), 10_000: (2, 8), 100_000: (1, 4)}
    for n, windows in ((50, 2 * WEEK), (100, 2 * WEEK), (2000, 2 * WEEK), (10_000, WEEK), (100_000, 24)):
        make = partial(_independent, synthetic.normal, 5, REFERENCE, n, windows)
        yield _nothing(f"n{n}", f"{n:,} rows a window", make, shown[n])
    for m in (500, 2000, 100_000):
        make = partial(_independent, synthetic.normal, 5, m, ROWS, 2 * WEEK)
        yield _nothing(f"m{m}", f"{m:,} rows of reference", make, (3, 12))
    for columns in (1, 50, 200):
        make = partial(_independent, synthetic.normal, columns, REFERENCE, ROWS, WEEK)
        yield _nothing(f"F{columns}", f"{columns} columns", make, (2, 5))


def _nothing(
    key: str,
    title: str,
    make: Callable[[Generator], Sample],
    peers: tuple[int, int],
    part: str = "null",
    fair: bool = True,
) -> Stream:
    key = f"{part}/{key}"
    return Stream(key, title, part, make, key, peers=peers, exchangeable=fair)


def _independent(draw: synthetic.Draw, columns: int, m: int, n: int, windows: int, rng: Generator) -> Sample:
    return synthetic.independent(rng, alike(draw, columns), m, (n,) * windows)


def _correlated(columns: int, m: int, n: int, windows: int, rng: Generator) -> Sample:
    return synthetic.correlated(rng, columns, m, (n,) * windows, 0.8)


# ---------------------------------------------------------------- one thing changes


def _ladder() -> Iterator[Stream]:
    numbers, categories, gaps = synthetic.normal, synthetic.levels(10), synthetic.gaps
    yield _twin("ladder/numbers", "five normal columns", "ladder", partial(_changing, numbers, None))
    for by in (0.05, 0.1, 0.2, 0.3, 0.5, 1.0):
        yield _step(f"mean-{by:g}", f"mean by {by:g} σ", numbers, synthetic.mean(by), by, "mean, σ")
    for factor in (1.1, 1.25, 1.5, 2.0):
        yield _step(f"spread-{factor:g}", f"spread x{factor:g}", numbers, synthetic.spread(factor), factor, "spread, x")
    for share in (0.01, 0.03, 0.1):
        title = f"{share:.0%} far out in the tail"
        yield _step(f"tail-{share:g}", title, numbers, synthetic.tail(share), 100 * share, "tail, % of rows")
    for by in (0.5, 1.0, 2.0, 4.0):
        title = f"10 % of rows by {by:g} σ"
        yield _step(f"segment-{by:g}", title, numbers, synthetic.segment(0.1, by), by, "10 % segment, σ")
    for over in (500, 4000, 10_000):
        title = f"mean by 0.5 σ within {over:,} rows"
        yield _step(f"gradual-{over}", title, numbers, synthetic.gradual(0.5, over), over, "0.5 σ within rows")
    yield _step("recurring", "mean by 0.5 σ, 2,000 rows on, 2,000 off", numbers, synthetic.recurring(0.5, 2000))
    five = tuple(f"x{i}" for i in range(5))
    yield _step("all", "all five means by 0.2 σ", numbers, synthetic.mean(0.2, five), drifted=five)
    yield _twin("ladder/categories", "five columns of ten levels", "ladder", partial(_changing, categories, None))
    for level in (1, 4, 9):
        share = 100 * synthetic.zipf(10)[level]
        title = f"a level of {share:.0f} % vanishes"
        change = synthetic.vanishes(level)
        yield _step(f"vanish-{share:.0f}", title, categories, change, share, "level vanishes, %", "categories")
    for share in (0.005, 0.01, 0.03, 0.1):
        change = synthetic.appears(share)
        title = f"a new level of {100 * share:g} %"
        yield _step(f"appear-{share:g}", title, categories, change, 100 * share, "level appears, %", "categories")
    yield _twin("ladder/gaps", "five columns, 1 % missing", "ladder", partial(_changing, gaps, None), "Trimtab quality")
    for share in (0.02, 0.05, 0.2):
        change = synthetic.missing(share)
        title = f"{share:.0%} more missing"
        yield _step(
            f"missing-{share:g}", title, gaps, change, 100 * share, "missing, %", "gaps", subject="Trimtab quality"
        )


def _changing(draw: synthetic.Draw, change: Change | None, drifted: tuple[str, ...], rng: Generator) -> Sample:
    windows = TWIN if change is None else WEEK + BEFORE + AFTER
    sample = synthetic.independent(rng, alike(draw, 5), REFERENCE, (ROWS,) * windows)
    return sample if change is None else synthetic.changed(rng, sample, WEEK, BEFORE, change, drifted)


def _twin(
    key: str, title: str, part: str, make: Callable[[tuple[str, ...], Generator], Sample], subject: str = "Trimtab"
) -> Stream:
    return Stream(key, f"{title}, no change", part, partial(make, ()), key, subject=subject)


def _step(
    key: str,
    title: str,
    draw: synthetic.Draw,
    change: Change,
    size: float | None = None,
    axis: str = "",
    family: str = "numbers",
    drifted: tuple[str, ...] = ("x0",),
    subject: str = "Trimtab",
) -> Stream:
    make = partial(_changing, draw, change, drifted)
    return Stream(f"ladder/{key}", title, "ladder", make, f"ladder/{family}", size, axis, subject=subject)


def _joint() -> Iterator[Stream]:
    for scored, name in ((False, "columns alone"), (True, "with the model's score")):
        twin = f"joint/{'score' if scored else 'columns'}-twin"
        yield Stream(twin, f"{name}, no change", "joint", partial(_flip, scored, None), twin)
        title = f"correlations turn round, {name}"
        yield Stream(f"joint/{'score' if scored else 'columns'}", title, "joint", partial(_flip, scored, BEFORE), twin)


def _flip(scored: bool, window: int | None, rng: Generator) -> Sample:
    if window is None:
        return synthetic.joint(rng, REFERENCE, (ROWS,) * TWIN, 0, None, scored)
    return synthetic.joint(rng, REFERENCE, (ROWS,) * (WEEK + BEFORE + AFTER), WEEK, window, scored)


# ---------------------------------------------------------------- rows that resemble one another


def _season() -> Iterator[Stream]:
    even = (ROWS,) * (2 * WEEK)
    make: dict[str, tuple[str, Callable[[Generator], Sample], bool]] = {
        "daily": ("mean swings by 0.4 σ a day", lambda rng: synthetic.daily(rng, 5, REFERENCE, even), False),
        "wandering": ("mean wanders, AR(1) of 0.9", lambda rng: synthetic.wandering(rng, 5, REFERENCE, even), False),
        "bursts": ("bursts of like rows, ρ 0.01", lambda rng: synthetic.bursts(rng, 5, REFERENCE, even), False),
        "traffic": ("traffic swings x10 a day", _traffic, True),
    }
    for key, (title, of, fair) in make.items():
        yield _nothing(key, title, of, (4, 24), "season", fair)
    make_shift = partial(_daily_shift, 0.5)
    yield Stream("season/daily-0.5", "mean by 0.5 σ under a daily swing", "season", make_shift, "season/daily")


def _traffic(rng: Generator) -> Sample:
    sizes = synthetic.swings(2 * WEEK, 100, 1000)
    return synthetic.independent(rng, alike(synthetic.normal, 5), REFERENCE, sizes)


def _daily_shift(by: float, rng: Generator) -> Sample:
    sample = synthetic.daily(rng, 5, REFERENCE, (ROWS,) * (WEEK + BEFORE + AFTER))
    return synthetic.changed(rng, sample, WEEK, BEFORE, synthetic.mean(by), ("x0",))


# ---------------------------------------------------------------- made by others


def _generators() -> Iterator[Stream]:
    for name in packaged.GENERATORS:
        twin = f"generators/{name}-twin"
        yield Stream(
            twin, f"{name}, no change", "generators", partial(packaged.generated, name, False), twin, repeats=2
        )
        title = f"{name}: another concept"
        yield Stream(
            f"generators/{name}", title, "generators", partial(packaged.generated, name, True), twin, repeats=2
        )


def _corruptions() -> Iterator[Stream]:
    for name in corruptions.SETS:
        m, n, after = 2000, 200, 8
        twin = f"corruptions/{name}"
        none = partial(_corrupted, name, None, 0.0, m, (n,) * 24, 0, 24)
        yield Stream(twin, f"{name}, no change", "corruptions", none, twin, repeats=4)
        for kind in corruptions.KINDS[name]:
            for share in corruptions.SHARES:
                make = partial(_corrupted, name, kind, share, m, (n,) * (24 + BEFORE + after), 24, BEFORE)
                title = f"{name}, {kind} of {share:.0%} of rows"
                yield Stream(f"{twin}-{kind}-{share:.0%}", title, "corruptions", make, twin, repeats=1)


def _corrupted(
    name: str, kind: str | None, share: float, m: int, sizes: tuple[int, ...], history: int, window: int, rng: Generator
) -> Sample:
    return corruptions.corrupted(rng, name, kind, share, m, sizes, history, window)


def _nannyml() -> Iterator[Stream]:
    for name in packaged.NANNYML:
        key = f"nannyml/{name}"
        title = f"{name.replace('_', ' ')}, first half"
        yield Stream(
            f"{key}-first", title, "nannyml", partial(packaged.nannyml, name, False), f"{key}-first", repeats=1
        )
        title = f"{name.replace('_', ' ')}, second half"
        yield Stream(key, title, "nannyml", partial(packaged.nannyml, name, True), f"{key}-first", repeats=1)
