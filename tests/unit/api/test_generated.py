"""Generated files: what is in the tree is what the classes say, and a stale file is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from trimtab.api import crd, generated, reference
from trimtab.api.kinds import KINDS, KindRow

ROOT = Path(__file__).parents[3]


FILES = crd.files()


def run(folder: Path, *arguments: str) -> int:
    return generated.main(crd.MODULE, "*.yaml", lambda: FILES, [str(folder), *arguments])


@pytest.mark.parametrize(
    ("folder", "pattern", "files"), [("crds", "*.yaml", crd.files), ("docs/kinds", "*.fields.md", reference.files)]
)
def test_the_tree_holds_what_the_classes_say(folder: str, pattern: str, files: object) -> None:
    assert callable(files)
    assert generated.stale(ROOT / folder, files(), pattern) == []


def test_generating_twice_gives_the_same_bytes() -> None:
    assert crd.files() == FILES
    assert reference.files() == reference.files()


def test_what_was_written_is_fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "crds") == 0
    assert run(tmp_path / "crds", "--check") == 0
    assert capsys.readouterr().err == ""


def test_a_changed_a_missing_and_a_left_over_file_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path)
    (tmp_path / "trimtab.dev_models.yaml").write_text("changed")
    (tmp_path / "trimtab.dev_datasets.yaml").unlink()
    (tmp_path / "trimtab.dev_rockets.yaml").write_text("left over")
    assert run(tmp_path, "--check") == 1
    named = capsys.readouterr().err
    assert [word for word in ("models", "datasets", "rockets", "modelversions") if f"dev_{word}.yaml" in named] == [
        "models",
        "datasets",
        "rockets",
    ]
    assert (tmp_path / "trimtab.dev_models.yaml").read_text() == "changed"
    run(tmp_path)
    assert run(tmp_path, "--check") == 0
    assert not (tmp_path / "trimtab.dev_rockets.yaml").exists()


def test_a_file_says_who_made_it_and_reads_back(tmp_path: Path) -> None:
    for name, text in FILES.items():
        assert text.startswith("# Generated from operator/trimtab/api by `python -m trimtab.api.crd crds/`")
        assert "&id" not in text, name
    for row in KINDS:
        assert yaml.safe_load(FILES[f"trimtab.dev_{row.plural}.yaml"]) == crd.definition(row)


def test_the_kustomization_lists_every_definition() -> None:
    resources = yaml.safe_load(FILES["kustomization.yaml"])["resources"]
    assert set(resources) == set(FILES) - {"kustomization.yaml"}
    assert len(resources) == len(KINDS)


@pytest.mark.parametrize("row", KINDS, ids=lambda row: row.kind)
def test_a_table_has_a_row_for_every_field_and_whole_cells(row: KindRow) -> None:
    text = reference.files()[f"{row.kind.lower()}.fields.md"]
    root = crd.definition(row)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for member in ("spec", "status"):
        for path, _, _ in reference.fields(root["properties"][member], member):
            assert f"| `{path}` |" in text
    tables = [line for line in text.splitlines() if line.startswith(("| `spec", "| `status"))]
    assert all(len(line.replace("\\|", "").split(" | ")) == 4 for line in tables)


def test_what_would_break_a_table_is_escaped() -> None:
    assert reference.cell("a|b <c> `<d>`\n\ne") == "a\\|b &lt;c> `<d>`<br><br>e"
