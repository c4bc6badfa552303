"""Answers that wait in memory for clients that do not read them, within bounds."""

from typing import Protocol

BYTES = 64 << 20
"""What all of them may take. Beyond, the connection that has waited longest is ended."""


class Waiting(Protocol):
    """A connection with more to write than the kernel takes."""

    def abort(self) -> None:
        """End it, whatever is still to be written."""


class Unread:
    """All that wait in one process, in the order in which they came to that."""

    def __init__(self, limit: int = BYTES) -> None:
        self._limit = limit
        self._sizes: dict[Waiting, int] = {}
        self._bytes = 0

    def add(self, connection: Waiting, size: int) -> None:
        """One that is to be written to no more until it is removed."""
        self._sizes[connection] = size
        self._bytes += size
        while self._bytes > self._limit and len(self._sizes) > 1:
            oldest = next(iter(self._sizes))
            self.remove(oldest)
            oldest.abort()

    def remove(self, connection: Waiting) -> None:
        """Its client reads again, or is gone."""
        self._bytes -= self._sizes.pop(connection, 0)
