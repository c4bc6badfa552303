"""One run of one stream: reference rows, and rows in windows. Data, and the file in which every method finds them. Pure but for
`save`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Columns: TypeAlias = Mapping[str, NDArray[Any]]
"""By name: float64 with NaN for missing, or text with "" for missing."""

SCORE = "score"
"""Name of the column that is what a model says of the row: our profile keeps it apart, peers see a column."""


@dataclass(frozen=True)
class Sample:
    """What one monitor is shown. Windows are counted from 0, behind the history."""

    reference: Columns
    rows: Columns
    sizes: tuple[int, ...]
    """Rows in each window, the history's first."""
    history: int = 0
    """Windows at the start that only a method with a memory of windows is shown, as after a week of production."""
    change: int | None = None
    """Window that the change begins with; None when there is none."""
    drifted: tuple[str, ...] = ()
    """Columns whose distribution changes; empty when there is no change, or nobody knows."""
    errors: NDArray[np.bool_] | None = None
    """Whether a model was wrong, by row; for methods that are told labels."""
    ordered: bool = False
    """Whether the reference is in order of time."""

    @property
    def ends(self) -> list[int]:
        """Rows seen when each window has ended, the history's not counted."""
        found: list[int] = np.cumsum(self.sizes[self.history :]).tolist()
        return found


def save(sample: Sample, path: Path) -> Path:
    """Write what `peers/protocol.py` reads."""
    parts: dict[str, Any] = {f"reference/{name}": values for name, values in sample.reference.items()}
    parts |= {f"rows/{name}": values for name, values in sample.rows.items()}
    parts |= {"sizes": np.array(sample.sizes), "history": np.array(sample.history), "ordered": np.array(sample.ordered)}
    if sample.errors is not None:
        parts["errors"] = sample.errors
    np.savez(path, **parts)
    return path
