"""One HTTP connection: uvicorn's own protocol with bounds on headers, JSON for unreadable requests, and a polite end.

Stands on internals of uvicorn 0.54 (`HttpToolsProtocol`), which is why its minor version is pinned. `hot` adds the fast
way for inference requests.
"""

from asyncio import TimerHandle, Transport

import httptools
from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from trimtab.serving import answers
from trimtab.serving.lifecycle import Lifecycle

HEADER_BYTES = 64 << 10
HEADER_SECONDS = 15.0
_OFFER = (b"connection", b"upgrade", b"http2-settings")


class Connection(HttpToolsProtocol):
    """Closes after each answer while the process drains, so that clients go elsewhere and lose nothing.

    What may take only so long has a moment at which it is `due`; one timer a connection looks, instead of one a request.
    """

    lifecycle: Lifecycle
    due: float | None = None
    """When the connection is closed, by the loop's clock, if what it waits for has not come; None: it waits for nothing."""
    _headers_left = HEADER_BYTES
    _timer: TimerHandle | None = None
    _asks_to_upgrade = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.due = self.loop.time() + HEADER_SECONDS
        self._timer = self.loop.call_later(HEADER_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._stay(data[upgrade.args[0] :])
        except HttpParserError:
            self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.begin()

    def begin(self) -> None:
        """A request line is on its way."""
        self._headers_left = HEADER_BYTES
        self.due = self.loop.time() + HEADER_SECONDS

    def on_url(self, url: bytes) -> None:
        self.spend(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.spend(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._asks_to_upgrade = self.parser.should_upgrade()
        if not self._asks_to_upgrade:
            self.accept()

    def accept(self) -> None:
        """The head of a request is complete, and it is one of HTTP/1."""
        self.due = None
        super().on_headers_complete()
        if self.lifecycle.draining and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        if not self._asks_to_upgrade:
            self.complete()

    def complete(self) -> None:
        """The body of a request is complete."""
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._headers_left < 0:
            self.refuse(431, f"the request line and headers are larger than {HEADER_BYTES} bytes")
        else:
            self.refuse(400, "this is not a valid HTTP/1.1 request")

    def spend(self, size: int) -> None:
        """Count bytes of a request's head. Raising in a callback ends the parser, which then asks for the 400."""
        self._headers_left -= size
        if self._headers_left < 0:
            raise ValueError("too many headers")

    def _stay(self, rest: bytes) -> None:
        """Go on in HTTP/1.1 where a client offered another protocol, as some do with every first request: the same request
        is read once more, without the offer. The parser alone would take its body for that protocol."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.refuse(405, "CONNECT is not allowed")
            return
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in self.headers)
        kept = [(name, value) for name, value in self.headers if name not in _OFFER]
        kept += [(b"connection", b"close")] if closes else []
        lines = b"".join(b"%b: %b\r\n" % header for header in kept)
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, self.url, lines)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(head + rest)

    def _look(self) -> None:
        """Close what is overdue, else look again."""
        now = self.loop.time()
        if self.due is not None and self.due <= now:
            self.timeout_keep_alive_handler()
        else:
            wait = HEADER_SECONDS if self.due is None else min(HEADER_SECONDS, self.due - now)
            self._timer = self.loop.call_later(wait, self._look)

    def refuse(self, status: int, message: str) -> None:
        """Answer without an application and close."""
        content = answers.error(message)
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content)
        self.transport.write(STATUS_LINE[status] + head + content)
        self.transport.close()
