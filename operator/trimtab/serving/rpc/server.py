"""The port of the gRPC service, in the event loop of the process.

gRPC's server with threads answers up to a quarter more requests, but each call that is silent holds one of them, and what
counts and what bounds memory would have to be locked, for HTTP as well.
"""

import socket

import grpc
import grpc.aio

from trimtab.serving.inference import Inferences
from trimtab.serving.lifecycle import Lifecycle
from trimtab.serving.refusal import StartError
from trimtab.serving.rpc.service import Service
from trimtab.serving.settings import Settings

CALLS = 1000
"""Calls that may be under way at once; gRPC refuses more."""
_WINDOW_BYTES = 64 << 10


async def start(
    inferences: Inferences, lifecycle: Lifecycle, settings: Settings, port: int
) -> tuple[grpc.aio.Server, int]:
    """A server that listens, and its port. Raises `StartError` (PortUnavailable)."""
    limit = inferences.served.serving.limits.body_bytes
    server = grpc.aio.server(
        handlers=[Service(inferences, lifecycle).handler()],
        maximum_concurrent_rpcs=CALLS,
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", limit),
            # Else windows grow with the speed of the network, up to a whole message for each call that nobody reads yet.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.http2.lookahead_bytes", _WINDOW_BYTES),
            *_renewed(settings.drain_seconds),
        ],
    )
    try:
        taken = server.add_insecure_port(f"{_address(settings.host)}:{port}")
    except RuntimeError as error:
        raise StartError("PortUnavailable", f"port {port} cannot be opened for gRPC: is it in use?") from error
    await server.start()
    return server, taken


def _renewed(drain_seconds: float) -> list[tuple[str, int]]:
    """Clients are told to open another connection twice in the time that a drain takes, without harm to any call. So all of
    them are with other pods when this one stops; a call that comes while gRPC stops is cancelled, which nobody tries again."""
    return [("grpc.max_connection_age_ms", int(drain_seconds * 500))] if drain_seconds else []


def _address(host: str) -> str:
    if not host:
        return "[::]" if socket.has_dualstack_ipv6() else "0.0.0.0"
    return f"[{host}]" if ":" in host else host
