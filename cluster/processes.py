"""Starts, stops and watches components. A component's processes are those of its control group, and no other's."""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cluster import cgroups
from cluster.layout import LOG, RECORDS
from cluster.terminal import ClusterError

# The shell joins the control group and becomes the program, so that no process of ours is ever outside the group.
_ENTER = 'echo $$ > "$1" && shift && cd / && exec "$@"'


class ComponentDiedError(ClusterError):
    """A component ended by itself while it was waited for."""

    def __init__(self, name: str) -> None:
        log = LOG / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        super().__init__(f"{name} ended by itself. The end of {log}:\n" + "\n".join(lines))
        self.name = name


@dataclass(frozen=True)
class Component:
    """A program that runs as long as the cluster does."""

    name: str
    argv: tuple[str, ...]
    files: Mapping[Path, str] = field(default_factory=dict)
    """Configuration that is written before the program starts; a change restarts it."""
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = lambda: True
    """Whether it does its work; may raise OSError for no."""
    grace: float = 5.0
    """Seconds between SIGTERM and SIGKILL when it is stopped alone; 0 for SIGKILL at once."""

    def digest(self) -> str:
        """Changes with everything that would make a running process outdated."""
        content = (self.argv, sorted((str(k), v) for k, v in self.files.items()), sorted(self.env.items()))
        return hashlib.sha256(repr(content).encode()).hexdigest()


def pids(name: str) -> list[int]:
    """The living processes of a component."""
    return cgroups.members(cgroups.tracking() / "system" / name)


def start(component: Component) -> bool:
    """Makes sure a component runs as wanted; returns False when it did already."""
    record = RECORDS / component.name
    current = record.read_text() if record.exists() else ""
    if pids(component.name):
        if current == component.digest():
            return False
        stop(component.name, grace=component.grace)
    for path, text in component.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    RECORDS.mkdir(parents=True, exist_ok=True)
    record.write_text(component.digest())
    _spawn(component)
    return True


def _spawn(component: Component) -> None:
    LOG.mkdir(parents=True, exist_ok=True)
    procs = cgroups.component(component.name) / "cgroup.procs"
    log = str(LOG / f"{component.name}.log")
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **component.env}
    child = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", _ENTER, "sh", str(procs), *component.argv],
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    deadline = time.monotonic() + 10
    while child not in pids(
        component.name
    ):  # until the shell has entered the group, a crash would look like "not started"
        if os.waitpid(child, os.WNOHANG) != (0, 0) or time.monotonic() > deadline:
            raise ComponentDiedError(component.name)
        time.sleep(0.005)


def stop(name: str, *, grace: float) -> bool:
    """Ends a component; returns whether it ran."""
    return cgroups.end(cgroups.tracking() / "system" / name, grace=grace) > 0


def wait_ready(component: Component, *, within: float = 60) -> None:
    """Waits until a component does its work; raises ComponentDiedError or ClusterError."""
    wait(
        component.ready,
        within=within,
        what=f"{component.name} to be ready (its log: {LOG / component.name}.log)",
        alive=(component.name,),
    )


def wait(check: Callable[[], bool], *, within: float, what: str, alive: tuple[str, ...] = ()) -> None:
    """Waits until `check` holds, while the components named in `alive` live."""
    deadline = time.monotonic() + within
    last: Exception | None = None
    while True:
        try:
            if check():
                return
            last = None
        except (OSError, ClusterError) as e:
            last = e
        for name in alive:
            if not pids(name):
                raise ComponentDiedError(name)
        if time.monotonic() > deadline:
            raise ClusterError(f"waited {within:.0f} s in vain for {what}" + (f": {last}" if last else ""))
        time.sleep(0.05)


def resident(name: str) -> int:
    """Resident memory of a component's processes, in bytes."""
    total = 0
    for pid in pids(name):
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total
