"""Splits: which rows are held out to judge the model. Pure, and the same for the same rows whatever their order or
neighbours."""

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Kind
from trimtab.model.frame import Frame, rows
from trimtab.training.failures import Reason, StepFailure

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
_SEPARATOR = b"\x1f"
NEWER = 0.2
"""Share of rows that counts as the newer part of a reference."""


def by_time(times: Floats, fraction: float) -> Mask:
    """Hold out the newest rows: float64[n] of seconds in, bool[n] out, True for held out.

    One instant is never on both sides: of the borders between instants the one nearest to `fraction` is taken. Rows
    without a time are not held out. Raises StepFailure (SplitImpossible) when all rows are of one instant.
    """
    known = np.sort(times[~np.isnan(times)])
    instants, first = np.unique(known, return_index=True)
    if len(instants) < 2:
        raise StepFailure(
            Reason.SPLIT_IMPOSSIBLE,
            "all rows are of one instant, so none is newer: use validation type Hash, or more data",
        )
    wanted = len(times) * (1 - fraction) - (len(times) - len(known))
    border = instants[1:][np.argmin(np.abs(first[1:] - wanted))]
    return np.asarray(times >= border, np.bool_)


def positions(frame: Frame, kinds: Mapping[str, Kind]) -> Floats:
    """Where each row lies between 0 and 1 by a hash of its content: float64[n]. Depends on nothing but the row's
    values.

    Columns are taken in order of their names, so that their order in a file does not matter; zero has no sign,
    missing is one thing.
    """
    names = sorted(frame)
    numbers = [name for name in names if kinds[name] != "Category"]
    texts = [name for name in names if kinds[name] == "Category"]
    block = np.empty((rows(frame), len(numbers)), "<f8")
    for place, name in enumerate(numbers):
        block[:, place] = frame[name]
    block += 0.0
    block[np.isnan(block)] = np.nan
    width = block.shape[1] * 8
    raw = np.ascontiguousarray(block).tobytes()
    columns = [frame[name].tolist() for name in texts]
    out = np.empty(rows(frame), np.float64)
    for row in range(rows(frame)):
        words = _SEPARATOR.join([column[row].encode("utf-8", "surrogatepass") for column in columns])
        hashed = hashlib.blake2b(raw[row * width : (row + 1) * width] + words, digest_size=8).digest()
        out[row] = int.from_bytes(hashed, "big") / 2**64
    return out


def by_hash(position: Floats, fraction: float) -> Mask:
    """Hold out the rows that lie below `fraction`. Raises StepFailure (SplitImpossible) when a side is empty."""
    held = position < fraction
    if held.all() or not held.any():
        raise StepFailure(
            Reason.SPLIT_IMPOSSIBLE,
            f"{len(position)} rows are too few to hold out {fraction:.0%} of them: provide more data",
        )
    return held


def newer(times: Floats) -> Mask | None:
    """The newer fifth of rows by time, for a reference; None where they have no order in time."""
    try:
        return by_time(times, NEWER)
    except StepFailure:
        return None


def days(times: Floats) -> NDArray[np.int64]:
    """The day (UTC) of each row, as a number; -1 for rows without a time."""
    return np.where(np.isnan(times), -1, np.floor(np.nan_to_num(times) / 86_400)).astype(np.int64)
