# mypy: disable-error-code="import-not-found"
"""Asks a server through the clients of the `kserve` package, for a test that tells it what to ask.

Runs in the virtual environment of `requirements/clients.txt`.
"""

import asyncio
from functools import cache
from typing import Any

import grpc
import httpx
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, InferResponse, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from tests.process.serving.clients import lines

_loop = asyncio.new_event_loop()


class _Client:
    """One way of asking one server."""

    def __init__(self, way: str, port: int) -> None:
        self._address: tuple[str, ...] = ()
        if way == "http":
            self._address = (f"http://127.0.0.1:{port}",)
            self._made = InferenceRESTClient(RESTConfig(protocol="v2"))
        else:
            self._made = InferenceGRPCClient(f"127.0.0.1:{port}")

    async def call(self, name: str, **more: Any) -> Any:
        return await getattr(self._made, name)(*self._address, **more)

    async def infer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The model is named in the path of HTTP, and in the message of gRPC."""
        more = dict(asked.get("with", {}))
        request = _inference(asked, **{name: more.pop(name) for name in _OF_REQUEST if name in more})
        if self._address:
            more["model_name"] = asked["model"]
        return _answer(await self._made.infer(*self._address, request, **more))


_OF_REQUEST = ("request_id", "parameters", "model_version")
_client = cache(lambda way, port: _Client(way, port))


def ask(request: dict[str, Any]) -> Any:
    """One call of the client, or several at once."""
    return _loop.run_until_complete(_asked(request))


async def _asked(request: dict[str, Any]) -> Any:
    client = _client(request["way"], request["port"])
    if "together" in request:
        return await asyncio.gather(*(client.infer(each) for each in request["together"]))
    if "infer" in request:
        return await client.infer(request["infer"])
    return await client.call(request["call"], **request["with"])


def _inference(asked: dict[str, Any], **more: Any) -> InferRequest:
    inputs = []
    for tensor in asked["inputs"]:
        made = InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        made.set_data_from_numpy(lines.array(tensor), binary_data=tensor["binary"])
        made.shape = tensor.get("told", tensor["shape"])
        inputs.append(made)
    if "outputs" in asked:
        more["request_outputs"] = [
            RequestedOutput(output["name"], {"binary_data": output["binary"]} if "binary" in output else None)
            for output in asked["outputs"]
        ]
    return InferRequest(asked["model"], inputs, **more)


def _answer(found: InferResponse) -> dict[str, Any]:
    """Head and tensors of an answer, as the client reads them."""
    outputs = [
        {
            "name": output.name,
            "datatype": output.datatype,
            "shape": output.shape,
            "data": lines.values(output.as_numpy()),
            "binary": output._raw_data is not None,
        }
        for output in found.outputs
    ]
    head = {"model_name": found.model_name, "model_version": found.model_version, "id": found.id}
    return {**{name: value for name, value in head.items() if value}, "outputs": outputs}


def _refused(error: Exception) -> dict[str, Any]:
    if isinstance(error, grpc.RpcError):
        return {"message": error.details(), "status": f"StatusCode.{error.code().name}"}
    return {"status": str(error.response.status_code)} if isinstance(error, httpx.HTTPStatusError) else {}


if __name__ == "__main__":
    lines.answer(ask, _refused)
