"""Whether production data are sound: columns that are missing, unreadable, gone, or stand still.

Pure. What is found here blocks retraining, since a model trained on broken data is worse than an old one. Values
beyond the reference are not in it: they are drift, and what retraining is for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import Literal, NamedTuple, TypeAlias

from trimtab.drift import budget, counting, discoveries, pooling, sentences, tail
from trimtab.drift.budget import Settings
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Profile, Reference, total
from trimtab.drift.windows import Window

FLOOR = 0.01
"""Share of rows by which missing or invalid values may exceed the reference's before it counts."""

SCALES = (1, 6, 24)
"""Scales judged. A week is left out: two bad hours would block retraining until they have left it."""

STILL = 24
"""Scale at which a column is asked whether it stands still: within an hour, an hour of the day does so by nature."""

MANY = 100
"""Distinct values or levels that the reference must have: with fewer, as a weekday has, standing still can be right."""

MOST_COMMON = 0.5
"""Share of the reference that the one bin may hold: a column that is mostly one value may well stay on it."""

Kind: TypeAlias = Literal["Missing", "Invalid", "Vanished", "Frozen"]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with one column."""

    column: str
    kind: Kind
    share: float
    """Share of the rows it is wrong with."""
    expected: float
    """Share in the reference."""
    scale: int
    """Base windows in the window it was found in."""
    rows: int
    """Rows of that window."""


@dataclass(frozen=True)
class Share:
    """How much of one column's rows carries no value that can be used, whether or not that counts as a fault."""

    column: str
    missing: float
    """Share of the rows without a value."""
    invalid: float
    """Share of the rows whose value is none of its kind."""


@dataclass(frozen=True)
class Quality:
    """The verdict on the data."""

    verdict: Literal["Sound", "Faulty", "Unknown"]
    faults: tuple[Fault, ...]
    """The worst of each column, in the profile's order."""
    message: str
    shares: tuple[Share, ...] = ()
    """Of every judged column, in the profile's order, over the shortest of the windows judged that has rows."""


class _Suspect(NamedTuple):
    fault: Fault
    log_p: float


def judge(profile: Profile, seen: Mapping[int, Window], settings: Settings) -> Quality:
    """Judge the windows due, by scale, as `windows.by_scale` gives them.

    Missing and invalid: p = P(X >= k) for X binomial of n rows at the reference's share and one percentage point more
    (`FLOOR`); so a share within that point never counts, however many rows. Vanished is missing in every row. Frozen:
    all rows lie in one bin although the reference has more than 100 distinct values and at most half its rows there;
    p is the reference's share of that bin to the power n. It says "one value" as well as counts can: a column that is
    slow by nature against 24 base windows, as air pressure is against minutes, belongs into `exclude`. Rows beyond the
    reference are not called frozen.

    Level and false-alarm rate are those of `budget.level`, the columns of one scale being one family under Benjamini
    and Hochberg's rule. Unknown when there were no rows at all.

    >>> from trimtab.drift.profile import NumberReference
    >>> from trimtab.drift.vectors import Counted
    >>> age = NumberReference("age", (40.0,), (990, 1000), 0.0, 99.0, 10, 0.0, "")
    >>> counted = Counted(200, {"age": FeatureCounts((80, 82), missing=38)})
    >>> judge(Profile(2000, (age,), None, None), {1: Window(1, 0, counted)}, Settings(3600, 7776000)).message
    "'age': 19.0% missing, 0.5% in the reference, over 200 rows in 1h."
    """
    windows = [seen[scale] for scale in SCALES if scale in seen and seen[scale].counted.rows]
    if not windows:
        return Quality("Unknown", (), "No rows to judge the data by.")
    found = [fault for window in windows for fault in _faults(profile, window, settings)]
    worst = {fault.column: fault for fault in sorted(found, key=_weight)}
    faults = tuple(worst[feature.name] for feature in profile.features if feature.name in worst)
    shares = tuple(_shares(profile, windows[0], settings))
    if not faults:
        widest = max(windows, key=lambda window: window.counted.rows)
        span = sentences.span(widest.scale * settings.window_seconds)
        message = f"No column is missing, invalid or frozen over {widest.counted.rows:,} rows in {span}."
        return Quality("Sound", (), message, shares)
    return Quality("Faulty", faults, sentences.faulty([_told(fault, settings) for fault in faults]), shares)


def _shares(profile: Profile, window: Window, settings: Settings) -> Iterator[Share]:
    for reference in profile.features:
        if reference.name not in settings.exclude:
            counts = window.counted.features[reference.name]
            n = max(1, counting.rows(counts))
            yield Share(reference.name, counts.missing / n, counts.invalid / n)


def _faults(profile: Profile, window: Window, settings: Settings) -> list[Fault]:
    """Those of one window that count."""
    level = budget.level(settings, window.scale)
    suspects = [
        suspect
        for reference in profile.features
        if reference.name not in settings.exclude
        for suspect in _suspects(reference, window.counted.features[reference.name], profile.rows, window)
    ]
    rank = discoveries.rejected([suspect.log_p for suspect in suspects], level)
    bar = discoveries.bar(level, rank, len(suspects)) if rank else float("-inf")
    return [suspect.fault for suspect in suspects if suspect.log_p <= bar]


def _suspects(reference: Reference, counts: FeatureCounts, m: int, window: Window) -> Iterator[_Suspect]:
    """Every test of one column. Those that cannot fail are yielded too: they are part of the family."""
    n = counting.rows(counts)
    strange = max(0, m - total(reference) - reference.missing)
    checks: tuple[tuple[Kind, int, int], ...] = (
        ("Vanished" if counts.missing == n else "Missing", counts.missing, reference.missing),
        ("Invalid", counts.invalid, strange),
    )
    for kind, hits, usual in checks:
        expected = usual / m if m else 0.0
        share = hits / n if n else 0.0
        fault = Fault(reference.name, kind, share, expected, window.scale, n)
        yield _Suspect(fault, tail.log_binomial(hits, n, expected + FLOOR))
    if window.scale == STILL:
        yield _still(reference, counts, window)


def _still(reference: Reference, counts: FeatureCounts, window: Window) -> _Suspect:
    n, m = counting.carried(counts), total(reference)
    held = max(range(len(counts.bins)), key=counts.bins.__getitem__)
    usual = reference.counts[held] / m if m else 1.0
    distinct = reference.distinct if reference.kind == "Number" else len(reference.levels) + len(reference.known)
    named = reference.kind == "Number" or held < len(reference.levels)
    frozen = n >= pooling.LEAST_ROWS and counts.bins[held] == n and distinct > MANY and named and usual <= MOST_COMMON
    fault = Fault(reference.name, "Frozen", 1.0, usual, window.scale, n)
    return _Suspect(fault, n * log(max(usual, 1 / (m + 1))) if frozen else 0.0)


def _weight(fault: Fault) -> tuple[float, int]:
    """The larger share is the worse fault; of equal ones, that of the shorter, hence newer, window."""
    return fault.share, -fault.scale


def _told(fault: Fault, settings: Settings) -> str:
    words = {
        "Missing": f"{fault.share:.1%} missing, {fault.expected:.1%} in the reference",
        "Invalid": f"{fault.share:.1%} invalid, {fault.expected:.1%} in the reference",
        "Vanished": f"missing in every row, in {fault.expected:.1%} of the reference",
        "Frozen": f"every value is in one place that holds {fault.expected:.1%} of the reference",
    }
    span = sentences.span(fault.scale * settings.window_seconds)
    return f"'{sentences.shown(fault.column)}': {words[fault.kind]}, over {fault.rows:,} rows in {span}"
