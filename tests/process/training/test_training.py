"""A run of Trimtab's own estimators: what each step leaves, and what ends it."""

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.process.training import pods
from tests.process.training.conftest import Done
from trimtab.api.wire.base import Location
from trimtab.api.wire.models import Signature
from trimtab.api.wire.profiles import profile_from_json
from trimtab.api.wire.runs import unpack
from trimtab.drift.profile import faults
from trimtab.model import engines, reading
from trimtab.store import fetch, publish
from trimtab.training import handover


def report(pod: pods.Pod) -> handover.Report:
    return handover.read(handover.Report, pod / "model" / "outcome" / "report.json")


@pytest.fixture
def ready(done: Done, tmp_path: Path) -> pods.Pod:
    """A pod in which fetch and train are done."""
    copied = pods.Pod(tmp_path / "ready", done.pod.claims)
    for folder in ("data", "heldout", "model"):
        shutil.copytree(done.pod / folder, copied / folder)
    shutil.rmtree(copied / "model" / "outcome")
    return copied


def test_what_fetch_leaves_for_training_holds_no_held_out_label(done: Done) -> None:
    train = pd.read_parquet(done.pod / "data" / "train.parquet")
    validation = pd.read_parquet(done.pod / "data" / "validation.parquet")
    assert list(train.columns) == ["size", "carrier", "late"]
    assert list(validation.columns) == ["size", "carrier"]
    assert len(train) + len(validation) == 590
    assert {path.name for path in (done.pod / "data").iterdir()} == {
        "train.parquet",
        "validation.parquet",
        "schema.json",
    }
    schema = json.loads((done.pod / "data" / "schema.json").read_text())
    assert schema["features"] == [{"name": "size", "kind": "Number"}, {"name": "carrier", "kind": "Category"}]
    assert (schema["classes"], schema["positive"], schema["target"]) == ([False, True], 1, "late")
    assert train["late"].dtype == bool


def test_the_newest_fifth_is_held_out(done: Done) -> None:
    facts = handover.read(handover.Facts, done.pod / "heldout" / "facts.json")
    rows = pods.rows().dropna(subset="late")
    assert facts.side == handover.Side(type="Time", fraction=0.2, train_rows=472, rows=118)
    assert pd.Timestamp(facts.twin_trained_until) == rows["at"].iloc[471]
    assert pd.Timestamp(facts.trained_until) == rows["at"].max()
    assert facts.notes == ("10 of 600 rows have no label and were left out.",)


def test_a_version_is_published_whole_with_its_manifest_last(done: Done, tmp_path: Path) -> None:
    out = done.published
    assert out.uri == "pvc://store/models/team/late-rows/run-1-12345678/manifest.json"
    os.environ["TRIMTAB_ROOT"] = str(done.pod.root)
    try:
        folder = fetch.artifact(Location(uri=out.uri), out.digest, tmp_path / "got")
    finally:
        del os.environ["TRIMTAB_ROOT"]
    assert {path.name for path in folder.iterdir()} == {
        "model.onnx",
        "evaluation.onnx",
        "evaluation.signature.json",
        "signature.json",
        "profile.json",
        "report.json",
        "manifest.json",
    }
    assert sum(path.stat().st_size for path in folder.iterdir() if path.name != "manifest.json") == out.bytes


def test_the_headline_is_all_that_a_version_needs(done: Done) -> None:
    out = done.published
    assert (out.format, out.rows) == ("ONNX", 590)
    assert [metric.name for metric in out.metrics] == ["roc_auc", "brier"]
    auc = out.metrics[0]
    assert auc.value is not None
    assert auc.lower is not None
    assert auc.upper is not None
    assert 0.7 < auc.lower <= auc.value <= auc.upper <= 1
    assert [(gate.name, gate.verdict) for gate in out.gates] == [("quality", "Passed"), ("no-worse", "Passed")]
    assert out.gates[1].message.startswith("NoChampion")
    assert out.parity is not None
    assert (out.parity.label_mismatches, out.parity.fallback) == (0, None)
    assert out.parity.max_difference < 1e-12
    assert out.signature is not None
    signature = Signature.from_json(unpack(out.signature))
    assert [column.name for column in signature.inputs] == ["size", "carrier"]
    assert signature.classes == (False, True)
    assert out.notes == ("10 of 600 rows have no label and were left out.",)
    whole = report(done.pod)
    assert whole.estimator is not None
    assert whole.estimator.parameters["C"] == 1.0
    assert whole.importances["size"] > 0.05
    assert whole.environment["scikit-learn"]


