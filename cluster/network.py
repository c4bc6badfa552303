"""The cluster's traces in the machine's network and kernel settings: makes them, and takes them away again."""

import errno
import ipaddress
import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from cluster import firewall
from cluster.layout import API_PORT, BRIDGE, NODE_IP, POD_CIDR, S3_PORT, STATE
from cluster.terminal import ClusterError, run

PORTS = (
    (NODE_IP, API_PORT, "the API server"),
    (NODE_IP, 10250, "the kubelet"),
    (NODE_IP, S3_PORT, "the S3 server"),
    ("127.0.0.1", 10248, "the kubelet's health page"),
    ("127.0.0.1", 10249, "kube-proxy's metrics"),
    ("127.0.0.1", 10256, "kube-proxy's health page"),
    ("127.0.0.1", 10257, "the controller manager"),
    ("127.0.0.1", 10259, "the scheduler"),
)
SYSCTLS = (
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""Kernel settings that this cluster, its kubelet or its kube-proxy change; `down` puts back what was there."""
_SAVED = STATE / "sysctl.json"


def prepare() -> None:
    """Makes the bridge with the node's address, and lets the machine forward between pods."""
    _check_overlap()
    _save_sysctls()
    links = {link["ifname"] for link in _ip("link", "show")}
    if BRIDGE not in links:
        run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    run(["ip", "addr", "replace", f"{NODE_IP}/32", "dev", BRIDGE])
    run(["ip", "link", "set", BRIDGE, "up"])
    # An address without a pod answers at once with "no route", instead of leaving by the default route.
    run(["ip", "route", "replace", "unreachable", POD_CIDR])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    firewall.open_for_pods()


def _ip(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(["ip", "-json", *arguments]) or "[]")
    return found


def _check_overlap() -> None:
    """Refuses to start where another interface has addresses of our pods' range, as another Kubernetes would."""
    pods = ipaddress.ip_network(POD_CIDR)
    for link in _ip("addr", "show"):
        for entry in link.get("addr_info", []):
            ours = link.get("ifname") == BRIDGE or (entry["local"] == NODE_IP and entry["prefixlen"] == 32)
            address = ipaddress.ip_interface(f"{entry['local']}/{entry['prefixlen']}")
            if address.version == 4 and not ours and pods.overlaps(address.network):
                raise ClusterError(
                    f"the interface {link['ifname']} has {address}, which the local cluster needs for its pods "
                    f"({POD_CIDR}); another Kubernetes on this machine? Use that one by KUBECONFIG, or remove it"
                )


def check_ports() -> None:
    """Raises ClusterError when a stranger holds a port that the cluster needs."""
    for address, port, purpose in PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as e:
                if e.errno != errno.EADDRINUSE:
                    raise
                raise ClusterError(f"{address}:{port}, which {purpose} needs, is held by {_holder(port)}") from e


def _holder(port: int) -> str:
    """The process that listens on a TCP port, for people."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                return f"process {process.name} ({command[:120]})"
    return "a process that cannot be seen from here"


def _save_sysctls() -> None:
    if not _SAVED.exists():
        values = {
            name: Path("/proc/sys", name).read_text().strip() for name in SYSCTLS if Path("/proc/sys", name).exists()
        }
        _SAVED.write_text(json.dumps(values))


def restore_sysctls() -> None:
    """Puts the kernel settings back as they were before the first `up`."""
    if not _SAVED.exists():
        return
    for name, value in json.loads(_SAVED.read_text()).items():
        path = Path("/proc/sys", name)
        if path.read_text().strip() != value:
            path.write_text(value)


def remove() -> None:
    """Takes away what was made, kube-proxy's tables, and the pods' interfaces, which all carry the node's address."""
    firewall.close()
    for link in _ip("addr", "show", "to", NODE_IP):
        if link.get("ifname", BRIDGE) != BRIDGE:
            with suppress(
                ClusterError
            ):  # it went with its network namespace, which the kernel takes apart in its own time
                run(["ip", "link", "del", link["ifname"]])
    for table in tables():
        run(["nft", "delete", "table", *table.split()])
    if bridge_exists():
        run(["ip", "link", "del", BRIDGE])
    if _ip("route", "show", "type", "unreachable", "exact", POD_CIDR):
        run(["ip", "route", "del", "unreachable", POD_CIDR])


def tables() -> list[str]:
    """kube-proxy's nftables tables, such as "ip kube-proxy"."""
    lines = run(["nft", "list", "tables"]).splitlines()
    return [line.removeprefix("table ").strip() for line in lines if line.split()[-1] == "kube-proxy"]


def bridge_exists() -> bool:
    """Whether the bridge is there."""
    return Path("/sys/class/net", BRIDGE).exists()
