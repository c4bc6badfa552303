"""What somebody who is called at night gets: from the pages of operator and servers, through a real Prometheus with all
shipped rules and a real Alertmanager, to a webhook. And what the dashboards show of the same.
"""

import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from tests import make
from tests.cluster.kubectl import eventually
from tests.process.alerts import replicas, watchtower
from tests.process.alerts.replicas import Replica, State
from tests.process.alerts.watchtower import Watchtower
from tests.process.serving import server as serving
from tests.unit.alerts.series import exported
from tests.unit.alerts.test_alerts import promtool, rules
from tests.unit.alerts.test_dashboards import PATHS, panels
from tests.unit.controller.test_series import FAULTY, SCORE, SHIFTS, watch
from tests.unit.serving import make as requests
from trimtab.controller import metrics
from trimtab.drift.quality import Quality
from trimtab.drift.verdicts import Verdict
from trimtab.plan.intent import Object

OUTPUTS = replace(SCORE, name="predictions", verdict="InDistribution", severity=None, psi=0.01)
DRIFTING = Verdict("Drifting", "FeatureDrift", "Major", 24, 900, 0, SHIFTS, OUTPUTS, SCORE, "", ())
CALM = replace(
    DRIFTING,
    verdict="InDistribution",
    reason="NoDrift",
    severity=None,
    features=tuple(replace(shift, verdict="InDistribution", severity=None) for shift in SHIFTS),
    score=OUTPUTS,
)
SOUND = Quality("Sound", (), "", FAULTY.shares)


def deployment(number: int) -> Object:
    """The deployment while it serves this version."""
    found = make.deployment(
        status={
            "versions": [make.served(make.version(number))],
            "conditions": [make.condition("Ready", "True", "Serving"), make.condition("Available", "True")],
        }
    )
    found["metadata"]["namespace"] = "shop"
    return found


def model(**status: object) -> Object:
    suppressed = {"reason": "DataUnchanged", "since": make.ago(60)}
    last = {"type": "Drift", "time": make.ago(600), "trainingJob": "late-1"}
    found = make.model(
        status={
            "champion": {"name": "late-7", "version": 7},
            "lastTrigger": last,
            "suppressed": suppressed,
            "conditions": [
                make.condition("Ready", "True", "Promoted"),
                make.condition("Trained", "False", "RunFailed"),
            ],
            **status,
        }
    )
    found["metadata"]["namespace"] = "shop"
    return found


def drifting(state: State) -> None:
    """Version 7 of shop/late drifts, is asked with bad data, and its Model is stuck."""
    now = watch(DRIFTING, FAULTY)
    now.judged_at = make.NOW
    state.serving = [(deployment(7), now)]
    state.statuses.note(deployment(7))
    state.statuses.note(model())


def busy() -> None:
    """What any operator has counted after a while."""
    metrics.BUILD.labels("0.1.0").set(1)
    metrics.request("GET", "200", 0.01)
    metrics.RECONCILES.labels("Model", "success").inc()
    metrics.RECONCILE_SECONDS.labels("Model").observe(0.02)
    metrics.QUEUE_DEPTH.labels("objects").set(2)
    metrics.QUEUE_RETRIES.labels("objects").inc()
    metrics.WATCH_EVENTS.labels("Model").inc()
    metrics.CACHE_OBJECTS.labels("Model").set(3)
    metrics.CACHE_REPAIRS.labels("Model").inc()
    metrics.EVALUATION_SECONDS.observe(0.003)


