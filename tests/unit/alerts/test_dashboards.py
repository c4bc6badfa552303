"""The dashboards: fresh, whole, and over series, labels and words that exist. tests/process/alerts shows them real data."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from manifests.dashboards.__main__ import files
from tests.unit.alerts import expressions
from tests.unit.alerts.series import exported
from tests.unit.alerts.test_alerts import promtool, rules
from tests.unit.docs.pages import ROOT
from trimtab.api import generated

FOLDER = ROOT / "manifests" / "dashboards"
PATHS = sorted(FOLDER.glob("*.json"))
CHOICE = {"$__rate_interval": "5m", "$namespace": "shop", "$deployment": "late"}
"""What Grafana puts in place of its variables."""

Json = Any
every_dashboard = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)


def loaded(path: Path) -> Json:
    return json.loads(path.read_text())


def chosen(expression: str) -> str:
    """An expression as Grafana asks it."""
    for name, value in CHOICE.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, "a variable that nobody sets"
    return expression


def panels(path: Path) -> list[Json]:
    return [panel for panel in loaded(path)["panels"] if panel["type"] != "row"]


def asked(path: Path) -> Iterator[tuple[str, str]]:
    """Every expression of a dashboard, with the title of its panel."""
    for panel in panels(path):
        yield from ((panel["title"], chosen(target["expr"])) for target in panel["targets"])


def test_the_dashboards_are_as_their_source_says() -> None:
    assert len(PATHS) == 3
    assert generated.stale(FOLDER, files(), "*.json") == []


@every_dashboard
def test_prometheus_takes_every_expression(path: Path, tmp_path: Path) -> None:
    records = [{"record": f"panel:{number}", "expr": expr} for number, (_, expr) in enumerate(asked(path))]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    assert f"{len(records)} rules found" in promtool("check", "rules", "rules.yaml", folder=tmp_path)


@every_dashboard
def test_a_panel_is_over_series_labels_and_words_that_exist(path: Path) -> None:
    for title, expression in asked(path):
        assert expressions.faults(expression) == [], title


@every_dashboard
def test_a_legend_names_labels_that_its_lines_have(path: Path) -> None:
    for panel in panels(path):
        for target in panel["targets"]:
            spoken = expressions.read(chosen(target["expr"]))
            labels = spoken.grouped.union(*(exported()[selector.series] for selector in spoken.selectors))
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels, panel["title"]


@every_dashboard
def test_what_can_be_chosen_exists_and_comes_from_the_data_source_that_was_chosen(path: Path) -> None:
    first, *others = loaded(path)["templating"]["list"]
    assert (first["name"], first["type"], first["query"]) == ("datasource", "datasource", "prometheus")
    source = {"type": "prometheus", "uid": "${datasource}"}
    for variable in others:
        assert variable["datasource"] == source
        (query,) = re.findall(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert expressions.faults(chosen(query[0])) == []
        (selector,) = expressions.read(query[0]).selectors
        assert query[1] in exported()[selector.series]
    assert all(panel["datasource"] == source for panel in panels(path))


@every_dashboard
def test_panels_lie_beside_and_below_each_other(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in loaded(path)["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    ids = [panel["id"] for panel in loaded(path)["panels"]]
    assert len(ids) == len(set(ids))


def test_dashboards_have_an_address_and_a_name_of_their_own() -> None:
    assert [loaded(path)["uid"] for path in PATHS] == [path.stem for path in PATHS]
    assert len({loaded(path)["title"] for path in PATHS}) == len(PATHS)


def test_every_series_is_in_a_rule_or_on_a_dashboard() -> None:
    """What nobody looks at need not be exported."""
    told = [rule["expr"] for rule in rules()] + [expression for path in PATHS for _, expression in asked(path)]
    seen = {selector.series for expression in told for selector in expressions.read(expression).selectors}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in seen}
    assert {name for name in exported() if re.sub(r"_(bucket|sum|count)$", "", name) not in families} == set()


def test_the_config_maps_have_what_grafanas_sidecar_looks_for() -> None:
    built = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    assert [name for entry in built["configMapGenerator"] for name in entry["files"]] == [
        "trimtab-fleet.json",
        "trimtab-deployment.json",
        "trimtab-operator.json",
    ]
    assert built["generatorOptions"]["labels"]["grafana_dashboard"] == "1"
    assert sum(len(path.read_bytes()) for path in PATHS) < 3 * 262_144, (
        "kubectl apply writes the whole into an annotation"
    )
