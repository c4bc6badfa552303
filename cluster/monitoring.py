"""Prometheus and Alertmanager on loopback with the caller's configuration, as part of the cluster, so that `down` ends them."""

import json
from collections.abc import Callable
from pathlib import Path

from cluster import apiclient, debian, processes
from cluster.layout import ALERTMANAGER_PORT, PROMETHEUS_PORT, STATE
from cluster.processes import Component
from cluster.terminal import ClusterError, step

URLS = {
    "prometheus": f"http://127.0.0.1:{PROMETHEUS_PORT}",
    "alertmanager": f"http://127.0.0.1:{ALERTMANAGER_PORT}",
}


def prometheus(config: Path) -> Component:
    """Prometheus with this configuration; it finds rule files relative to it."""
    return Component(
        "prometheus",
        (
            "/usr/bin/prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={STATE}/prometheus",
            "--storage.tsdb.retention.time=1d",
            f"--web.listen-address=127.0.0.1:{PROMETHEUS_PORT}",
            "--web.enable-lifecycle",
        ),
        ready=lambda: apiclient.answers(f"{URLS['prometheus']}/-/ready"),
    )


def alertmanager(config: Path) -> Component:
    """Alertmanager with this configuration, alone: it looks for no other one."""
    return Component(
        "alertmanager",
        (
            "/usr/bin/prometheus-alertmanager",
            f"--config.file={config}",
            f"--storage.path={STATE}/alertmanager",
            "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{ALERTMANAGER_PORT}",
        ),
        ready=lambda: apiclient.answers(f"{URLS['alertmanager']}/-/ready"),
    )


COMPONENTS: dict[str, Callable[[Path], Component]] = {"prometheus": prometheus, "alertmanager": alertmanager}
"""What runs beside the cluster, if it is asked for."""


def running(name: str) -> Component:
    """The component with the configuration it was last started with."""
    return COMPONENTS[name](Path(json.loads(_choice(name).read_text())))


def start(name: str, config: Path) -> str:
    """Starts or restarts one of them and returns its address; the configuration is read anew each time."""
    config = config.resolve()
    if not config.is_file():
        raise ClusterError(f"{config} is not a file")
    debian.ensure(debian.MONITORING)
    _choice(name).parent.mkdir(parents=True, exist_ok=True)
    _choice(name).write_text(json.dumps(str(config)))
    wanted = COMPONENTS[name](config)
    with step(f"starting {name.capitalize()}"):
        processes.stop(wanted.name, grace=wanted.grace)
        processes.start(wanted)
        processes.wait_ready(wanted)
    return URLS[name]


def _choice(name: str) -> Path:
    """Where the path of the configuration is remembered."""
    return STATE / "config" / f"{name}.json"
