"""Unit tests are pure: none opens a socket. Warnings are errors by the settings in pyproject.toml."""

import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("a unit test opened a socket: test it under tests/process or tests/cluster")


@pytest.fixture(autouse=True, scope="module")
def no_sockets() -> Iterator[None]:
    """An event loop's own pair of sockets is connected from the start; nothing else may connect, listen or look up."""
    with pytest.MonkeyPatch.context() as patch:
        for effect in ("connect", "connect_ex", "bind", "listen", "sendto"):
            patch.setattr(socket.socket, effect, _refuse)
        patch.setattr(socket, "getaddrinfo", _refuse)
        yield
