"""A deployment's day as the command line finds it: a profile, and a ledger of hours."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.drift import counting, references, windows
from trimtab.drift.budget import Settings
from trimtab.drift.profile import CategoryReference, Profile
from trimtab.drift.vectors import Counted
from trimtab.drift.windows import Ledger, Source

HOUR = 3600.0
BEGAN = 480_000 * HOUR
SETTINGS = Settings(HOUR, 90 * 24 * HOUR)


def profile(*, name: str = "temp", level: str = "UA") -> Profile:
    """A number, a category and a score over 20,000 rows."""
    random = np.random.default_rng(1)
    rows = 20_000
    carriers = np.array([level, "B6", "DL"], object)[random.integers(0, 3, rows)]
    return Profile(
        rows,
        (references.number(name, random.normal(size=rows), None), references.category("carrier", carriers, None)),
        None,
        references.score("score", random.random(rows), 0.5),
    )


def ledger(held: Profile, hours: int = 30, *, moved_from: int | None = None, rows: int = 1000) -> Ledger:
    """Hours of traffic like the reference; from hour `moved_from` on the number lies one deviation higher."""
    random = np.random.default_rng(2)
    kept, total = windows.begin(held, HOUR, BEGAN), None
    assert isinstance(held.features[1], CategoryReference)
    carriers: NDArray[Any] = np.array(held.features[1].levels, dtype=object)
    for hour in range(hours):
        shift = 1.0 if moved_from is not None and hour >= moved_from else 0.0
        columns: dict[str, NDArray[Any]] = {
            held.features[0].name: random.normal(shift, 1, rows),
            "carrier": carriers[random.integers(0, len(carriers), rows)],
        }
        counts = {each.name: counting.count(each, columns[each.name]) for each in held.features}
        score = counting.count(held.score, random.random(rows)) if held.score else None
        now = Counted(rows, counts, None, score)
        total = now if total is None else _sum(total, now)
        kept, problem = windows.absorb(kept, Source("pod", "boot"), hour + 1, total, BEGAN + (hour + 0.5) * HOUR)
        assert problem is None
    return windows.close(kept, BEGAN + hours * HOUR)


def _sum(one: Counted, other: Counted) -> Counted:
    features = {name: counting.add(counts, other.features[name]) for name, counts in one.features.items()}
    score = counting.add(one.score, other.score) if one.score and other.score else None
    return Counted(one.rows + other.rows, features, None, score)
