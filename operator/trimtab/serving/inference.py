"""The infer route: one request from its headers to the counts it leaves. An ASGI application without a framework.

What costs time is shared with any other front end: `Decoder`, `Batcher`, `Encoder` and `Recorder` know nothing of ASGI.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from starlette.types import Receive, Scope, Send

from trimtab.model.engine import Prediction
from trimtab.serving import answers
from trimtab.serving.batching import Answer, Batcher
from trimtab.serving.bodies import Bodies, GoneError
from trimtab.serving.figures import Figures
from trimtab.serving.loading import Served
from trimtab.serving.recorder import Answered, Recorder
from trimtab.serving.refusal import RefusedError, client
from trimtab.serving.tensors import Decoder, Inference

_INLINE_BYTES = 256 << 10
"""Bodies up to here are decoded, and their answers encoded, in the event loop: a few milliseconds at most."""
_INLINE_FOLD = 16_384
"""Rows up to which counts are folded in the event loop."""
_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Inferences:
    """All inference requests of one process."""

    def __init__(self, served: Served) -> None:
        serving = served.serving
        self.served = served
        self.figures = Figures()
        self.recorder = Recorder(served.signature, served.profile, serving.monitoring.exclude)
        self._bodies = Bodies(serving.limits.body_bytes)
        self._decoder = Decoder(served.signature, serving.limits)
        self._encoder = answers.Encoder(serving, served.signature)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self._counting = ThreadPoolExecutor(1, thread_name_prefix="count")
        self._folds: set[asyncio.Task[None]] = set()
        self._batcher = Batcher(
            served.engine.predict,
            self._thread,
            seconds=served.seconds,
            observe=self.figures.batches.observe,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: answer one request on the infer route, whatever it holds."""
        began = time.perf_counter()
        self.figures.in_flight += 1
        try:
            await self._answer(scope, receive, send, began)
        except GoneError:
            _log.debug("a client went away before its request was complete")
        finally:
            self.figures.in_flight -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send, began: float) -> None:
        answered, size = None, 0
        try:
            check_model(self.served, scope["path_params"])
            body = await self._bodies.read(dict(scope["headers"]), receive)
            size = len(body)
            inference = await self._run(size, self._decoder.decode, body)
            del body  # what is left of it are columns; many requests may wait
            prediction = await self._predicted(inference)
            code, content = 200, await self._run(size, self._encoder.encode, inference, prediction)
            answered = Answered(inference.frame, prediction, inference.rows)
        except RefusedError as refusal:
            code, content = refusal.status, answers.error(refusal.message)
        except GoneError:
            raise
        except Exception:
            _log.exception("a request failed")
            code, content = 500, answers.error("the server failed on this request; its log says why")
        finally:
            self._bodies.release(size)
        await reply(send, code, content)
        self._count(code, answered, size, began)

    async def _run(self, size: int, work: Callable[[*_Ts], _T], *arguments: *_Ts) -> _T:
        """Do it here, or in the thread when it is large enough to delay others."""
        if size <= _INLINE_BYTES:
            return work(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def _predicted(self, inference: Inference) -> Prediction:
        if not inference.rows:
            return answers.empty(self.served.signature)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        self._batcher.submit(inference.frame, inference.rows, done)
        answer = await future
        if isinstance(answer, ValueError):
            raise client(str(answer).strip().split("\n", 1)[0][:400]) from answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _count(self, code: int, answered: Answered | None, size: int, began: float) -> None:
        """After the answer was written: figures at once, values when there are enough of them."""
        self.figures.answered(code, answered.rows if answered else 0, time.perf_counter() - began)
        if answered is None:
            return
        self.recorder.add(answered, size)
        if not self.recorder.due:
            return
        if self.recorder.waiting <= _INLINE_FOLD:
            self.recorder.fold()
        else:
            task = asyncio.get_running_loop().create_task(self._fold())
            self._folds.add(task)
            task.add_done_callback(self._folds.discard)

    async def _fold(self) -> None:
        taken = self.recorder.take()
        loop = asyncio.get_running_loop()
        self.recorder.merge(await loop.run_in_executor(self._counting, self.recorder.counted, taken))

    async def settle(self) -> None:
        """Until every row answered so far is in the counts."""
        while self._folds:
            await asyncio.wait(self._folds)
        self.recorder.fold()

    def close(self) -> None:
        """Let the threads go."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._counting.shutdown(wait=True)


def check_model(served: Served, parameters: dict[str, str]) -> None:
    """404 for another model or version than the one that is served."""
    serving = served.serving
    if (name := parameters.get("name")) != serving.model:
        raise RefusedError(404, f"model {name!r} is not served here, {serving.model!r} is")
    version = parameters.get("version", serving.version)
    if version != serving.version:
        raise RefusedError(404, f"version {version!r} of {serving.model!r} is not served here, {serving.version!r} is")


async def reply(send: Send, code: int, content: bytes) -> None:
    """Write one JSON answer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    if code == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": content})
