"""Argo CD's health script: one for all kinds, and none for a kind that does not exist."""

from typing import Any

import yaml

from tests.unit.docs.pages import ROOT
from trimtab.api.kinds import KINDS
from trimtab.api.meta import GROUP

PATCH = ROOT / "manifests" / "argocd" / "argocd-cm.yaml"


def scripts() -> dict[str, str]:
    data: dict[str, str] = yaml.safe_load(PATCH.read_text())["data"]
    return data


def test_every_kind_has_the_script_and_nothing_else_has() -> None:
    assert set(scripts()) == {f"resource.customizations.health.{GROUP}_{row.kind}" for row in KINDS}
    assert len(set(scripts().values())) == 1


def test_the_patch_is_of_argo_cds_own_config_map() -> None:
    found: Any = yaml.safe_load(PATCH.read_text())
    assert (found["apiVersion"], found["kind"], found["metadata"]) == ("v1", "ConfigMap", {"name": "argocd-cm"})
