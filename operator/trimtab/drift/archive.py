"""A ledger as strict JSON, small enough for one ConfigMap, and back. Pure: who stores it is another's business.

Written when a window with rows has closed. What pods counted since then is not lost with the process: they count from
their start, and each one's cumulative counts at the time of writing are stored, so the next poll adds the rest. Only
what a pod counted after the last writing and took with it when it ended is lost.
"""

import json
from typing import Any

from trimtab.drift import vectors
from trimtab.drift.profile import Profile
from trimtab.drift.windows import Cursor, Ledger, Source

SCHEMA = 1

LIMIT = 700 * 1024
"""Bytes of JSON that a ledger may take: a ConfigMap holds 1 MiB, and other things beside."""

LONGEST_NOTE = 200
"""Bytes set aside for saying what was left out."""


def dump(ledger: Ledger, limit: int = LIMIT) -> dict[str, Any]:
    """The ledger as what json.dumps takes, at most `limit` bytes of it if that can be had.

    What is too much goes in this order, and `left` says so: the oldest base windows; then, source by source, the
    counts a pod was last read at. A source stored without them is only remembered at its next snapshot, so what it
    counted in between is lost rather than counted twice.
    """
    stored = _whole(ledger)
    _shorten(stored, limit)
    return stored


def load(stored: Any, profile: Profile) -> Ledger:
    """The ledger that `dump` wrote. ValueError when it is damaged, newer than this code, or of another profile."""
    try:
        return _read(stored, profile)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the stored ledger is damaged: {type(error).__name__} {error}") from error


def _whole(ledger: Ledger) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "layout": ledger.layout.digest,
        "seconds": ledger.seconds,
        "current": ledger.current,
        "open": vectors.encode(ledger.open),
        "base": {str(i): vectors.encode(counts) for i, counts in sorted(ledger.base.items())},
        "blocks": {str(i): vectors.encode(counts) for i, counts in sorted(ledger.blocks.items())},
        "sources": [
            {
                "pod": source.pod,
                "boot": source.boot,
                "seq": cursor.seq,
                "heard": cursor.heard,
                "counts": None if cursor.counts is None else vectors.encode(cursor.counts),
            }
            for source, cursor in sorted(ledger.sources.items())
        ],
        "problems": ledger.problems,
        "left": "",
    }


def _shorten(stored: dict[str, Any], limit: int) -> None:
    """Take one thing after the other out of `stored` until it fits."""
    size = len(json.dumps(stored)) + LONGEST_NOTE
    windows = sorted(stored["base"], key=int)
    for gone, number in enumerate(windows, 1):
        if size <= limit:
            return
        size -= len(stored["base"].pop(number)) + len(number)
        stored["left"] = f"The oldest {gone} of {len(windows)} base windows are not stored: too many features and pods."
    for gone, source in enumerate(stored["sources"], 1):
        if size <= limit:
            return
        size -= len(source["counts"] or "")
        source["counts"] = None
        stored["left"] = f"No base window and not the counts of {gone} pods are stored: too many features and pods."


def _read(stored: Any, profile: Profile) -> Ledger:
    if stored["schema"] != SCHEMA:
        raise ValueError(f"the stored ledger has schema {stored['schema']}, this code reads {SCHEMA}")
    layout = vectors.layout(profile)
    if stored["layout"] != layout.digest:
        raise ValueError("the stored ledger counts over the bins of another profile")
    seconds = float(stored["seconds"])
    if not 0 < seconds < float("inf"):
        raise ValueError(f"the stored ledger has windows of {seconds} seconds")
    return Ledger(
        seconds=seconds,
        layout=layout,
        current=int(stored["current"]),
        open=vectors.decode(layout, stored["open"]),
        base={int(i): vectors.decode(layout, text) for i, text in stored["base"].items()},
        blocks={int(i): vectors.decode(layout, text) for i, text in stored["blocks"].items()},
        sources={
            Source(str(source["pod"]), str(source["boot"])): Cursor(
                int(source["seq"]),
                int(source["heard"]),
                None if source["counts"] is None else vectors.decode(layout, source["counts"]),
            )
            for source in stored["sources"]
        },
        problems=int(stored["problems"]),
    )
