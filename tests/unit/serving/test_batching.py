"""Micro-batching: together what comes together, alone what must be alone, and never an answer to the wrong request."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.api.wire.models import Input
from trimtab.model.engine import Prediction
from trimtab.model.frame import Block, Frame, Layout
from trimtab.serving.batching import BATCH_ROWS, Answer, Batcher

LAYOUT = Layout((Input(name="x", datatype="FP64"),))


def rows(*values: float) -> Block:
    """A row for each value."""
    return Block(LAYOUT, np.array(values, float).reshape(-1, 1))


class Doubling:
    """A model: twice the value. Negative values it cannot take."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.threads: set[str] = set()

    def predict(self, frame: Frame) -> Prediction:
        self.calls.append(len(frame["x"]))
        self.threads.add(threading.current_thread().name)
        if (frame["x"] < 0).any():
            raise ValueError(f"negative: {frame['x'][frame['x'] < 0][0]}")
        return Prediction(values=frame["x"] * 2)


def submitted(batches: list[list[list[float]]], seconds: float = 0.0, row_seconds: float = 1.0) -> tuple[list[Answer], Doubling]:
    """The answers to requests (lists of values), of which each inner list arrives in one turn of the loop."""
    model = Doubling()

    async def run() -> list[Answer]:
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Answer]] = []
        with ThreadPoolExecutor(1, thread_name_prefix="predict") as thread:
            batcher = Batcher(model.predict, thread, seconds=seconds, row_seconds=row_seconds)
            for batch in batches:
                for values in batch:
                    futures.append(loop.create_future())
                    batcher.submit(rows(*values), len(values), futures[-1].set_result)
                await asyncio.wait(futures)
        return [future.result() for future in futures]

    return asyncio.run(run()), model


def values(answer: Any) -> list[float]:
    return list(answer.values)


def test_requests_of_one_turn_share_one_call() -> None:
    answers, model = submitted([[[1], [2, 3], [4]]])
    assert [values(answer) for answer in answers] == [[2], [4, 6], [8]]
    assert model.calls == [4]


def test_requests_of_different_turns_do_not_wait_for_each_other() -> None:
    assert submitted([[[1]], [[2]], [[3]]])[1].calls == [1, 1, 1]


def test_a_batch_is_bounded_and_the_rest_follows() -> None:
    answers, model = submitted([[[float(i)] for i in range(BATCH_ROWS * 2 + 3)]])
    assert model.calls == [BATCH_ROWS, BATCH_ROWS, 3]
    assert [values(answer)[0] for answer in answers] == [2.0 * i for i in range(BATCH_ROWS * 2 + 3)]


def test_a_large_request_goes_to_the_thread_alone() -> None:
    answers, model = submitted([[[1.0] * (BATCH_ROWS + 1), [2.0]]])
    assert sorted(model.calls) == [1, BATCH_ROWS + 1]
    assert "predict_0" in model.threads
    assert values(answers[1]) == [4.0]


def test_a_large_request_that_is_quick_stays_in_the_loop() -> None:
    answers, model = submitted([[[1.0] * (BATCH_ROWS + 1), [2.0]]], row_seconds=1e-6)
    assert model.threads == {"MainThread"}
    assert [values(answer)[0] for answer in answers] == [2.0, 4.0]


def test_large_requests_come_back_to_the_loop_when_they_turn_out_quick() -> None:
    _, model = submitted([[[1.0] * (BATCH_ROWS + 1)]] * 60, row_seconds=0.001)
    assert model.threads == {"predict_0", "MainThread"}


@pytest.mark.parametrize(("seconds", "thread"), [(0.0, "MainThread"), (1.0, "predict_0")])
def test_a_slow_model_is_asked_in_the_thread_and_a_quick_one_in_the_loop(seconds: float, thread: str) -> None:
    answers, model = submitted([[[1], [2]]], seconds)
    assert model.threads == {thread}
    assert [values(answer) for answer in answers] == [[2], [4]]


def test_requests_that_come_while_a_slow_model_works_share_the_next_call() -> None:
    started, go = threading.Event(), threading.Event()
    calls = []

    def predict(frame: Frame) -> Prediction:
        calls.append(len(frame["x"]))
        started.set()
        assert go.wait(10)
        return Prediction(values=frame["x"])

    async def run() -> None:
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in range(5)]
        with ThreadPoolExecutor(1) as thread:
            batcher = Batcher(predict, thread, seconds=1.0)
            batcher.submit(rows(1), 1, futures[0].set_result)
            await loop.run_in_executor(None, started.wait, 10)
            for future in futures[1:]:
                batcher.submit(rows(1), 1, future.set_result)
            go.set()
            await asyncio.wait(futures)

    asyncio.run(run())
    assert calls == [1, 4]


def test_a_model_that_became_quick_is_asked_in_the_loop_again() -> None:
    _, model = submitted([[[1]]] * 20, seconds=0.05)
    assert model.threads == {"predict_0", "MainThread"}


@given(st.lists(st.lists(st.integers(-3, 50), min_size=1, max_size=80), max_size=12), st.sampled_from([0.0, 1.0]))
def test_each_request_gets_its_own_answer_or_its_own_error(requests: list[list[float]], seconds: float) -> None:
    if requests:
        for answer, sent in zip(submitted([requests], seconds, seconds)[0], requests, strict=True):
            if min(sent) < 0:
                assert isinstance(answer, ValueError)
                assert str(answer) == f"negative: {next(float(v) for v in sent if v < 0)}"
            else:
                assert values(answer) == [2 * value for value in sent]
