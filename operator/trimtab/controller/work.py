"""The work queue: each key once, one worker a key, retries with backoff and jitter, and "again after t". Does no I/O."""

import asyncio
import heapq
import random
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
FIRST_RETRY, LAST_RETRY = 1.0, 300.0


class Queue(Generic[K]):
    """Keys that want a pass. A key rung while it is worked on is worked on again afterwards, never at the same time."""

    def __init__(self, *, random_state: random.Random | None = None) -> None:
        self._ready: asyncio.Queue[K] = asyncio.Queue()
        self._dirty: set[K] = set()
        self._busy: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._failures: dict[K, int] = {}
        self._sequence = 0
        self._timer: asyncio.TimerHandle | None = None
        self._random = random_state or random.Random()

    def ring(self, key: K) -> None:
        """The key wants a pass now; rings before that pass are one."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._busy:
            self._ready.put_nowait(key)

    def ring_after(self, key: K, seconds: float) -> None:
        """The key wants a pass after so long; of several such wishes the earliest holds."""
        due = asyncio.get_running_loop().time() + max(0.0, seconds)
        if self._due.get(key, float("inf")) <= due:
            return
        self._due[key] = due
        self._sequence += 1
        heapq.heappush(self._heap, (due, self._sequence, key))
        self._arm()

    async def get(self) -> K:
        """The next key; whoever takes it says `done` afterwards."""
        key = await self._ready.get()
        self._dirty.discard(key)
        self._busy.add(key)
        return key

    def done(self, key: K) -> None:
        """The pass has ended."""
        self._busy.discard(key)
        if key in self._dirty:
            self._ready.put_nowait(key)

    def succeeded(self, key: K) -> None:
        self._failures.pop(key, None)

    def retry(self, key: K, *, at_least: float = 0.0) -> float:
        """Ring again after a failed pass: 1 s, doubled each time up to 5 min, with jitter. Returns the delay in seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(failures, 20)) * self._random.uniform(0.8, 1.2)
        delay = max(at_least, delay)
        self.ring_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """The object is gone: no retry and no wish of it remains."""
        self._failures.pop(key, None)
        self._due.pop(key, None)

    def __len__(self) -> int:
        return len(self._dirty)

    @property
    def busy(self) -> int:
        return len(self._busy)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = asyncio.get_running_loop().call_at(self._heap[0][0], self._wake)

    def _wake(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self.ring(key)
        self._arm()
