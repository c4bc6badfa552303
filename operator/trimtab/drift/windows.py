"""The ledger of one deployment and version: what its pods counted, by windows of time. Pure; time is an argument.

Pods count from their start and never reset; the operator polls, and the ledger adds what is new. A state machine of
one table, kept whole in this file:

    a snapshot with ...                         does
    a pod or boot the ledger has not met        adds all its counts: they began at zero
    a known pod and boot, a higher seq          adds the difference to the last one
    a known pod and boot, the same or lower seq nothing: it came twice or late
    counts below those of the last one          nothing, and is a problem: counters never go down
    a shape that is not the profile's           nothing, and is a problem

So any order of any snapshots adds up to the same, and the sum is exact once each pod's last snapshot was seen.

Windows tumble and are aligned to UTC: window i covers [i * seconds, (i + 1) * seconds) since the epoch. What was
polled within a window belongs to it. A window without rows is not stored; that it was empty follows from the clock.
Scales of 1, 6 and 24 windows are sums of base windows, 168 of seven aligned blocks of 24. They end with the last
closed window for 1 and 6, with the last whose number plus one is divisible by 3 for 24, by 24 for 168: a longer scale
stays what it was until enough is new, without anybody having to remember its last verdict.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, NamedTuple

import numpy as np

from trimtab.drift import vectors
from trimtab.drift.budget import STRIDES
from trimtab.drift.profile import Profile
from trimtab.drift.vectors import Counted, Layout, Vector

BLOCK = 24
"""Base windows per block."""

BASES_KEPT = BLOCK + STRIDES[BLOCK] - 1
"""Closed base windows kept: the scale of 24 may end two windows ago."""

BLOCKS_KEPT = 14
"""Blocks kept, the current one included."""

PATIENCE = 600.0
"""Seconds without a word after which a pod that is gone, or was started anew, is forgotten; two windows at least."""


class Source(NamedTuple):
    """One run of one process: counts of the same source only ever grow."""

    pod: str
    """The pod's uid, which the API server never gives out twice."""
    boot: str
    """A random identity of the process' start."""


@dataclass(frozen=True, eq=False)
class Cursor:
    """How far a source has been read."""

    seq: int
    """Number of the last snapshot that was taken in."""
    heard: int
    """Window in which that was."""
    counts: Vector | None
    """Cumulative counts of that snapshot. None: not stored for want of space; the next snapshot is only remembered."""


@dataclass(frozen=True, eq=False)
class Ledger:
    """All that is known of one deployment's traffic to one version. Values in, values out; it is never changed."""

    seconds: float
    """Length of a base window."""
    layout: Layout
    current: int
    """Number of the window that is open."""
    open: Vector
    """Counts of the open window so far."""
    base: Mapping[int, Vector]
    """Closed base windows with rows, by number."""
    blocks: Mapping[int, Vector]
    """Sums of the closed base windows of each block, by number // 24."""
    sources: Mapping[Source, Cursor]
    problems: int = 0
    """Snapshots that were refused."""


@dataclass(frozen=True)
class Problem:
    """Why a snapshot was refused."""

    reason: Literal["CountsWentDown", "DoesNotFit"]
    message: str


@dataclass(frozen=True)
class Window:
    """The sum of `scale` base windows, of which `last` is the number of the newest."""

    scale: int
    last: int
    counted: Counted


def begin(profile: Profile, seconds: float, now: float) -> Ledger:
    """A ledger without rows whose first window is open at `now`, in seconds since the epoch."""
    layout = vectors.layout(profile)
    return Ledger(seconds, layout, _number(seconds, now), vectors.empty(layout), {}, {}, {})


def absorb(ledger: Ledger, source: Source, seq: int, counted: Counted, at: float) -> tuple[Ledger, Problem | None]:
    """Take in the cumulative counts of one source, polled at `at`; closes the windows that ended before.

    The caller has checked that they were counted over this ledger's profile, by its digest.
    """
    ledger = close(ledger, at)
    last = ledger.sources.get(source)
    if last is not None and seq <= last.seq:
        return ledger, None
    try:
        counts = vectors.pack(ledger.layout, counted)
    except ValueError as error:
        return _refuse(ledger, source, "DoesNotFit", str(error))
    known = vectors.empty(ledger.layout) if last is None else counts if last.counts is None else last.counts
    if (counts < known).any():
        message = "counters that only grow went down; the snapshot is left out"
        return _refuse(ledger, source, "CountsWentDown", message)
    cursor = Cursor(seq, ledger.current, counts)
    opened = vectors.frozen(ledger.open + (counts - known))
    return replace(ledger, open=opened, sources={**ledger.sources, source: cursor}), None


