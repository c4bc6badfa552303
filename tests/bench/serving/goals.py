"""Floors and goals: ratios to the best peer of the same run, above 1 where ours is better. Nothing here measures."""

from typing import NamedTuple


class Goal(NamedTuple):
    """Below `floor` something is broken; `goal` is what we want."""

    floor: float | None = None
    goal: float | None = None


NONE = Goal()

RATE = {
    ("lr", "1x1"): Goal(3, 5),
    ("lr", "1x16"): Goal(12, 25),
    ("lr", "1x64"): Goal(12, 25),
    ("lr", "100x4"): Goal(3, 6),
    ("lr", "100x4-binary"): Goal(5, 10),
    ("lr", "1x16-grpc"): Goal(2, 3),
    ("lr", "1x64-grpc"): Goal(1.5, 3),
    ("rf", "1x1"): Goal(12, 25),
    ("rf", "1x16"): Goal(50, 100),
    ("hgb", "1x16"): Goal(15, 40),
    ("mixed", "1x16"): Goal(20, 60),
}
"""Requests a second, by model and scenario."""

TAIL = {("lr", "1x16"): Goal(8, 15), ("lr", "1x64"): Goal(10, 25)}
"""99th percentile of latency."""

MLSERVER = {("lr", "1x16"): Goal(None, 30), ("lr", "1x64"): Goal(None, 40)}
"""Requests a second, beside MLServer alone."""

UNCONVERTED = {("lr", "1x64"): Goal(10, 20), ("rf", "1x16"): Goal(5, 8), ("hgb", "1x16"): Goal(6, 12)}
"""Requests a second of scikit-learn itself in our server. Only these cases are run with it."""

COUNTING = {("lr", "1x64"): Goal(0.90, 0.97), ("lr", "100x4"): Goal(None, None)}
"""Requests a second with counting, beside ours without. Only these cases are run without."""

READY = Goal(3, 6)
"""Time from the start of the process to ready."""

MEMORY = Goal(2, 3)
"""Resident memory when ready."""

PARITY = Goal(1, 1)
"""Rows of the parity check whose label differs, beside the limit of none."""
