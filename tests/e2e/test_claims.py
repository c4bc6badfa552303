"""Models in a PersistentVolumeClaim, regression, and an image of the user's own: trained, published and served from there."""

import re

import pytest

from tests.cluster.kubectl import ROOT, eventually
from tests.e2e.shop import Json, Space, dataset, deployment, model
from tests.e2e.test_bad_input import container, csv, frame

SECONDS = 240
CLAIM: Json = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "models"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}},
}


def example() -> str:
    """The complete script of docs/training-contract.md."""
    found = re.search(r"`train.py`:\n\n```python\n(.*?)```", (ROOT / "docs" / "training-contract.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def trained(shared_space: Space, operator: dict[str, str]) -> Space:
    """A container's classifier and a regressor of ours, both kept in one claim."""
    space, store = shared_space, {"uri": "pvc://models/kept"}
    good = space.put("good.csv", csv(frame()))
    regression = {"estimator": {"name": "Ridge"}, "target": None, "validation": {"type": "Hash"}}
    body = model("height", store, "heights", task="Regression", training=regression)
    del body["spec"]["training"]["target"]
    space.apply(
        CLAIM,
        dataset("good", good),
        dataset("heights", good, targetColumn="y", features={"include": ["x"]}),
        model("own", store, "good", training=container(operator["trainer"], example())),
        body,
        deployment("own", modelRef={"name": "own"}),
        deployment("height", modelRef={"name": "height"}),
    )
    eventually(lambda: space.serves("own") and space.serves("height"), within=SECONDS)
    return space


def test_an_image_of_ones_own_is_judged_published_and_served_with_what_it_wrote(trained: Space) -> None:
    spec = trained.get("mdlv/own-1")["spec"]
    assert spec["artifact"]["format"] == "Skops"
    assert spec["artifact"]["uri"].startswith("pvc://models/kept/")
    assert {metric["name"] for metric in spec["metrics"] if "value" in metric} >= {"roc_auc", "brier"}
    body = {
        "inputs": [
            {"name": name, "datatype": "FP64", "shape": [2], "data": values}
            for name, values in (("x", [-3.0, 3.0]), ("y", [0.0, None]))
        ]
    }
    status, answer = trained.ask("own", body)
    assert status == 200
    assert next(out["data"] for out in answer["outputs"] if out["name"] == "predict") == [False, True]


def test_a_number_is_predicted_as_a_number(trained: Space) -> None:
    spec = trained.get("mdlv/height-1")["spec"]
    assert spec["artifact"]["format"] == "ONNX"
    assert spec["metrics"][0]["name"] == "rmse"
    status, answer = trained.ask("height", {"inputs": [{"name": "x", "datatype": "FP64", "shape": [1], "data": [0.5]}]})
    assert status == 200
    assert isinstance(answer["outputs"][0]["data"][0], float)


@pytest.mark.parametrize(
    ("data", "datatype", "words"),
    [
        ([1.0, "much"], "FP64", ["x", "much"]),
        ([1.0, None, 2.0], "FP64", ["x"]),
    ],
    ids=["a string in a number", "more values than the shape says"],
)
def test_a_bad_request_is_told_what_is_wrong(trained: Space, data: list[Json], datatype: str, words: list[str]) -> None:
    status, answer = trained.ask("height", {"inputs": [{"name": "x", "datatype": datatype, "shape": [2], "data": data}]})
    assert status == 400
    for word in words:
        assert word in answer["error"]


def test_a_request_without_a_column_or_with_nan_names_it(trained: Space) -> None:
    status, answer = trained.ask("own", {"inputs": [{"name": "x", "datatype": "FP64", "shape": [1], "data": [0.5]}]})
    assert (status, "y" in answer["error"]) == (400, True)
    nan = b'{"inputs": [{"name": "x", "datatype": "FP64", "shape": [1], "data": [NaN]}]}'
    assert trained.ask("height", nan)[0] == 400


def test_ten_megabytes_of_numbers_are_answered_or_refused_and_the_server_goes_on(trained: Space) -> None:
    numbers = [0.123456789] * 800_000
    status, answer = trained.ask("height", {"inputs": [{"name": "x", "datatype": "FP64", "shape": [800_000], "data": numbers}]})
    assert (status, "error" in answer) in ((200, False), (400, True), (413, True), (503, True))
    assert trained.http("GET", "height", "/v2/health/ready")[0] == 200
