"""One at a time: a lock that a killed holder gives back by itself."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.terminal import say


@contextmanager
def held(path: Path, what: str) -> Iterator[int]:
    """Holds the lock file; waits for another process that holds it, and says so. A process that is given the descriptor
    holds it too, until both have ended.

    The holder may delete the file: a waiter notices that it locked a deleted one and starts again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _wait(descriptor, what)
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _wait(descriptor: int, what: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waiting for another process that is {what}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
