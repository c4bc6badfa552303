"""Prometheus on loopback with the caller's configuration, as part of the cluster, so that `down` ends it."""

import json
from pathlib import Path

from cluster import apiclient, debian, processes
from cluster.layout import PROMETHEUS_PORT, STATE
from cluster.processes import Component
from cluster.terminal import ClusterError, step

URL = f"http://127.0.0.1:{PROMETHEUS_PORT}"
_CHOICE = STATE / "config" / "prometheus.json"


def component(config: Path) -> Component:
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
        ready=lambda: apiclient.answers(f"{URL}/-/ready"),
    )


def running() -> Component:
    """The component with the configuration it was last started with."""
    return component(Path(json.loads(_CHOICE.read_text())))


def start(config: Path) -> str:
    """Starts or restarts Prometheus and returns its address; the configuration is read anew each time."""
    config = config.resolve()
    if not config.is_file():
        raise ClusterError(f"{config} is not a file")
    debian.ensure(debian.PROMETHEUS)
    _CHOICE.parent.mkdir(parents=True, exist_ok=True)
    _CHOICE.write_text(json.dumps(str(config)))
    wanted = component(config)
    with step("starting Prometheus"):
        processes.stop(wanted.name, grace=wanted.grace)
        processes.start(wanted)
        processes.wait_ready(wanted)
    return URL
