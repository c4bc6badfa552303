"""Statuses of requests that are not served: JSON, exact, and never a traceback."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.unit.serving import make
from tests.unit.serving.asgi import INFER, Server, error


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        ({"content": b"{"}, 400, "the body is not JSON"),
        ({"content": b""}, 400, "the body is not JSON: Input is a zero-length"),
        ({"content": b'{"inputs": [NaN]}'}, 400, "each of 'inputs' must be an object with a 'name'"),
        ({"content": b"[" * 5000}, 400, "the body is not JSON"),
        ({"content": b" " * 20_001}, 413, "the body is larger than 20000 bytes: send the rows in parts"),
        (
            {"content": b"{}", "headers": {"content-type": "text/csv"}},
            415,
            "Content-Type 'text/csv' is not taken: send application/json",
        ),
        (
            {"content": b"{}", "headers": {"content-encoding": "gzip"}},
            415,
            "Content-Encoding 'gzip' is not taken: send it plain",
        ),
        (
            {"content": b"{}", "headers": {"inference-header-content-length": "two"}},
            400,
            "Inference-Header-Content-Length is 'two': a number of bytes is needed",
        ),
        ({"content": b"\xff\xfe"}, 400, "the body is not JSON: str is not valid UTF-8"),
        ({"json": make.request(151)}, 400, "has 151 rows, and one request may have 150"),
    ],
)
def test_bad_requests_get_the_right_status_and_json(more: Any, status: int, message: str, server: Server) -> None:
    response = server.ask("POST", INFER, **more)
    assert response.status_code == status
    assert message in error(response)
    assert "Traceback" not in response.text


def test_content_type_with_a_charset_and_none_at_all_are_taken(server: Server) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    assert server.infer(make.request(), headers=headers).status_code == 200
    content = httpx.Request("POST", "http://x", json=make.request()).content
    assert server.ask("POST", INFER, content=content).status_code == 200


def test_body_that_grows_beyond_the_limit_is_refused_before_it_ends(server: Server) -> None:
    sent = []

    async def endless() -> Any:
        for _ in range(1000):
            sent.append(1)
            yield b" " * 1000

    async def ask() -> httpx.Response:
        transport = _Streaming(server.public)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.post(INFER, content=endless())

    response = asyncio.run(ask())
    assert response.status_code == 413
    assert len(sent) == 21


class _Streaming(httpx.AsyncBaseTransport):
    """Gives the application each piece of a body as it asks for it, as a server does."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pieces = aiter(request.stream)  # type: ignore[arg-type]
        messages: list[Any] = []

        async def receive() -> Any:
            try:
                return {"type": "http.request", "body": await anext(pieces), "more_body": True}
            except StopAsyncIteration:
                return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": request.url.raw_path,
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        await self._application(scope, receive, send)
        return httpx.Response(
            messages[0]["status"], headers=messages[0]["headers"], content=b"".join(m["body"] for m in messages[1:])
        )


FIXED = "what is served here is decided by its ModelDeployment: models are neither loaded nor unloaded"


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", INFER, 405, "GET is not allowed at '/v2/models/late/infer'"),
        ("POST", "/v2", 405, "POST is not allowed at '/v2'"),
        ("GET", "/", 404, "there is nothing at '/'"),
        ("POST", "/v2/models/late/infer/", 404, "there is nothing at '/v2/models/late/infer/'"),
        ("POST", "/v2/repository/models/late/load", 400, FIXED),
        ("POST", "/v2/repository/models/late/unload", 400, FIXED),
        ("GET", "/v2/repository/index", 405, "GET is not allowed at '/v2/repository/index'"),
        ("GET", "/v2/models/late/versions/8", 404, "version '8' of 'late' is not served here, '7' is"),
        ("GET", "/v2/models/x/ready", 404, "model 'x' is not served here, 'late' is"),
    ],
)
def test_other_paths_and_methods_are_refused_in_json(
    method: str, path: str, status: int, message: str, server: Server
) -> None:
    response = server.ask(method, path)
    assert response.status_code == status
    assert error(response) == message
    assert (status != 405) or "POST" in response.headers["allow"] or "GET" in response.headers["allow"]
