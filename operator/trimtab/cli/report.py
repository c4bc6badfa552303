"""Reference against window, column by column, ready to be shown. Pure: it decides nothing that `drift` has not decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from trimtab.drift import counting, verdicts, windows
from trimtab.drift.budget import STRIDES, Settings
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Profile, Reference, total
from trimtab.drift.shifts import Shift
from trimtab.drift.vectors import Counted
from trimtab.drift.windows import Ledger

RECENT = 24
"""Base windows whose shifts are shown one by one."""

OUTPUTS = ("predictions", "score")


class Bar(NamedTuple):
    """One bin: what it holds of the reference and of the window, as shares of their rows with a value."""

    label: str
    reference: float
    window: float


@dataclass(frozen=True)
class Column:
    """One column of the report."""

    name: str
    output: bool
    """Whether it is what the model answered, not what it was asked."""
    shift: Shift
    bars: tuple[Bar, ...]
    missing: float
    """Share of the window's rows without a value, or with none that can be read."""
    usual: float
    """The same of the reference."""
    recent: tuple[Shift | None, ...]
    """What each of the last base windows says by itself, oldest first; None where it had too few rows."""

    @property
    def highest(self) -> float:
        """Largest shift or threshold of the last base windows: what they are drawn against, so that noise looks small."""
        held = [shift for shift in self.recent if shift is not None]
        return max((max(shift.psi or 0.0, shift.threshold or 0.0) for shift in held), default=0.0)

    @property
    def ratio(self) -> float:
        """Shift as a multiple of where it begins to count; 0 when unknown."""
        return self.shift.psi / self.shift.threshold if self.shift.psi is not None and self.shift.threshold else 0.0


@dataclass(frozen=True)
class Report:
    """What one version of one deployment was asked lately, beside what it was trained on."""

    namespace: str
    deployment: str
    version: str
    scale: int
    """Base windows in the window that is shown."""
    seconds: float
    """Length of a base window."""
    began: datetime
    ended: datetime
    rows: int
    reference_rows: int
    verdict: verdicts.Verdict
    """Of all scales, as the operator comes to it."""
    columns: tuple[Column, ...]
    """Drifted ones first, then by how near each is to its threshold."""


class Subject(NamedTuple):
    """Whose report it is."""

    namespace: str
    deployment: str
    version: str


def report(of: Subject, profile: Profile, ledger: Ledger, settings: Settings, scale: int | None = None) -> Report:
    """The report on the windows due, shown at `scale` base windows; without one at the scale that the verdict tells of.

    ValueError when `scale` is none that is judged.
    """
    if scale is not None and scale not in STRIDES:
        raise ValueError(f"{scale} is no scale that is judged: choose one of {', '.join(map(str, STRIDES))}")
    seen = windows.by_scale(ledger)
    verdict = verdicts.judge(profile, seen, settings)
    shown = scale or verdict.scale or _fullest(seen)
    window = seen[shown]
    recent = [_base(profile, ledger, settings, number) for number in range(ledger.current - RECENT, ledger.current)]
    judged = next(each for each in verdict.scales if each.scale == shown)
    columns = [
        Column(
            name=reference.name,
            output=output,
            shift=shift,
            bars=bars(reference, counts),
            missing=_missing(counts),
            usual=reference.missing / max(1, reference.missing + total(reference)),
            recent=tuple(shifts.get((output, reference.name)) for shifts in recent),
        )
        for output, shift, reference, counts in _columns(profile, judged, window.counted)
    ]
    return Report(
        *of,
        scale=shown,
        seconds=ledger.seconds,
        began=_moment((window.last + 1 - shown) * ledger.seconds),
        ended=_moment((window.last + 1) * ledger.seconds),
        rows=window.counted.rows,
        reference_rows=profile.rows,
        verdict=verdict,
        columns=tuple(sorted(columns, key=lambda column: (column.shift.verdict != "Drifting", -column.ratio))),
    )


def bars(reference: Reference, counts: FeatureCounts) -> tuple[Bar, ...]:
    """Every bin with its share on either side. What lies beyond the reference stands in bars of its own.

    >>> from trimtab.drift.profile import NumberReference
    >>> number = NumberReference("x", (1.5,), (50, 50), 0.0, 4.0, 0, 0.0, "")
    >>> [tuple(bar) for bar in bars(number, FeatureCounts((60, 20), above=20))]
    [('0 to 1.5', 0.5, 0.6), ('1.5 to 4', 0.5, 0.2), ('above 4', 0.0, 0.2)]
    """
    held, n = max(1, total(reference)), max(1, counting.carried(counts))
    inside = [
        Bar(label, there / held, here / n)
        for label, there, here in zip(labels(reference), reference.counts, counts.bins, strict=True)
    ]
    if reference.kind == "Category":
        rare = inside.pop()
        inside += [rare] if rare.reference or rare.window else []
        return (*inside, *([Bar("never seen", 0.0, counts.unseen / n)] if counts.unseen else []))
    below = [Bar(f"below {_number(reference.low)}", 0.0, counts.below / n)] if counts.below else []
    above = [Bar(f"above {_number(reference.high)}", 0.0, counts.above / n)] if counts.above else []
    return (*below, *inside, *above)


def labels(reference: Reference) -> list[str]:
    """What to call each bin of a reference.

    >>> from trimtab.drift.profile import CategoryReference
    >>> labels(CategoryReference("c", ("a",), (7, 3), ("x", "y"), 0, 0.0, ""))
    ['a', '2 rare levels']
    """
    if reference.kind == "Category":
        rare = f"{len(reference.known)} rare levels" if len(reference.known) != 1 else "1 rare level"
        return [*reference.levels, rare if reference.known else "rare levels"]
    ends = [_number(reference.low), *map(_number, reference.edges), _number(reference.high)]
    return [f"{low} to {high}" for low, high in pairwise(ends)]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _missing(counts: FeatureCounts) -> float:
    return (counts.missing + counts.invalid) / max(1, counting.rows(counts))


def _columns(
    profile: Profile, judged: verdicts.Scale, counted: Counted
) -> list[tuple[bool, Shift, Reference, FeatureCounts]]:
    references = {reference.name: reference for reference in profile.features}
    found: list[tuple[bool, Shift, Reference, FeatureCounts]] = [
        (False, shift, references[shift.name], counted.features[shift.name]) for shift in judged.features
    ]
    outputs = (
        (judged.predictions, profile.predictions, counted.predictions),
        (judged.score, profile.score, counted.score),
    )
    for shift, reference, counts in outputs:
        if shift is not None and reference is not None and counts is not None:
            found.append((True, shift, reference, counts))
    return found


def _base(profile: Profile, ledger: Ledger, settings: Settings, number: int) -> Mapping[tuple[bool, str], Shift]:
    """By column, what one closed base window says by itself."""
    window = windows.numbered(ledger, number)
    if not window.counted.rows:
        return {}
    judged = verdicts.judge(profile, {1: window}, settings).scales[0]
    shifts: Sequence[tuple[bool, Shift | None]] = [
        *((False, shift) for shift in judged.features),
        (True, judged.predictions),
        (True, judged.score),
    ]
    return {(output, shift.name): shift for output, shift in shifts if shift is not None and shift.psi is not None}


def _fullest(seen: Mapping[int, windows.Window]) -> int:
    """The shortest scale with as many rows as any."""
    return max(seen, key=lambda scale: (seen[scale].counted.rows, -scale))


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
