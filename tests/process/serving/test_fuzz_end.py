"""SIGTERM while the server is attacked: it ends in time, and what it answered is counted."""

import random
import socket
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.process.serving import siege
from tests.process.serving.server import INFER, Server, artifact, eventually, refuses, running
from tests.process.serving.test_end import Client
from trimtab.drift import counting

GRACE = 12
HEAD = b"POST %s HTTP/1.1\r\nhost: x\r\n" % INFER.encode()
LARGE = siege.post(b'{"id": "' + b"x" * (4 << 20) + b'", "inputs": []}')
STARTS = (
    *(b"", HEAD, HEAD + b"content-length: 9999\r\n\r\n ", HEAD + b"transfer-encoding: chunked\r\n\r\n5;"),
    *(b"\0" * 99, siege.post({}) * 50, LARGE * 3),
)


class Attacker(threading.Thread):
    """Opens connections and says one thing or another, until nobody listens any more; closes none by itself."""

    def __init__(self, server: Server, seed: int) -> None:
        super().__init__(daemon=True)
        self._server, self._chance = server, random.Random(seed)
        self.connections: list[socket.socket] = []

    def run(self) -> None:
        with suppress(OSError):
            while len(self.connections) < 300:
                connection = socket.create_connection(("127.0.0.1", self._server.port), 5)
                self.connections.append(connection)
                connection.settimeout(0.05)
                with suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                    connection.sendall(self._chance.choice(STARTS))

    def close(self) -> None:
        self.join(10)
        for connection in self.connections:
            connection.close()


@pytest.mark.parametrize("hot", ["1", "0"], ids=["fast", "usual"])
def test_sigterm_under_attack(hot: str, tmp_path: Path) -> None:
    for i in range(siege.tries(1)):
        folder = artifact(tmp_path / f"{i}")
        with (
            running(folder, TRIMTAB_HOT=hot, TRIMTAB_DRAIN_SECONDS="1", TRIMTAB_GRACE_SECONDS=f"{GRACE}") as server,
            ExitStack() as stack,
        ):
            attackers = [Attacker(server, i * 10 + n) for n in range(4)]
            for attacker in attackers:
                attacker.start()
                stack.callback(attacker.close)
            ends(server)


def ends(server: Server) -> None:
    """In time, with every answer of good clients given and counted."""
    clients = [Client(server) for _ in range(3)]
    for client in clients:
        client.start()
    eventually(lambda: all(len(client.statuses) > 20 for client in clients), 30)
    server.terminate()
    began = time.monotonic()
    eventually(lambda: server.get("/readyz")[0] == 503)
    for client in clients:
        client.stop()
    eventually(lambda: refuses(server.port), GRACE)
    snapshot, sent = server.snapshot(), sum(len(client.statuses) for client in clients)
    assert server.ended(GRACE) == 0
    assert time.monotonic() - began < GRACE
    assert [client.failure for client in clients] == [None] * 3
    assert {status for client in clients for status in client.statuses} == {200}
    assert (snapshot.rows, snapshot.requests.ok) == (sent, sent)
    assert {counting.rows(each) for each in snapshot.features.values()} == {sent}
    assert "Traceback" not in "".join(server.lines)
