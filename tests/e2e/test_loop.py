"""The whole loop on real flights: January trains, a deployment follows the champion, June drifts, the Model retrains."""

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.cluster.kubectl import eventually
from tests.e2e.shop import Space, dataset, deployment, model

EXPECT = {
    "rows": {"min": 5000},
    "columns": [{"name": "distance", "type": "Number", "min": 0, "max": 6000, "maxMissing": "1%"}],
}
SECONDS = 240


@pytest.fixture(scope="module")
def trained(shared_space: Space, months: dict[str, Path]) -> Space:
    """January's flights, a Model, and a deployment that follows its champion, all applied at once and settled."""
    space = shared_space
    source = space.put("flights.parquet", months["2013-01"])
    store = space.bucket.place(f"{space.unique}/models")
    space.apply(
        deployment("late", modelRef={"name": "late"}, replicas=2, monitoring={"window": "10s", "falseAlarmEvery": "90d"}),
        model(
            "late",
            store,
            gates=[{"name": "quality", "type": "Bound", "bound": {"metric": "roc_auc", "atLeast": 0.58}}],
            retraining={"triggers": [{"name": "drift", "type": "Drift", "drift": {"severity": "Moderate"}}], "cooldown": "0s"},
        ),
        dataset("flights", source, features={"exclude": ["tailnum"]}, expect=EXPECT),
    )
    eventually(lambda: space.serves("late"), within=SECONDS)
    return space


def rows(path: Path, count: int, seed: int) -> pd.DataFrame:
    """So many rows of a month, shuffled."""
    return pd.read_parquet(path).sample(count, random_state=seed)


def request(frame: pd.DataFrame, inputs: list[dict[str, object]]) -> dict[str, object]:
    """Rows as a request by the names and datatypes of the model's own metadata."""
    tensors = []
    for tensor in inputs:
        column = frame[str(tensor["name"])]
        values = [None if pd.isna(value) else value for value in column.tolist()]
        tensors.append({"name": tensor["name"], "datatype": tensor["datatype"], "shape": [len(frame)], "data": values})
    return {"inputs": tensors}


class Traffic:
    """Replays a frame of rows round and round until told to stop, in requests of 50 rows; counts answers by status."""

    def __init__(self, space: Space, frame: pd.DataFrame) -> None:
        self._space, self._frame = space, frame
        self._inputs = space.http("GET", "late", "/v2/models/late")[1]["inputs"]
        self._stop = threading.Event()
        self.statuses: list[int] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        bodies = [request(self._frame[start : start + 50], self._inputs) for start in range(0, len(self._frame), 50)]
        position = 0
        while not self._stop.is_set():
            self.statuses.append(self._space.ask("late", bodies[position % len(bodies)])[0])
            position += 1
            self._stop.wait(0.1)


@pytest.fixture
def january(trained: Space, months: dict[str, Path]) -> Iterator[Traffic]:
    with Traffic(trained, rows(months["2013-01"], 3000, 1)) as traffic:
        yield traffic


def test_a_dataset_and_a_model_become_a_version_that_serves(trained: Space) -> None:
    assert trained.is_so("dset/flights", "Validated", "True", "ExpectationsHold")
    assert trained.status("dset/flights")["rows"] > 26_000
    version = trained.get("mdlv/late-1")["spec"]
    assert version["artifact"]["format"] == "ONNX"
    assert version["parity"]["labelMismatches"] == 0
    assert version["gates"][0]["verdict"] == "Passed"
    assert {metric["name"] for metric in version["metrics"]} >= {"roc_auc", "average_precision", "brier"}
    assert version["lineage"]["dataset"]["digest"] == trained.status("dset/flights")["digest"]
    assert trained.status("mdl/late")["champion"]["version"] == 1
    assert [(v["name"], v["role"]) for v in trained.status("mdep/late")["versions"]] == [("late-1", "Stable")]


