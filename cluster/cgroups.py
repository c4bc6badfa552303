"""Which processes are ours: those in the control group `trimtab`, by the kernel's own account.

Every component is started inside it and every pod runs below it, so membership survives forks, crashes of whoever
started it and the reuse of process numbers. A process outside it is never signalled. Works on cgroup v1 and v2.
"""

import errno
import signal
import time
from contextlib import suppress
from functools import cache
from os import kill
from pathlib import Path

from cluster.terminal import ClusterError

NAME = "trimtab"
PREFERRED = ("pids", "freezer", "memory", "cpu")
"""The v1 hierarchy by which processes are found: one that every container joins."""


@cache
def mounts() -> dict[str, Path]:
    """Mounted hierarchies: {"": path} on cgroup v2, else one entry per set of v1 controllers."""
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    v1 = {fields[3]: Path(fields[1]) for fields in lines if fields[2] == "cgroup"}
    if v1:
        return v1
    if not _unified():
        raise ClusterError("no control groups are mounted below /sys/fs/cgroup, and containers need them")
    return {"": _unified()[0]}


def _unified() -> list[Path]:
    """Where cgroup v2 is mounted; beside v1 (hybrid) it has no controllers, yet runc makes groups there, too."""
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(fields[1]) for fields in lines if fields[2] == "cgroup2"]


def ours() -> list[Path]:
    """Our groups that exist, in every hierarchy."""
    return [path / NAME for path in {*mounts().values(), *_unified()} if (path / NAME).exists()]


@cache
def tracking() -> Path:
    """Our group in the hierarchy by which processes are found."""
    for controller in PREFERRED:
        for options, path in mounts().items():
            if controller in options.split(","):
                return path / NAME
    return next(iter(mounts().values())) / NAME


def component(name: str) -> Path:
    """The group of one component; made when missing."""
    group = tracking() / "system" / name
    group.mkdir(parents=True, exist_ok=True)
    return group


def prepare() -> None:
    """Makes our group in every hierarchy, with the controllers that the kubelet wants, and in it one for shims."""
    for options, path in mounts().items():
        group = path / NAME
        for parent, child in ((path, group), (group, group / "shims")):
            try:
                child.mkdir(exist_ok=True)
            except OSError as e:
                raise ClusterError(
                    f"cannot make the control group {child}: {e.strerror}; the cluster needs a writable /sys/fs/cgroup"
                ) from e
            if "cpuset" in options.split(","):
                _inherit_cpuset(parent, child)
        if options == "":
            _delegate(path)
            _delegate(group)


def _inherit_cpuset(parent: Path, group: Path) -> None:
    """A new v1 cpuset is empty and would let nothing run."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if not (group / name).read_text().strip():
            (group / name).write_text((parent / name).read_text())


def _delegate(group: Path) -> None:
    wanted = [
        c
        for c in (group / "cgroup.controllers").read_text().split()
        if c in ("cpuset", "cpu", "io", "memory", "pids", "hugetlb")
    ]
    have = (group / "cgroup.subtree_control").read_text().split()
    for controller in wanted:
        if controller in have:
            continue
        try:
            (group / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError as e:
            if e.errno != errno.EBUSY:
                raise
            raise ClusterError(
                f"cannot pass the {controller} controller to {group}: processes live in the group itself. "
                "In a container, first move them: mkdir /sys/fs/cgroup/init; "
                "xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs"
            ) from e


def members(group: Path | None = None) -> list[int]:
    """Numbers of the living processes in a group and all below it (all of ours by default); zombies are none."""
    found: list[int] = []
    for procs in (group or tracking()).rglob("cgroup.procs"):
        with suppress(OSError):
            found += [int(line) for line in procs.read_text().split()]
    return found


def end(group: Path | None = None, *, grace: float = 0.0) -> int:
    """Ends every process of a group: SIGTERM and `grace` seconds first, then SIGKILL. Returns how many there were."""
    first = members(group)
    deadline = time.monotonic() + grace
    if grace:
        _signal(first, signal.SIGTERM)
        while members(group) and time.monotonic() < deadline:
            time.sleep(0.02)
    deadline = time.monotonic() + 20
    while left := members(group):
        if time.monotonic() > deadline:
            raise ClusterError(f"processes {left} do not end, not even by SIGKILL; see /proc/{left[0]}/stack")
        _signal(left, signal.SIGKILL)
        time.sleep(0.02)
    return len(first)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            kill(pid, number)


def remove() -> None:
    """Removes our group from every hierarchy; its processes must have ended."""
    for top in ours():
        groups = [top, *(path for path in top.rglob("*") if path.is_dir())]
        for group in sorted(groups, key=lambda g: len(g.parts), reverse=True):
            _remove_one(group)


def _remove_one(group: Path) -> None:
    deadline = time.monotonic() + 5
    while True:  # a group whose last process has just ended is busy for a moment
        try:
            return group.rmdir()
        except FileNotFoundError:
            return None
        except OSError as e:
            if e.errno != errno.EBUSY or time.monotonic() > deadline:
                raise ClusterError(f"cannot remove the control group {group}: {e.strerror}") from e
            time.sleep(0.02)
