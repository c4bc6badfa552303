"""Series of river's whose changes people have marked (Alan Turing Institute). What each method finds of them, within a margin.

Each is one numeric series, or a few in step, of some hundred autocorrelated values. The reference is what lies before the first
change that at least half of the annotators saw. river ships seven. The marks of Apple and Brent number every third and about
every sixteenth of the rows that are shipped, it cannot be told which rows Bitcoin's number, and the coal industry's has 105 rows,
too few for any window.
"""

import bisect
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.bench import venvs
from tests.bench.drift import packaged, samples, traces
from tests.bench.drift.methods import DETECTORS, OURS, QUALITY
from tests.bench.drift.processes import BrokenMethodError, Process
from tests.bench.drift.samples import Sample
from tests.bench.drift.traces import Alarm
from tests.bench.venvs import UnavailableError

SERIES = ("Occupancy", "RunLog", "AirlinePassengers")
ROWS = 25
"""Of a window: ours needs four of them before it says anything."""
MARGIN = 50
"""Rows behind a mark within which an alarm is right."""
LEAST = 50
"""Rows of the reference, even where a change was marked before."""
SCRIPT = """
import json, sys
import river.drift.datasets as shipped
series = getattr(shipped, sys.argv[1])()
rows = [list(v.values()) if isinstance(v, dict) else [v] for _, v in series]
print(json.dumps({"rows": rows, "marks": list(series.annotations.values())}))
"""


class Marked(NamedTuple):
    """One series and the marks that at least half of the annotators made, within a few rows of one another."""

    sample: Sample
    marks: list[int]
    """Rows of the stream, behind the reference."""


class Score(NamedTuple):
    """Marks found, marks there are, windows in alarm before the first, windows before it."""

    found: int
    marks: int
    false: int
    windows: int


def measure(started: Sequence[Process], folder: Path) -> dict[str, dict[str, Score]]:
    """By series and detector, at defaults."""
    made: dict[str, dict[str, Score]] = {}
    for name in SERIES:
        marked = series(name)
        path = samples.save(marked.sample, folder / f"{name}.npz")
        made[name] = dict(score for process in started for score in _asked(process, path, marked))
        told = ", ".join(f"{d} {s.found} and {s.false}" for d, s in made[name].items())
        print(f"{name}, {len(marked.marks)} marks, found and windows in false alarm: {told}", flush=True)
    return made


def _asked(process: Process, path: Path, marked: Marked) -> Iterator[tuple[str, Score]]:
    try:
        answer = process.ask({"sample": str(path), "windows": None, "only": process.method.asked("annotated", False)})
    except (BrokenMethodError, UnavailableError) as error:
        print(f"{process.method.name} failed: {error}", flush=True)
        return
    for name in answer["detectors"]:
        if DETECTORS[name].threshold and name != QUALITY:
            trace = traces.trace(answer, name, marked.sample.ends)
            yield name, score(trace.alarms(trace.default), marked.marks, marked.sample.ends)


def score(alarms: Sequence[Alarm], marks: Sequence[int], ends: Sequence[int]) -> Score:
    """A mark is found by an alarm that begins within the margin behind it: whoever compares with a fixed reference stays in alarm
    behind the first mark, and finds no other. False are windows in alarm before the first.

    >>> score((Alarm(25, None), Alarm(125, None), Alarm(150, None)), [100, 140], [25, 50, 75, 100, 125, 150])
    Score(found=1, marks=2, false=1, windows=4)
    """
    windows = [bisect.bisect_left(ends, alarm.row) for alarm in alarms]
    begun = [alarm.row for alarm, window in zip(alarms, windows, strict=True) if window - 1 not in windows]
    found = sum(any(mark < row <= mark + MARGIN for row in begun) for mark in marks)
    first = bisect.bisect_right(ends, marks[0]) if marks else len(ends)
    return Score(found, len(marks), len({window for window in windows if window < first}), first)


def series(name: str) -> Marked:
    """Read from river's package."""
    interpreter = str(venvs.python(packaged.requirements("river")))
    told = json.loads(subprocess.run([interpreter, "-c", SCRIPT, name], check=True, capture_output=True).stdout)
    values: NDArray[Any] = np.array(told["rows"], float)
    agreed = agreement(told["marks"])
    start = max(LEAST, agreed[0] if agreed else LEAST)
    start -= ROWS  # one window before the first change
    windows = (len(values) - start) // ROWS
    table = {f"x{i}": column for i, column in enumerate(values.T)}
    sample = Sample(
        {n: column[:start] for n, column in table.items()},
        {n: column[start : start + windows * ROWS] for n, column in table.items()},
        (ROWS,) * windows,
        ordered=True,
    )
    return Marked(sample, [mark - start for mark in agreed if mark > start])


def agreement(marks: Sequence[Sequence[int]], near: int = 10) -> list[int]:
    """Marks with which at least half of the annotators agree, within `near` rows; of marks so near, the first.

    >>> agreement([[60, 200], [63], [300]])
    [60]
    """
    found: list[int] = []
    for mark in sorted(row for each in marks for row in each):
        agreed = sum(any(abs(row - mark) <= near for row in each) for each in marks)
        if 2 * agreed >= len(marks) and not (found and mark - found[-1] <= 2 * near):
            found.append(mark)
    return found


def rows(made: dict[str, dict[str, Score]]) -> list[dict[str, Any]]:
    """Rows of the result."""
    found = []
    for name, scores in made.items():
        recall = {d: round(s.found / s.marks, 3) if s.marks else None for d, s in scores.items()}
        ours = recall.pop(OURS, None)
        known = {d: value for d, value in recall.items() if value is not None}
        best = max(known, key=known.__getitem__) if known else None
        ratio = round((ours or 0.0) / known[best], 3) if best and known[best] else None
        case = f"{name}, marks of people, at defaults"
        row = {"case": case, "metric": "found", "unit": "1", "better": "higher", "ours": ours, "peers": recall}
        found.append({**row, "bestPeer": best, "ratio": ratio, "floor": None, "goal": None})
    return found
