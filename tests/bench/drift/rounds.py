"""Every stream, shown to every method: samples are written once, and each method's process reads them in its own time, as many
processes at once as there are cores. What was answered comes back by stream and detector.
"""

import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.bench.drift import samples, traces
from tests.bench.drift.methods import OURS, Method
from tests.bench.drift.processes import BrokenMethodError, Process
from tests.bench.drift.samples import Sample
from tests.bench.drift.streams import Stream
from tests.bench.drift.traces import Trace
from tests.bench.venvs import UnavailableError

IN_FLIGHT = 3
"""Streams whose samples lie on disk at a time."""


class Truth(NamedTuple):
    """What is known of one sample."""

    ends: list[int]
    change: int | None
    """Window that the change begins with."""
    drifted: tuple[str, ...]

    @property
    def row(self) -> int:
        """Rows seen before the change."""
        return self.ends[self.change - 1] if self.change else 0


@dataclass
class Found:
    """Everything that was answered. A method that failed on a stream has a sentence in `failed` and no trace."""

    truths: dict[str, list[Truth]] = field(default_factory=dict)
    traces: dict[str, dict[str, list[Trace]]] = field(default_factory=dict)
    """By stream, then by detector, one for each repeat."""
    failed: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How much is run."""

    repeats: int
    seed: int
    long: bool
    jobs: int

    def times(self, stream: Stream) -> int:
        """Repeats of a stream; what is read and not drawn is run once."""
        return (
            min(self.repeats, stream.repeats or self.repeats)
            if not self.long or stream.part == "nannyml"
            else self.repeats
        )


@contextmanager
def processes(methods: Sequence[Method], folder: Path) -> Iterator[list[Process]]:
    """One for each method; all end when this ends."""
    started = [Process(method, folder / f"{method.name}.log") for method in methods]
    try:
        yield started
    finally:
        for each in started:
            each.close()


def measure(
    streams: Sequence[Stream],
    started: Sequence[Process],
    plan: Plan,
    folder: Path,
    tell: Callable[[Stream, Found], None],
) -> Found:
    """Show every stream to every method; `tell` is called when all have seen one."""
    found, cores = Found(), threading.Semaphore(plan.jobs)
    lines = [ThreadPoolExecutor(1) for _ in started]
    waiting: deque[tuple[Stream, Path, list[Future[None]]]] = deque()

    def finish() -> None:
        stream, place, futures = waiting.popleft()
        for future in futures:
            future.result()
        shutil.rmtree(place)
        tell(stream, found)

    try:
        for stream in streams:
            place = folder / stream.key.replace("/", "-")
            try:
                paths = _write(stream, plan, place, found)
            except (UnavailableError, subprocess.CalledProcessError, OSError) as error:
                print(f"{stream.title}: no rows: {error}", flush=True)
                continue
            work = [
                line.submit(_shown, process, stream, paths, plan, cores, found)
                for process, line in zip(started, lines, strict=True)
            ]
            waiting.append((stream, place, work))
            if len(waiting) >= IN_FLIGHT:
                finish()
        while waiting:
            finish()
    finally:
        for line in lines:
            line.shutdown(wait=False, cancel_futures=True)
    return found


def _write(stream: Stream, plan: Plan, place: Path, found: Found) -> list[Path]:
    place.mkdir()
    found.traces[stream.key], found.failed[stream.key], found.truths[stream.key] = {}, {}, []
    paths = []
    for repeat in range(plan.times(stream)):
        sample = stream.sample(plan.seed, repeat)
        found.truths[stream.key].append(_truth(sample))
        paths.append(samples.save(sample, place / f"{repeat}.npz"))
    return paths


def _truth(sample: Sample) -> Truth:
    return Truth(sample.ends, sample.change, sample.drifted)


def _shown(
    process: Process, stream: Stream, paths: Sequence[Path], plan: Plan, cores: threading.Semaphore, found: Found
) -> None:
    """All repeats of one stream to one method."""
    asked, windows = process.method.asked(stream.key, plan.long), None
    if asked == []:
        return
    if process.method.name != OURS and stream.peers is not None and not plan.long:
        paths, windows = paths[: stream.peers[0]], stream.peers[1]
    for repeat, path in enumerate(paths):
        try:
            with cores:
                answer = process.ask({"sample": str(path), "windows": windows, "only": asked})
        except (BrokenMethodError, UnavailableError) as error:
            found.failed[stream.key][process.method.name] = str(error)
            for detector in process.method.detectors:
                found.traces[stream.key].pop(detector.name, None)
            return
        for detector in answer["detectors"]:
            ends = found.truths[stream.key][repeat].ends[:windows]
            made = traces.trace(answer, detector, ends)
            found.traces[stream.key].setdefault(detector, []).append(made)
