"""What happened since boot, as plain integers. Written in the event loop only; read by metrics and snapshots."""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper edges of the latency histogram."""
BATCH_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0)
"""Upper edges of the histogram of rows per prediction."""


@dataclass(slots=True)
class Histogram:
    """Counts per interval, the last beyond all edges, and the sum of what was observed."""

    edges: tuple[float, ...]
    counts: list[int] = field(init=False)
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.edges) + 1)

    def observe(self, value: float) -> None:
        """Count one value; one that equals an edge is below it."""
        self.counts[bisect_left(self.edges, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts as Prometheus wants them."""
        names = (*map(str, self.edges), "+Inf")
        return list(zip(names, map(float, accumulate(self.counts)), strict=True))


@dataclass(slots=True)
class Figures:
    """Of inference requests only; probes, metadata and metrics are not counted."""

    codes: dict[int, int] = field(default_factory=lambda: {200: 0, 400: 0, 500: 0})
    in_flight: int = 0
    rows: int = 0
    """Rows of requests that were answered with 200."""
    seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    batches: Histogram = field(default_factory=lambda: Histogram(BATCH_ROWS))

    def answered(self, code: int, rows: int, seconds: float) -> None:
        """One inference request was answered."""
        self.codes[code] = self.codes.get(code, 0) + 1
        self.rows += rows
        self.seconds.observe(seconds)

    @property
    def requests(self) -> int:
        """All inference requests answered."""
        return sum(self.codes.values())

    def of_class(self, hundreds: int) -> int:
        """Requests answered with a code of 2xx, 4xx or 5xx."""
        return sum(count for code, count in self.codes.items() if code // 100 == hundreds)