def test_the_artifact_lies_in_the_store_with_a_manifest_of_its_digest(trained: Space) -> None:
    artifact = trained.get("mdlv/late-1")["spec"]["artifact"]
    key = artifact["uri"].split("/", 3)[3]
    assert f"sha256:{hashlib.sha256(trained.bucket.get(key)).hexdigest()}" == artifact["digest"]
    folder = key.rsplit("/", 1)[0]
    names = {found.rsplit("/", 1)[1] for found in trained.bucket.keys(folder)}
    assert {"manifest.json", "model.onnx", "signature.json", "profile.json", "report.json"} <= names


def test_labels_and_scores_come_back_for_named_columns(trained: Space, months: dict[str, Path]) -> None:
    inputs = trained.http("GET", "late", "/v2/models/late")[1]["inputs"]
    assert "tailnum" not in {tensor["name"] for tensor in inputs}
    status, answer = trained.ask("late", request(rows(months["2013-01"], 5, 0), inputs))
    assert status == 200
    outputs = {out["name"]: out for out in answer["outputs"]}
    assert outputs["predict_proba"]["shape"] == [5, 2]
    assert all(isinstance(label, bool) for label in outputs["predict"]["data"])


def test_a_version_in_use_cannot_be_deleted_and_a_model_that_goes_takes_nothing_from_what_serves(trained: Space) -> None:
    eventually(lambda: bool(trained.status("mdlv/late-1").get("usedBy")), within=30)
    refused = trained.kubectl.refusal("delete", "mdlv/late-1")
    assert "in use" in refused
    saved = trained.get("mdl/late")
    trained.kubectl.do("delete", "mdl/late", "--timeout=60s")
    assert trained.kubectl.get("mdlv/late-1")["metadata"]["name"] == "late-1"
    status, _ = trained.http("GET", "late", "/v2/health/ready")
    assert status == 200
    kept = {key: saved["metadata"][key] for key in ("name",)}
    trained.apply({"apiVersion": saved["apiVersion"], "kind": "Model", "metadata": kept, "spec": saved["spec"]})
    eventually(lambda: trained.status("mdl/late").get("champion", {}).get("version") == 1, within=60)
    assert trained.kubectl.get("tjob")["items"] == [] or all(
        run["status"]["stage"] == "Succeeded" for run in trained.kubectl.get("tjob")["items"]
    )


def test_traffic_like_the_reference_is_in_distribution(trained: Space, january: Traffic) -> None:
    eventually(lambda: trained.is_so("mdep/late", "InDistribution", "True", "NoDrift"), within=90)
    assert trained.is_so("mdep/late", "DataQuality", "True")
    assert set(january.statuses) == {200}


def test_drift_asks_for_new_data_and_new_data_bring_a_new_version_without_a_failed_request(
    trained: Space, months: dict[str, Path]
) -> None:
    with Traffic(trained, rows(months["2013-06"], 4000, 2)) as june:
        eventually(lambda: trained.is_so("mdep/late", "InDistribution", "False", "FeatureDrift"), within=120)
        drift = trained.status("mdep/late")["drift"]
        assert drift["verdict"] == "Drifting"
        assert "temp" in {feature["name"] for feature in drift["features"]}
        eventually(lambda: trained.status("mdl/late").get("suppressed", {}).get("reason") == "DataUnchanged", within=90)
        source = trained.put("june.parquet", months["2013-06"])
        trained.kubectl.do("patch", "dset/flights", "--type=merge", "--patch", json.dumps({"spec": {"source": source}}))
        eventually(lambda: _serves(trained, 2), within=SECONDS)
        version = trained.get("mdlv/late-2")["spec"]
        assert version["lineage"]["champion"]["version"] == 1
        assert trained.get(f"tjob/{version['lineage']['trainingJob']['name']}")["spec"]["trigger"]["type"] == "Drift"
        eventually(lambda: trained.is_so("mdep/late", "InDistribution", "True", "NoDrift"), within=120)
    assert set(june.statuses) == {200}
    assert len(june.statuses) > 100


def _serves(space: Space, number: int) -> bool:
    versions = space.status("mdep/late")["versions"]
    return [(v.get("version"), v["role"]) for v in versions] == [(number, "Stable")]
