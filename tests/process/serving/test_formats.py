"""Files of a user's own in every format that needs the large image, served by a real process."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from xgboost import XGBClassifier

from tests.process.serving.server import run, running
from tests.unit.model import boosted
from tests.unit.serving import make
from trimtab.api.wire.models import Format

ROWS = boosted.strange(boosted.categorical(9))


def brought(folder: Path, content: bytes, name: str, form: Format, **more: Any) -> Path:
    serving = make.single(folder / "model", content, name, form, **more)
    (folder / "serving.json").write_text(serving.to_json())
    return folder


def request() -> dict[str, Any]:
    """Rows in which categories are missing, as JSON says it."""
    columns = {name: column.tolist() for name, column in boosted.frame(ROWS).items()}
    return {
        "inputs": [
            {
                "name": name,
                "datatype": "BYTES" if name == "carrier" else "FP64",
                "shape": [len(ROWS)],
                "data": [None if value == "" or value != value else value for value in column],
            }
            for name, column in columns.items()
        ]
    }


@pytest.mark.parametrize(
    ("form", "name", "platform"),
    [
        ("XGBoost", "late.json", "xgboost_booster"),
        ("XGBoost", "late.ubj", "xgboost_booster"),
        ("LightGBM", "late.txt", "lightgbm_booster"),
    ],
)
def test_a_boosters_own_file_answers_as_its_wrapper(form: Format, name: str, platform: str, tmp_path: Path) -> None:
    table = boosted.strange(boosted.categorical())
    model: Any = XGBClassifier(n_estimators=9, n_jobs=1, enable_categorical=True)
    if form == "LightGBM":
        model = LGBMClassifier(n_estimators=9, n_jobs=1, verbose=-1)
    fitted = model.fit(table, boosted.labels(boosted.numbers()))
    (fitted.booster_ if form == "LightGBM" else fitted).save_model(tmp_path / name)
    with running(brought(tmp_path, (tmp_path / name).read_bytes(), name, form)) as server:
        status, answer = server.infer(request())
        assert status == 200, answer
        found = {output["name"]: output["data"] for output in answer["outputs"]}
        assert found["predict"] == fitted.predict(ROWS).tolist()
        wanted = fitted.predict_proba(ROWS).astype(np.float64)
        assert np.reshape(found["predict_proba"], wanted.shape).tolist() == wanted.tolist()
        told = json.loads(server.get("/v2/models/late")[1])
    assert told["platform"] == platform
    assert [(column["name"], column["datatype"]) for column in told["inputs"]] == [
        ("size", "FP64"),
        ("carrier", "BYTES"),
        ("gate", "FP64"),
    ]


@pytest.mark.parametrize(("form", "name"), [("XGBoost", "late.ubj"), ("LightGBM", "late.txt")])
def test_a_file_that_was_cut_short_ends_the_start_with_a_sentence(form: Format, name: str, tmp_path: Path) -> None:
    fitted = XGBClassifier(n_estimators=3, n_jobs=1).fit(boosted.numbers(), boosted.labels(boosted.numbers()))
    content = bytes(fitted.get_booster().save_raw("ubj"))
    if form == "LightGBM":
        model = LGBMClassifier(n_estimators=3, verbose=-1).fit(boosted.numbers(), boosted.labels(boosted.numbers()))
        content = model.booster_.model_to_string().encode()
    code, said = run(brought(tmp_path, content[: len(content) // 2], name, form))
    assert code == 1
    assert said is not None
    assert said["reason"] == "LoadFailed"
    assert "cut short" in said["message"]


def test_a_file_that_ends_the_process_is_told_by_its_last_will(tmp_path: Path) -> None:
    content = b"cos\nabort\n(tR."  # a pickle: what a library does that crashes on a file, without a library's help
    code, said = run(brought(tmp_path, content, "m.joblib", "Joblib", allow_pickle=True))
    assert code == -signal.SIGABRT
    assert said is not None
    assert said["reason"] == "LoadCrashed"
    assert said["message"].startswith("the process ended without a word while it loaded the model")


def test_nothing_is_left_of_the_will_once_the_model_serves(tmp_path: Path) -> None:
    fitted = XGBClassifier(n_estimators=3, n_jobs=1).fit(boosted.numbers(), boosted.labels(boosted.numbers()))
    with running(brought(tmp_path, bytes(fitted.get_booster().save_raw("ubj")), "m.ubj", "XGBoost")):
        assert (tmp_path / "termination").read_text() == ""
