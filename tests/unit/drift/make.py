"""Builders of references, counts and profiles for the tests of drift; each shows only what matters."""

from collections.abc import Mapping

import numpy as np

from trimtab.drift import counting
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import CategoryReference, NumberReference, Profile, Reference
from trimtab.drift.vectors import Counted
from trimtab.drift.windows import Window

HOUR = 3600.0


def number(name: str = "x", *, bins: int = 20, rows: int = 20_000, tolerance: float = 0.0) -> NumberReference:
    """A number whose bins hold equally many rows: 0 to 1, with edges at equal distances."""
    edges = tuple(i / bins for i in range(1, bins))
    counts = (rows // bins,) * bins
    return NumberReference(name, edges, counts, 0.0, 1.0, 0, tolerance, "made up", distinct=rows)


def category(name: str = "c", *, counts: tuple[int, ...] = (6000, 3000, 1000, 0)) -> CategoryReference:
    levels = tuple(f"level {i}" for i in range(len(counts) - 1))
    return CategoryReference(name, levels, counts, ("rare",) if counts[-1] else (), 0, 0.0, "made up")


def profile(*features: Reference, rows: int | None = None, **outputs: Reference) -> Profile:
    held = rows if rows is not None else max((sum(f.counts) + f.missing for f in features), default=0)
    score = outputs.get("score")
    assert score is None or isinstance(score, NumberReference)
    return Profile(held, features, outputs.get("predictions"), score)


def shares(reference: Reference, rows: int, *weights: float) -> FeatureCounts:
    """`rows` rows spread over the bins as `weights` say; without weights as the reference is, without any noise."""
    wanted = np.array(weights or reference.counts, float)
    exact = wanted / wanted.sum() * rows
    counts = np.floor(exact).astype(int)
    largest = np.argsort(exact - counts)[::-1][: rows - int(counts.sum())]
    counts[largest] += 1
    return FeatureCounts(tuple(counts.tolist()))


def counted(features: Mapping[str, FeatureCounts], **outputs: FeatureCounts) -> Counted:
    rows = max((counting.rows(counts) for counts in (*features.values(), *outputs.values())), default=0)
    return Counted(rows, features, outputs.get("predictions"), outputs.get("score"))


def window(features: Mapping[str, FeatureCounts], scale: int = 1, **outputs: FeatureCounts) -> Window:
    return Window(scale, 0, counted(features, **outputs))
