# mypy: disable-error-code="import-not-found"
"""Asks a server through NVIDIA's `tritonclient`, in any of its four ways, for a test that tells it what to ask.

Runs in the virtual environment of `requirements/clients.txt`. One process has either this client or KServe's: both name their
gRPC messages alike.
"""

import asyncio
import queue
from contextlib import suppress
from functools import cache
from typing import Any

import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from tritonclient.utils import InferenceServerException

from tests.process.serving.clients import lines

_AT_ONCE = 8
_loop = asyncio.new_event_loop()


@cache
def _client(way: str, port: int, seconds: float) -> Any:
    """`seconds` is how long a client of HTTP waits; those of gRPC are told so with each call."""
    address = f"127.0.0.1:{port}"
    if way == "http":
        return tritonclient.http.InferenceServerClient(address, concurrency=_AT_ONCE, network_timeout=seconds)
    if way == "grpc":
        return tritonclient.grpc.InferenceServerClient(address)

    async def made() -> Any:
        if way == "grpc-aio":
            return tritonclient.grpc.aio.InferenceServerClient(address)
        return tritonclient.http.aio.InferenceServerClient(address, conn_timeout=seconds)

    return _loop.run_until_complete(made())


def ask(request: dict[str, Any]) -> Any:
    """One call of the client, or several at once."""
    way = request["way"]
    client = _client(way, request["port"], request.get("seconds", 60.0))
    if "together" in request:
        return [_answer(way, found) for found in _together(way, client, [_inference(way, r) for r in request["together"]])]
    if "stream" in request:
        return _streamed(client, _inference(way, request["stream"]))
    if "infer" in request:
        return _answer(way, _done(client.infer(**_inference(way, request["infer"]))))
    found = _done(getattr(client, request["call"])(**request["with"]))
    return MessageToDict(found, preserving_proto_field_name=True) if isinstance(found, Message) else found


def _done(found: Any) -> Any:
    return _loop.run_until_complete(found) if asyncio.iscoroutine(found) else found


def _inference(way: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `infer`."""
    http = way.startswith("http")
    kind = tritonclient.http if http else tritonclient.grpc
    inputs = []
    for tensor in asked["inputs"]:
        made = kind.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        if "region" in tensor:
            made.set_shared_memory(tensor["region"], 8)
        else:
            made.set_data_from_numpy(lines.array(tensor), **({"binary_data": tensor["binary"]} if http else {}))
        made.set_shape(tensor.get("told", tensor["shape"]))
        inputs.append(made)
    outputs = None
    if "outputs" in asked:
        outputs = [_output(kind, output, http) for output in asked["outputs"]]
    return {"model_name": asked["model"], "inputs": inputs, "outputs": outputs, **asked.get("with", {})}


def _output(kind: Any, asked: dict[str, Any], http: bool) -> Any:
    binary = {"binary_data": asked.get("binary", True)} if http else {}
    made = kind.InferRequestedOutput(asked["name"], class_count=asked.get("classes", 0), **binary)
    if "region" in asked:
        made.set_shared_memory(asked["region"], 8)
    return made


def _together(way: str, client: Any, requests: list[dict[str, Any]]) -> list[Any]:
    if way == "http":
        waiting = [client.async_infer(**request) for request in requests]
        return [each.get_result() for each in waiting]
    if way == "grpc":
        return _called_back(client, requests)

    async def gathered() -> list[Any]:
        return await asyncio.gather(*(client.infer(**request) for request in requests))

    return _loop.run_until_complete(gathered())


def _called_back(client: Any, requests: list[dict[str, Any]]) -> list[Any]:
    done: queue.Queue[tuple[int, Any, Exception | None]] = queue.Queue()
    for n, request in enumerate(requests):
        client.async_infer(callback=lambda result, error, n=n: done.put((n, result, error)), **request)
    ended = sorted((done.get(timeout=60) for _ in requests), key=lambda end: end[0])
    for _, _, error in ended:
        if error is not None:
            raise error
    return [result for _, result, _ in ended]


def _streamed(client: Any, request: dict[str, Any]) -> Any:
    done: queue.Queue[tuple[Any, Exception | None]] = queue.Queue()
    client.start_stream(callback=lambda result, error: done.put((result, error)))
    with suppress(InferenceServerException):  # the stream may have ended before, of which the callback tells more
        client.async_stream_infer(**request)
    result, error = done.get(timeout=60)
    client.stop_stream()
    if error is not None:
        raise error
    return _answer("grpc", result)


def _answer(way: str, result: Any) -> dict[str, Any]:
    """Head and tensors of an answer, as the client reads them."""
    found = result.get_response()
    if not isinstance(found, dict):
        found = MessageToDict(found, preserving_proto_field_name=True)
    outputs = [
        {
            "name": output["name"],
            "datatype": output["datatype"],
            "shape": [int(n) for n in output["shape"]],
            "data": lines.values(result.as_numpy(output["name"])),
            "binary": "binary_data_size" in output.get("parameters", {}) or "raw_output_contents" in found,
        }
        for output in found["outputs"]
    ]
    head = {name: found[name] for name in ("model_name", "model_version", "id") if name in found}
    return {**head, "outputs": outputs}


def _refused(error: Exception) -> dict[str, Any]:
    return {"message": error.message(), "status": error.status()} if isinstance(error, InferenceServerException) else {}


if __name__ == "__main__":
    lines.answer(ask, _refused)
