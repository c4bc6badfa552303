"""Connections that never say anything are not kept for ever."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from trimtab.serving import connection, hot
from trimtab.serving.lifecycle import Lifecycle


async def nothing(scope: object, receive: object, send: object) -> None:
    """An application that nobody reaches."""


async def answer_to(sent: bytes) -> bytes:
    """All that a server says to somebody who sends this and then waits."""
    config = uvicorn.Config(nothing, http=hot.protocol(Lifecycle()), ws="none", lifespan="off", log_config=None)
    config.load()
    state = ServerState()

    def protocol() -> asyncio.Protocol:
        made: asyncio.Protocol = config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
        return made

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(sent)
        async with asyncio.timeout(10):
            said = await reader.read()
        writer.close()
        await writer.wait_closed()
    return said


@pytest.mark.parametrize("sent", [b"", b"POST /v2/models/late/infer HTTP/1.1\r\nhost: x\r\n"])
def test_headers_that_do_not_come_end_the_connection(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.05)
    assert asyncio.run(answer_to(sent)) == b""
