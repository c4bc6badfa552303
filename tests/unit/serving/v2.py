"""V2 requests written by hand, and decoders for a few kinds of columns."""

import json
from typing import Any

import pytest

from trimtab.api.wire.models import Input, Output, Signature
from trimtab.api.wire.serving import Limits
from trimtab.serving.decoding import Decoder, Inference
from trimtab.serving.refusal import RefusedError

AGE = Input(name="age", datatype="FP64")
STOPS = Input(name="stops", datatype="INT64", accepts_missing=False)
CARRIER = Input(name="carrier code", datatype="BYTES", kind="Category")
WEEKEND = Input(name="weekend", datatype="BOOL", kind="Boolean")
LEFT = Input(name="left", datatype="FP64", kind="Time")
OUTPUTS = (
    Output(name="predict", datatype="BYTES", shape=(-1,), labels=("a", "b")),
    Output(name="predict_proba", datatype="FP64", shape=(-1, 2), labels=("a", "b")),
)


def decoder(*inputs: Input, rows: int = 1000) -> Decoder:
    """A decoder for these inputs."""
    signature = Signature(task="Classification", inputs=inputs, outputs=OUTPUTS, classes=("a", "b"), positive=1)
    return Decoder(signature, Limits(rows=rows))


def tensor(name: Any = "age", data: Any = (1.5,), datatype: Any = "FP64", shape: Any = None) -> dict[str, Any]:
    """A tensor of one column, unless told otherwise."""
    listed = list(data) if isinstance(data, tuple) else data
    return {"name": name, "datatype": datatype, "shape": [len(listed)] if shape is None else shape, "data": listed}


def body(*tensors: Any, **more: Any) -> bytes:
    """A request of these tensors; `json` writes NaN where a strict writer would not."""
    return json.dumps({"inputs": list(tensors), **more}).encode()


def refusal(made: Decoder, content: bytes) -> str:
    """The message of a request that is refused with 400."""
    with pytest.raises(RefusedError) as caught:
        made.decode(content)
    assert caught.value.status == 400
    return caught.value.message


def columns(inference: Inference) -> dict[str, list[Any]]:
    return {name: column.tolist() for name, column in inference.frame.items()}
