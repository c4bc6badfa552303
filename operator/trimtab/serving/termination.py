"""The last words of a container, where Kubernetes finds them: one JSON object with a reason and a message."""

import json
import logging
from pathlib import Path

from trimtab.serving.refusal import StartError

_CHARACTERS = 400
"""At most four bytes each: below what is kept of one container in a pod of several."""
_log = logging.getLogger(__name__)


def write(path: Path, error: StartError) -> None:
    """Write `{"reason", "message"}` and log both; a file that cannot be written is logged, too."""
    message = error.message if len(error.message) <= _CHARACTERS else f"{error.message[: _CHARACTERS - 1]}…"
    _log.error("%s: %s", error.reason, error.message)
    try:
        path.write_text(json.dumps({"reason": error.reason, "message": message}, ensure_ascii=False), encoding="utf-8")
    except OSError as failure:
        _log.warning("the termination message could not be written: %s", failure)
