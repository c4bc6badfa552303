"""Clients that leave, dawdle, do not listen, never stop, or come in thousands: a good one beside them notices nothing."""

import http.client
import json
import random
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.process.serving import siege
from tests.process.serving.server import INFER, Server, artifact, eventually, response, responses, running
from tests.unit.serving import make
from trimtab.serving import binary

WAYS = pytest.mark.parametrize("hot", ["1", "0"], ids=["fast", "usual"])
LIMIT = 16 << 20
HASTE = 1.0
ONE = json.dumps(make.request(1)).encode()
HEAD = b"POST %s HTTP/1.1\r\nhost: x\r\n" % INFER.encode()
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
IDLE = 10_000


@pytest.fixture(scope="module", params=["1", "0"], ids=["fast", "usual"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(artifact(tmp_path_factory.mktemp("served")), TRIMTAB_HOT=request.param) as started:
        yield started


@pytest.fixture(scope="module", params=["1", "0"], ids=["fast", "usual"])
def hasty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = artifact(tmp_path_factory.mktemp("served"))
    with running(folder, deadline=HASTE, TRIMTAB_HOT=request.param) as started:
        yield started


# ---------------------------------------------------------------- those who leave


@pytest.mark.parametrize("leave", [socket.socket.close, siege.reset], ids=["close", "reset"])
def test_clients_that_leave_after_every_byte_of_a_request(leave: Callable[[socket.socket], None], server: Server) -> None:
    content = siege.post(make.request(1))
    with siege.siege(server) as held:
        held.left = 3
        for end in [*range(0, len(content), max(1, 4 // siege.TIMES)), len(content)]:
            connection = socket.create_connection(("127.0.0.1", server.port), 20)
            connection.sendall(content[:end])
            leave(connection)


@pytest.mark.parametrize("leave", [socket.socket.close, siege.reset], ids=["close", "reset"])
def test_clients_that_leave_after_every_byte_of_an_answer(leave: Callable[[socket.socket], None], server: Server) -> None:
    content = siege.post(make.request(2))
    with siege.client(server) as connection:
        connection.sendall(content)
        length = len(connection.recv(1 << 16))
    with siege.siege(server) as held:
        for end in range(1, length, max(1, 6 // siege.TIMES)):
            connection = socket.create_connection(("127.0.0.1", server.port), 20)
            connection.sendall(content)
            assert connection.recv(end, socket.MSG_WAITALL)
            leave(connection)
            held.got(2)


def test_clients_that_leave_with_requests_in_a_queue(server: Server) -> None:
    chance = siege.chance("queue")
    content = siege.post(make.request(1)) * 3 + b"GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n" + siege.post(make.request(70)) * 3
    with siege.siege(server) as held:
        for _ in range(siege.tries(100)):
            connection = socket.create_connection(("127.0.0.1", server.port), 20)
            connection.sendall(content[: chance.randrange(len(content))])
            if chance.random() < 0.5:
                connection.shutdown(socket.SHUT_WR)
                siege.heard(connection)
            siege.reset(connection)
            held.left += 3 + 3 * 70


# ---------------------------------------------------------------- those who dawdle


def test_clients_that_are_slow_have_so_long_and_no_longer(hasty: Server) -> None:
    """One byte at a time: the head is ended without a word, the body with 408."""
    cases = [
        (b"", HEAD * 9, []),
        (HEAD + b"content-length: 99999\r\n\r\n", b" " * 999, [408]),
        (CHUNKED, b"1\r\n \r\n" * 99, [408]),
    ]

    def dawdle(start: bytes, content: bytes, statuses: list[int]) -> bool:
        with siege.client(hasty) as connection:
            began = time.monotonic()
            connection.sendall(start)
            connection.settimeout(0.05)
            received = b""
            for place in range(len(content)):
                try:
                    received = connection.recv(4096)
                    break
                except TimeoutError:
                    if not siege.sent(connection, content[place : place + 1]):
                        return False
                except ConnectionResetError:
                    return False  # a byte of ours was on its way when the connection ended, and took the answer along
            assert time.monotonic() - began < 4 * HASTE
        assert [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]] == statuses
        return True

    with siege.siege(hasty), ThreadPoolExecutor(24) as threads:
        assert any(threads.map(dawdle, *zip(*cases * 8, strict=True)))


def test_a_body_that_never_begins_is_waited_for_as_long(hasty: Server) -> None:
    with siege.siege(hasty):
        for more in (b"", b"connection: close\r\n"):
            with siege.client(hasty) as connection:
                connection.sendall(HEAD + more + b"content-length: 5\r\n\r\n")
                assert response(connection)[0] == 408


def test_connections_that_say_no_more_are_ended(hasty: Server) -> None:
    """Even if they send line ends, which begin no request."""
    with siege.siege(hasty) as held:
        held.got(1)
        for content in (b"", siege.post(ONE), b"GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n", siege.post({}) + b"\r\n"):
            with siege.client(hasty, 6 * HASTE) as connection:
                connection.sendall(content)
                siege.heard(connection)


def test_clients_that_never_listen_fill_no_memory(server: Server) -> None:
    """Each has an answer of 8 MB coming."""
    content = siege.post(b'{"id": "' + b"x" * (8 << 20) + b'", ' + ONE[1:])
    with siege.siege(server, grows=160, peak=280, busy=True) as held, ExitStack() as stack:
        for _ in range(40):
            connection = stack.enter_context(siege.client(server))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            siege.sent(connection, content)
            held.left += 1


def test_clients_that_never_listen_are_ended(hasty: Server) -> None:
    content = siege.post(b'{"id": "' + b"x" * (8 << 20) + b'", ' + ONE[1:])
    with siege.siege(hasty, grows=160, peak=280) as held, ExitStack() as stack:
        clients = [stack.enter_context(siege.client(hasty)) for _ in range(4)]
        for connection in clients:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(content)
            held.left += 1
        eventually(lambda: connections(hasty) == 1)


def connections(server: Server) -> int:
    """How many the server holds: those in the kernel's table with its port at the near end, this one's neighbour's among them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{server.port:04X}") and row[3] == "01" for row in rows)


# ---------------------------------------------------------------- those who never stop


def test_a_client_that_asks_faster_than_it_is_answered(server: Server) -> None:
    """What is in the queue of one connection stays small, and all of it is answered in order."""
    count = siege.tries(6000)
    content = [siege.post(make.request(1, id=f"{i}")) for i in range(10)]
    with siege.siege(server, peak=64) as held, siege.client(server, 120) as connection:

        def ask() -> None:
            for _ in range(0, count, 100):
                connection.sendall(b"".join(content) * 10)

        asking = threading.Thread(target=ask)
        asking.start()
        with connection.makefile("rb") as stream:
            for i in range(count):
                status, body = next_response(stream)
                assert (status, json.loads(body)["id"]) == (200, f"{i % 10}")
                held.got(1)
        asking.join()


def next_response(stream: Any) -> tuple[int, bytes]:
    status = int(stream.readline().split()[1])
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b": ")
        length = int(value) if name == b"content-length" else length
    return status, stream.read(length)


def test_many_pipelines_of_mixed_requests(server: Server) -> None:
    chance = siege.chance("mixed")
    kinds = [
        (siege.post(make.request(1)), 200, 1),
        (siege.post(make.request(90)), 200, 90),
        (siege.post({}), 400, 0),
        (siege.post(ONE, "x: y"), 200, 1),
        (siege.post(ONE, "content-type: text/csv"), 415, 0),
        (siege.post(ONE, "connection: upgrade", "upgrade: h2c"), 200, 1),
        (CHUNKED + b"%x\r\n%b\r\n0\r\nx: y\r\n\r\n" % (len(ONE), ONE), 200, 1),
        (b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n", 404, 0),
    ]

    def ask(seed: int) -> int:
        chosen = random.Random(seed).choices(kinds, k=40)
        with siege.client(server) as connection:
            connection.sendall(b"".join(content for content, _, _ in chosen))
            assert [status for status, _ in responses(connection, 40)] == [status for _, status, _ in chosen]
        return sum(rows for _, _, rows in chosen)

    with siege.siege(server) as held, ThreadPoolExecutor(16) as threads:
        held.got(sum(threads.map(ask, [chance.randrange(10**9) for _ in range(siege.tries(48))])))


# ---------------------------------------------------------------- what fills memory


LINES = (
    *(b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\nx", b"GET /x", b"X"),
    *(CHUNKED + b"5;", CHUNKED + b"0\r\nx: ", CHUNKED + b"0\r\nx"),
)


@pytest.mark.parametrize("start", LINES)
def test_a_line_without_an_end_is_ended(start: bytes, server: Server) -> None:
    """In a head, a target, a method, behind a chunk's size, behind the last chunk."""
    with siege.siege(server, peak=32), siege.client(server) as connection:
        assert siege.sent(connection, start)
        taken = 0
        while taken < 64 << 20 and siege.sent(connection, b"a" * 65536):
            taken += 65536
        assert taken < 32 << 20  # most of it in the buffers of the kernel


BOMBS = {
    "lists": b"[" + b"[]," * 5_500_000 + b"0]",
    "objects": b"[" + b'{"a":0},' * 2_000_000 + b"0]",
    "texts": b"[" + b'"ab",' * 3_300_000 + b"0]",
    "numbers": b"[" + b"1.5," * 4_100_000 + b"0]",
    "shape": b'[{"name":"air time","datatype":"FP64","shape":[' + b"1," * 8_000_000 + b'1],"data":[1]}]',
    "names": b'[{"name":"' + b"\xc3\xa9" * 8_000_000 + b'"}]',
    "depth": b"[" * 8_000_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_json_that_grows_in_memory(bomb: str, server: Server) -> None:
    with siege.siege(server, grows=280, peak=340, busy=True), siege.client(server) as connection:
        connection.sendall(siege.post(b'{"inputs":' + BOMBS[bomb] + b"}"))
        assert response(connection)[0] == 400


SHAPES = ([1, 4_000_000], [4_000_000], [100_000, 40], [2**63, 2**63], [0, 2**63], [1] * 1000, [2**63] * 1000)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]} in {len(shape)}")
def test_shapes_that_promise_more_than_there_is(shape: list[int], server: Server) -> None:
    for datatype, size in (("BYTES", 16_000_000), ("FP64", 8)):
        tensor = {"name": "carrier", "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": size}}
        head = json.dumps({"inputs": [tensor]}).encode()
        with siege.siege(server, grows=200, peak=200, busy=True), siege.client(server) as connection:
            connection.sendall(siege.post(head + bytes(size), f"{binary.HEADER.decode()}: {len(head)}"))
            assert response(connection)[0] == 400


def test_a_body_in_the_smallest_pieces(server: Server) -> None:
    pieces = b"2\r\n  \r\n" * 1_000_000
    with siege.siege(server, peak=48), siege.client(server) as connection:
        connection.sendall(CHUNKED + pieces + b"%x\r\n%b\r\n0\r\n\r\n" % (len(ONE) - 1, ONE[1:]))
        assert response(connection)[0] == 400


@pytest.mark.parametrize("extra", [-1, 0, 1, 2, 65536])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_bodies_about_as_large_as_they_may_be(chunked: bool, extra: int, server: Server) -> None:
    body = ONE.ljust(LIMIT + extra)
    content = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else siege.post(body)
    with siege.siege(server, grows=120, peak=240, busy=True) as held, siege.client(server) as connection:
        connection.sendall(content + siege.post(ONE))
        assert [status for status, _ in responses(connection, 2)] == [200 if extra <= 0 else 413, 200]
        held.got(2 if extra <= 0 else 1)


def test_many_large_bodies_at_once(server: Server) -> None:
    """Those for which there is no room are told so, and the room is there again afterwards."""
    content = siege.post(ONE.ljust(LIMIT))
    with siege.siege(server, grows=200, peak=340, busy=True) as held, ExitStack() as stack:
        clients = [stack.enter_context(siege.client(server)) for _ in range(12)]
        for connection in clients:
            connection.sendall(content[:-9])
        eventually(lambda: figure(server) <= 4)
        for connection in clients:
            siege.sent(connection, content[-9:])
        statuses = [response(connection)[0] for connection in clients]
        assert sorted(set(statuses)) == [200, 503]
        held.got(statuses.count(200))
    with siege.siege(server, grows=120, peak=240, busy=True) as held:
        for _ in range(2):
            with siege.client(server) as connection:
                connection.sendall(content)
                assert response(connection)[0] == 200
                held.got(1)


def figure(server: Server) -> int:
    return siege.figure(server, "requests_in_flight")


# ---------------------------------------------------------------- thousands


def test_thousands_of_idle_connections(server: Server) -> None:
    """Half of them said half of a head."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(IDLE, hard - 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 1000), hard))
    if wanted < IDLE:
        print(f"{wanted} idle connections instead of {IDLE}: RLIMIT_NOFILE is {hard}")
    with ExitStack() as stack, siege.siege(server, grows=200, peak=200):
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for i in range(wanted):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
            if i % 2:
                connection.sendall(HEAD)
        assert server.infer(make.request(0))[0] == 200
        assert server.get("/readyz")[0] == 200


@WAYS
def test_more_connections_than_files(hot: str, tmp_path: Path) -> None:
    """Those for which there is no file are ended, and the next ones answered when there is one again."""
    with running(artifact(tmp_path), deadline=HASTE, TRIMTAB_HOT=hot) as server, ExitStack() as stack:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (120, 120))
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
        eventually(lambda: answered(server))
        assert siege.figure(server, "rows_total") == 1


def answered(server: Server) -> bool:
    try:
        return server.infer(make.request(1))[0] == 200
    except (ConnectionError, http.client.BadStatusLine):
        return False
