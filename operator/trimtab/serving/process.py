"""The server process from listening to its end: its ports, one event loop, and an end that loses no request or count.

After SIGTERM: not ready at once, but still answering, each connection closed after its answer, for `drain_seconds`, in
which the cluster takes the pod out of its endpoints; then what is in flight is finished; then only the operator's port
is open until one snapshot with the last counts was read, or the grace period is nearly over.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import uvicorn
import uvloop

from trimtab.serving import hot, monitoring, pages
from trimtab.serving.inference import Inferences
from trimtab.serving.lifecycle import Lifecycle
from trimtab.serving.loading import Served
from trimtab.serving.refusal import StartError
from trimtab.serving.settings import Settings

_MARGIN_SECONDS = 2.0
"""Kept of the grace period, so that the process ends by itself."""
_CLOSING_SECONDS = 0.5
"""How long connections may take to end, once told to."""
_KEEP_ALIVE_SECONDS = 75
"""Longer than what clients and proxies keep idle connections, so that it is they who close."""
_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Leaves signals to `serve`: two servers cannot both have them."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is under way. What is not finished in time ends as if its client had left."""
        seconds = self.config.timeout_graceful_shutdown or 0
        ending = asyncio.get_running_loop().call_later(max(0.0, seconds - _CLOSING_SECONDS), self._leave)
        await super().shutdown(sockets)
        ending.cancel()

    def _leave(self) -> None:
        for connection in list(self.server_state.connections):
            connection.abort()  # type: ignore[union-attr]


def run(served: Served, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises `StartError` (PortUnavailable)."""
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(served, settings))


async def serve(served: Served, settings: Settings) -> None:
    """Open both ports, wait for a signal, and end in order."""
    lifecycle, inferences = Lifecycle(), Inferences(served)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sockets = [_listening(settings.host, port) for port in (settings.port, settings.monitoring_port)]
    rpc = await _Rpc.opened(inferences, lifecycle, settings)
    public = _server(pages.application(inferences, lifecycle), hot.protocol(lifecycle, inferences if settings.hot else None))
    internal = _server(monitoring.application(inferences, lifecycle, settings.pod), hot.protocol(lifecycle))
    tasks = [
        asyncio.create_task(server.serve([listening]))
        for server, listening in zip((public, internal), sockets, strict=True)
    ]
    ports = [listening.getsockname()[1] for listening in sockets]
    _log.info("serving %s version %s on ports %s and %s%s", served.serving.model, served.serving.version, *ports, rpc)
    await _signalled(stop, tasks)
    end = loop.time() + settings.grace_seconds - _MARGIN_SECONDS
    lifecycle.draining = True
    _log.info("stopping: not ready, draining for %s s", settings.drain_seconds)
    await asyncio.sleep(min(settings.drain_seconds, max(0.0, end - loop.time())))
    public.config.timeout_graceful_shutdown = max(1, int(end - loop.time()))
    public.should_exit = True
    await asyncio.gather(tasks[0], rpc.close(end - loop.time()))
    await _told(inferences, lifecycle, end - loop.time())
    internal.config.timeout_graceful_shutdown = 1
    internal.should_exit = True
    await tasks[1]
    inferences.close()
    _log.info("stopped after %s requests and %s rows", inferences.figures.requests, inferences.figures.rows)


class _Rpc:
    """The gRPC port, or none."""

    def __init__(self, server: Any = None, port: int | None = None) -> None:
        self._server, self._port = server, port

    @classmethod
    async def opened(cls, inferences: Inferences, lifecycle: Lifecycle, settings: Settings) -> "_Rpc":
        """Listening, where a port is wanted. Raises `StartError` (PortUnavailable)."""
        if settings.grpc_port is None:
            return cls()
        from trimtab.serving.rpc import server  # brings gRPC, for which most pods have no use

        return cls(*await server.start(inferences, lifecycle, settings, settings.grpc_port))

    async def close(self, seconds: float) -> None:
        """Take no more calls and finish those that are under way, the last of them after so long."""
        if self._server is not None:
            await self._server.stop(max(1.0, seconds))

    def __str__(self) -> str:
        return "" if self._port is None else f", gRPC on port {self._port}"


async def _signalled(stop: asyncio.Event, servers: list[asyncio.Task[None]]) -> None:
    """Until a signal comes; a server that ends before is an error."""
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *servers], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if task is not waiting:
            task.result()
            raise RuntimeError("a server ended by itself")


async def _told(inferences: Inferences, lifecycle: Lifecycle, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await lifecycle.told(inferences.figures.requests)
    except TimeoutError:
        _log.warning("no snapshot with the last counts was read before the end")


def _server(application: object, protocol: Any) -> _Server:
    config = uvicorn.Config(
        application,  # type: ignore[arg-type]
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    return _Server(config)


def _listening(host: str, port: int) -> socket.socket:
    try:
        if host or not socket.has_dualstack_ipv6():
            return socket.create_server((host, port))
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError as error:
        raise StartError("PortUnavailable", f"port {port} cannot be opened: {os.strerror(error.errno or 0)}") from error
