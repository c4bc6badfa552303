"""The methods of `inference.GRPCInferenceService`: what REST answers, in messages, from the same event loop.

Every method takes a stream of one message, which on the wire is what a unary method takes. So it is the method that asks
for the message: only then does more of it come than one window of the connection, and few are in memory at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc
import grpc.aio

import trimtab
from trimtab.serving import bodies, pages
from trimtab.serving.answers import Encoded
from trimtab.serving.inference import FAILED, Inferences, check_model
from trimtab.serving.lifecycle import Lifecycle
from trimtab.serving.refusal import RefusedError, client
from trimtab.serving.rpc import messages
from trimtab.serving.rpc import open_inference_pb2 as pb

TURNS = 4
"""Messages that may be on their way at once, each in a buffer of its own size, or large and not answered yet."""
TURN_SECONDS = 10.0
"""How long a call waits for its turn."""
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_log = logging.getLogger(__name__)

Context: TypeAlias = Any
"""`grpc.aio.ServicerContext`, of messages that are bytes."""
Page: TypeAlias = Callable[[bytes], Any]
"""A method that only says what is known: its message in, its answer out."""


class Service:
    """All methods of one process. Lives in one event loop."""

    def __init__(self, inferences: Inferences, lifecycle: Lifecycle) -> None:
        self._inferences = inferences
        self._serving, self._signature = inferences.served.serving, inferences.served.signature
        self._lifecycle = lifecycle
        self._form = messages.form(inferences)
        self._turns = asyncio.Semaphore(TURNS)

    def handler(self) -> grpc.GenericRpcHandler:
        """What a gRPC server is given."""
        pages: dict[str, Page] = {
            "ServerLive": lambda content: pb.ServerLiveResponse(live=True),
            "ServerReady": lambda content: pb.ServerReadyResponse(ready=self._ready),
            "ModelReady": self._model_ready,
            "ServerMetadata": lambda content: messages.server(trimtab.__version__),
            "ModelMetadata": self._metadata,
            "RepositoryIndex": self._index,
            "RepositoryModelLoad": _fixed,
            "RepositoryModelUnload": _fixed,
        }
        methods = {"ModelInfer": self.infer, **{name: self._method(page) for name, page in pages.items()}}
        streams = {name: grpc.stream_unary_rpc_method_handler(method) for name, method in methods.items()}
        return grpc.method_handlers_generic_handler(messages.SERVICE, streams)

    async def infer(self, stream: Any, context: Context) -> bytes:
        """ModelInfer: counted and answered as a request of REST."""
        inferences = self._inferences
        began = inferences.begin()
        try:
            content = await self._received(context, messages.SMALL_BYTES)
        except RefusedError as refusal:
            inferences.refuse(refusal, began)
            return await _abort(context, refusal.status, refusal.message)
        except BaseException:  # cancelled, or the connection is gone in whatever way gRPC says so
            inferences.gone()
            raise
        told = self._answer(content, began)
        del content  # what is left of it are columns; many calls may wait
        code, encoded = await told
        return encoded.content if code == 200 else await _abort(context, code, encoded.content.decode())

    def _answer(self, content: bytes, began: float) -> "asyncio.Future[tuple[int, Encoded]]":
        """Of a message that was received. Whoever left meanwhile is counted as answered, as with REST."""
        told: asyncio.Future[tuple[int, Encoded]] = asyncio.get_running_loop().create_future()
        inferences, large = self._inferences, len(content) > messages.SMALL_BYTES

        def done(code: int, encoded: Encoded) -> None:
            if large:
                self._turns.release()
            if not told.done():
                told.set_result((code, encoded))

        try:
            inferences.bodies.take(len(content), 0)
        except RefusedError as refusal:
            inferences.refuse(refusal, began)
            done(refusal.status, Encoded(self._form.refuse(refusal.message)))
        else:
            inferences.infer(content, None, began, done, self._form)
        return told

    async def _received(self, context: Context, small: int) -> bytes:
        """The one message of a call. One of more than `small` bytes keeps its turn, which is given back with its answer."""
        await self._turn()
        content: Any = None
        try:
            async with asyncio.timeout(bodies.SECONDS):
                content = await context.read()
        except TimeoutError:
            raise RefusedError(408, f"the message did not arrive within {bodies.SECONDS:.0f} s") from None
        finally:
            if not isinstance(content, bytes) or len(content) <= small:
                self._turns.release()
        if not isinstance(content, bytes):  # gRPC itself refuses what is too large, and leaves an end in its place
            limit = self._serving.limits.body_bytes
            raise RefusedError(413, f"no message of at most {limit} bytes came: send the rows in parts")
        return content

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise RefusedError(503, bodies.TOO_MANY) from None

    def _method(self, page: Page) -> Callable[[Any, Context], Awaitable[bytes]]:
        async def method(stream: Any, context: Context) -> bytes:
            try:
                content = await self._received(context, self._serving.limits.body_bytes)
                answer: bytes = page(content).SerializeToString()
            except RefusedError as refusal:
                return await _abort(context, refusal.status, refusal.message)
            except Exception:
                _log.exception("a request failed")
                return await _abort(context, 500, FAILED)
            return answer

        return method

    @property
    def _ready(self) -> bool:
        return not self._lifecycle.draining

    def _model_ready(self, content: bytes) -> pb.ModelReadyResponse:
        asked = messages.parsed(pb.ModelReadyRequest, content)
        check_model(self._serving, asked.name, asked.version or None)
        return pb.ModelReadyResponse(ready=self._ready)

    def _metadata(self, content: bytes) -> pb.ModelMetadataResponse:
        asked = messages.parsed(pb.ModelMetadataRequest, content)
        check_model(self._serving, asked.name, asked.version or None)
        return messages.model(self._serving, self._signature)

    def _index(self, content: bytes) -> pb.RepositoryIndexResponse:
        if messages.parsed(pb.RepositoryIndexRequest, content).ready and not self._ready:
            return pb.RepositoryIndexResponse()
        return messages.index(self._serving, ready=self._ready)


def _fixed(content: bytes) -> Any:
    raise client(pages.FIXED)


async def _abort(context: Context, status: int, message: str) -> bytes:
    """End a call with the code that stands for one of HTTP. Does not return."""
    await context.abort(CODES.get(status, grpc.StatusCode.INTERNAL), message)
    raise AssertionError("a call was aborted")
