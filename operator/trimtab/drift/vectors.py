"""All counts of a profile as one vector of integers, so that adding, comparing and storing them is one operation.

The layout follows from the profile alone: rows, then each feature's counts as `counting.flat` gives them, then those
of the predictions and of the score. numpy and the standard library only.
"""

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.drift.counting import FeatureCounts, flat, shaped
from trimtab.drift.profile import Profile, Reference

Vector = NDArray[np.int64]

LARGEST = 2**53
"""Largest count that every JSON reader keeps exact; more is a defect of the sender."""


@dataclass(frozen=True)
class Layout:
    """Where each reference's counts stand in a vector."""

    features: tuple[tuple[str, int], ...]
    """Name and number of bins of each feature, in the profile's order."""
    predictions: int
    """Bins of the predictions; 0 when the profile has none."""
    score: int
    """Bins of the score; 0 when the profile has none."""
    digest: str
    """Fingerprint of all edges, ranges and levels: counts over others must not be added to these."""


@dataclass(frozen=True)
class Counted:
    """The counts of some rows, by name."""

    rows: int
    features: Mapping[str, FeatureCounts]
    predictions: FeatureCounts | None = None
    score: FeatureCounts | None = None


def layout(profile: Profile) -> Layout:
    """The layout of a profile's vectors."""
    references = (*profile.features, profile.predictions, profile.score)
    told = json.dumps([_bins(reference) for reference in references], ensure_ascii=True, allow_nan=False)
    return Layout(
        features=tuple((feature.name, len(feature.counts)) for feature in profile.features),
        predictions=len(profile.predictions.counts) if profile.predictions else 0,
        score=len(profile.score.counts) if profile.score else 0,
        digest=hashlib.sha256(told.encode()).hexdigest()[:16],
    )


def empty(shape: Layout) -> Vector:
    """The vector of no rows."""
    return frozen(np.zeros(_size(shape), np.int64))


def pack(shape: Layout, counted: Counted) -> Vector:
    """Counts by name to a vector. ValueError, naming what is wrong, when they do not fit or are no counts."""
    if counted.features.keys() != {name for name, _ in shape.features}:
        odd = sorted(counted.features.keys() ^ {name for name, _ in shape.features})
        raise ValueError(f"features counted and features of the profile differ in {', '.join(map(repr, odd[:5]))}")
    numbers = [counted.rows]
    parts = ((name, bins, counted.features[name]) for name, bins in shape.features)
    ends = (("predictions", shape.predictions, counted.predictions), ("score", shape.score, counted.score))
    for name, bins, counts in (*parts, *ends):
        numbers += _checked(name, bins, counts)
    if min(numbers) < 0 or max(numbers) > LARGEST:
        raise ValueError(f"counts must lie between 0 and 2**53, found {min(numbers)} and {max(numbers)}")
    return frozen(np.array(numbers, np.int64))


def unpack(shape: Layout, vector: Vector) -> Counted:
    """A vector back to counts by name."""
    numbers = vector.tolist()
    at = 1
    found: list[FeatureCounts | None] = []
    for bins in (*(bins for _, bins in shape.features), shape.predictions, shape.score):
        end = at + (bins + 5 if bins else 0)
        found.append(shaped(tuple(numbers[at:end])) if bins else None)
        at = end
    *features, predictions, score = found
    named = {name: counts for (name, _), counts in zip(shape.features, features, strict=True) if counts is not None}
    return Counted(numbers[0], named, predictions, score)


def encode(vector: Vector) -> str:
    """A vector as short text: its bytes, all lowest ones first, deflated, base64.

    Counts of a window are small beside the eight bytes they may need, so most planes of bytes are zeros and vanish:
    about one character per count, a fourth of what they take as decimal numbers.
    """
    planes = np.ascontiguousarray(vector.astype("<i8").view(np.uint8).reshape(-1, 8).T)
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")


def decode(shape: Layout, text: str) -> Vector:
    """The inverse of `encode`. ValueError when the text is damaged, or holds a vector of another length."""
    wanted = 8 * _size(shape)
    inflater = zlib.decompressobj()
    try:
        planes = inflater.decompress(base64.b64decode(text, validate=True), wanted + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ValueError(f"stored counts are damaged: {error}") from error
    if len(planes) != wanted or not inflater.eof:
        raise ValueError(f"stored counts are not the {_size(shape)} that this profile has")
    return frozen(np.frombuffer(planes, np.uint8).reshape(8, -1).T.copy().view("<i8").reshape(-1).astype(np.int64))


def frozen(vector: Vector) -> Vector:
    """The same vector, made read-only: ledgers share them."""
    vector.flags.writeable = False
    return vector


def _size(shape: Layout) -> int:
    bins = [bins for _, bins in shape.features]
    return 1 + sum(n + 5 for n in (*bins, shape.predictions, shape.score) if n)


def _checked(name: str, bins: int, counts: FeatureCounts | None) -> tuple[int, ...]:
    if len(counts.bins if counts else ()) != bins:
        raise ValueError(f"{name!r}: {len(counts.bins) if counts else 0} bins counted, the profile has {bins}")
    return flat(counts) if counts else ()


def _bins(reference: Reference | None) -> list[object] | None:
    if reference is None:
        return None
    if reference.kind == "Number":
        return [reference.name, reference.edges, reference.low, reference.high]
    return [reference.name, reference.levels, reference.known]
