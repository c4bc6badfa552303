"""The gRPC service of one artifact, called with no socket, and requests of REST in its messages."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import numpy as np

from tests.unit.serving.asgi import Server
from trimtab.serving import binary
from trimtab.serving.rpc import open_inference_pb2 as pb
from trimtab.serving.rpc.messages import SERVICE
from trimtab.serving.rpc.service import Service

FIELDS = {
    "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents",
    "INT64": "int64_contents", "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents",
    "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip


class AbortedError(Exception):
    """How a call ended that gave no answer."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(code, details)
        self.code, self.details = code, details


class Context:
    """The side of a call that a method sees. `read` gives the message, or does what it is told to."""

    def __init__(self, read: Callable[[], Awaitable[Any]]) -> None:
        self.read = read

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise AbortedError(code, details)


async def called(service: Service, name: str, content: Any, read: Callable[[], Awaitable[Any]] | None = None) -> Any:
    """The answer of a method to a message, or to bytes, or to the end of a stream; raises `AbortedError`."""

    async def at_once() -> Any:
        return content if isinstance(content, bytes) or content is grpc.aio.EOF else written(content)

    found = service.handler().service(_Details(f"/{SERVICE}/{name}"))
    answer = await found.stream_unary(None, Context(read or at_once))
    assert isinstance(answer, bytes)
    return getattr(pb, f"{name}Response").FromString(answer)


class _Details:
    def __init__(self, method: str) -> None:
        self.method = method
        self.invocation_metadata = ()


def call(server: Server, name: str, content: Any, **more: Any) -> Any:
    """One call of one method, beside the same server's REST; raises `AbortedError`."""

    async def run() -> Any:
        return await called(Service(server.inferences, server.lifecycle), name, content, **more)

    return asyncio.run(run())


def refused(server: Server, name: str, content: Any, **more: Any) -> tuple[grpc.StatusCode, str]:
    """The code and the words of a call that is refused."""
    try:
        answer = call(server, name, content, **more)
    except AbortedError as aborted:
        return aborted.code, aborted.details
    raise AssertionError(f"answered with {answer}")


def written(message: Any) -> bytes:
    """A message as it travels."""
    content: bytes = message.SerializeToString()
    return content


def typed(request: dict[str, Any], **more: Any) -> pb.ModelInferRequest:
    """A request of REST with its values in the fields of their datatypes."""
    message = _message(request, **more)
    for tensor, given in zip(message.inputs, request["inputs"], strict=True):
        values = [v.encode() if isinstance(v, str) else v for v in given["data"]]
        getattr(tensor.contents, FIELDS[given["datatype"]]).extend(values)
    return message


def raw(request: dict[str, Any], **more: Any) -> pb.ModelInferRequest:
    """A request of REST with its values as bytes."""
    message = _message(request, **more)
    message.raw_input_contents.extend(binary.write(each["data"], each["datatype"]) for each in request["inputs"])
    return message


def _message(request: dict[str, Any], model_name: str = "late", **more: Any) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name=model_name, id=request.get("id", ""), **more)
    for each in request["inputs"]:
        message.inputs.add(name=each["name"], datatype=each["datatype"], shape=each["shape"])
    for each in request.get("outputs", ()):
        message.outputs.add(name=each["name"])
    return message


def plain(answer: pb.ModelInferResponse) -> dict[str, Any]:
    """An answer as REST would say it in JSON."""
    head = {
        "model_name": answer.model_name,
        "model_version": answer.model_version,
        **({"id": answer.id} if answer.id else {}),
    }
    outputs = []
    for i, tensor in enumerate(answer.outputs):
        if answer.raw_output_contents:
            assert not tensor.contents.ListFields()
            data = read(answer.raw_output_contents[i], tensor.datatype)
        else:
            data = list(getattr(tensor.contents, FIELDS[tensor.datatype]))
            data = [value.decode() for value in data] if tensor.datatype == "BYTES" else data
        outputs.append({"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape), "data": data})
    return {**head, "outputs": outputs}


def read(content: bytes, datatype: str) -> list[Any]:
    """Values out of bytes, read in another way than the server reads them."""
    if datatype != "BYTES":
        kind = {"BOOL": "?", "INT64": "<i8", "FP64": "<f8", "FP32": "<f4"}[datatype]
        found: list[Any] = np.frombuffer(content, kind).tolist()
        return found
    texts = []
    while content:
        (size,) = struct.unpack("<I", content[:4])
        texts.append(content[4 : 4 + size].decode())
        content = content[4 + size :]
    return texts