@contextmanager
def asked(server: serving.Server) -> Iterator[None]:
    """Requests, good and bad, until the end of the block."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            server.infer(requests.request(3))
            server.infer({})
            busy()
            stop.wait(0.2)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def state() -> State:
    return State()


@pytest.fixture(scope="module")
def pair(state: State) -> Iterator[list[Replica]]:
    """Two replicas of the operator, of which the first leads."""
    busy()
    drifting(state)
    with replicas.running(state, 2) as both:
        both[0].lead(True)
        yield both


@pytest.fixture(scope="module")
def tower(pair: list[Replica], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watchtower]:
    """Prometheus over both replicas and a real model server that is asked all the time."""
    folder = tmp_path_factory.mktemp("watchtower")
    with serving.running(serving.artifact(tmp_path_factory.mktemp("served"))) as server, asked(server):
        targets = [
            watchtower.operator(pair[0].address, "operator-a"),
            watchtower.operator(pair[1].address, "operator-b"),
            watchtower.server(f"127.0.0.1:{server.port}", "shop", "late-v7-a", "late"),
        ]
        with watchtower.watching(folder, targets) as found:
            yield found


LATE = {"namespace": "shop", "deployment": "late", "version": "7"}


def test_drift_arrives_and_says_what_to_do(tower: Watchtower) -> None:
    eventually(lambda: bool(tower.webhook.heard("TrimtabModelDrift")), within=60)
    (message,) = tower.webhook.heard("TrimtabModelDrift")
    assert message.labels == {"alertname": "TrimtabModelDrift", "severity": "warning", **LATE}
    assert message.annotations["summary"] == "Requests to shop/late no longer resemble what version 7 was trained on"
    assert message.annotations["runbook_url"] == "docs/alerts.md#trimtabmodeldrift"


def test_what_else_is_wrong_arrives_too_and_what_that_explains_does_not(tower: Watchtower) -> None:
    for name, labels in (
        ("TrimtabDataQuality", LATE),
        ("TrimtabTrainingFailed", {"namespace": "shop", "model": "late"}),
        ("TrimtabRetrainingHeld", {"namespace": "shop", "model": "late", "reason": "DataUnchanged"}),
    ):
        eventually(lambda name=name, labels=labels: bool(tower.webhook.heard(name, **labels)), within=60)  # type: ignore[misc]
    known = {alert["labels"]["alertname"]: alert["status"]["inhibitedBy"] for alert in tower.alerts()}
    for name in ("TrimtabFeatureDrift", "TrimtabPredictionDrift", "TrimtabFeatureQuality"):
        assert known[name], f"{name} is explained by another"


def test_prometheus_evaluates_every_rule_without_an_error(tower: Watchtower) -> None:
    eventually(lambda: all(rule["health"] == "ok" for rule in tower.rules()), within=60)
    assert len(tower.rules()) == len(rules())
    assert [rule.get("lastError") for rule in tower.rules() if rule.get("lastError")] == []


def test_series_carry_the_namespace_of_their_object_and_the_labels_that_the_rules_count_on(tower: Watchtower) -> None:
    (found,) = tower.query("trimtab_drifting")
    assert {name: found["metric"][name] for name in LATE} == LATE
    assert (found["metric"]["pod"], found["metric"]["job"]) == ("operator-a", "trimtab-operator")
    assert tower.query('{exported_namespace!=""}') == []
    assert {one["metric"]["namespace"] for one in tower.query("leader_election_master_status")} == {"trimtab-system"}
    for name, expected in exported().items():
        for one in tower.query(name):
            assert set(one["metric"]) - {"__name__"} <= expected, name


def test_requests_are_recorded_by_the_version_that_the_server_tells(tower: Watchtower) -> None:
    record = "namespace_deployment_version:trimtab_server_requests:rate5m"
    eventually(lambda: (tower.value(f"{record} > 0") or 0) > 0, within=60)
    (found,) = tower.query(record)
    assert {name: found["metric"][name] for name in LATE} == LATE
    assert set(found["metric"]) == {"__name__", *LATE}


NOT_NOW = {"No verdict because"}
"""Panels that have nothing to show while there is a verdict."""


def empty(tower: Watchtower, path: Path) -> list[str]:
    """Panels of a dashboard without a single line, with the expression that gives none."""
    chosen = {"$__rate_interval": "10s", "$namespace": "shop", "$deployment": "late"}
    found = []
    for panel in panels(path):
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in chosen.items():
                expression = expression.replace(name, value)
            if panel["title"] not in NOT_NOW and not tower.query(expression):
                found.append(f"{panel['title']}: {expression}")
    return found


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_panel_of_a_dashboard_shows_something(tower: Watchtower, path: Path) -> None:
    with contextlib.suppress(AssertionError):  # the list below says more than that it took too long
        eventually(lambda: not empty(tower, path), within=60)
    assert empty(tower, path) == []


def test_what_the_pages_say_is_in_good_form(pair: list[Replica]) -> None:
    for replica in pair:
        promtool("check", "metrics", given=generate_latest(replica.registry).decode())


def test_one_replica_at_a_time_exports_verdicts(pair: list[Replica]) -> None:
    leading, standing_by = (generate_latest(replica.registry).decode() for replica in pair)
    assert "trimtab_drifting{" in leading
    assert "trimtab_condition{" in leading
    assert 'namespace="shop"' not in standing_by
    assert 'leader_election_master_status{name="trimtab-operator"} 0.0' in standing_by


def test_alertmanager_takes_the_inhibitions_that_the_documentation_shows(tmp_path: Path) -> None:
    amtool = shutil.which("amtool")
    assert amtool is not None, "there is no amtool: python3 -m cluster tools brings it"
    path = watchtower.routing(tmp_path, "http://127.0.0.1:9/")
    done = subprocess.run([amtool, "check-config", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 inhibit rules" in done.stdout


# What follows changes the state, in this order.


def test_another_leader_is_no_other_alert(tower: Watchtower, pair: list[Replica]) -> None:
    before = len(tower.webhook.messages)
    pair[1].lead(True)  # for a moment Prometheus holds the series of both
    eventually(lambda: tower.value("count(trimtab_drifting)") == 2, within=30)
    pair[0].lead(False)
    eventually(lambda: [one["metric"]["pod"] for one in tower.query("trimtab_drifting")] == ["operator-b"], within=30)
    since = time.time()
    fires = 'timestamp(ALERTS{alertname="TrimtabModelDrift", alertstate="firing"})'
    eventually(lambda: (tower.value(fires) or 0) > since + 3, within=30)
    assert [message for message in tower.webhook.messages[before:] if message.labels.get("namespace") == "shop"] == []


def test_a_new_version_that_is_well_ends_the_alert_and_leaves_no_series_of_the_old_one(
    tower: Watchtower, state: State
) -> None:
    state.serving = [(deployment(8), watch(CALM, SOUND, number=8))]
    state.statuses.note(deployment(8))
    eventually(lambda: bool(tower.webhook.heard("TrimtabModelDrift", "resolved", version="7")), within=60)
    assert tower.webhook.heard("TrimtabModelDrift", version="8") == []
    assert tower.query('{job="trimtab-operator", version="7"}') == []
    assert tower.value('trimtab_drifting{version="8"}') == 0


def test_a_deployment_and_a_model_that_go_take_all_their_series_along(tower: Watchtower, state: State) -> None:
    state.serving = []
    state.statuses.forget(("ModelDeployment", "shop", "late"))
    state.statuses.forget(("Model", "shop", "late"))
    eventually(lambda: tower.query('{job="trimtab-operator", namespace="shop"}') == [], within=30)
    eventually(lambda: bool(tower.webhook.heard("TrimtabTrainingFailed", "resolved")), within=60)


def test_without_a_leader_there_are_no_verdicts(tower: Watchtower, pair: list[Replica], state: State) -> None:
    drifting(state)
    eventually(lambda: tower.value("count(trimtab_drifting)") == 1, within=30)
    pair[1].lead(False)
    eventually(lambda: tower.query('{namespace="shop", job="trimtab-operator"}') == [], within=30)
    eventually(lambda: bool(tower.query('ALERTS{alertname="TrimtabOperatorDown", alertstate="pending"}')), within=30)
