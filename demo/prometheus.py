"""A real Prometheus beside the demo's own cluster: it scrapes the operator and evaluates manifests/alerts."""

import json
import urllib.error
import urllib.request
from typing import Any

import yaml

from demo import install, screen
from demo.objects import FOLDER
from demo.surroundings import Surroundings, wait

URL = "http://127.0.0.1:9090"
RULES = install.ROOT / "manifests" / "alerts" / "rules.yaml"


def start(where: Surroundings) -> None:
    """Starts it; on the user's own cluster there is one already, or none."""
    if not where.local:
        screen.say("Prometheus: on your own cluster, manifests/components/prometheus-operator brings rules and scraping.")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "operator.json").write_text(json.dumps([{"targets": [f"{address}:8080" for address in where.operators()]}]))
    path = FOLDER / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config(), sort_keys=False))
    install.cluster("prometheus", "--config", str(path))
    screen.good(f"Prometheus scrapes the operator: {URL}")


def config() -> dict[str, Any]:
    """Scrapes every pod of the operator; `honor_labels`, since the series name the object they speak of.

    Debian builds Prometheus without discovery in Kubernetes, so the pods stand in a file.
    """
    return {
        "global": {"scrape_interval": "2s", "evaluation_interval": "2s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": "trimtab-operator",
                "honor_labels": True,
                "file_sd_configs": [{"files": [str(FOLDER / "operator.json")]}],
            }
        ],
    }


def alerts() -> list[dict[str, Any]]:
    """Alerts that fire now."""
    try:
        with urllib.request.urlopen(f"{URL}/api/v1/alerts", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["alerts"]
    except urllib.error.URLError:
        return []
    return [alert for alert in found if alert["state"] == "firing"]


def alert(where: Surroundings) -> None:
    """Shows the alert that drift leads to."""
    if not where.local:
        return
    screen.step("The alert fires in Prometheus")
    firing = wait(lambda: [found for found in alerts() if _speaks_of_drift(found["labels"])], 60, "the alert fires")
    screen.good(f"{firing[0]['labels']['alertname']}: {firing[0]['annotations'].get('summary', '')}")
    screen.try_it(f"curl -s {URL}/api/v1/alerts")


def _speaks_of_drift(labels: dict[str, str]) -> bool:
    return "Drift" in labels["alertname"] and "deployment" in labels


def addresses(where: Surroundings) -> list[str]:
    return [f"prometheus: {URL}/alerts", f"            {URL}/graph?g0.expr=trimtab_feature_drift_psi"] if where.local else []
