"""What every method's process speaks: requests as JSON lines in, one JSON line each out. numpy alone.

    {"sample": FILE, "windows": 12, "only": ["ADWIN"]}  -> {"columns": [...], "detectors": {NAME: ...}}
    {"cost": FILE}                                      -> {NAME: {"record": us a row or null, "evaluate": ms}}

A detector either scores every column of every window, `{"bar": b, "scores": [[...]]}`, and means drift from `bar` on, so that
it can be judged at any other bar; or fires at rows, `{"settings": [...], "default": i, "fired": [[[row, column], ...]]}`, once
for each setting from the loosest to the strictest. A row is the number of rows seen by then; a column is its place in
`columns`, or null for all together.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One run of one stream. Columns are float64 with NaN, or text with "" for missing."""

    reference: dict[str, Any]
    rows: dict[str, Any]
    sizes: list[int]
    history: int
    ordered: bool
    errors: Any

    @property
    def columns(self) -> list[str]:
        return list(self.reference)

    def windows(self, start: int = 0) -> Iterator[dict[str, Any]]:
        """The windows, the history's first, from `start` on."""
        ends = np.cumsum(self.sizes)
        for size, end in list(zip(self.sizes, ends, strict=True))[start:]:
            yield {name: values[end - size : end] for name, values in self.rows.items()}

    def shown(self) -> Iterator[dict[str, Any]]:
        """The windows behind the history."""
        return self.windows(self.history)

    def first(self, windows: int | None) -> "Sample":
        """With so many windows behind the history."""
        if windows is None:
            return self
        sizes = self.sizes[: self.history + windows]
        rows = {name: values[: sum(sizes)] for name, values in self.rows.items()}
        errors = None if self.errors is None else self.errors[: sum(sizes)]
        return Sample(self.reference, rows, sizes, self.history, self.ordered, errors)


def is_number(values: Any) -> bool:
    return bool(values.dtype.kind == "f")


def read(path: str) -> Sample:
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    reference = {name[10:]: values for name, values in parts.items() if name.startswith("reference/")}
    rows = {name[5:]: values for name, values in parts.items() if name.startswith("rows/")}
    sizes = parts["sizes"].tolist()
    return Sample(reference, rows, sizes, int(parts["history"]), bool(parts["ordered"]), parts.get("errors"))


Watch = Callable[[Sample, list[str] | None], dict[str, Any]]
Cost = Callable[[Sample], dict[str, Any]]


def serve(watch: Watch, cost: Cost) -> None:
    """Answer requests until there are no more. What libraries print goes to the log."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            answer = _answer(json.loads(line), watch, cost)
        except Exception as error:  # whatever a library raises is told, and the next sample is another try
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(request: dict[str, Any], watch: Watch, cost: Cost) -> dict[str, Any]:
    if "cost" in request:
        return cost(read(request["cost"]))
    sample = read(request["sample"]).first(request["windows"])
    return {"columns": sample.columns, "detectors": watch(sample, request["only"])}


def spent(work: Callable[[], Any], repeats: int) -> float:
    """Seconds of CPU that one call takes: the median."""
    taken = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return float(np.median(taken))


def of_p(p: float, level: float) -> float:
    """A p-value as a score that reaches 1 at `level`."""
    return float(min(400.0, np.log(max(p, 1e-300)) / np.log(level)))
