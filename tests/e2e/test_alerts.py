"""Drift on a real cluster reaches whoever is called at night, and the end of the leader is no news to him."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo import install
from tests.cluster.kubectl import Kubectl, eventually
from tests.e2e.shop import Space, dataset, deployment, model
from tests.e2e.test_loop import Traffic, rows
from tests.e2e.test_operator import leader
from tests.process.alerts import watchtower
from tests.process.alerts.watchtower import Watchtower
from tests.unit.alerts.series import exported
from tests.unit.alerts.test_alerts import rules

Json = Any


def targets(space: Space) -> list[Json]:
    """The pods of the operator and of the namespace's servers, as discovery would find them."""
    operators = Kubectl("trimtab-system").get("pods", "-l", "app.kubernetes.io/name=trimtab-operator")["items"]
    servers = space.kubectl.get("pods", "-l", "app.kubernetes.io/component=serving")["items"]
    running = [pod for pod in (*operators, *servers) if pod["status"].get("podIP")]
    return watchtower.discovered(running)


@contextmanager
def component(name: str, config: Path) -> Iterator[str]:
    """Prometheus or Alertmanager of the local cluster, stopped afterwards; its address."""
    url = install.cluster(name, "--config", str(config)).strip()
    try:
        yield url
    finally:
        install.cluster("stop", name)


@pytest.fixture(scope="module")
def watched(shared_space: Space, months: dict[str, Path]) -> Space:
    """January's model, served by two replicas, with a trigger for drift."""
    space = shared_space
    space.apply(
        dataset("flights", space.put("flights.parquet", months["2013-01"]), features={"exclude": ["tailnum"]}),
        model(
            "late",
            space.bucket.place(f"{space.unique}/models"),
            retraining={
                "triggers": [{"name": "drift", "type": "Drift", "drift": {"severity": "Minor"}}],
                "cooldown": "0s",
            },
        ),
        deployment("late", modelRef={"name": "late"}, replicas=2, monitoring={"window": "10s"}),
    )
    eventually(lambda: space.serves("late"), within=240)
    return space


@pytest.fixture(scope="module")
def tower(watched: Space, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watchtower]:
    """The cluster's Prometheus and Alertmanager with all shipped rules, and a webhook behind them."""
    folder = tmp_path_factory.mktemp("watchtower")
    with (
        watchtower.listening() as webhook,
        component("alertmanager", watchtower.routing(folder, webhook.url)) as hub,
        component("prometheus", watchtower.configuration(folder, targets(watched), hub.removeprefix("http://"))) as url,
    ):
        yield Watchtower(url, hub, webhook)


def test_the_documented_relabelling_finds_operators_and_servers_and_no_other_port(
    tower: Watchtower, watched: Space
) -> None:
    eventually(lambda: len(tower.query("up == 1")) == 4, within=60)
    assert {one["metric"]["job"] for one in tower.query("up")} == {"trimtab-operator", "trimtab-servers"}
    told = tower.query("trimtab_server_model_info")
    assert {(one["metric"]["namespace"], one["metric"]["deployment"]) for one in told} == {(watched.name, "late")}
    for name, labels in exported().items():
        for one in tower.query(name):
            assert set(one["metric"]) - {"__name__"} <= labels, name


def test_drift_arrives_and_the_end_of_the_leader_is_no_news(
    tower: Watchtower, watched: Space, months: dict[str, Path], tmp_path: Path
) -> None:
    late = {"namespace": watched.name, "deployment": "late", "version": "1"}
    with Traffic(watched, rows(months["2013-06"], 4000, 2)):
        eventually(lambda: bool(tower.webhook.heard("TrimtabModelDrift", **late)), within=180)
        (message,) = tower.webhook.heard("TrimtabModelDrift", **late)
        assert message.labels == {"alertname": "TrimtabModelDrift", "severity": "warning", **late}
        assert watched.name in message.annotations["summary"]
        eventually(
            lambda: bool(tower.webhook.heard("TrimtabRetrainingHeld", namespace=watched.name, model="late")), within=120
        )
        (exporter,) = _exporters(tower, watched)
        assert exporter == leader(), "one of the two replicas exports verdicts: the one that leads"
        Kubectl("trimtab-system").do("delete", f"pod/{exporter}", "--grace-period=0", "--force")
        eventually(lambda: bool(_exporters(tower, watched) - {exporter}), within=120)
        _still_fires(tower)
    assert len(tower.webhook.heard("TrimtabModelDrift", **late)) == 1
    assert tower.webhook.heard("TrimtabModelDrift", "resolved", **late) == []


def _exporters(tower: Watchtower, space: Space) -> set[str]:
    """Pods of the operator that say whether the deployment drifts."""
    return {one["metric"]["pod"] for one in tower.query(f'trimtab_drifting{{namespace="{space.name}"}}')}


def _still_fires(tower: Watchtower) -> None:
    """Some evaluations later, so that an end would have been sent."""
    since = time.time()
    fires = 'timestamp(ALERTS{alertname="TrimtabModelDrift", alertstate="firing"})'
    eventually(lambda: (tower.value(fires) or 0) > since + 5, within=30)


def test_prometheus_evaluates_every_rule_on_real_series_without_an_error(tower: Watchtower) -> None:
    eventually(lambda: all(rule["health"] == "ok" for rule in tower.rules()), within=60)
    assert len(tower.rules()) == len(rules())
    assert json.dumps([rule["lastError"] for rule in tower.rules() if rule.get("lastError")]) == "[]"


def test_a_deployment_that_goes_takes_all_its_series_along(tower: Watchtower, watched: Space) -> None:
    watched.kubectl.do("delete", "mdep/late", "--timeout=60s")
    ours = f'job="trimtab-operator", namespace="{watched.name}"'
    eventually(lambda: tower.query(f'{{{ours}, deployment="late"}}') == [], within=60)
    eventually(lambda: tower.query(f'trimtab_condition{{{ours}, kind="ModelDeployment"}}') == [], within=60)
    assert tower.query(f'trimtab_condition{{{ours}, kind="Model", name="late"}}'), "the Model is still there"
