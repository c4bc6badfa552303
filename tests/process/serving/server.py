"""A real server process on loopback, as a pod would run it but for the ports."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.serving import make
from trimtab.api.wire.serving import Snapshot

INFER = "/v2/models/late/infer"
_HASTY = """
import sys
from trimtab.serving import bodies, connection, process
from trimtab.serving.__main__ import main
bodies.SECONDS = connection.HEADER_SECONDS = connection.ANSWER_SECONDS = process._KEEP_ALIVE_SECONDS = {}
sys.exit(main([]))
"""
_STARTED = re.compile(r"on ports (\d+) and (\d+)(?:, gRPC on port (\d+))?")


@dataclass
class Server:
    """One process. `lines` is what it logged so far, `grpc_port` 0 where none was wanted."""

    process: subprocess.Popen[str]
    port: int
    monitoring_port: int
    grpc_port: int = 0
    lines: list[str] = field(default_factory=list)

    def connect(self, port: int | None = None) -> http.client.HTTPConnection:
        """A connection of its own, kept alive until the server closes it."""
        return http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=20)

    def get(self, path: str, port: int | None = None) -> tuple[int, bytes]:
        """One GET on a connection of its own."""
        return self._once("GET", path, None, port)

    def infer(self, request: Any, path: str = INFER) -> tuple[int, Any]:
        """One inference request on a connection of its own."""
        status, body = self._once("POST", path, json.dumps(request).encode(), None)
        return status, json.loads(body)

    def snapshot(self) -> Snapshot:
        """What the operator would read."""
        return Snapshot.from_json(self.get("/monitoring/v1/snapshot", self.monitoring_port)[1])

    def terminate(self) -> None:
        """What the kubelet does first."""
        self.process.send_signal(signal.SIGTERM)

    def ended(self, within: float = 20.0) -> int:
        """The exit code, once the process is gone."""
        return self.process.wait(within)

    def _once(self, method: str, path: str, body: bytes | None, port: int | None) -> tuple[int, bytes]:
        connection = self.connect(port)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The variables of a serving container, with the ports left to the kernel."""
    return {
        **os.environ,
        "TRIMTAB_SERVING": str(folder / "serving.json"),
        "TRIMTAB_MODEL": str(folder / "model"),
        "TRIMTAB_TERMINATION": str(folder / "termination"),
        "TRIMTAB_HOST": "127.0.0.1",
        "TRIMTAB_PORT": "0",
        "TRIMTAB_MONITORING_PORT": "0",
        "TRIMTAB_DRAIN_SECONDS": "0",
        "TRIMTAB_GRACE_SECONDS": "20",
        "TRIMTAB_POD_UID": "pod-uid",
        "HOME": "/tmp",
        **more,
    }


def run(folder: Path, *arguments: str, **more: str) -> tuple[int, dict[str, str] | None]:
    """Run to its end a process that is expected to end: exit code and last words."""
    done = subprocess.run(
        [sys.executable, "-m", "trimtab.serving", *arguments],
        env=environment(folder, **more),
        timeout=60,
        check=False,
        stderr=subprocess.DEVNULL,
    )
    path = folder / "termination"
    return done.returncode, json.loads(path.read_bytes()) if path.exists() else None


@contextmanager
def running(folder: Path, *, deadline: float | None = None, **more: str) -> Iterator[Server]:
    """A server that listens, of the artifact in `folder/model` and the serving.json beside it. Ended in any case. Clients
    have `deadline` seconds for each thing that they are given a time for, unless it is None."""
    command = ["-m", "trimtab.serving"] if deadline is None else ["-c", _HASTY.format(deadline)]
    process = subprocess.Popen(
        [sys.executable, *command], env=environment(folder, **more), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    lines: list[str] = []
    reading = threading.Thread(target=lines.extend, args=(process.stderr,))
    try:
        for line in process.stderr:
            lines.append(line)
            if found := _STARTED.search(line):
                break
        else:
            raise AssertionError(f"the server ended: {''.join(lines)}")
        reading.start()  # else a server that says much would wait for a reader
        yield Server(process, int(found[1]), int(found[2]), int(found[3] or 0), lines)
    finally:
        process.kill()
        process.wait()
        if reading.ident is not None:
            reading.join()
        process.stderr.close()


def eventually(check: Callable[[], bool], within: float = 30.0) -> None:
    """Ask again until it is so."""
    end = time.monotonic() + within
    while not check():
        assert time.monotonic() < end, f"not so within {within} s"


def artifact(folder: Path, **more: Any) -> Path:
    """A folder with a fetched artifact and its serving.json."""
    serving = make.folder(folder / "model", reference=make.profile(), **more)
    (folder / "serving.json").write_text(serving.to_json())
    return folder


def response(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the next answer on a connection."""
    return responses(connection, 1)[0]


def responses(connection: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Status and body of the next answers on a connection."""
    found = []
    with connection.makefile("rb") as stream:
        for _ in range(count):
            status = int(stream.readline().split()[1])
            length = int(http.client.parse_headers(stream)["content-length"])
            found.append((status, stream.read(length)))
    return found


def refuses(port: int) -> bool:
    """Whether nobody listens on a port any more."""
    try:
        socket.create_connection(("127.0.0.1", port), 20).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # caught in the moment of closing
        return False
    return False
