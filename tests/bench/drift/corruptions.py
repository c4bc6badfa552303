"""scikit-learn's data sets under known corruptions. Pure functions of a generator, but for reading what scikit-learn ships.

Rows of reference and windows are drawn with replacement from the whole set, so that without a corruption they are exchangeable.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn import datasets

from tests.bench.drift.samples import Sample

SETS = ("digits", "breast_cancer", "wine", "diabetes")
KINDS = dict.fromkeys(SETS, ("noise", "knock-out", "prior")) | {"digits": ("noise", "knock-out", "prior", "rotation")}
SHARES = (0.1, 0.5, 1.0)
SIDE = 8
"""Pixels of a digit's side."""


@cache
def table(name: str) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]:
    """Values, target, names of columns."""
    found = getattr(datasets, f"load_{name}")()
    return found.data.astype(float), found.target, tuple(f"x{i}" for i in range(found.data.shape[1]))


def corrupted(
    rng: Generator, name: str, kind: str | None, share: float, m: int, sizes: tuple[int, ...], history: int, window: int
) -> Sample:
    """The corruption of that share of the rows from `window` on; None: no corruption."""
    values, target, names = table(name)
    start, rows = sum(sizes[: history + window]), sum(sizes)
    reference = values[rng.integers(len(values), size=m)]
    drawn = rng.integers(len(values), size=rows)
    hit = np.where((np.arange(rows) >= start) & (rng.random(rows) < share))[0]
    if kind == "prior":
        upper = np.where(target >= np.median(target))[0]
        drawn[hit] = rng.choice(upper, hit.size)
    shown = values[drawn]
    touched = range(len(names))
    if kind in ("noise", "knock-out", "rotation"):
        touched = _touched(name, kind, values)
        shown[np.ix_(hit, touched)] = _broken(rng, shown[hit], kind, values)[:, touched]
    return Sample(
        {n: reference[:, i] for i, n in enumerate(names)},
        {n: shown[:, i] for i, n in enumerate(names)},
        sizes,
        history,
        window if kind else None,
        tuple(names[i] for i in touched) if kind in ("noise", "knock-out") else (),
    )


def _touched(name: str, kind: str, values: NDArray[Any]) -> Any:
    """Every second column for noise, every fifth for a knock-out, of those that vary; all for a rotation."""
    varying = np.where(values.std(axis=0) > 0)[0]
    return {"noise": varying[::2], "knock-out": varying[::5], "rotation": np.arange(values.shape[1])}[kind]


def _broken(rng: Generator, rows: NDArray[Any], kind: str, values: NDArray[Any]) -> NDArray[Any]:
    if kind == "noise":
        noisy: NDArray[Any] = rows + rng.normal(size=rows.shape) * values.std(axis=0)
        return noisy
    if kind == "knock-out":
        return np.zeros_like(rows)
    turned: NDArray[Any] = np.rot90(rows.reshape(-1, SIDE, SIDE), axes=(1, 2)).reshape(rows.shape)
    return turned
