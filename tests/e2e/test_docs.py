"""What a reader types in: every sample, every YAML of the documentation, the overlays. The API server takes them as they are."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.cluster.kubectl import ROOT, Kubectl
from tests.e2e.shop import Json, Space
from tests.unit.docs.pages import Block, blocks, foreign

SAMPLES = sorted((ROOT / "manifests" / "samples").glob("*.yaml"))
OVERLAYS = [block for block in blocks("yaml") if "kind: Kustomization" in block.text]
OBJECTS = [block for block in blocks("yaml") if block not in OVERLAYS and not foreign(block)]
STRICT = ("--dry-run=server", "--validate=strict", "-f")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_accepted(sample: Path, space: Space) -> None:
    space.kubectl.do("apply", *STRICT, str(sample))


@pytest.mark.parametrize("block", OBJECTS, ids=lambda block: block.where)
def test_yaml_of_the_documentation_is_accepted(block: Block, space: Space) -> None:
    space.kubectl.do("create", *STRICT, "-", given=block.text)


def test_a_sample_with_a_fault_is_refused(space: Space) -> None:
    text = (ROOT / "manifests" / "samples" / "flights.yaml").read_text().replace("targetColumn", "targetcolumn")
    assert 'unknown field "spec.targetcolumn"' in space.kubectl.refusal("apply", *STRICT, "-", given=text)


def built(block: Block, folder: Path) -> list[Json]:
    """An overlay of the documentation, built beside a copy of the checkout as a reader has them."""
    for part in ("manifests", "crds"):
        shutil.copytree(ROOT / part, folder / "trimtab" / part)
    (folder / "my-cluster").mkdir()
    (folder / "my-cluster" / "kustomization.yaml").write_text(block.text)
    return list(yaml.safe_load_all(Kubectl().do("kustomize", str(folder / "my-cluster"))))


@pytest.mark.parametrize("block", OVERLAYS, ids=lambda block: block.where)
def test_an_overlay_builds_the_whole_installation(block: Block, tmp_path: Path) -> None:
    kinds = [obj["kind"] for obj in built(block, tmp_path)]
    assert kinds.count("CustomResourceDefinition") == 5
    assert kinds.count("Deployment") == 1


def test_the_overlay_of_the_readme_names_all_three_images(tmp_path: Path) -> None:
    objects = built(OVERLAYS[0], tmp_path)
    container = next(obj for obj in objects if obj["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example.com/trimtab-operator:0.1.0"
    env = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert env["TRIMTAB_SERVER_IMAGE"] == "registry.example.com/trimtab-server:0.1.0"
    assert env["TRIMTAB_TRAINER_IMAGE"] == "registry.example.com/trimtab-trainer:0.1.0"
    assert "TRIMTAB_IDENTITY" in env


def test_the_overlay_with_monitors_labels_what_prometheus_selects(tmp_path: Path) -> None:
    objects = [obj for obj in built(OVERLAYS[1], tmp_path) if obj["apiVersion"].startswith("monitoring.coreos.com/")]
    assert sorted(obj["kind"] for obj in objects) == ["PodMonitor", "PrometheusRule", "ServiceMonitor"]
    assert {obj["metadata"]["labels"].get("release") for obj in objects} == {"prometheus"}


def test_the_alerts_become_a_config_map(space: Space) -> None:
    alerts = str(ROOT / "manifests" / "alerts")
    shown = json.loads(Kubectl("trimtab-system").do("create", "--dry-run=server", "-k", alerts, "-o", "json"))
    assert yaml.safe_load(shown["data"]["rules.yaml"])["groups"]


def test_the_dashboards_become_config_maps_with_the_label_of_grafanas_sidecar(space: Space) -> None:
    folder = str(ROOT / "manifests" / "dashboards")
    Kubectl("trimtab-system").do("create", "--dry-run=server", "-k", folder)
    found = list(yaml.safe_load_all(Kubectl().do("kustomize", folder)))
    assert {item["metadata"]["labels"]["grafana_dashboard"] for item in found} == {"1"}
    names = [name for item in found for name in item["data"]]
    assert sorted(names) == ["trimtab-deployment.json", "trimtab-fleet.json", "trimtab-operator.json"]
    assert all(json.loads(text)["panels"] for item in found for text in item["data"].values())


def test_argo_cds_config_map_takes_the_health_of_the_kinds(space: Space) -> None:
    space.kubectl.do("create", "configmap", "argocd-cm", "--from-literal=url=https://argocd.example.com")
    space.kubectl.do("patch", "configmap", "argocd-cm", "--patch-file", str(ROOT / "manifests" / "argocd" / "argocd-cm.yaml"))
    data = space.kubectl.get("configmap/argocd-cm")["data"]
    assert len([name for name in data if name.startswith("resource.customizations.health.trimtab.dev_")]) == 5
    assert data["url"] == "https://argocd.example.com"


def test_the_commands_that_list_what_a_store_must_keep_work(space: Space) -> None:
    wanted = ("--all-namespaces", "-o", "custom-columns=URI:.spec.artifact.uri", "--no-headers")
    version = list(yaml.safe_load_all((ROOT / "manifests" / "samples" / "bring-your-own.yaml").read_text()))[1]
    space.apply(version)
    assert version["spec"]["artifact"]["uri"] in space.kubectl.do("get", "modelversions", *wanted)
    space.kubectl.do("get", "modeldeployments", *wanted)
