"""The fast way for inference requests: answered from the parser's callbacks, with no task and no ASGI between.

What is not a plain `POST` to an infer route of the model, on a connection that has nothing else under way, goes the usual
way through uvicorn and ASGI, and both answer alike. A request of this way stands where uvicorn has its cycle, so that
pipelining, the end of a connection and the end of the process treat both alike too.
"""

from typing import Any
from urllib.parse import quote

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from trimtab.serving import binary, bodies
from trimtab.serving.answers import Encoded
from trimtab.serving.bodies import Bodies
from trimtab.serving.connection import Connection
from trimtab.serving.inference import Inferences
from trimtab.serving.lifecycle import Lifecycle
from trimtab.serving.refusal import RefusedError
from trimtab.serving.unread import Unread


class _Never:
    """Where an application would wait for the next piece of a body: here nobody does."""

    def set(self) -> None:
        """Nobody waits."""


class _Request:
    """One inference request on one connection. What uvicorn's protocol reads of its cycle has uvicorn's names."""

    message_event = _Never()

    def __init__(self, connection: "HotConnection", header: int | None) -> None:
        self._connection, self._header = connection, header
        self._bodies: Bodies = connection.inferences.bodies
        self._began = connection.inferences.begin()
        self._body: bytes | bytearray = b""
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False
        self.more_body = True

    def take(self, piece: bytes) -> None:
        """The next bytes of the body."""
        try:
            self._bodies.take(len(piece), len(self._body))
        except RefusedError as refusal:
            self.refuse(refusal)
            return
        if not self._body:  # as a rule the only one
            self._body = piece
            return
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)  # a list of pieces would be thirty times as large, if they are small
        self._body += piece

    def complete(self) -> None:
        """The body is whole."""
        self.more_body = False
        body, self._body = bytes(self._body), b""
        self._connection.inferences.infer(body, self._header, self._began, self.answer)

    def refuse(self, refusal: RefusedError) -> None:
        """Answer before the body is whole; what comes of it is passed over."""
        self._release()
        self.answer(refusal.status, self._connection.inferences.refuse(refusal, self._began))

    def gone(self) -> None:
        """The client left before the body was whole."""
        if not self.response_complete:
            self._release()
            self._connection.inferences.gone()

    def _release(self) -> None:
        self._bodies.release(len(self._body))
        self._body = b""

    def answer(self, code: int, encoded: Encoded) -> None:
        """Write the answer and let the connection go on."""
        self.response_complete = True
        if not self.disconnected:
            self._connection.answer(code, encoded, keep_alive=self.keep_alive)


class HotConnection(Connection):
    """A connection that knows the infer routes of one model by their bytes."""

    inferences: Inferences
    routes: frozenset[bytes]
    _hot: _Request | None = None

    def on_message_begin(self) -> None:
        """Without uvicorn's scope: it is made where it is needed."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self.begin()

    def accept(self) -> None:
        if not self._is_hot():
            self._hot = None
            self._usual()
            return
        self.due = self.loop.time() + bodies.SECONDS
        request = _Request(self, None)
        self._hot = self.cycle = self.asked = request  # type: ignore[assignment]
        try:
            request._header = self.inferences.bodies.check(dict(self.headers))
        except RefusedError as refusal:
            request.refuse(refusal)

    def on_body(self, body: bytes) -> None:
        self.heard = True
        if self._hot is None:
            super().on_body(body)
        elif not self._hot.response_complete:
            self._hot.take(body)

    def complete(self) -> None:
        if self._hot is None:
            super().complete()
            return
        request, self._hot = self._hot, None
        if not request.response_complete:
            self.due = None
            request.complete()
        elif self.due is not None:
            self.due = self.loop.time() + self.timeout_keep_alive

    def connection_lost(self, exc: Exception | None) -> None:
        if self._hot is not None:
            self._hot.gone()
            self._hot = None
        super().connection_lost(exc)

    def overdue(self) -> None:
        request = self._hot
        if request is None or request.response_complete:
            super().overdue()
            return
        request.keep_alive = False
        request.refuse(bodies.late())

    def answer(self, code: int, encoded: Encoded, *, keep_alive: bool) -> None:
        """Write one answer, and go on with what waits behind it."""
        self.transport.write(_head(code, encoded, self.server_state.default_headers, keep_alive=keep_alive) + encoded.content)
        if not keep_alive:
            self.transport.close()
        if self.pipeline or self.flow.read_paused:
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        if self._hot is None:  # else the rest of a refused body has until then to pass by
            self.due = self.loop.time() + self.timeout_keep_alive

    def _is_hot(self) -> bool:
        parser = self.parser
        return (
            self.url in self.routes
            and parser.get_method() == b"POST"
            and (self.cycle is None or self.cycle.response_complete)
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and not self.expect_100_continue
            and not self.lifecycle.draining
            and not self.flow.write_paused
        )

    def _usual(self) -> None:
        """As uvicorn does it, with the scope that it would have made."""
        url, headers, expected = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.url, self.expect_100_continue = url, expected
        self.headers += headers
        super().accept()


def _head(code: int, encoded: Encoded, stamps: list[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """Status line and headers, in the order in which uvicorn writes them."""
    parts = [STATUS_LINE[code]]
    for name, value in stamps:
        parts += (name, b": ", value, b"\r\n")
    parts.append(b"content-type: %b\r\ncontent-length: %d\r\n" % (encoded.media, len(encoded.content)))
    if encoded.header is not None:
        parts.append(b"%b: %d\r\n" % (binary.HEADER, encoded.header))
    if code == 503:
        parts.append(b"retry-after: 1\r\n")
    parts.append(b"\r\n" if keep_alive else b"connection: close\r\n\r\n")
    return b"".join(parts)


def protocol(lifecycle: Lifecycle, inferences: Inferences | None = None) -> Any:
    """The protocol class of one port; with `inferences`, its infer requests go the fast way."""
    if inferences is None:
        return type("BoundConnection", (Connection,), {"lifecycle": lifecycle, "unread": Unread()})
    serving = inferences.served.serving
    name, version = (quote(text, safe="") for text in (serving.model, serving.version))
    routes = frozenset(f"/v2/models/{path}/infer".encode() for path in (name, f"{name}/versions/{version}"))
    bound = {"lifecycle": lifecycle, "unread": Unread(), "inferences": inferences, "routes": routes}
    return type("BoundHot", (HotConnection,), bound)
