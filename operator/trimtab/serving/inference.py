"""Inference requests from their bodies to the counts they leave, whichever front end read them and writes the answers.

`Inferences.infer` is all that a front end needs: it calls back in the event loop, at once or later. The plain front end,
an ASGI application without a framework, is here too; the fast one is `hot`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from starlette.types import Receive, Scope, Send

from trimtab.api.wire.serving import Serving
from trimtab.model.engine import Prediction
from trimtab.serving import answers, binary
from trimtab.serving.answers import Encoded
from trimtab.serving.batching import Answer, Batcher
from trimtab.serving.bodies import Bodies, GoneError
from trimtab.serving.decoding import Decoder, Inference
from trimtab.serving.figures import Figures
from trimtab.serving.loading import Served
from trimtab.serving.recorder import Answered, Recorder
from trimtab.serving.refusal import RefusedError, client

_INLINE_BYTES = 256 << 10
"""Bodies up to here are decoded, and their answers encoded, in the event loop: a few milliseconds at most."""
_INLINE_FOLD = 16_384
"""Rows up to which counts are folded in the event loop."""
FAILED = "the server failed on this request; its log says why"
_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

Done = Callable[[int, Encoded], None]
"""Told once: the status and the answer."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a protocol says it: bodies (with the length of their head, where they have one) into inferences, predictions into
    answers, the words of refusals into bytes. `decode` and `encode` are pure and raise `RefusedError`."""

    decode: Callable[[bytes, Any], Inference]
    encode: Callable[[Inference, Prediction], Encoded]
    refuse: Callable[[str], bytes]


class Inferences:
    """All inference requests of one process."""

    def __init__(self, served: Served) -> None:
        serving = served.serving
        self.served = served
        self.figures = Figures()
        self.recorder = Recorder(served.signature, served.profile, serving.monitoring.exclude)
        self.bodies = Bodies(serving.limits.body_bytes)
        self.encoder = answers.Encoder(serving, served.signature)
        decoder = Decoder(served.signature, serving.limits)
        self._rest = Form(decoder.decode, self.encoder.encode, answers.error)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self._counting = ThreadPoolExecutor(1, thread_name_prefix="count")
        self._folds: set[asyncio.Task[None]] = set()
        self.batcher = Batcher(
            served.engine.predict,
            self._thread,
            seconds=served.seconds,
            row_seconds=served.row_seconds,
            observe=self.figures.batches.observe,
        )

    def begin(self) -> float:
        """The headers of a request are complete; the moment by `time.perf_counter`. It ends in `infer`, `refuse` or `gone`."""
        self.figures.in_flight += 1
        return time.perf_counter()

    def gone(self) -> None:
        """A client went away before its request was complete: nobody is left to answer."""
        self.figures.in_flight -= 1

    def infer(self, body: bytes, header: int | None, began: float, done: Done, form: Form | None = None) -> None:
        """Answer a request that `began`. `body` is whole and taken from `bodies`, which gets it back here. `header`: bytes
        of its JSON, where values follow it. `form` is REST's unless told otherwise."""
        _Request(self, form or self._rest, len(body), began, done).decode(body, header)

    def refuse(self, refusal: RefusedError, began: float) -> Encoded:
        """The answer to a request that is refused before its body is whole, counted."""
        self.figures.in_flight -= 1
        self.figures.answered(refusal.status, 0, time.perf_counter() - began)
        return Encoded(answers.error(refusal.message))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: answer one request on the infer route, whatever it holds."""
        began = self.begin()
        try:
            check_model(self.served.serving, **scope["path_params"])
            header = self.bodies.check(dict(scope["headers"]))
            body = await self.bodies.read(receive)
        except RefusedError as refusal:
            await reply(send, refusal.status, self.refuse(refusal, began))
            return
        except GoneError:
            self.gone()
            return
        told: asyncio.Future[tuple[int, Encoded]] = asyncio.get_running_loop().create_future()

        def done(code: int, encoded: Encoded) -> None:
            if not told.done():
                told.set_result((code, encoded))

        self.infer(body, header, began, done)
        del body  # what is left of it are columns; many requests may wait
        await reply(send, *await told)

    def aside(self, work: Callable[[*_Ts], _T], arguments: tuple[*_Ts], then: Callable[["asyncio.Future[_T]"], None]) -> None:
        """Do it in the thread, since it would delay others, and go on in the event loop."""
        asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments).add_done_callback(then)

    def count(self, answered: Answered, size: int) -> None:
        """Values of an answered request: kept, and counted when there are enough of them."""
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


class _Request:
    """One request on its way: decoded, predicted with its neighbours, encoded, answered, counted."""

    __slots__ = ("_all", "_began", "_done", "_form", "_inference", "_prediction", "_size")

    def __init__(self, of: Inferences, form: Form, size: int, began: float, done: Done) -> None:
        self._all, self._form, self._size, self._began, self._done = of, form, size, began, done

    def decode(self, body: bytes, header: int | None) -> None:
        decode = self._form.decode
        if self._size > _INLINE_BYTES:
            self._all.aside(decode, (body, header), lambda future: self._attempt(self._predict, future.result))
        else:
            self._attempt(self._predict, lambda: decode(body, header))

    def _attempt(self, then: Callable[[_T], None], work: Callable[[], _T]) -> None:
        """Go on with what `work` gives, or answer with why it gives nothing."""
        try:
            found = work()
        except RefusedError as refusal:
            self._answer(refusal.status, Encoded(self._form.refuse(refusal.message)))
        except Exception:
            _log.exception("a request failed")
            self._answer(500, Encoded(self._form.refuse(FAILED)))
        else:
            then(found)

    def _predict(self, inference: Inference) -> None:
        self._inference = inference
        if inference.rows:
            self._all.batcher.submit(inference.frame, inference.rows, self._predicted)
        else:
            self._predicted(answers.empty(self._all.served.signature))

    def _predicted(self, answer: Answer) -> None:
        encode = self._form.encode
        if self._size > _INLINE_BYTES and isinstance(answer, Prediction):
            self._prediction = answer
            arguments = (self._inference, answer)
            self._all.aside(encode, arguments, lambda future: self._attempt(self._succeed, future.result))
        else:
            self._attempt(self._succeed, lambda: self._encoded(answer))

    def _encoded(self, answer: Answer) -> Encoded:
        if isinstance(answer, ValueError):
            raise client(str(answer).strip().split("\n", 1)[0][:400]) from answer
        if isinstance(answer, Exception):
            raise answer
        self._prediction = answer
        return self._form.encode(self._inference, answer)

    def _succeed(self, encoded: Encoded) -> None:
        rows = self._inference.rows
        self._answer(200, encoded, rows)
        try:
            self._all.count(Answered(self._inference.frame, self._prediction, rows), self._size)
        except Exception:  # the answer is out, and neighbours of the same batch wait for theirs
            _log.exception("a request was answered and cannot be counted")

    def _answer(self, code: int, encoded: Encoded, rows: int = 0) -> None:
        self._all.bodies.release(self._size)
        figures = self._all.figures
        figures.in_flight -= 1
        self._done(code, encoded)
        figures.answered(code, rows, time.perf_counter() - self._began)


def check_model(serving: Serving, name: str, version: str | None = None) -> None:
    """404 for another model or version than the one that is served."""
    if name != serving.model:
        raise RefusedError(404, f"model {name!r} is not served here, {serving.model!r} is")
    if version is not None and version != serving.version:
        raise RefusedError(404, f"version {version!r} of {serving.model!r} is not served here, {serving.version!r} is")


async def reply(send: Send, code: int, encoded: Encoded) -> None:
    """Write one answer."""
    headers = [(b"content-type", encoded.media), (b"content-length", b"%d" % len(encoded.content))]
    if encoded.header is not None:
        headers.append((binary.HEADER, b"%d" % encoded.header))
    if code == 503:
        headers.append((b"retry-after", b"1"))
    if code == 408:  # what is still to come of the body is nobody's
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": encoded.content})
