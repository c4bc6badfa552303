"""HistGradientBoosting from the data to the answer over HTTP: published as ONNX, served as scikit-learn would answer."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from tests.process.serving import server
from tests.process.training import pods
from tests.unit.serving import make
from trimtab.api.wire.models import Signature
from trimtab.api.wire.runs import Published
from trimtab.model import reading
from trimtab.model.engines.skops import TRUSTED
from trimtab.store import fetch
from trimtab.training import handover, thresholds, train

TRAINING = {
    "validation": {"type": "Time", "fraction": "20%", "refit": False},
    "estimator": {"name": "HistGradientBoostingClassifier", "params": {"max_iter": 50}},
}


def rows(pod: pods.Pod, pipeline: Any) -> dict[str, list[Any]]:
    """The held-out rows, and rows on and beside thresholds, of no carrier and of an unknown one."""
    part = reading.Part("validation", pod / "data" / "validation.parquet")
    frame = reading.read([part], given="Parquet").frame  # type: ignore[arg-type]
    first = pipeline.named_steps["columns"].output_indices_["numbers"].start
    splits = [split for column, split in thresholds.of(pipeline.named_steps["model"]) if column == first]
    sizes = [value for s in splits for value in (s, math.nextafter(s, math.inf), math.nextafter(s, -math.inf))]
    carriers = ["AA", "B6", "UA", "", "unknown"]
    return {
        "size": [*frame["size"].tolist(), *sizes],
        "carrier": [*frame["carrier"].tolist(), *(carriers[i % 5] for i in range(len(sizes)))],
    }


def request(columns: dict[str, list[Any]]) -> dict[str, Any]:
    def tensor(name: str, datatype: str) -> dict[str, Any]:
        data = [None if value == "" or value != value else value for value in columns[name]]
        return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}

    return {"inputs": [tensor("size", "FP64"), tensor("carrier", "BYTES")]}


def fetched(pod: pods.Pod, published: Published, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a serving pod has: the artifact as the store gives it, and its serving.json."""
    monkeypatch.setenv("TRIMTAB_ROOT", str(pod.root))
    told = make.told(published.uri, published.digest, published.format)
    fetch.artifact(told.artifact.location, published.digest, folder / "model")
    (folder / "serving.json").write_text(told.to_json())
    return folder


def test_histogram_boosting_is_published_as_onnx_and_served_as_scikit_learn_answers(
    pod: pods.Pod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = pods.run(None, TRAINING, store={"uri": "pvc://store/histograms"})
    ended = pod.write(run).steps("fetch", "train", "evaluate", "publish")
    assert ended.code == 0, ended.report.message
    published = ended.report.published
    assert published is not None
    assert published.parity is not None
    assert (published.format, published.parity.fallback, published.parity.label_mismatches) == ("ONNX", None, 0)
    assert published.parity.max_difference <= 1e-15

    pipeline = skops.io.load(pod / "model" / train.MODEL, trusted=sorted(TRUSTED))
    columns = rows(pod, pipeline)
    folder = fetched(pod, published, tmp_path / "served", monkeypatch)
    signature = Signature.from_json((folder / "model" / handover.SIGNATURE).read_bytes())
    assert [column.name for column in signature.inputs] == list(columns)
    with server.running(folder) as started:
        status, answer = started.infer(request(columns))
    assert status == 200
    said = {output["name"]: output["data"] for output in answer["outputs"]}

    table = np.column_stack([np.array(columns[name], object) for name in columns])
    chances = pipeline.predict_proba(table)
    assert len(chances) > 150
    assert said["predict"] == [bool(label) for label in pipeline.predict(table)]
    np.testing.assert_allclose(np.reshape(said["predict_proba"], chances.shape), chances, rtol=0, atol=1e-15)
