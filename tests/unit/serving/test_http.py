"""Answers over ASGI from a real model: labels, probabilities, neighbours."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.model import make as models
from tests.unit.serving import make
from tests.unit.serving.asgi import Server, error
from trimtab.serving import loading


def test_answer_has_labels_and_probabilities_of_the_model(server: Server) -> None:
    response = server.infer(make.request(5, id="abc"))
    expected = server.served.engine.predict(models.frame(models.table(5, 3)))
    assert expected.classes is not None
    assert expected.probabilities is not None
    assert response.status_code == 200
    assert response.json() == {
        "model_name": "late",
        "model_version": "7",
        "id": "abc",
        "outputs": [
            {
                "name": "predict",
                "datatype": "BYTES",
                "shape": [5],
                "data": [make.CLASSES[i] for i in expected.classes],
            },
            {
                "name": "predict_proba",
                "datatype": "FP64",
                "shape": [5, 2],
                "data": expected.probabilities.ravel().tolist(),
            },
        ],
    }


def test_only_the_outputs_asked_for_are_given_and_no_id_is_made_up(server: Server) -> None:
    answer = server.infer(make.request(2, outputs=[{"name": "predict_proba"}])).json()
    assert [output["name"] for output in answer["outputs"]] == ["predict_proba"]
    assert "id" not in answer


@pytest.mark.parametrize(
    ("classes", "datatype"),
    [(("no", "yes"), "BYTES"), ((False, True), "BOOL"), ((5, 3), "INT64"), ((0.5, 1.5), "FP64")],
)
def test_labels_keep_their_type_and_order(classes: tuple[Any, ...], datatype: str, tmp_path: Path) -> None:
    served = loading.load(make.folder(tmp_path, classes=classes), tmp_path)
    answer = Server(served).infer(make.request(30)).json()["outputs"][0]
    expected = served.engine.predict(models.frame(models.table(30, 3))).classes
    assert expected is not None
    assert answer["datatype"] == datatype
    assert answer["data"] == [classes[i] for i in expected]
    assert {type(label) for label in answer["data"]} == {type(classes[0])}


def test_version_in_the_path_is_answered_and_others_are_unknown(server: Server) -> None:
    assert server.infer(make.request(), "/v2/models/late/versions/7/infer").status_code == 200
    response = server.infer(make.request(), "/v2/models/late/versions/8/infer")
    assert response.status_code == 404
    assert error(response) == "version '8' of 'late' is not served here, '7' is"
    response = server.infer(make.request(), "/v2/models/other/infer")
    assert response.status_code == 404
    assert error(response) == "model 'other' is not served here, 'late' is"


def test_no_rows_get_an_answer_of_no_rows(server: Server) -> None:
    response = server.infer(make.request(0))
    assert response.status_code == 200
    assert [(o["shape"], o["data"]) for o in response.json()["outputs"]] == [([0], []), ([0, 2], [])]
    assert server.snapshot().rows == 0


def test_regression_answers_numbers(tmp_path: Path) -> None:
    made = Server(loading.load(make.single(tmp_path, make.regressor()), tmp_path))
    tensor = {"name": "input", "datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3.5, 4]}
    answer = made.infer({"inputs": [tensor]}).json()["outputs"]
    assert [output["name"] for output in answer] == ["predict"]
    assert (answer[0]["datatype"], answer[0]["shape"]) == ("FP64", [2])
    np.testing.assert_allclose(answer[0]["data"], [3, 7.5], atol=1e-4)


def test_requests_that_arrive_together_are_answered_as_if_alone(server: Server) -> None:
    requests = [make.request(n % 4 + 1, seed=n, id=str(n)) for n in range(40)]
    alone = [server.infer(request).json() for request in requests]
    together = server.infer_together(requests)
    for one, other in zip(alone, together, strict=True):
        assert other.json()["id"] == one["id"]
        assert other.json()["outputs"][0] == one["outputs"][0]
        np.testing.assert_allclose(other.json()["outputs"][1]["data"], one["outputs"][1]["data"], atol=1e-6)
    batches = server.inferences.figures.batches
    assert sum(batches.counts) < 80
    assert batches.sum == 2 * sum(n % 4 + 1 for n in range(40))


def test_one_bad_row_harms_no_neighbour(server: Server) -> None:
    bad = make.request(1)
    bad["inputs"][0]["data"] = [1e39]
    responses = server.infer_together([make.request(2), bad, make.request(3)])
    assert [response.status_code for response in responses] == [200, 400, 200]
    assert error(responses[1]) == "column 'air time', row 0: 1e+39 does not fit the model's float32"
    assert server.snapshot().rows == 5


def test_numbers_that_are_none_are_refused_and_not_written_as_null(tmp_path: Path) -> None:
    made = Server(loading.load(make.single(tmp_path, make.regressor()), tmp_path))
    tensor = {"name": "X", "datatype": "FP64", "shape": [2, 2], "data": [1, 1, 3e38, 3e38]}
    response = made.infer({"inputs": [tensor]})
    assert response.status_code == 400
    assert error(response) == "row 1: the model gives no finite number for these values"