def test_the_profile_is_of_all_rows_the_shipped_model_was_fitted_on(done: Done) -> None:
    profile = profile_from_json((done.pod / "model" / "outcome" / "profile.json").read_bytes())
    assert faults(profile) == ()
    assert profile.rows == 590
    rows = pods.rows().dropna(subset="late")
    size, carrier = profile.features
    assert (size.name, sum(size.counts), size.missing) == (
        "size",
        int(rows["size"].notna().sum()),
        int(rows["size"].isna().sum()),
    )
    assert dict(zip(carrier.levels, carrier.counts, strict=False)) == rows["carrier"].value_counts().to_dict()  # type: ignore[union-attr]
    assert profile.predictions is not None
    assert profile.score is not None
    assert sum(profile.predictions.counts) == sum(profile.score.counts) == 118
    assert profile.predictions.levels == ("false", "true")  # type: ignore[union-attr]


def test_the_shipped_model_is_fitted_on_all_rows_and_its_judged_twin_is_not(done: Done) -> None:
    outcome = done.pod / "model" / "outcome"
    assert (outcome / "model.onnx").read_bytes() != (outcome / "evaluation.onnx").read_bytes()
    signature = Signature.from_json((outcome / "signature.json").read_text())
    engine = engines.load(outcome, "ONNX", signature=signature)
    frame = reading.read([reading.Part("v", done.pod / "data" / "validation.parquet")], given="Parquet").frame  # type: ignore[arg-type]
    said = engine.predict(frame)
    assert said.probabilities is not None
    assert said.probabilities.shape == (118, 2)


def test_publishing_again_gives_the_same_answer_whatever_was_made_since(done: Done) -> None:
    (done.pod / "model" / "outcome" / "report.json").rename(done.pod / "model" / "kept.json")
    try:
        again = done.pod.step("publish")
    finally:
        (done.pod / "model" / "kept.json").rename(done.pod / "model" / "outcome" / "report.json")
    assert again.code == 0
    assert again.report.published == done.published
    assert "is complete already" in again.stdout


def test_messages_are_short_enough_for_twelve_kibibytes_a_pod(done: Done) -> None:
    assert all(
        len((done.pod / f"{step}.message").read_bytes()) <= 2000 for step in ("fetch", "train", "evaluate", "publish")
    )


def test_equal_runs_give_equal_files(done: Done, ready: pods.Pod) -> None:
    assert ready.write(pods.run()).steps("train", "evaluate").code == 0
    again, before = (publish.manifest_of(pod / "model" / "outcome", "ONNX") for pod in (ready, done.pod))
    assert again == before


# ---------------------------------------------------------------- other ways to train


def test_numbers_are_learnt_from_a_hash_split_without_refit(pod: pods.Pod) -> None:
    data = pods.dataset() | {"targetColumn": "size", "timeColumn": None, "features": {"include": ["carrier", "late"]}}
    del data["timeColumn"]
    training = {"validation": {"type": "Hash", "fraction": "30%", "refit": False}, "estimator": {"name": "Ridge"}}
    job = {"task": "Regression", "metrics": [], "gates": [], "store": {"uri": "pvc://store/numbers"}}
    assert pod.write(pods.run(data, training, **job)).steps("fetch", "train", "evaluate").code == 0
    out = report(pod)
    assert [metric.name for metric in out.metrics] == ["rmse", "mae", "r2"]
    assert (out.trained_until, out.twin_trained_until) == (None, None)
    names = {path.name for path in (pod / "model" / "outcome").iterdir()}
    assert names == {"model.onnx", "signature.json", "profile.json", "report.json"}
    side = handover.read(handover.Facts, pod / "heldout" / "facts.json").side
    assert out.rows == side.train_rows
    assert 0.2 < side.rows / (side.rows + side.train_rows) < 0.4


