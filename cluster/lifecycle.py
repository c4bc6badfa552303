"""Brings the cluster up and down, and single components for fault tests: the order of things, not their settings."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster import (
    apiclient,
    binaries,
    cgroups,
    controlplane,
    debian,
    monitoring,
    network,
    node,
    nodeimage,
    pki,
    processes,
    storage,
    traces,
)
from cluster.layout import CONTAINERD, ETCD, LOCK, LONGEST_STATE, MARK, NODE, STATE
from cluster.locking import held
from cluster.processes import Component, ComponentDiedError
from cluster.terminal import ClusterError, say, step

COMPONENTS: dict[str, Callable[[], Component]] = {
    "etcd": controlplane.etcd,
    "apiserver": controlplane.apiserver,
    "containerd": node.containerd,
    "controller-manager": controlplane.controller_manager,
    "scheduler": controlplane.scheduler,
    "kubelet": node.kubelet,
    "proxy": node.proxy,
    "local-path-provisioner": storage.provisioner,
    "s3": storage.s3_server,
}
"""In the order in which they start."""


@contextmanager
def changing() -> Iterator[None]:
    """Holds the machine's one cluster lock, and refuses to touch a cluster of another state folder."""
    _require_root()
    with held(LOCK, "changing the cluster"):
        other = LOCK.read_text().strip()
        if other and other != str(STATE) and cgroups.members():
            raise ClusterError(
                f"a cluster with TRIMTAB_CLUSTER_STATE={other} runs on this machine, and there can be only one; "
                "take it down first"
            )
        yield


def _require_root() -> None:
    if not debian.is_root():
        raise ClusterError(
            "the local cluster needs root (it starts containers); use sudo, or your own cluster by KUBECONFIG"
        )


def up() -> None:
    """Makes everything run that is not running; returns when pods can be started. Does nothing when all is well."""
    with changing():
        debian.ensure(debian.RUN)
        binaries.ensure()
        nodeimage.archive()
        _claim_state()
        cgroups.prepare()
        with step("starting the cluster"):
            _recover()
            _start_all()


def _claim_state() -> None:
    """Takes the state folder; one with somebody else's files in it is refused, since `down` deletes it."""
    if (
        not STATE.is_absolute()
        or len(str(STATE)) > LONGEST_STATE
        or any(c.isspace() or c in ",\"'\\" for c in str(STATE))
    ):
        raise ClusterError(
            f"TRIMTAB_CLUSTER_STATE={STATE} must be an absolute path of at most {LONGEST_STATE} plain characters"
        )
    if STATE.exists() and not MARK.exists() and any(STATE.iterdir()):
        raise ClusterError(
            f"{STATE} holds files that are not the local cluster's; set TRIMTAB_CLUSTER_STATE to another folder"
        )
    STATE.mkdir(parents=True, exist_ok=True)
    MARK.touch()
    LOCK.write_text(str(STATE))


def _recover() -> None:
    """After a cluster was killed: takes away what is left of its processes, so that only its data is met."""
    if any(processes.pids(name) for name in COMPONENTS):
        return
    used = bool(traces.mounts() or network.bridge_exists() or network.tables())
    ended = traces.sweep()
    if used or ended:
        say(f"recovered from a cluster that had been killed ({ended} leftover processes ended); its data is kept")


def _start_all() -> None:
    network.prepare()
    if not any(processes.pids(name) for name in COMPONENTS):
        network.check_ports()
    pki.ensure()
    started = datetime.now(UTC).replace(microsecond=0)
    _start_with_data("etcd", ETCD)
    api = COMPONENTS["apiserver"]()
    processes.start(api)
    processes.start(COMPONENTS["s3"]())
    _start_with_data("containerd", CONTAINERD / "root")
    load_node_image()
    processes.wait_ready(api)
    fresh = processes.start(COMPONENTS["kubelet"]())
    for name in ("controller-manager", "scheduler", "proxy"):
        processes.start(COMPONENTS[name]())
    for manifest in storage.manifests():
        apiclient.apply(manifest)
    processes.start(COMPONENTS["local-path-provisioner"]())
    for name in COMPONENTS:
        processes.wait_ready(COMPONENTS[name]())
    processes.wait(
        lambda: node_ready(since=started if fresh else None),
        within=60,
        what="the node to be Ready",
        alive=tuple(COMPONENTS),
    )
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    processes.wait(
        lambda: apiclient.exists(account), within=60, what="the default service account", alive=tuple(COMPONENTS)
    )


