"""The last words of a container, where Kubernetes finds them: one JSON object with a reason and a message."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trimtab.serving.refusal import StartError

_CHARACTERS = 400
"""At most four bytes each: below what is kept of one container in a pod of several."""
_log = logging.getLogger(__name__)


def write(path: Path, error: StartError) -> None:
    """Write `{"reason", "message"}` and log both; a file that cannot be written is logged, too."""
    message = error.message if len(error.message) <= _CHARACTERS else f"{error.message[: _CHARACTERS - 1]}…"
    _log.error("%s: %s", error.reason, error.message)
    _leave(path, json.dumps({"reason": error.reason, "message": message}, ensure_ascii=False))


@contextmanager
def will(path: Path, error: StartError) -> Iterator[None]:
    """Last words for a process that may be ended before it can say any, as native code does that meets a file it cannot
    bear. Nothing is left of them when the work is done, or fails in another way."""
    _leave(path, json.dumps({"reason": error.reason, "message": error.message}, ensure_ascii=False))
    try:
        yield
    finally:
        _leave(path, "")


def _leave(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as failure:
        _log.warning("the termination message could not be written: %s", failure)
