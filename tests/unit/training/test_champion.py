"""The champion as an opponent: only on rows that its judged twin was not fitted on."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from xgboost import XGBClassifier

from tests.unit.training import test_served as models
from trimtab.api.wire.base import Location
from trimtab.api.wire.models import Format, Signature
from trimtab.api.wire.runs import Champion
from trimtab.model.signature import outputs
from trimtab.training import champion, gates, handover, signing
from trimtab.training.rows import HeldOut, Rows
from trimtab.training.scores import Judged

DIGEST = "sha256:" + "0" * 64
N = 200
SCHEMA = handover.Schema(
    task="Classification",
    target="state",
    features=models.FEATURES,
    classes=models.LABELS,
    positive=1,
    rows=400,
    validation_rows=N,
    seed=0,
)
KINDS = {feature.name: feature.kind for feature in models.FEATURES}


def held() -> HeldOut:
    learnt = models.rows(N)
    return HeldOut(
        learnt.frame, learnt.target, np.arange(N, dtype=np.float64) * 3600, np.arange(N, dtype=np.float64) / N
    )


def facts(**more: Any) -> handover.Facts:
    side = more.pop("side", handover.Side(type="Time", fraction=0.2, train_rows=400, rows=N))
    return handover.Facts(data_digest=DIGEST, side=side, kinds=more.pop("kinds", KINDS), **more)


@cache
def fitted(kind: str) -> dict[str, bytes]:
    """The files of a model: as usual, fitted on opposite labels, or with one class more."""
    learnt = models.rows(classes=3 if kind == "more" else 2)
    if kind == "opposite":
        learnt = Rows(learnt.frame, 1 - learnt.target, learnt.classes)
    if kind == "more":
        learnt = Rows(learnt.frame, learnt.target, ("cancelled", "late", "on time"))
    with TemporaryDirectory() as folder:
        done = models.serve("LogisticRegression", Path(folder) / "m", learnt)
        return {"model.onnx": done.path.read_bytes(), "signature.json": done.signature.to_json().encode()}


def version(folder: Path, kind: str = "usual", **report: Any) -> Path:
    """A version as fetched: model, signature and (where asked) its own report."""
    folder.mkdir()
    for name, content in fitted(kind).items():
        (folder / name).write_bytes(content)
    if report:
        said = handover.Report(
            format="ONNX",
            rows=1,
            data_digest=DIGEST,
            parameters_digest=DIGEST,
            metrics=(),
            gates=(),
            **({"validation": handover.Side(type="Time", fraction=0.2, train_rows=1, rows=1)} | report),
        )
        handover.write(said, folder / "report.json")
    return folder


def contest(folder: Path, until: str | None = None, **more: Any) -> gates.Contest:
    known = Champion(
        version=3,
        name="late-3",
        location=Location(uri="pvc://s/m"),
        digest=DIGEST,
        format=more.pop("format", None),
        twin_trained_until=until,
    )
    candidate = Judged(held().target, held().target, positive=1, count=2)
    found = champion.contest(known, folder, SCHEMA, facts(**more), held(), candidate, allow_pickle=False)
    assert found is not None
    return found


def clean(found: gates.Contest) -> list[int]:
    assert found.times is not None
    return [int(hour) for hour in found.times / 3600]


def test_without_a_champion_there_is_no_contest(tmp_path: Path) -> None:
    candidate = Judged(held().target, held().target, positive=1, count=2)
    assert champion.contest(None, tmp_path, SCHEMA, facts(), held(), candidate, False) is None


def test_rows_later_than_all_that_the_twin_saw_are_clean(tmp_path: Path) -> None:
    found = contest(version(tmp_path / "v"), until="1970-01-05T00:00:00Z")
    assert clean(found) == list(range(97, N))
    assert found.opponent is not None
    assert found.candidate is not None
    assert found.opponent.rows == found.candidate.rows == N - 97
    assert found.opponent.probabilities is not None


def test_the_report_of_the_champion_says_until_when_where_the_run_does_not(tmp_path: Path) -> None:
    found = contest(version(tmp_path / "v", twin_trained_until="1970-01-09T00:00:00Z"))
    assert clean(found) == list(range(193, N))


def test_rows_on_the_held_out_side_of_the_champions_hash_are_clean(tmp_path: Path) -> None:
    side = handover.Side(type="Hash", fraction=0.1, train_rows=1, rows=1)
    assert clean(contest(version(tmp_path / "v", validation=side))) == list(range(20))


def test_either_proof_is_enough(tmp_path: Path) -> None:
    side = handover.Side(type="Hash", fraction=0.1, train_rows=1, rows=1)
    found = contest(version(tmp_path / "v", validation=side, twin_trained_until="1970-01-09T00:00:00Z"))
    assert clean(found) == [*range(20), *range(193, N)]


def test_rows_of_another_dataset_are_clean_when_it_judged_the_champion_too(tmp_path: Path) -> None:
    other = handover.Side(type="Dataset", train_rows=1, rows=N)
    assert clean(contest(version(tmp_path / "v", validation=other), side=other)) == list(range(N))
    assert contest(tmp_path / "v").impossible is not None


def test_the_judged_twin_is_the_opponent_and_not_the_model_that_ships(tmp_path: Path) -> None:
    folder = version(tmp_path / "v")
    twin = fitted("opposite")
    (folder / "evaluation.onnx").write_bytes(twin["model.onnx"])
    (folder / "evaluation.signature.json").write_bytes(twin["signature.json"])
    with_twin, without = (
        contest(folder, "1970-01-01T00:00:00Z"),
        contest(version(tmp_path / "w"), "1970-01-01T00:00:00Z"),
    )
    assert with_twin.opponent is not None
    assert without.opponent is not None
    assert np.mean(with_twin.opponent.classes != without.opponent.classes) > 0.9


def test_classes_that_only_one_of_them_knows_are_matched_by_label(tmp_path: Path) -> None:
    found = contest(version(tmp_path / "v", "more"), "1970-01-01T00:00:00Z")
    assert found.opponent is not None
    assert set(found.opponent.classes.tolist()) <= {-1, 0, 1}  # type: ignore[union-attr]
    assert found.opponent.probabilities is not None
    assert found.opponent.probabilities.shape == (N - 1, 2)


@pytest.mark.parametrize(
    ("more", "until", "said"),
    [
        ({"champion_missing": "NotFound: gone"}, "1970-01-01T00:00:00Z", "it could not be fetched (NotFound: gone)"),
        ({}, None, "no held-out row is new to it: nothing says which rows it was fitted on"),
        ({}, "1980-01-01T00:00:00Z", "no held-out row is new to it: it was fitted on rows up to 1980"),
        (
            {"kinds": {"size": "Number"}},
            "1970-01-01T00:00:00Z",
            "it needs the column 'a column. with dots', which the data no longer",
        ),
        (
            {"kinds": KINDS | {"size": "Category"}},
            "1970-01-01T00:00:00Z",
            "column 'size' is Category now, and was Number for it",
        ),
    ],
)
def test_a_champion_that_cannot_be_scored_says_why(
    more: dict[str, Any], until: str | None, said: str, tmp_path: Path
) -> None:
    found = contest(version(tmp_path / "v"), until, **more)
    assert found.impossible is not None
    assert found.impossible.startswith(said)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.onnx", "no model", "the file is not ONNX"),
        ("model.joblib", "no model", "a joblib file runs code when loaded"),
        ("weights.bin", "", "it has no model that this image can load"),
    ],
)
def test_a_champion_that_does_not_load_says_why(name: str, content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    found = contest(tmp_path, "1970-01-01T00:00:00Z")
    assert found.impossible is not None
    assert found.impossible.startswith(said)


def boosted(name: str) -> bytes:
    """The file of a model of the columns that are numbers."""
    learnt = models.rows(400)
    table = np.column_stack([learnt.frame[column.name] for column in NUMERIC])
    if name.endswith(".txt"):
        fitted = LGBMClassifier(n_estimators=2, verbose=-1).fit(table, learnt.target)
        return str(fitted.booster_.model_to_string()).encode()
    return bytes(XGBClassifier(n_estimators=2, n_jobs=1).fit(table, learnt.target).get_booster().save_raw("json"))


NUMERIC = [column for column in models.FEATURES if column.kind != "Category"]


@pytest.mark.parametrize(("kind", "name"), [("XGBoost", "model.json"), ("LightGBM", "model.txt")])
def test_a_boosters_own_file_is_an_opponent(kind: Format, name: str, tmp_path: Path) -> None:
    known = Signature(
        task="Classification",
        inputs=signing.inputs(NUMERIC),
        outputs=outputs("Classification", models.LABELS, True),
        classes=models.LABELS,
    )
    (tmp_path / "signature.json").write_text(known.to_json())
    (tmp_path / name).write_bytes(boosted(name))
    found = contest(tmp_path, "1970-01-01T00:00:00Z", format=kind)
    assert found.impossible is None
    assert found.opponent is not None
    assert found.opponent.probabilities is not None


@pytest.mark.parametrize(
    ("kind", "files", "said"),
    [
        ("LightGBM", ["mine.txt"], "it needs the column 'Column_0', which the data no longer have"),
        ("XGBoost", ["model.txt", "report.bin"], "the artifact holds no model.ubj or model.json"),
        ("Custom", ["model.txt"], "it has no model that this image can load"),
    ],
)
def test_a_champion_is_of_the_format_that_the_run_says(
    kind: Format, files: list[str], said: str, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).write_bytes(boosted("model.txt"))
    found = contest(tmp_path, "1970-01-01T00:00:00Z", format=kind)
    assert (found.impossible or "").startswith(said)
