"""What both agents have in common: requests come in as lines of JSON, answers go out so, and tensors are part of both.

Runs in the virtual environment of `requirements/clients.txt`, which has nothing of ours.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: dict[str, Any] = {"BOOL": np.bool_, "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "BYTES": np.object_}
_TYPES |= {f"{sign}INT{bits}": np.dtype(f"{sign}int{bits}".lower()) for sign in ("", "U") for bits in (8, 16, 32, 64)}


def array(tensor: dict[str, Any]) -> NDArray[Any]:
    """The values of a tensor in its shape, which may be there several times. Texts are their bytes, and so are digits as
    `{"hex": …}`."""
    values = tensor["data"] * tensor.get("times", 1)
    if tensor["datatype"] == "BYTES":
        values = [bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode() for value in values]
    return np.array(values, _TYPES[tensor["datatype"]]).reshape(tensor["shape"])


def values(found: NDArray[Any] | None) -> list[Any] | None:
    """Flat values as JSON has them."""
    if found is None:
        return None
    return [value.decode() if isinstance(value, bytes) else value for value in found.ravel().tolist()]


def answer(ask: Callable[[dict[str, Any]], Any], refused: Callable[[Exception], dict[str, Any]]) -> None:
    """Answer every line until there are no more: with what was said, or with what was raised and what `refused` says of it."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the client prints is for people
    for line in sys.stdin:
        try:
            said = {"said": ask(json.loads(line))}
        except Exception as error:
            said = {"raised": type(error).__name__, "message": str(error), **refused(error)}
        print(json.dumps(said), file=out, flush=True)
