"""The alerts: Prometheus' own tool checks and tests them; each has its runbook; the copy for the Prometheus operator is one."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from manifests.alerts import __main__ as rules_of_the_operator
from tests.unit.alerts import expressions
from tests.unit.docs.pages import ROOT, anchors, blocks
from trimtab.api import generated
from trimtab.plan import serving

ALERTS = ROOT / "manifests" / "alerts"
MONITORS = ROOT / "manifests" / "components" / "prometheus-operator"
RUNBOOK = ROOT / "docs" / "alerts.md"
TESTS = sorted(ALERTS.glob("*.test.yaml"))

Json = Any


def promtool(*arguments: str, folder: Path = ALERTS, given: str | None = None) -> str:
    """What promtool says of files in a folder, or of its input; a fault is a failed assertion with its words."""
    program = shutil.which("promtool")
    assert program is not None, "promtool is not on the PATH: python3 -m cluster tools brings it"
    done = subprocess.run([program, *arguments], cwd=folder, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def groups(path: Path = ALERTS / "rules.yaml") -> list[Json]:
    loaded = yaml.safe_load(path.read_text())
    found: list[Json] = loaded.get("spec", loaded)["groups"]
    return found


def rules() -> list[Json]:
    """Alerts and records."""
    return [rule for group in groups() for rule in group["rules"]]


def alerts() -> list[Json]:
    return [rule for rule in rules() if "alert" in rule]


def recorded() -> dict[str, frozenset[str]]:
    """Labels of what is recorded: by convention its name begins with them."""
    names = [rule["record"] for rule in rules() if "record" in rule]
    return {name: frozenset(name.split(":")[0].split("_")) for name in names}


def cases(path: Path) -> list[Json]:
    return [case for test in yaml.safe_load(path.read_text())["tests"] for case in test["alert_rule_test"]]


every_alert = pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
every_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])


def test_prometheus_takes_the_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "rules.yaml")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_alerts_fire_and_are_silent_when_they_should(path: Path) -> None:
    promtool("test", "rules", path.name)


def test_a_wrong_expectation_is_noticed(tmp_path: Path) -> None:
    for path in ALERTS.glob("*.yaml"):
        (tmp_path / path.name).write_text(
            path.read_text().replace("(trimtab_drifting[3m])) == 1", "(trimtab_drifting[3m])) == 2")
        )
    with pytest.raises(AssertionError, match="TrimtabModelDrift"):
        promtool("test", "rules", "drift.test.yaml", folder=tmp_path)


@every_rule
def test_a_rule_is_over_series_labels_and_words_that_exist(rule: Json) -> None:
    assert expressions.faults(rule["expr"], recorded()) == []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_alerts_are_tried_on_series_as_they_are_scraped_and_name_their_object_only(path: Path) -> None:
    """Not the pod that told: else the same trouble would be another alert, and another message, whenever another leads."""
    for test in yaml.safe_load(path.read_text())["tests"]:
        for given in test["input_series"]:
            assert expressions.faults(given["series"]) == [] or 'job="other"' in given["series"]
            (selector,) = expressions.read(given["series"]).selectors
            assert {matcher.label for matcher in selector.matchers} >= {"job", "instance", "pod"}
        for case in test["alert_rule_test"]:
            for expected in case["exp_alerts"]:
                assert not {"job", "instance", "pod"} & set(expected["exp_labels"])


@every_alert
def test_an_alert_is_seen_firing_and_silent(rule: Json) -> None:
    expected = [case["exp_alerts"] for path in TESTS for case in cases(path) if case["alertname"] == rule["alert"]]
    assert {bool(found) for found in expected} == {True, False}


@every_alert
def test_an_alert_says_what_it_is_how_bad_and_what_to_do(rule: Json) -> None:
    assert re.fullmatch(r"Trimtab([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, section = rule["annotations"]["runbook_url"].partition("#")
    assert ROOT / page == RUNBOOK
    assert section == rule["alert"].lower()
    assert section in anchors(RUNBOOK)
    assert "for" in rule


def test_a_runbook_has_no_section_for_an_alert_that_is_gone() -> None:
    assert {title for title in anchors(RUNBOOK) if title.startswith("trimtab")} == {
        rule["alert"].lower() for rule in alerts()
    }


FAULTS = {
    "trimtab_drifted == 1": "nobody exports trimtab_drifted",
    'trimtab_drifting{feature="temp"}': "trimtab_drifting has no label feature",
    "sum by (region) (trimtab_drifting)": "no series has a label region",
    'trimtab_condition{type="Availabel"}': "type never says Availabel",
    'trimtab_retrain_suppressed{reason=~"DataUnchanged|DataUnchange"}': "reason never says DataUnchanged|DataUnchange",
    "time() > 5": "it names no series",
}


@pytest.mark.parametrize("expression", FAULTS)
def test_a_name_that_does_not_exist_is_found(expression: str) -> None:
    assert expressions.faults(expression) == [FAULTS[expression]]


def test_the_prometheus_operator_gets_the_same_rules() -> None:
    assert groups(MONITORS / "rules.yaml") == groups()
    assert generated.stale(MONITORS, rules_of_the_operator.files(), "rules.yaml") == []


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
