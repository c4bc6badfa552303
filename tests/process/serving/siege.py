"""Attacks on a server process, and what must hold after each: nothing of it is left, and nobody beside it noticed.

`TRIMTAB_FUZZ` is how many times the tries of the short form the long form makes; `TRIMTAB_FUZZ_SEED` makes other ones.
"""

import json
import os
import random
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from tests.process.serving.server import INFER, Server, eventually
from tests.unit.serving import make
from trimtab.drift import counting

TIMES = int(os.environ.get("TRIMTAB_FUZZ", "1"))
SEED = os.environ.get("TRIMTAB_FUZZ_SEED", "")
_ROWS = (1, 2, 5)


def tries(short: int) -> int:
    """How many in this form."""
    return short * TIMES


def chance(name: str) -> random.Random:
    """The same for the same name, unless another seed is asked for."""
    return random.Random(f"{name}{SEED}")


def examples(short: int) -> settings:
    """Hypothesis' settings for so many tries in the short form, which are always the same."""
    return settings(
        max_examples=tries(short),
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def post(body: Any, *headers: str, path: str = INFER) -> bytes:
    """The bytes of a request."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


@contextmanager
def client(server: Server, seconds: float = 20, port: int | None = None) -> Iterator[socket.socket]:
    """A connection of its own that sends every piece at once."""
    with socket.create_connection(("127.0.0.1", port or server.port), seconds) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def reset(connection: socket.socket) -> None:
    """Leave without a word, as a process that is killed does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def heard(connection: socket.socket) -> bytes:
    """All that a server says until it ends the connection."""
    received = b""
    try:
        while piece := connection.recv(1 << 20):
            received += piece
    except (ConnectionResetError, BrokenPipeError):
        pass  # with something of ours unread
    return received


def sent(connection: socket.socket, content: bytes) -> bool:
    """Send it; whether the server was there to the end."""
    try:
        connection.sendall(content)
    except (ConnectionResetError, BrokenPipeError):
        return False
    return True


def rounded(answer: bytes) -> bytes:
    """An answer, or several, without fractions and their lengths: the last digits of a probability depend on the rows with
    which a request shares a call of the model."""
    return re.sub(rb"\d\.\d+(e-\d+)?|(?<=content-length: )\d+", b"#", answer)


def megabytes(server: Server, what: str) -> int:
    """Memory of the process: VmRSS is now, VmHWM the most since `Siege` began."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) >> 10


def figure(server: Server, name: str) -> int:
    """The value of a series without labels."""
    found = re.search(rf"^trimtab_server_{name} (\S+)$", server.get("/metrics")[1].decode(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


class Neighbour(threading.Thread):
    """Asks good requests one after another until told to stop. `busy`: an answer may be that the server is."""

    def __init__(self, server: Server, busy: bool) -> None:
        super().__init__(daemon=True)
        self._server, self._busy = server, busy
        self._stop_now = threading.Event()
        self._bodies = [json.dumps(make.request(n, seed=n, id=f"{n}")) for n in _ROWS]
        self._expected = [server.infer(json.loads(body))[1] for body in self._bodies]
        self.rows = sum(_ROWS)
        self.answers = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        connection = self._server.connect()
        try:
            while not self._stop_now.is_set():
                self._ask(connection, self.answers % len(_ROWS))
        except Exception as error:  # told to the test
            self.failure = error
        finally:
            connection.close()

    def _ask(self, connection: Any, which: int) -> None:
        connection.request("POST", INFER, self._bodies[which])
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status == 200:
            assert answer == self._expected[which]
            self.rows += _ROWS[which]
        else:
            assert (response.status, self._busy) == (503, True), answer
        self.answers += 1

    def stop(self) -> None:
        self._stop_now.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure
        assert self.answers


@dataclass
class Siege:
    """What an attack knows of its own rows: those that it read the answer of, and those that it sent and left."""

    server: Server
    answered: int = 0
    left: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def got(self, rows: int) -> None:
        with self.lock:
            self.answered += rows


@contextmanager
def siege(server: Server, *, grows: int = 48, peak: int = 128, busy: bool = False) -> Iterator[Siege]:
    """Whatever is done meanwhile: the process is alive, ready and idle after it, has grown by at most `grows` MB and in
    between by `peak` MB, has said no traceback, has counted what it answered, and answered neighbours as ever."""
    neighbour = Neighbour(server, busy)
    before = server.snapshot().rows
    neighbour.rows = 0
    resident, lines = megabytes(server, "VmRSS"), len(server.lines)
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    made = Siege(server)
    neighbour.start()
    try:
        yield made
    finally:
        neighbour.stop()
    assert server.process.poll() is None
    assert server.get("/readyz")[0] == 200
    eventually(lambda: figure(server, "requests_in_flight") == 0)
    grown, most = megabytes(server, "VmRSS") - resident, megabytes(server, "VmHWM") - resident
    assert (grown <= grows, most <= peak) == (True, True), f"grown by {grown} MB, in between by {most} MB"
    assert not [line for line in server.lines[lines:] if "Traceback" in line or "Error" in line]
    snapshot = server.snapshot()
    assert {counting.rows(each) for each in snapshot.features.values()} == {snapshot.rows}
    assert snapshot.rows == figure(server, "rows_total")
    counted = snapshot.rows - before - neighbour.rows
    assert made.answered <= counted <= made.answered + made.left, f"{counted} rows, {made.answered} answered"