def test_rows_of_another_dataset_judge_and_all_rows_train(pod: pods.Pod, claims: Path) -> None:
    pods.rows(300, seed=1).to_csv(claims / "data" / "other.csv.gz", index=False)
    kinds = {"expect": {"columns": [{"name": "carrier", "type": "Category"}]}}
    training = {
        "validation": {"type": "Dataset", "dataset": {"datasetRef": {"name": "other"}}},
        "estimator": {"name": "HistGradientBoostingClassifier", "params": {"max_iter": 20}},
    }
    run = pods.run(
        None, training, validationData=pods.dataset("pvc://data/other.csv.gz", **kinds), store={"uri": "pvc://store/d"}
    )
    assert pod.write(run).steps("fetch", "train", "evaluate").code == 0
    out = report(pod)
    assert (out.format, out.rows) == ("ONNX", 590)
    assert out.parity is not None
    assert out.parity.fallback is None
    assert out.trained_until == out.twin_trained_until
    assert sum(1 for _ in (pod / "model" / "outcome").glob("evaluation.*")) == 0


def test_csv_twins_are_written_when_asked(pod: pods.Pod) -> None:
    pod.environment["TRIMTAB_DATA_FORMAT"] = "csv"
    assert pod.write(pods.run()).step("fetch").code == 0
    frames = {name: pd.read_csv(pod / "data" / f"{name}.csv") for name in ("train", "validation")}
    assert list(frames["train"].columns) == ["size", "carrier", "late"]
    assert list(frames["validation"].columns) == ["size", "carrier"]
    assert len(frames["train"]) == 472
    np.testing.assert_array_equal(frames["train"]["size"], pd.read_parquet(pod / "data" / "train.parquet")["size"])


# ---------------------------------------------------------------- the champion


def champion(done: Done, **more: Any) -> dict[str, Any]:
    until = done.published.twin_trained_until
    return {
        "version": 3,
        "name": "late-rows-3",
        "location": {"uri": done.published.uri},
        "digest": done.published.digest,
        "twinTrainedUntil": until,
    } | more


def test_the_champion_is_fetched_and_beaten_on_rows_that_it_has_not_seen(
    done: Done, pod: pods.Pod, claims: Path
) -> None:
    pods.rows(900, days=30).to_parquet(claims / "data" / "month.parquet")
    training = {"estimator": {"name": "LogisticRegression", "params": {"C": 0.5}}}
    run = pods.run(pods.dataset("pvc://data/month.parquet"), training, champion=champion(done, twinTrainedUntil=None))
    shutil.copytree(done.pod / "model", pod / "model")
    assert pod.write(run).steps("fetch", "evaluate").code == 0
    assert (pod / "champion" / "evaluation.onnx").is_file()
    gate = report(pod).gates[1]
    assert gate.value is not None
    assert "roc_auc leads late-rows-3 by" in gate.message
    assert "drawn by 7 days" in gate.message


def test_a_champion_with_another_digest_makes_its_gate_inconclusive(done: Done, ready: pods.Pod) -> None:
    ready.write(pods.run(champion=champion(done, digest="sha256:" + "0" * 64)))
    assert ready.step("fetch").code == 0
    assert ready.step("evaluate").code == 0
    gates = report(ready).gates
    assert [gate.verdict for gate in gates] == ["Passed", "Inconclusive"]
    assert "it could not be fetched (DigestMismatch: " in gates[1].message
    assert not (ready / "champion").exists()


# ---------------------------------------------------------------- what ends a run


