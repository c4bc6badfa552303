"""Both applications of one artifact, asked over ASGI with no socket."""

import asyncio
from typing import Any

import httpx
from starlette.applications import Starlette

from trimtab.api.wire.serving import Snapshot
from trimtab.serving import loading, monitoring, pages
from trimtab.serving.inference import Inferences
from trimtab.serving.lifecycle import Lifecycle

INFER = "/v2/models/late/infer"


class Server:
    """Both applications of one artifact, asked as over HTTP."""

    def __init__(self, served: loading.Served) -> None:
        self.served = served
        self.lifecycle = Lifecycle()
        self.inferences = Inferences(served)
        self.public = pages.application(self.inferences, self.lifecycle)
        self.internal = monitoring.application(self.inferences, self.lifecycle, "pod-uid")

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request to the public port."""
        return asyncio.run(_asked(self.public, [(method, path, more)]))[0]

    def infer(self, request: Any, path: str = INFER, **more: Any) -> httpx.Response:
        """One inference request."""
        return self.ask("POST", path, json=request, **more)

    def infer_together(self, requests: list[Any]) -> list[httpx.Response]:
        """Inference requests that arrive at the same time."""
        return asyncio.run(_asked(self.public, [("POST", INFER, {"json": request}) for request in requests]))

    def monitor(self, path: str = "/monitoring/v1/snapshot") -> httpx.Response:
        """One request to the internal port."""
        return asyncio.run(_asked(self.internal, [("GET", path, {})]))[0]

    def snapshot(self) -> Snapshot:
        return Snapshot.from_json(self.monitor().content)


async def _asked(application: Starlette, requests: list[tuple[str, str, Any]]) -> list[httpx.Response]:
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        return list(await asyncio.gather(*(client.request(m, path, **more) for m, path, more in requests)))


def error(response: httpx.Response) -> str:
    """The message of a refusal, which is nothing but the message."""
    assert response.headers["content-type"] == "application/json"
    assert list(response.json()) == ["error"]
    return str(response.json()["error"])
