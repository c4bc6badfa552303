"""Request bodies: read whole, within bounds of size, time and memory. Refuses before it buffers."""

import asyncio
from typing import Any

from starlette.types import Receive

from trimtab.serving.refusal import RefusedError

SECONDS = 60.0
"""How long one body may take to arrive."""
_AT_ONCE = 4
"""Bodies of the largest size that may be in memory together."""


class GoneError(Exception):
    """The client went away before its body was complete: nobody is left to answer."""


class Bodies:
    """Reads bodies of at most `limit` bytes. Until they are released, all of them share a budget of memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = limit * _AT_ONCE

    async def read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The body, to be released when its request is done; raises `RefusedError` (413, 415, 408, 503) or `GoneError`."""
        _check_type(headers)
        length = headers.get(b"content-length")
        if length is not None and int(length) > self._limit:
            raise self._too_large()
        message = await receive()
        if not message.get("more_body", False):
            return self._taken(message, 0)
        try:
            async with asyncio.timeout(SECONDS):
                return await self._pieces(message, receive)
        except TimeoutError:
            raise RefusedError(408, f"the body did not arrive within {SECONDS:.0f} s") from None

    def release(self, size: int) -> None:
        """Give back the budget of a body of `size` bytes."""
        self._free += size

    async def _pieces(self, message: Any, receive: Receive) -> bytes:
        pieces: list[bytes] = []
        size = 0
        try:
            while True:
                pieces.append(self._taken(message, size))
                size += len(pieces[-1])
                if not message.get("more_body", False):
                    return b"".join(pieces)
                message = await receive()
        except BaseException:
            self.release(size)
            raise

    def _taken(self, message: Any, before: int) -> bytes:
        """The bytes of one message, taken from the budget."""
        if message["type"] == "http.disconnect":
            raise GoneError
        piece: bytes = message.get("body", b"")
        if before + len(piece) > self._limit:
            raise self._too_large()
        if len(piece) > self._free:
            raise RefusedError(503, "too many large requests at once: try again in a second")
        self._free -= len(piece)
        return piece

    def _too_large(self) -> RefusedError:
        return RefusedError(413, f"the body is larger than {self._limit} bytes: send the rows in parts")


def _check_type(headers: dict[bytes, bytes]) -> None:
    media = headers.get(b"content-type", b"application/json").split(b";", 1)[0].strip().lower()
    if media not in (b"application/json", b"") and not media.endswith(b"+json"):
        shown = media.decode("latin-1")[:60]
        raise RefusedError(415, f"Content-Type {shown!r} is not taken: send application/json")
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b""):
        raise RefusedError(415, f"Content-Encoding {encoding.decode('latin-1')[:60]!r} is not taken: send it plain")
    if b"inference-header-content-length" in headers:
        raise RefusedError(415, "binary tensors are not taken: send 'data' as JSON")