@pytest.mark.parametrize(
    ("job", "reason", "said"),
    [
        ({"metrics": ["roc_acu"]}, "MetricUnknown", "there is no metric 'roc_acu': did you mean roc_auc"),
        (
            {"gates": [{"name": "g", "type": "Bound", "bound": {"metric": "accurac", "atLeast": 0.5}}]},
            "MetricUnknown",
            "there is no metric 'accurac': did you mean accuracy",
        ),
        ({"metrics": ["rmse"]}, "MetricUnknown", "metric 'rmse' is for task Regression"),
        ({"expectedDigest": "sha256:" + "1" * 64}, "DataChanged", "the data have digest sha256:"),
        (
            {"task": "Regression", "metrics": [], "gates": []},
            "TargetUnsuitable",
            "the target is a Boolean, and task Regression",
        ),
    ],
)
def test_a_run_ends_before_it_trains(job: dict[str, Any], reason: str, said: str, pod: pods.Pod) -> None:
    ended = pod.write(pods.run(**job)).step("fetch")
    assert ended.verdict == (3, reason)
    assert ended.report.message is not None
    assert ended.report.message.startswith(said)
    assert not (pod / "data").exists()


def test_a_run_on_data_that_break_an_expectation_ends_with_the_look(pod: pods.Pod) -> None:
    data = pods.dataset(expect={"columns": [{"name": "size", "type": "Number", "min": 0}]})
    ended = pod.write(pods.run(data)).step("fetch")
    assert ended.verdict == (3, "ExpectationsFailed")
    assert ended.report.message is not None
    assert "values of 'size'" in ended.report.message
    assert ended.report.look is not None
    assert [failure.rule for failure in ended.report.look.failures] == ["min"]


@pytest.mark.parametrize("where", ["all", "training"])
def test_one_class_is_not_enough(where: str, pod: pods.Pod, claims: Path) -> None:
    rows = pods.rows(100)
    rows["late"] = np.arange(100) >= (0 if where == "all" else 95)
    rows.to_parquet(claims / "data" / f"one-{where}.parquet")
    ended = pod.write(pods.run(pods.dataset(f"pvc://data/one-{where}.parquet"))).step("fetch")
    assert ended.verdict == (3, "OneClassOnly")
    assert ended.report.message is not None
    assert ended.report.message.startswith("every label")


@pytest.mark.parametrize(
    ("estimator", "reason", "said"),
    [
        ({"name": "RandomForrestClassifier"}, "EstimatorUnknown", "did you mean RandomForestClassifier"),
        ({"name": "SVC", "params": {"gama": 1}}, "ParameterUnknown", "SVC has no parameter 'gama': did you mean gamma"),
    ],
)
def test_an_estimator_that_cannot_be_is_not_tried_again(
    estimator: dict[str, Any], reason: str, said: str, ready: pods.Pod
) -> None:
    ended = ready.write(pods.run(training={"estimator": estimator})).step("train")
    assert ended.verdict == (3, reason)
    assert ended.report.message is not None
    assert said in ended.report.message


def test_a_fault_of_our_own_may_be_tried_again_and_leaves_the_end_of_its_log(ready: pods.Pod) -> None:
    (ready / "data" / "schema.json").unlink()
    ended = ready.write(pods.run()).step("train")
    assert ended.verdict == (1, "InternalError")
    assert ended.report.log_tail is not None
    assert "FileNotFoundError" in ended.report.log_tail
    assert "Traceback" in ended.report.log_tail or "File " in ended.report.log_tail


def test_a_store_that_cannot_be_written_ends_publish(ready: pods.Pod, done: Done) -> None:
    shutil.copytree(done.pod / "model" / "outcome", ready / "model" / "outcome")
    ended = ready.write(pods.run(store={"uri": "pvc://absent/models"})).step("publish")
    assert ended.verdict == (3, "NotFound")
    assert ended.report.message is not None
    assert ended.report.message.startswith("the volume claim 'absent' is not mounted")


def test_the_message_is_left_even_where_its_place_is_not_writable(pod: pods.Pod) -> None:
    """A step does not fail because its last words cannot be kept; they are on stderr."""
    pod.write(pods.run())
    pod.environment["TRIMTAB_TERMINATION"] = str(pod / "no" / "such" / "folder")
    with pytest.raises(AssertionError, match="the report could not be left"):
        pod.step("fetch")
    assert (pod / "data" / "train.parquet").is_file()
    assert stat.S_ISREG((pod / "data" / "train.parquet").stat().st_mode)
