"""One HTTP connection: uvicorn's own protocol with bounds on headers, time and memory, JSON for unreadable requests, and a
polite end.

Stands on internals of uvicorn 0.54 (`HttpToolsProtocol`), which is why its minor version is pinned. `hot` adds the fast
way for inference requests.
"""

from asyncio import TimerHandle, Transport
from typing import Any

import httptools
from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from trimtab.serving import answers
from trimtab.serving.lifecycle import Lifecycle
from trimtab.serving.unread import Unread

HEADER_BYTES = 64 << 10
HEADER_SECONDS = 15.0
ANSWER_SECONDS = 60.0
"""How long a client may take to read an answer."""
_HEADER_COST = 32
"""Bytes that each header counts beyond its own, as in HTTP/2: the shortest would take twenty times as much memory."""
_OFFER = (b"connection", b"upgrade", b"http2-settings")


class Flow(FlowControl):
    """Reads no further while a whole request waits for its turn or an answer for its client: a client that asks faster than
    it is answered, or does not read, would fill the memory."""

    def __init__(self, connection: "Connection", transport: Transport) -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        if not self.write_paused and not self._connection.pipeline and self._connection.last_words is None:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """Closes after each answer while the process drains, so that clients go elsewhere and lose nothing.

    What may take only so long has a moment at which it is `due`; one timer a connection looks, instead of one a request.
    """

    lifecycle: Lifecycle
    unread: Unread
    due: float | None = None
    """When the connection is closed, by the loop's clock, if what it waits for has not come; None: it waits for nothing."""
    heard = False
    """Whether the bytes that came last began a request, or brought or ended its body; the parser keeps what did not."""
    last_words: bytes | None = None
    """The answer to what is no request, given once those before it have theirs."""
    asked: Any = None
    """The request that is being answered, or was last; others may be queued behind it."""
    _headers_left = HEADER_BYTES
    _in_head = False
    _silent = 0
    _unread_since: float | None = None
    _timer: TimerHandle | None = None
    _asks_to_upgrade = False

    # ---------------------------------------------------------------- the connection

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Flow(self, transport)
        self.due = self.loop.time() + HEADER_SECONDS
        self._timer = self.loop.call_later(HEADER_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.unread.remove(self)
        self._silence()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.heard = False
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._stay(memoryview(data)[upgrade.args[0] :])
        except HttpParserError:
            self.send_400_response("")
        else:
            if self.heard:
                self._silent = 0
            else:
                self._wait(len(data))

    def pause_writing(self) -> None:
        super().pause_writing()
        self.flow.pause_reading()
        self._unread_since = self.loop.time()
        self.unread.add(self, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_since = None
        self.unread.remove(self)
        self.flow.resume_reading()

    def _look(self) -> None:
        """Close what is overdue, and look again."""
        now = self.loop.time()
        if self._unread_since is None and self.transport.is_closing():
            self._unread_since = now
        if self._unread_since is not None and self._unread_since + ANSWER_SECONDS <= now:
            self.abort()
            return
        if self.due is not None and (self.flow.read_paused or self._owes()):
            self.due = now + HEADER_SECONDS  # it is not the client who is late
        elif self.due is not None and self.due <= now:
            self.due = None
            self.overdue()
        wait = HEADER_SECONDS if self.due is None else min(HEADER_SECONDS, self.due - now)
        self._timer = self.loop.call_later(wait, self._look)

    def abort(self) -> None:
        """End the connection at once, whatever is still to be written."""
        self._silence()
        self.transport.abort()

    def _silence(self) -> None:
        """Nobody is there for the answer that is under way."""
        if self.asked is not None and not self.asked.response_complete:
            self.asked.disconnected = True
            self.asked.message_event.set()

    def _owes(self) -> bool:
        """Whether a whole request has no answer yet."""
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body

    def overdue(self) -> None:
        """What the connection waits for has not come in time."""
        self.timeout_keep_alive_handler()

    # ---------------------------------------------------------------- requests

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.begin()

    def begin(self) -> None:
        """A request line is on its way."""
        self.heard = self._in_head = True
        self._headers_left = HEADER_BYTES
        self.due = self.loop.time() + HEADER_SECONDS

    def on_url(self, url: bytes) -> None:
        self.spend(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # behind the body, where nothing has a meaning for us
            return
        self.spend(len(name) + len(value) + _HEADER_COST)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._asks_to_upgrade = self.parser.should_upgrade()
        if not self._asks_to_upgrade:
            self.accept()

    def accept(self) -> None:
        """The head of a request is complete, and it is one of HTTP/1."""
        self.due = None
        super().on_headers_complete()
        if self.lifecycle.draining and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self.heard = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.heard = True
        if not self._asks_to_upgrade:
            self.complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.asked = cycle
        super()._start_asgi_task(cycle, app)

    def complete(self) -> None:
        """The body of a request is complete."""
        super().on_message_complete()

    def on_response_complete(self) -> None:
        if self.last_words is not None and not self.pipeline:
            self._leave()
            return
        idle = not self.pipeline
        super().on_response_complete()
        self._unset_keepalive_if_required()  # the one timer looks after this too
        if idle and not self._in_head:
            self.due = self.loop.time() + self.timeout_keep_alive

    def _stay(self, rest: Any) -> None:
        """Go on in HTTP/1.1 where a client offered another protocol, as some do with every first request: the same request
        is read once more, without the offer. The parser alone would take its body for that protocol."""
        while True:
            method = self.parser.get_method()
            if method == b"CONNECT":
                self.refuse(405, "CONNECT is not allowed")
                return
            head = self._plain_head(method)
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            try:
                self.parser.feed_data(head)
                self.parser.feed_data(rest)
            except HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
            except HttpParserError:
                self.send_400_response("")
                return
            else:
                return

    def _plain_head(self, method: bytes) -> bytes:
        """The head of the request that was just read, without an offer."""
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in self.headers)
        kept = [(name, value) for name, value in self.headers if name not in _OFFER]
        kept += [(b"connection", b"close")] if closes else []
        lines = b"".join(b"%b: %b\r\n" % header for header in kept)
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, self.parser.get_http_version().encode(), lines)

    # ---------------------------------------------------------------- refusals

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

    def _wait(self, size: int) -> None:
        """Count bytes that the parser keeps to itself: of a header, a chunk's extension, a trailer, empty lines."""
        self._silent += size
        if self._silent > HEADER_BYTES:
            self._headers_left = -1 if self._in_head else self._headers_left
            self.send_400_response("")

    def refuse(self, status: int, message: str) -> None:
        """Answer without an application and close, after all that was asked before has been answered."""
        content = answers.error(message)
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content)
        self.last_words = STATUS_LINE[status] + head + content
        self.flow.pause_reading()
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._leave()
        elif cycle.more_body and self.pipeline:  # the body of one that waits
            self.pipeline.popleft()
        elif cycle.more_body:
            self._silence()
            self._leave()

    def _leave(self) -> None:
        if self.last_words is not None and not self.transport.is_closing():
            self.transport.write(self.last_words)
            self.transport.close()
