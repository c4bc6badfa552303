"""Every YAML block of the documentation and every sample is what it says it is: valid by the schemas that the API server has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.docs.pages import ROOT, blocks, foreign
from tests.unit.plan import schema
from trimtab.api.kinds import KINDS
from trimtab.api.meta import API_VERSION

SAMPLES = sorted((ROOT / "manifests" / "samples").glob("*.yaml"))
KUSTOMIZE = {"resources", "components", "images", "patches", "namespace"}
README_BLOCK = 0

Json = Any


def documents(text: str) -> list[Json]:
    return [document for document in yaml.safe_load_all(text) if document is not None]


def faults(obj: Json) -> Iterator[str]:
    """What the API server would say of an object of ours, or of Kubernetes' own by its frame."""
    if obj.get("apiVersion") != API_VERSION:
        yield from (f"{member} is missing" for member in ("apiVersion", "kind", "metadata") if member not in obj)
        return
    row = next((row for row in KINDS if row.kind == obj.get("kind")), None)
    if row is None:
        yield f"there is no kind {obj.get('kind')!r}"
        return
    yield from (f"{member} does not belong here" for member in set(obj) - {"apiVersion", "kind", "metadata", "spec"})
    yield from schema.faults(obj["spec"], schema.of(row.kind, "spec"), "spec")
    row.resource.model_validate(obj)


def kustomization_faults(obj: Json) -> Iterator[str]:
    yield from (f"{member} is no member of a kustomization" for member in set(obj) - KUSTOMIZE - {"apiVersion", "kind"})


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_valid(path: Path) -> None:
    objects = documents(path.read_text())
    assert objects
    for obj in objects:
        assert list(faults(obj)) == []


@pytest.mark.parametrize("block", [block for block in blocks("yaml") if not foreign(block)], ids=lambda block: block.where)
def test_a_block_is_valid(block: Any) -> None:
    for obj in documents(block.text):
        check = kustomization_faults if obj.get("kind") == "Kustomization" else faults
        assert list(check(obj)) == []


def test_a_fault_is_found() -> None:
    good = documents((ROOT / "manifests" / "samples" / "flights.yaml").read_text())[0]
    assert list(faults({**good, "spec": {**good["spec"], "targetcolumn": "late"}})) == ["spec.targetcolumn would be pruned"]
    assert list(faults({**good, "kind": "DataSet"})) == ["there is no kind 'DataSet'"]


def test_the_readme_shows_the_flights_sample_word_for_word() -> None:
    first = blocks("yaml")[README_BLOCK]
    assert first.page == ROOT / "README.md"
    sample = (ROOT / "manifests" / "samples" / "flights.yaml").read_text()
    assert sample.split("\n", 1)[1] == first.text


def test_the_contract_shows_the_container_sample_word_for_word() -> None:
    sample = (ROOT / "manifests" / "samples" / "container.yaml").read_text()
    assert sample.split("\n", 1)[1] in [block.text for block in blocks("yaml") if block.page.name == "training-contract.md"]


def test_every_sample_is_linked() -> None:
    linked = "".join(page.read_text() for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *SAMPLES])
    assert [path.name for path in SAMPLES if path.name not in linked] == []