def close(ledger: Ledger, now: float) -> Ledger:
    """Close every window that ended by `now`.

    A clock that steps back within the last closed window waits there: no window is closed twice. One that jumps back
    further was wrong before or is now; the windows that have not yet come are then taken together as the last closed
    one, so that nothing is lost, nothing counts twice, and windows go on closing.
    """
    number = _number(ledger.seconds, now)
    if number < ledger.current - 1:
        return _rewound(ledger, number)
    if number <= ledger.current:
        return ledger
    base, blocks = dict(ledger.base), dict(ledger.blocks)
    if has_rows(ledger):
        base[ledger.current] = ledger.open
        _add(blocks, ledger.current // BLOCK, ledger.open)
    return replace(
        ledger,
        current=number,
        open=vectors.empty(ledger.layout),
        base={i: counts for i, counts in base.items() if i >= number - BASES_KEPT},
        blocks={i: counts for i, counts in blocks.items() if i > (number - 1) // BLOCK - BLOCKS_KEPT},
    )


def has_rows(ledger: Ledger) -> bool:
    """Whether the open window holds anything: one that does is worth storing when it closes."""
    return bool(ledger.open.any())


def forget(ledger: Ledger, pods: AbstractSet[str]) -> Ledger:
    """Drop the cursors that nothing can be added to any more.

    A source goes when it has not been heard for ten minutes and two windows, and its pod is not among `pods` or has
    another boot that was heard later. The caller must name every pod that exists and must poll no other: a pod that
    is forgotten and comes back would count twice. A pod that exists but cannot be reached keeps its cursor for ever.
    """
    patience = max(2, ceil(PATIENCE / ledger.seconds))
    newest = {source.pod: cursor.heard for source, cursor in sorted(ledger.sources.items(), key=lambda s: s[1].heard)}
    kept = {
        source: cursor
        for source, cursor in ledger.sources.items()
        if ledger.current - cursor.heard <= patience or (source.pod in pods and cursor.heard == newest[source.pod])
    }
    return replace(ledger, sources=kept) if len(kept) < len(ledger.sources) else ledger


def resized(ledger: Ledger, seconds: float, now: float) -> Ledger:
    """The ledger with another window length. Windows of the old one cannot be cut anew and go; what was read of each
    pod stays, so that nothing is counted again."""
    number = _number(seconds, now)
    sources = {source: replace(cursor, heard=number) for source, cursor in ledger.sources.items()}
    fresh = vectors.empty(ledger.layout)
    return replace(ledger, seconds=seconds, current=number, open=fresh, base={}, blocks={}, sources=sources)


def at_scale(ledger: Ledger, scale: int) -> Window:
    """The newest window of `scale` base windows (1, 6, 24 or 168) that is due to be judged; it may hold no rows."""
    end = ledger.current // STRIDES[scale] * STRIDES[scale]
    if scale > BLOCK:
        parts = [ledger.blocks.get(i) for i in range((end - scale) // BLOCK, end // BLOCK)]
    else:
        parts = [ledger.base.get(i) for i in range(end - scale, end)]
    held = [part for part in parts if part is not None]
    summed = np.sum(held, axis=0) if held else vectors.empty(ledger.layout)
    return Window(scale, end - 1, vectors.unpack(ledger.layout, summed))


def numbered(ledger: Ledger, number: int) -> Window:
    """One closed base window; it holds no rows where it had none, or is not kept any more."""
    return Window(1, number, vectors.unpack(ledger.layout, ledger.base.get(number, vectors.empty(ledger.layout))))


def by_scale(ledger: Ledger) -> dict[int, Window]:
    """The window due at each scale."""
    return {scale: at_scale(ledger, scale) for scale in STRIDES}


def _number(seconds: float, at: float) -> int:
    return int(at // seconds)


def _add(sums: dict[int, Vector], number: int, counts: Vector) -> None:
    sums[number] = vectors.frozen(sums[number] + counts) if number in sums else counts


def _refuse(
    ledger: Ledger, source: Source, reason: Literal["CountsWentDown", "DoesNotFit"], message: str
) -> tuple[Ledger, Problem]:
    return replace(ledger, problems=ledger.problems + 1), Problem(reason, f"Pod {source.pod}: {message}.")


def _rewound(ledger: Ledger, number: int) -> Ledger:
    base: dict[int, Vector] = {}
    blocks: dict[int, Vector] = {}
    for i, counts in ledger.base.items():
        _add(base, min(i, number - 1), counts)
    for i, counts in ledger.blocks.items():
        _add(blocks, min(i, (number - 1) // BLOCK), counts)
    sources = {s: replace(cursor, heard=min(cursor.heard, number)) for s, cursor in ledger.sources.items()}
    return replace(ledger, current=number, base=base, blocks=blocks, sources=sources)
