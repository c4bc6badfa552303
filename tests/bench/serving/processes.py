"""Server processes: started on one core, awaited, weighed and ended by their ids, whatever happens to the benchmark."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SERVER_CORE, CLIENT_CORE = 0, 1
_READY_SECONDS = 60.0
_END_SECONDS = 8.0


class NotReadyError(Exception):
    """A server that did not become ready; the message ends with what it logged."""


@dataclass(frozen=True)
class Launch:
    """How one server is started and asked. `ready` is a path that answers 200 once the model can be asked."""

    command: tuple[str, ...]
    ready: str
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = Path("/tmp")


@dataclass(frozen=True)
class Running:
    """A server that is ready."""

    pid: int
    """Of its first process."""
    seconds: float
    """From the start of the process to the first 200."""

    def resident(self) -> float:
        """Megabytes of resident memory of all its processes; what they share is counted in each."""
        page = os.sysconf("SC_PAGE_SIZE")
        return sum(_pages(pid) for pid in family(self.pid)) * page / 2**20

    def processor(self) -> float:
        """Seconds of CPU that its processes have used; what others do on a shared machine changes little of it."""
        return sum(known.ticks for known in family(self.pid).values()) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody does on this port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except OSError:
        return False
    return True


def get(port: int, path: str, seconds: float = 2.0) -> tuple[int, bytes]:
    """One GET on a connection of its own; raises OSError or `http.client.HTTPException`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@contextmanager
def running(launch: Launch, log: Path) -> Iterator[Running]:
    """Start a server in a session of its own, wait until it is ready, and end all of it. Raises `NotReadyError`."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **launch.environment}
    began = time.monotonic()
    with log.open("w") as stream:
        process = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *launch.command],
            env=environment,
            cwd=launch.folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(process, launch, log)
        seconds = time.monotonic() - began
        yield Running(process.pid, seconds)
    finally:
        end(process)


def _await(process: subprocess.Popen[bytes], launch: Launch, log: Path) -> None:
    limit = time.monotonic() + _READY_SECONDS
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise NotReadyError(f"it ended with {process.returncode}: {tail(log)}")
        try:
            if get(launch.port, launch.ready)[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.01)
    raise NotReadyError(f"it was not ready within {_READY_SECONDS:.0f} s: {tail(log)}")


def tail(log: Path) -> str:
    """The end of what a server logged, on one line."""
    return " ".join(log.read_text(errors="replace")[-600:].split())


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask politely, then end by its id every process that came of this one."""
    before = family(process.pid)
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:  # also when a second Ctrl-C comes while this waits
        _kill(before, process)


def _kill(before: dict[int, "_Process"], process: subprocess.Popen[bytes]) -> None:
    """What is left of a family, which may have lost its first process since."""
    now = _all()
    left = {pid for pid, known in before.items() if pid in now and now[pid].born == known.born}
    for pid in left | {*family(process.pid)}:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


@dataclass(frozen=True)
class _Process:
    parent: int
    session: int
    born: int
    """Clock ticks since boot: an id that is used again has another."""
    ticks: int
    """Of CPU, its own and the system's for it."""


def family(first: int) -> dict[int, _Process]:
    """The processes of the session that `first` began, and all that descend from them: a worker may have a session of its own."""
    everyone = _all()
    found = {pid for pid, known in everyone.items() if first in (pid, known.session)}
    while more := {pid for pid, known in everyone.items() if known.parent in found} - found:
        found |= more
    return {pid: everyone[pid] for pid in found}


def _all() -> dict[int, _Process]:
    """Every process of this machine that has not ended."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                found[int(folder.name)] = _Process(
                    int(fields[1]), int(fields[3]), int(fields[19]), int(fields[11]) + int(fields[12])
                )
    return found


def _pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
