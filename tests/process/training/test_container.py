"""A user's own image in place of the train step: whatever it leaves in the model folder, evaluate judges as the server would."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
import skops.io
from lightgbm import LGBMClassifier
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier

from tests.process.training import pods
from tests.process.training.conftest import Done
from trimtab.api.wire.models import Signature
from trimtab.training import handover

CONTAINER = {"container": {"image": "team/trainer:1", "command": ["python", "train.py"]}}


@pytest.fixture
def left(done: Done, tmp_path: Path) -> pods.Pod:
    """A pod whose container was just started: rows are there, the model folder is empty."""
    pod = pods.Pod(tmp_path / "pod", done.pod.claims)
    for folder in ("data", "heldout"):
        shutil.copytree(done.pod / folder, pod / folder)
    (pod / "model").mkdir()
    return pod.write(pods.run(training=CONTAINER))


def fitted(pod: pods.Pod) -> Pipeline:
    """What a user would write."""
    train = pd.read_parquet(pod / "data" / "train.parquet").dropna()
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["carrier"]), ("passthrough", ["size"]))
    return make_pipeline(columns, LogisticRegression()).fit(train.drop(columns="late"), train["late"])


def graph(pod: pods.Pod) -> bytes:
    model = fitted(pod)
    types = [("size", FloatTensorType([None, 1])), ("carrier", StringTensorType([None, 1]))]
    options = {id(model.steps[-1][1]): {"zipmap": False}}
    return bytes(to_onnx(model, initial_types=types, options=options, target_opset=18).SerializeToString())


def without_missing(pod: pods.Pod) -> None:
    """Held-out rows in which nothing is missing, for a model that takes no missing numbers."""
    rows = pd.read_parquet(pod / "heldout" / "rows.parquet")
    rows["size"] = rows["size"].fillna(0.0)
    rows.to_parquet(pod / "heldout" / "rows.parquet")


def report(pod: pods.Pod) -> handover.Report:
    return handover.read(handover.Report, pod / "model" / "outcome" / "report.json")


def write_skops(pod: pods.Pod) -> None:
    skops.io.dump(fitted(pod), pod / "model" / "model.skops")


def write_onnx(pod: pods.Pod) -> None:
    (pod / "model" / "model.onnx").write_bytes(graph(pod))


def boosted(pod: pods.Pod, model: Any) -> Any:
    """What a user would write who leaves missing values and text to the library."""
    train = pd.read_parquet(pod / "data" / "train.parquet")
    late = train.pop("late")
    return model.fit(train[["size", "carrier"]].astype({"carrier": "category"}), late)


@pytest.mark.parametrize(
    ("name", "kind"), [("model.ubj", "XGBoost"), ("model.json", "XGBoost"), ("model.txt", "LightGBM")]
)
def test_a_boosters_own_file_is_judged_with_what_is_missing(name: str, kind: str, left: pods.Pod) -> None:
    if kind == "XGBoost":
        boosted(left, XGBClassifier(n_estimators=20, n_jobs=1, enable_categorical=True)).save_model(left / "model" / name)
    else:
        boosted(left, LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1)).booster_.save_model(left / "model" / name)
    ended = left.step("evaluate")
    assert ended.verdict == (0, None), ended.report.message
    found = report(left)
    assert (found.format, found.parity, found.estimator) == (kind, None, None)
    assert found.metrics[0].value is not None
    assert found.metrics[0].value > 0.75
    outcome = left / "model" / "outcome"
    signature = Signature.from_json((outcome / "signature.json").read_text())
    assert [(column.name, column.kind, column.accepts_missing) for column in signature.inputs] == [
        ("size", "Number", True),
        ("carrier", "Category", True),
    ]
    assert signature.classes == (False, True)
    assert (outcome / name).read_bytes() == (left / "model" / name).read_bytes()


def test_a_model_that_ends_the_step_is_told_by_its_last_will(left: pods.Pod) -> None:
    (left / "model" / "model.joblib").write_bytes(b"cos\nabort\n(tR.")
    ended = left.write(pods.run(training=CONTAINER | {"allowPickle": True})).step("evaluate")
    assert ended.verdict == (-signal.SIGABRT, "ModelUnusable")
    assert (ended.report.message or "").startswith("the step ended without a word while it loaded the container's model")


@pytest.mark.parametrize(("write", "kind"), [(write_skops, "Skops"), (write_onnx, "ONNX")])
def test_a_model_of_ones_own_is_judged_and_published_as_it_is(
    write: Callable[[pods.Pod], None], kind: str, left: pods.Pod
) -> None:
    write(left)
    without_missing(left)
    ended = left.step("evaluate")
    assert ended.verdict == (0, None), ended.report.message
    found = report(left)
    assert (found.format, found.rows, found.parity, found.estimator) == (kind, 472, None, None)
    assert found.metrics[0].value is not None
    assert found.metrics[0].value > 0.75
    assert found.trained_until == found.twin_trained_until
    signature = Signature.from_json((left / "model" / "outcome" / "signature.json").read_text())
    assert [(column.name, column.accepts_missing) for column in signature.inputs] == [
        ("size", False),
        ("carrier", True),
    ]
    assert signature.classes == (False, True)
    model = f"model.{kind.lower()}"
    assert (left / "model" / "outcome" / model).read_bytes() == (left / "model" / model).read_bytes()


def test_a_pickle_is_accepted_only_where_the_model_says_so(left: pods.Pod) -> None:
    joblib.dump(fitted(left), left / "model" / "model.joblib")
    without_missing(left)
    ended = left.step("evaluate")
    assert ended.verdict == (3, "PickleNotAllowed")
    assert ended.report.message is not None
    assert ended.report.message.startswith(
        "the container wrote model.joblib, and loading it runs whatever code is in it"
    )
    ended = left.write(pods.run(training=CONTAINER | {"allowPickle": True})).step("evaluate")
    assert ended.verdict == (0, None)
    assert report(left).format == "Joblib"


def test_predictions_of_ones_own_are_judged(left: pods.Pod) -> None:
    validation = pd.read_parquet(left / "data" / "validation.parquet")
    chance = 1 / (1 + (-2 * validation["size"].fillna(0)).map(lambda x: 2.718281828**x))
    predictions = pd.DataFrame({"prediction": chance > 0.5, "probability": chance})
    predictions.to_parquet(left / "model" / "predictions.parquet")
    (left / "model" / "weights.bin").write_bytes(b"anything")
    assert left.step("evaluate").verdict == (0, None)
    found = report(left)
    assert found.format == "Custom"
    assert found.metrics[0].value is not None
    assert found.metrics[0].value > 0.75
    names = {path.name for path in (left / "model" / "outcome").iterdir()}
    assert names == {"weights.bin", "predictions.parquet", "signature.json", "profile.json", "report.json"}


def test_a_container_that_leaves_no_model_is_not_tried_again(left: pods.Pod) -> None:
    (left / "model" / "train.log").write_text("all is well")
    ended = left.step("evaluate")
    assert ended.verdict == (3, "NoModelWritten")
    assert ended.report.message is not None
    assert "it wrote train.log; one of model.onnx, model.skops, model.joblib, model.ubj, " in ended.report.message


def test_a_link_is_not_published(left: pods.Pod) -> None:
    """It could lead to the labels that judge."""
    validation = pd.read_parquet(left / "data" / "validation.parquet")
    pd.DataFrame({"prediction": [True] * len(validation)}).to_parquet(left / "model" / "predictions.parquet")
    (left / "model" / "extra").symlink_to(left / "heldout" / "target.parquet")
    ended = left.step("evaluate")
    assert ended.verdict == (3, "ModelUnusable")
    assert ended.report.message is not None
    assert "'extra', which is no plain file" in ended.report.message
