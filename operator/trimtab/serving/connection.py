"""One HTTP connection: uvicorn's own protocol with bounds on headers, JSON for unreadable requests, and a polite end.

Stands on internals of uvicorn 0.54 (`HttpToolsProtocol`), which is why its minor version is pinned. A faster infer
route that answers from the parser's callbacks belongs here.
"""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from trimtab.serving import answers
from trimtab.serving.lifecycle import Lifecycle

HEADER_BYTES = 64 << 10
HEADER_SECONDS = 15.0


class Connection(HttpToolsProtocol):
    """Closes after each answer while the process drains, so that clients go elsewhere and lose nothing."""

    lifecycle: Lifecycle
    _headers_left = HEADER_BYTES
    _deadline: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._headers_left = HEADER_BYTES
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.timeout_keep_alive_handler)

    def on_url(self, url: bytes) -> None:
        self._spend(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._spend(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._clear()
        super().on_headers_complete()
        if self.lifecycle.draining and self.cycle is not None:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        if self._headers_left < 0:
            self._refuse(431, f"the request line and headers are larger than {HEADER_BYTES} bytes")
        else:
            self._refuse(400, "this is not a valid HTTP/1.1 request")

    def _spend(self, size: int) -> None:
        """Raising in a callback ends the parser, which then asks for the 400."""
        self._headers_left -= size
        if self._headers_left < 0:
            raise ValueError("too many headers")

    def _clear(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: int, message: str) -> None:
        """Answer without an application and close."""
        content = answers.error(message)
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content)
        self.transport.write(STATUS_LINE[status] + head + content)
        self.transport.close()


def bound(lifecycle: Lifecycle) -> Any:
    """The protocol class of one process."""
    return type("BoundConnection", (Connection,), {"lifecycle": lifecycle})
