"""The alerts: Prometheus' own tool checks and tests them; each has its runbook; the copy for the Prometheus operator is one."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster import debian
from tests.unit.docs.pages import ROOT, anchors, blocks
from trimtab.plan import serving

ALERTS = ROOT / "manifests" / "alerts"
MONITORS = ROOT / "manifests" / "components" / "prometheus-operator"
RUNBOOK = ROOT / "docs" / "alerts.md"

Json = Any


def promtool(*arguments: str, folder: Path = ALERTS) -> str:
    """What promtool says of files in a folder; a fault is a failed assertion with its words."""
    debian.ensure(debian.PROMETHEUS)  # installed by the first test of a new machine that needs it
    done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def groups(path: Path = ALERTS / "rules.yaml") -> list[Json]:
    loaded = yaml.safe_load(path.read_text())
    found: list[Json] = loaded.get("spec", loaded)["groups"]
    return found


def rules() -> list[Json]:
    return [rule for group in groups() for rule in group["rules"]]


every_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])


def test_prometheus_takes_the_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "rules.yaml")


def test_alerts_fire_and_are_silent_when_they_should() -> None:
    promtool("test", "rules", "rules.test.yaml")


def test_a_wrong_expectation_is_noticed(tmp_path: Path) -> None:
    for path in ALERTS.glob("rules*.yaml"):
        (tmp_path / path.name).write_text(path.read_text().replace("trimtab_drifting == 1", "trimtab_drifting == 2"))
    with pytest.raises(AssertionError, match="TrimtabModelDrift"):
        promtool("test", "rules", "rules.test.yaml", folder=tmp_path)


@every_rule
def test_an_alert_is_seen_firing_and_silent(rule: Json) -> None:
    cases = [
        case["exp_alerts"]
        for test in yaml.safe_load((ALERTS / "rules.test.yaml").read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == rule["alert"]
    ]
    assert {bool(expected) for expected in cases} == {True, False}


@every_rule
def test_an_alert_says_what_it_is_how_bad_and_what_to_do(rule: Json) -> None:
    assert re.fullmatch(r"Trimtab([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    page, _, section = rule["annotations"]["runbook"].partition("#")
    assert ROOT / page == RUNBOOK
    assert section == rule["alert"].lower()
    assert section in anchors(RUNBOOK)
    assert "for" in rule


def test_a_runbook_has_no_section_for_an_alert_that_is_gone() -> None:
    assert {title for title in anchors(RUNBOOK) if title.startswith("trimtab")} == {
        rule["alert"].lower() for rule in rules()
    }


def test_the_prometheus_operator_gets_the_same_rules() -> None:
    assert groups(MONITORS / "rules.yaml") == groups()


def test_monitors_select_what_trimtab_labels() -> None:
    """By the labels of a serving pod, and of the operator's Service as it is in the manifests."""
    service, pods = yaml.safe_load_all((MONITORS / "monitors.yaml").read_text())
    labels = serving.labels({"metadata": {"name": "late"}})
    assert pods["spec"]["selector"]["matchLabels"].items() <= labels.items()
    there = yaml.safe_load((ROOT / "manifests" / "operator" / "service.yaml").read_text())
    assert service["spec"]["selector"]["matchLabels"].items() <= there["metadata"]["labels"].items()
    assert [end["port"] for end in service["spec"]["endpoints"]] == [port["name"] for port in there["spec"]["ports"]]
    assert all(end["honorLabels"] for end in service["spec"]["endpoints"])


def scraping() -> Json:
    """The scrape configuration that the documentation shows."""
    found = [yaml.safe_load(block.text) for block in blocks("yaml") if "scrape_configs" in block.text]
    assert len(found) == 1
    return found[0]


def test_prometheus_takes_the_scrape_configuration(tmp_path: Path) -> None:
    """But for the discovery of pods, which not every build of Prometheus has."""
    config = scraping()
    for job in config["scrape_configs"]:
        assert job.pop("kubernetes_sd_configs")
        job["static_configs"] = [{"targets": ["127.0.0.1:8080"]}]
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "rules.yaml").write_text((ALERTS / "rules.yaml").read_text())
    promtool("check", "config", "prometheus.yaml", folder=tmp_path)


def test_the_scrape_configuration_keeps_what_trimtab_labels() -> None:
    labels = {"app.kubernetes.io/name": "trimtab-operator", **serving.labels({"metadata": {"name": "late"}})}
    known = {
        f"__meta_kubernetes_pod_label_{re.sub('[^a-zA-Z0-9]', '_', name)}": value for name, value in labels.items()
    }
    for job in scraping()["scrape_configs"]:
        for relabel in job["relabel_configs"]:
            source = relabel["source_labels"][0]
            if "_pod_label_" in source:
                assert re.fullmatch(relabel.get("regex", ".*"), known[source])
