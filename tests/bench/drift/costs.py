"""What one evaluation and one row cost each method: 20 normal columns, 10,000 rows of reference, windows of 1,000. CPU time of
its process, one method at a time.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.bench.drift import samples, synthetic
from tests.bench.drift.processes import BrokenMethodError, Process
from tests.bench.venvs import UnavailableError

COLUMNS, REFERENCE, ROWS, WINDOWS = 20, 10_000, 1000, 192

Costs = dict[str, dict[str, float | None]]
"""By detector, `record` in microseconds a row and `evaluate` in milliseconds."""


def measure(started: Sequence[Process], folder: Path) -> Costs:
    """Ask each process in turn."""
    draws = synthetic.alike(synthetic.normal, COLUMNS)
    sample = synthetic.independent(np.random.default_rng(0), draws, REFERENCE, (ROWS,) * WINDOWS)
    path = samples.save(sample, folder / "cost.npz")
    found: Costs = {}
    for process in started:
        try:
            told = process.ask({"cost": str(path)})
        except (BrokenMethodError, UnavailableError) as error:
            print(f"{process.method.name} failed: {error}", flush=True)
            continue
        found |= told
        for name, cost in told.items():
            print(f"{name:<22}" + ", ".join(_told(key, value) for key, value in cost.items() if value), flush=True)
    return found


def _told(key: str, value: float) -> str:
    return f"{value:.3g} us a row recorded" if key == "record" else f"{value:.3g} ms an evaluation"
