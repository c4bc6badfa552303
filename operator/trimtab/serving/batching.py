"""Zero-wait micro-batching: what arrived in one turn of the event loop is predicted in one call of the model.

Nobody waits for company, so a lone request is as fast as without. A batch has at most `BATCH_ROWS` rows, and a request
larger than that is a call of its own. A call that is expected to take longer than `INLINE_SECONDS` goes to one thread, so
that probes are answered meanwhile. When a batch fails, its requests are tried one by one: a bad row harms no neighbour.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeAlias

from trimtab.model.engine import Prediction
from trimtab.model.frame import Block, join

BATCH_ROWS = 64
INLINE_SECONDS = 0.01
_WEIGHT = 0.2
"""Of the newest duration in the running mean."""

Answer: TypeAlias = Prediction | Exception
Predict: TypeAlias = Callable[[Block], Prediction]


@dataclass(frozen=True, slots=True)
class Call:
    """Rows that wait for their prediction, and who is to be told. `done` is called in the event loop."""

    frame: Block
    rows: int
    done: Callable[[Answer], None]


def answers(predict: Predict, calls: Sequence[Call]) -> list[Answer]:
    """Predict all calls at once, or one by one when that fails; one answer or exception for each."""
    if len(calls) == 1:
        return [_one(predict, calls[0])]
    try:
        whole = predict(join([call.frame for call in calls]))
    except Exception:  # whatever it was, the request at fault is told when it is tried alone
        return [_one(predict, call) for call in calls]
    parts: list[Answer] = []
    start = 0
    for call in calls:
        parts.append(_part(whole, start, start + call.rows))
        start += call.rows
    return parts


def _timed(predict: Predict, calls: Sequence[Call]) -> tuple[list[Answer], float]:
    """The answers, and the seconds that they took."""
    began = time.perf_counter()
    return answers(predict, calls), time.perf_counter() - began


def _one(predict: Predict, call: Call) -> Answer:
    try:
        return predict(call.frame)
    except Exception as error:  # handed to the request, which tells a client's fault from the model's
        return error


def _part(whole: Prediction, start: int, stop: int) -> Prediction:
    return Prediction(
        classes=None if whole.classes is None else whole.classes[start:stop],
        probabilities=None if whole.probabilities is None else whole.probabilities[start:stop],
        values=None if whole.values is None else whole.values[start:stop],
    )


class Batcher:
    """Collects calls and predicts them. Lives in one event loop; `thread` is an executor with one worker."""

    def __init__(
        self,
        predict: Predict,
        thread: Executor,
        *,
        seconds: float = 0.0,
        row_seconds: float = INLINE_SECONDS,
        observe: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """`seconds`: what one call took when warm; `row_seconds`: what each row took of a call with many. `observe` hears
        the rows of each prediction."""
        self._predict = predict
        self._thread = thread
        self._seconds, self._row_seconds = seconds, row_seconds
        self._observe = observe
        self._waiting: deque[Call] = deque()
        self._scheduled = False
        self._busy = False

    def submit(self, frame: Block, rows: int, done: Callable[[Answer], None]) -> None:
        """Predict `rows` rows soon and call `done` with the answer or the exception."""
        call = Call(frame, rows, done)
        if rows > BATCH_ROWS:
            self._large(call)
            return
        self._waiting.append(call)
        self._schedule()

    def _large(self, call: Call) -> None:
        if self._busy or call.rows * self._row_seconds > INLINE_SECONDS:
            self._in_thread([call], large=True)
            return
        parts, seconds = _timed(self._predict, [call])
        self._learn_rows(call.rows, seconds)
        self._deliver([call], parts)

    def _schedule(self) -> None:
        if not self._scheduled and not self._busy and self._waiting:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._scheduled = False
        batch = self._taken()
        if self._seconds > INLINE_SECONDS:
            self._busy = True
            self._in_thread(batch, large=False)
        else:
            parts, seconds = _timed(self._predict, batch)
            self._learn(seconds)
            self._deliver(batch, parts)
        self._schedule()

    def _taken(self) -> list[Call]:
        batch = [self._waiting.popleft()]
        rows = batch[0].rows
        while self._waiting and rows + self._waiting[0].rows <= BATCH_ROWS:
            batch.append(self._waiting.popleft())
            rows += batch[-1].rows
        return batch

    def _in_thread(self, batch: list[Call], *, large: bool) -> None:
        def finished(future: asyncio.Future[tuple[list[Answer], float]]) -> None:
            parts, seconds = future.result()
            if large:
                self._learn_rows(batch[0].rows, seconds)
            else:
                self._busy = False
                self._learn(seconds)
            self._deliver(batch, parts)
            self._schedule()

        loop = asyncio.get_running_loop()
        loop.run_in_executor(self._thread, _timed, self._predict, batch).add_done_callback(finished)

    def _learn(self, seconds: float) -> None:
        self._seconds += _WEIGHT * (seconds - self._seconds)

    def _learn_rows(self, rows: int, seconds: float) -> None:
        self._row_seconds += _WEIGHT * (seconds / rows - self._row_seconds)

    def _deliver(self, batch: list[Call], parts: list[Answer]) -> None:
        self._observe(sum(call.rows for call in batch))
        for call, part in zip(batch, parts, strict=True):
            call.done(part)
