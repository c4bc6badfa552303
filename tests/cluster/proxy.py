"""A proxy between an operator process and the API server that ends the operator after every n-th write.

The write has taken effect when the operator dies: with its reply delivered, or with the reply lost.
"""

import asyncio
import base64
import os
import signal
import ssl
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from cluster import layout

HOPS = {"connection", "transfer-encoding", "content-encoding", "content-length", "keep-alive", "host"}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def counts(request: web.Request) -> bool:
    """Whether a request is a write that decides anything: not the Lease, not an Event."""
    kind = request.path.rsplit("/namespaces/", 1)[-1]
    return request.method in WRITES and "/leases" not in kind and "/events" not in kind


class Proxy:
    """Serves on loopback from a thread of its own. `every`: the operator dies after each so-many writes; 0: never.

    `reply`: whether it hears the reply first; None: by turns.
    """

    def __init__(self, every: int = 0, *, reply: bool | None = True) -> None:
        self.every, self.reply = every, reply
        self.writes: list[str] = []
        self._killed: set[int] = set()
        self.victim: Callable[[], int | None] = lambda: None
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @property
    def deaths(self) -> int:
        """How many operator processes were ended."""
        return len(self._killed)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._stop())
        self._loop.close()

    async def _start(self) -> None:
        config = yaml.safe_load(layout.KUBECONFIG.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._server = cluster["server"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=0), timeout=timeout)
        app = web.Application(client_max_size=16 << 20)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {key: value for key, value in request.headers.items() if key.lower() not in HOPS}
        async with self._session.request(
            request.method, self._server + request.path_qs, headers=headers, data=body or None
        ) as answer:
            dies = counts(request) and answer.status < 400 and self._counted(request)
            if dies and not self._delivers():
                self._kill()
                return web.Response(status=502)
            response = web.StreamResponse(status=answer.status, headers=_kept(answer.headers))
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
            except (ConnectionResetError, aiohttp.ClientError):
                return response
            if dies:
                self._kill()
            return response

    def _delivers(self) -> bool:
        """Whether the operator hears the reply before it dies."""
        return self.reply if self.reply is not None else self.deaths % 2 == 0

    def _counted(self, request: web.Request) -> bool:
        self.writes.append(f"{request.method} {request.path}")
        return self.every > 0 and len(self.writes) % self.every == 0

    def _kill(self) -> None:
        pid = self.victim()
        if pid is not None and pid not in self._killed:  # writes that were under way together die together
            self._killed.add(pid)
            os.kill(pid, signal.SIGKILL)


def _kept(headers: Any) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key.lower() not in HOPS}
