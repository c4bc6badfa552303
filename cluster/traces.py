"""Takes away what a cluster leaves on the machine, stopped or killed: processes, mounts, sockets, links, tables.

What is ours is known by where it lies (our control group, below the state folder, our bridge), never by a process
number that was written down.
"""

import json
import shutil
from contextlib import suppress
from pathlib import Path

from cluster import cgroups, network
from cluster.layout import CNI, CONTAINERD, ETCD_SOCKET, RECORDS, STATE
from cluster.terminal import ClusterError, run

_POD_LOG_LINKS = Path("/var/log/containers")
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_SHIM_SOCKETS = Path("/run/containerd")


def sweep() -> int:
    """Ends all our processes and takes their traces away; data (objects, images, volumes) stays. Returns how many.

    Afterwards the state folder is as after a clean stop, so the next start meets nothing half-alive.
    """
    ended = cgroups.end()
    _remove_shim_sockets()
    unmount_all()
    network.remove()
    for folder in (CONTAINERD / "run", CONTAINERD / "runc", CNI / "ipam", RECORDS):
        shutil.rmtree(folder, ignore_errors=True)
    for socket in (ETCD_SOCKET, STATE / "etcd-peer.sock", *CONTAINERD.glob("*.sock*")):
        socket.unlink(missing_ok=True)
    return ended


def mounts() -> list[str]:
    """Mount points below the state folder, deepest last."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [point for point in points if point.startswith(f"{STATE}/")]


def unmount_all() -> None:
    """Detaches every mount below the state folder: volumes, sandboxes, root file systems, network namespaces."""
    for _ in range(10):
        points = mounts()
        if not points:
            return
        for start in range(0, len(points), 100):
            with suppress(ClusterError):  # one that went by itself in between
                run(["umount", "--lazy", *reversed(points[start : start + 100])])
    raise ClusterError(f"cannot unmount {mounts()}")


def _remove_shim_sockets() -> None:
    """Shims keep their sockets at a place that is compiled in; each container's folder says which is its own."""
    for note in CONTAINERD.glob("run/io.containerd.runtime.v2.task/*/*/bootstrap.json"):
        with suppress(OSError, ValueError):
            address = json.loads(note.read_text())["address"].removeprefix("unix://")
            if address.startswith(f"{_SHIM_SOCKETS}/"):
                Path(address).unlink(missing_ok=True)
    for folder in (_SHIM_SOCKETS / "s", _SHIM_SOCKETS):
        with suppress(OSError):  # not empty: somebody else's containerd
            folder.rmdir()


def remove_elsewhere() -> None:
    """Removes what the kubelet writes outside its folder, as far as it is ours."""
    for link in _POD_LOG_LINKS.glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{STATE}/"):
            link.unlink()
    with suppress(OSError):
        (_DEVICE_PLUGINS / "kubelet.sock").unlink()  # no other kubelet runs here: ours held its port
    for folder in (_POD_LOG_LINKS, _DEVICE_PLUGINS, _DEVICE_PLUGINS.parent):
        with suppress(OSError):
            folder.rmdir()
