"""Prometheus and Alertmanager as processes on loopback with all shipped rules, and a webhook that hears what they send.

The scrape configuration is the one that docs/operations.md shows, but for the discovery of pods, which Debian's Prometheus
has not: targets say in `__meta_…` labels what discovery would say of them, and the relabelling of the page does the rest.
"""

import json
import re
import shutil
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kubectl import eventually
from tests.unit.alerts.test_alerts import ALERTS, scraping
from tests.unit.docs.pages import blocks

Json = Any
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


# ---------------------------------------------------------------- what is scraped


def target(address: str, namespace: str, pod: str, *, port: str = "http", **labels: str) -> Json:
    """A port of a pod as discovery would describe it; `labels` of the pod, with `_` for what no name in Python has."""
    meta = {"namespace": namespace, "pod_name": pod, "pod_container_port_name": port}
    meta |= {f"pod_label_{name}": value for name, value in labels.items()}
    return {"targets": [address], "labels": {f"__meta_kubernetes_{name}": value for name, value in meta.items()}}


def operator(address: str, pod: str) -> Json:
    """A replica of the operator."""
    return target(address, "trimtab-system", pod, app_kubernetes_io_name="trimtab-operator")


def server(address: str, namespace: str, pod: str, deployment: str) -> Json:
    """A pod that serves a version of a deployment."""
    labels = {"app_kubernetes_io_managed_by": "trimtab", "app_kubernetes_io_component": "serving"}
    return target(address, namespace, pod, **labels, trimtab_dev_model_deployment=deployment)


def discovered(pods: list[Json]) -> list[Json]:
    """The targets that discovery would find in pods as the API server lists them: one for each port."""
    found = []
    for pod in pods:
        meta, spec = pod["metadata"], pod["spec"]
        labels = {re.sub(r"\W", "_", name): value for name, value in meta["labels"].items()}
        for port in (port for container in spec["containers"] for port in container.get("ports", ())):
            address = f"{pod['status']['podIP']}:{port['containerPort']}"
            found.append(target(address, meta["namespace"], meta["name"], port=port.get("name", ""), **labels))
    return found


def configuration(folder: Path, targets: list[Json], alertmanager: str, *, bridged: str = "3m") -> Path:
    """Prometheus' configuration and rules, in a folder. The targets of a file are read again when it changes.

    Scrapes come every second. `bridged`: for how long the rules go on with what the last leader said.
    """
    (folder / "targets.json").write_text(json.dumps(targets))
    (folder / "rules.yaml").write_text((ALERTS / "rules.yaml").read_text().replace("[3m]", f"[{bridged}]"))
    config = scraping()
    for job in config["scrape_configs"]:
        del job["kubernetes_sd_configs"]
        job["file_sd_configs"] = [{"files": ["targets.json"], "refresh_interval": "1s"}]
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def routing(folder: Path, webhook: str) -> Path:
    """Alertmanager's configuration: everything at once to the webhook, with the inhibitions that docs/alerts.md shows."""
    (shown,) = [yaml.safe_load(block.text) for block in blocks("yaml") if "inhibit_rules" in block.text]
    route = {
        "receiver": "webhook",
        "group_by": ["..."],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "1h",
    }
    config = {**shown, "route": route, "receivers": [{"name": "webhook", "webhook_configs": [{"url": webhook}]}]}
    path = folder / "alertmanager.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


# ---------------------------------------------------------------- who hears


@dataclass(frozen=True)
class Message:
    """One alert of one notification."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass
class Webhook:
    """What Alertmanager has sent so far."""

    url: str
    messages: list[Message] = field(default_factory=list)

    def heard(self, name: str, status: str = "firing", **labels: str) -> list[Message]:
        """Messages of one alert with these labels among others."""
        wanted = {"alertname": name, **labels}.items()
        return [
            message for message in list(self.messages) if message.status == status and wanted <= message.labels.items()
        ]


@contextmanager
def listening() -> Iterator[Webhook]:
    """A receiver on a port of its own."""
    messages: list[Message] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            messages.extend(Message(one["status"], one["labels"], one["annotations"]) for one in body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield Webhook(f"http://127.0.0.1:{listener.server_port}/", messages)
        finally:
            listener.shutdown()
            thread.join()


# ---------------------------------------------------------------- who watches


@dataclass(frozen=True)
class Watchtower:
    """Prometheus and Alertmanager by their addresses, and the webhook behind them."""

    prometheus: str
    alertmanager: str
    webhook: Webhook

    def query(self, expression: str) -> list[Json]:
        """The series that an expression has now."""
        answer = fetched(f"{self.prometheus}/api/v1/query?query={urllib.parse.quote(expression)}")
        found: list[Json] = answer["data"]["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The one value of an expression; None where there is none."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def rules(self) -> list[Json]:
        """Every rule with its health."""
        return [
            rule for group in fetched(f"{self.prometheus}/api/v1/rules")["data"]["groups"] for rule in group["rules"]
        ]

    def alerts(self) -> list[Json]:
        """What Alertmanager knows, with what inhibits it."""
        found: list[Json] = fetched(f"{self.alertmanager}/api/v2/alerts")
        return found


def fetched(url: str) -> Json:
    with _OPENER.open(url, timeout=10) as answer:
        return json.load(answer)


def answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def watching(folder: Path, targets: list[Json]) -> Iterator[Watchtower]:
    """Both processes, until the end of the block."""
    hub, scraper = (f"127.0.0.1:{port}" for port in _free_ports(2))
    with (
        listening() as webhook,
        _process(
            ("prometheus-alertmanager", "alertmanager"),
            hub,
            f"--config.file={routing(folder, webhook.url)}",
            f"--storage.path={folder / 'alertmanager'}",
            "--cluster.listen-address=",
        ),
        _process(
            ("prometheus",),
            scraper,
            f"--config.file={configuration(folder, targets, hub, bridged='3s')}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
        ),
    ):
        yield Watchtower(f"http://{scraper}", f"http://{hub}", webhook)


@contextmanager
def _process(names: tuple[str, ...], address: str, *options: str) -> Iterator[None]:
    """A program by the first of its names that is there; ready, and ended in any case. Its log is this test's output."""
    program = next((found for name in names if (found := shutil.which(name))), None)
    assert program is not None, f"there is no {names[0]}: python3 -m cluster tools brings it"
    with subprocess.Popen([program, *options, f"--web.listen-address={address}"]) as process:
        try:
            eventually(lambda: process.poll() is not None or answers(f"http://{address}/-/ready"), within=60)
            assert process.poll() is None, f"{program} ended; its log says why"
            yield
        finally:
            process.kill()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
