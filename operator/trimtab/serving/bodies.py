"""Request bodies: read whole, within bounds of size, time and memory. Refuses before it buffers."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.types import Receive

from trimtab.serving import binary
from trimtab.serving.refusal import RefusedError

SECONDS = 60.0
"""How long one body may take to arrive."""
TOO_MANY = "too many large requests at once: try again in a second"
_AT_ONCE = 4
"""Bodies of the largest size that may be in memory together."""
_DIGITS = 12
_JSON, _BYTES = b"application/json", b"application/octet-stream"


class GoneError(Exception):
    """The client went away before its body was complete: nobody is left to answer."""


class Bodies:
    """Bodies of at most `limit` bytes. Until they are released, all of them share a budget of memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = limit * _AT_ONCE

    def check(self, headers: Mapping[bytes, bytes]) -> int | None:
        """Where the JSON of a body with binary tensors ends, None for a body that is all JSON. Raises `RefusedError` (400, 413,
        415) for what the headers alone rule out."""
        end = headers.get(binary.HEADER)
        if end is not None and (not end.isdigit() or len(end) > _DIGITS):
            shown = end.decode("latin-1")[:40]
            raise RefusedError(400, f"Inference-Header-Content-Length is {shown!r}: a number of bytes is needed")
        media = headers.get(b"content-type", _JSON)
        if media != _JSON:
            _check_media(media)
        if b"content-encoding" in headers:
            _check_encoding(headers[b"content-encoding"])
        length = headers.get(b"content-length")
        if length is not None and int(length) > self._limit:
            raise self._too_large()
        return None if end is None else int(end)

    async def read(self, receive: Receive) -> bytes:
        """The body, to be released when its request is done; raises `RefusedError` (413, 408, 503) or `GoneError`."""
        try:
            async with asyncio.timeout(SECONDS):
                message = await receive()
                if not message.get("more_body", False):
                    return self._taken(message, 0)
                return await self._pieces(message, receive)
        except TimeoutError:
            raise late() from None

    def take(self, size: int, before: int) -> None:
        """Take `size` more bytes of a body, of which `before` are there, from the budget. Raises `RefusedError` (413, 503)."""
        if before + size > self._limit:
            raise self._too_large()
        if size > self._free:
            raise RefusedError(503, TOO_MANY)
        self._free -= size

    def release(self, size: int) -> None:
        """Give back the budget of a body of `size` bytes."""
        self._free += size

    async def _pieces(self, message: Any, receive: Receive) -> bytes:
        body = bytearray()  # a list of pieces would be thirty times as large, if they are small
        try:
            while True:
                body += self._taken(message, len(body))
                if not message.get("more_body", False):
                    return bytes(body)
                message = await receive()
        except BaseException:
            self.release(len(body))
            raise

    def _taken(self, message: Any, before: int) -> bytes:
        """The bytes of one message, taken from the budget."""
        if message["type"] == "http.disconnect":
            raise GoneError
        piece: bytes = message.get("body", b"")
        self.take(len(piece), before)
        return piece

    def _too_large(self) -> RefusedError:
        return RefusedError(413, f"the body is larger than {self._limit} bytes: send the rows in parts")


def late() -> RefusedError:
    """What is said to a client whose body takes too long."""
    return RefusedError(408, f"the body did not arrive within {SECONDS:.0f} s")


def _check_media(given: bytes) -> None:
    """Bytes may be JSON too: that is what some clients call whatever they send, NVIDIA's on asyncio among them."""
    media = given.split(b";", 1)[0].strip().lower()
    if media not in (_JSON, _BYTES, b"") and not media.endswith(b"+json"):
        shown = media.decode("latin-1")[:60]
        raise RefusedError(415, f"Content-Type {shown!r} is not taken: send application/json")


def _check_encoding(given: bytes) -> None:
    encoding = given.strip().lower()
    if encoding not in (b"identity", b""):
        raise RefusedError(415, f"Content-Encoding {encoding.decode('latin-1')[:60]!r} is not taken: send it plain")