def _start_with_data(name: str, folder: Path) -> None:
    """Starts what keeps data. Data that a power cut left unreadable is given up: this is a cluster for tests."""
    component = COMPONENTS[name]()
    old = folder.exists()
    processes.start(component)
    try:
        processes.wait_ready(component)
    except ComponentDiedError as e:
        if not old:
            raise
        say(f"{name} cannot read {folder}, which is made anew; what it held is lost\n{e}")
        shutil.rmtree(folder)
        processes.start(component)
        processes.wait_ready(component)


def load_node_image() -> None:
    """Puts the image of pod sandboxes and volume helpers into containerd."""
    if nodeimage.REFERENCE not in node.ctr("image", "ls", "-q").split():
        node.ctr("image", "import", nodeimage.archive())


def node_ready(since: datetime | None = None) -> bool:
    """Whether the node says that it is Ready, and said so after `since`: what an old kubelet wrote outlives it."""
    if not apiclient.exists(f"/api/v1/nodes/{NODE}"):
        return False
    seen: dict[str, Any] = apiclient.get(f"/api/v1/nodes/{NODE}")
    for condition in seen["status"].get("conditions", []):
        if condition["type"] == "Ready":
            said = datetime.fromisoformat(condition["lastHeartbeatTime"])
            return condition["status"] == "True" and (since is None or said >= since)
    return False


def down() -> None:
    """Ends everything and deletes the state folder; the cache stays."""
    with changing():
        cgroups.prepare()
        with step("taking the cluster down"):
            traces.sweep()
            network.restore_sysctls()
            traces.remove_elsewhere()
            cgroups.remove()
            if MARK.exists():
                shutil.rmtree(STATE)
        LOCK.unlink()


def require_up() -> None:
    """Raises ClusterError unless the cluster answers."""
    if not MARK.exists() or not processes.pids("apiserver"):
        raise ClusterError("the cluster is not running; bring it up: python3 -m cluster up")


def restart(name: str) -> None:
    """Kills one component and starts it again, as a service manager would; then whatever ended because of it."""
    with changing():
        require_state()
        component = _find(name)
        with step(f"restarting {name}"):
            processes.stop(name, grace=component.grace)
            processes.start(component)
            processes.wait_ready(component)
            for other, build in COMPONENTS.items():
                if not processes.pids(other):
                    processes.start(build())
                    processes.wait_ready(build())


def stop(name: str) -> None:
    """Ends one component and leaves it ended, until `up` or `restart`."""
    with changing():
        require_state()
        processes.stop(name, grace=_find(name).grace)


def require_state() -> None:
    """Raises ClusterError when no cluster was brought up here."""
    if not MARK.exists():
        raise ClusterError("there is no cluster here; bring it up: python3 -m cluster up")


def _find(name: str) -> Component:
    if name in monitoring.COMPONENTS and processes.pids(name):
        return monitoring.running(name)
    if name not in COMPONENTS:
        raise ClusterError(f"there is no component {name}; there are {', '.join(COMPONENTS)}")
    return COMPONENTS[name]()


def status() -> tuple[bool, list[tuple[str, str, int]]]:
    """(all is well, [(component, state, resident bytes)])."""
    rows = []
    for name in [*COMPONENTS, *monitoring.COMPONENTS]:
        alive = processes.pids(name) if MARK.exists() else []
        if alive or name in COMPONENTS:
            rows.append((name, "running" if alive else "not running", processes.resident(name)))
    well = all(state == "running" for _, state, _ in rows)
    if well:
        try:
            well = node_ready()
        except OSError:
            well = False
    return well, rows
