"""The end of a server process: no request and no count is lost, and nobody waits for nothing."""

import json
import socket
import threading
import time
from pathlib import Path

from tests.process.serving.server import INFER, Server, artifact, eventually, refuses, response, running
from tests.unit.serving import make
from trimtab.drift import counting


class Client(threading.Thread):
    """Asks one row after another on one connection, until told to stop; opens a new one only when told to close."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._stop_now = threading.Event()
        self.statuses: list[int] = []
        self.closes = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        body = json.dumps(make.request())
        connection = self._server.connect()
        try:
            while not self._stop_now.is_set():
                connection.request("POST", INFER, body)
                response = connection.getresponse()
                response.read()
                self.statuses.append(response.status)
                self.closes += response.headers.get("connection") == "close"
        except Exception as error:  # told to the test
            self.failure = error
        finally:
            connection.close()

    def stop(self) -> None:
        self._stop_now.set()
        self.join()


def test_sigterm_under_load_loses_no_request_and_no_count(tmp_path: Path) -> None:
    with running(artifact(tmp_path), TRIMTAB_DRAIN_SECONDS="2") as server:
        clients = [Client(server) for _ in range(6)]
        for client in clients:
            client.start()
        eventually(lambda: all(len(client.statuses) > 20 for client in clients))
        server.snapshot()
        server.terminate()
        eventually(lambda: server.get("/readyz")[0] == 503)
        before = [len(client.statuses) for client in clients]
        eventually(lambda: all(len(c.statuses) > n + 5 for c, n in zip(clients, before, strict=True)))
        for client in clients:
            client.stop()
        assert [client.failure for client in clients] == [None] * 6
        assert {status for client in clients for status in client.statuses} == {200}
        assert all(client.closes for client in clients)
        eventually(lambda: refuses(server.port))
        snapshot = server.snapshot()
        sent = sum(len(client.statuses) for client in clients)
        assert (snapshot.rows, snapshot.requests.ok) == (sent, sent)
        assert {counting.rows(each) for each in snapshot.features.values()} == {sent}
        assert server.ended() == 0


def test_a_request_in_flight_is_finished_after_the_port_is_closed(tmp_path: Path) -> None:
    body = json.dumps(make.request(4)).encode()
    with running(artifact(tmp_path)) as server, socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (INFER.encode(), len(body)))
        connection.sendall(body[:10])
        eventually(lambda: b"requests_in_flight 1.0" in server.get("/metrics")[1])
        server.terminate()
        eventually(lambda: refuses(server.port))
        connection.sendall(body[10:])
        assert response(connection)[0] == 200
        eventually(lambda: server.snapshot().rows == 4)
        assert server.ended() == 0


def test_idle_connections_and_a_heard_out_server_do_not_delay_the_end(tmp_path: Path) -> None:
    with running(artifact(tmp_path), TRIMTAB_GRACE_SECONDS="60") as server:
        idle = [server.connect(), server.connect(server.monitoring_port)]
        for connection, path in zip(idle, ("/healthz", "/monitoring/v1/snapshot"), strict=True):
            connection.request("GET", path)
            connection.getresponse().read()
        unused = socket.create_connection(("127.0.0.1", server.port), 20)
        assert server.infer(make.request())[0] == 200
        assert server.snapshot().rows == 1
        began = time.monotonic()
        server.terminate()
        assert server.ended() == 0
        assert time.monotonic() - began < 10
        unused.close()
        for connection in idle:
            connection.close()


def test_counts_that_nobody_reads_are_offered_until_the_grace_is_nearly_over(tmp_path: Path) -> None:
    with running(artifact(tmp_path), TRIMTAB_GRACE_SECONDS="3") as server:
        assert server.infer(make.request())[0] == 200
        server.terminate()
        eventually(lambda: refuses(server.port))
        assert server.process.poll() is None
        assert server.ended(within=10) == 0
