"""What tests ask through foreign clients, and what they make of the answers."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.process.serving.clients import models
from tests.process.serving.clients.agents import WAYS, Client, RaisedError
from trimtab.model.frame import Frame

TRITON = [way for way in WAYS if way.startswith("triton")]
TRITON_HTTP, TRITON_GRPC = TRITON[:2], TRITON[2:]
RAISES = {
    **dict.fromkeys(TRITON, "InferenceServerException"),
    "kserve http": "HTTPStatusError",
    "kserve grpc": "AioRpcError",
}
"""What each raises of its own."""
CODES = {"INVALID_ARGUMENT": "400", "NOT_FOUND": "404", "UNIMPLEMENTED": "404", "RESOURCE_EXHAUSTED": "413"}
"""The status of HTTP where gRPC has this code."""

every_way = pytest.mark.parametrize("way", WAYS)
every_triton = pytest.mark.parametrize("way", TRITON)
both_forms = pytest.mark.parametrize("binary", [True, False], ids=["bytes", "values"])


def tensor(name: str, datatype: str, data: list[Any], binary: bool = True, **more: Any) -> dict[str, Any]:
    """A column, unless told otherwise."""
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data, "binary": binary, **more}


def tensors(rows: Frame, binary: bool = True) -> list[dict[str, Any]]:
    """A tensor for each column of the classifier."""
    typed = {name: rows[name].astype(bool) if name == "weekend" else rows[name] for name in rows}
    return [tensor(name, column.datatype, typed[name].tolist(), binary) for name, column in models.INPUTS.items()]


def matrix(data: list[Any], datatype: str = "FP64", binary: bool = True) -> dict[str, Any]:
    """Two columns in one tensor."""
    return tensor("input", datatype, data, binary, shape=[len(data) // 2, 2])


def values(answer: Any) -> dict[str, list[Any]]:
    """Flat values by the names of outputs."""
    return {output["name"]: output["data"] for output in answer["outputs"]}


def raised(client: Client, status: str, ask: Callable[..., Any], *inputs: Any, **more: Any) -> str:
    """The words of what a client raises: an exception of its own, with the status that stands for this code of gRPC."""
    with pytest.raises(RaisedError) as caught:
        ask(*inputs, **more)
    assert caught.value.kind == RAISES[client.way]
    assert caught.value.status == (f"StatusCode.{status}" if client.grpc else CODES[status])
    return caught.value.message
