"""A server process asked through clients that nobody here wrote: NVIDIA's `tritonclient` and KServe's, each over HTTP and gRPC.

What a client gives to its user is what the model itself says.
"""

from typing import Any

import numpy as np
import pytest

from tests.process.serving.clients import models
from tests.process.serving.clients.agents import Client, RaisedError, request
from tests.process.serving.clients.asking import (
    RAISES,
    TRITON,
    TRITON_GRPC,
    TRITON_HTTP,
    both_forms,
    every_triton,
    every_way,
    matrix,
    raised,
    tensors,
    values,
)

DATATYPES = ["FP16", "FP32", "FP64", *(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))]

# ---------------------------------------------------------------- health and metadata


@every_way
def test_the_server_is_live_and_ready(client: Client) -> None:
    assert client.call("is_server_live") is True
    assert client.call("is_server_ready") is True


@every_way
def test_the_model_is_ready_and_another_is_not(client: Client) -> None:
    assert client.call("is_model_ready", model_name="late") is True
    if client.grpc:
        words = raised(client, "NOT_FOUND", client.call, "is_model_ready", model_name="early")
        assert words == "model 'early' is not served here, 'late' is"
    else:
        assert client.call("is_model_ready", model_name="early") is False


@every_triton
def test_its_version_is_ready_and_another_is_not(client: Client) -> None:
    assert client.call("is_model_ready", model_name="late", model_version="7") is True
    if client.grpc:
        words = raised(client, "NOT_FOUND", client.call, "is_model_ready", model_name="late", model_version="8")
        assert words == "version '8' of 'late' is not served here, '7' is"
    else:
        assert client.call("is_model_ready", model_name="late", model_version="8") is False


@every_triton
def test_the_server_tells_its_extensions(client: Client) -> None:
    found = client.call("get_server_metadata")
    assert (found["name"], found["extensions"]) == ("trimtab", ["binary_tensor_data", "model_repository"])


@every_triton
@pytest.mark.parametrize("version", ["", "7"])
def test_the_model_tells_its_inputs_and_outputs(client: Client, version: str) -> None:
    found = client.call("get_model_metadata", model_name="late", model_version=version)
    told = {
        side: [(one["name"], one["datatype"], [int(n) for n in one["shape"]]) for one in found[side]]
        for side in ("inputs", "outputs")
    }
    assert told == {
        "inputs": [("distance", "FP64", [-1]), ("weekend", "BOOL", [-1]), ("left", "FP64", [-1]), ("carrier", "BYTES", [-1])],
        "outputs": [("predict", "BYTES", [-1]), ("predict_proba", "FP64", [-1, 2])],
    }
    assert (found["name"], found["versions"], found["platform"]) == ("late", ["7"], "onnx_onnxv1")


@every_triton
def test_the_repository_has_the_one_model(client: Client) -> None:
    found = client.call("get_model_repository_index")
    (one,) = found["models"] if client.grpc else found
    assert {**one, "reason": ""} == {"name": "late", "version": "7", "state": "READY", "reason": ""}


# ---------------------------------------------------------------- answers


@every_way
@both_forms
def test_columns_of_every_kind_in_any_order(client: Client, binary: bool) -> None:
    rows = models.frame(5, seed=1)
    answer = client.infer(*reversed(tensors(rows, binary)))
    assert values(answer) == models.answer(rows)
    assert answer["model_name"] == "late"
    shapes = [(output["name"], output["datatype"], output["shape"]) for output in answer["outputs"]]
    assert shapes == [("predict", "BYTES", [5]), ("predict_proba", "FP64", [5, 2])]


@every_way
@both_forms
@pytest.mark.parametrize("count", [0, 1])
def test_no_rows_and_one(client: Client, count: int, binary: bool) -> None:
    rows = models.frame(count)
    answer = client.infer(*tensors(rows, binary))
    assert values(answer) == models.answer(rows)
    assert [output["shape"] for output in answer["outputs"]] == [[count], [count, 2]]


@every_way
def test_ten_thousand_rows(client: Client) -> None:
    rows = models.frame(10_000)
    assert values(client.infer(*tensors(rows))) == models.answer(rows)


@every_way
@both_forms
def test_a_matrix(adder: Client, binary: bool) -> None:
    answer = adder.infer(matrix([1, 2, 3, 4.5, -5, 6], binary=binary), model="sum")
    assert values(answer)["predict"] == pytest.approx([3, 7.5, 1])


@every_way
@pytest.mark.parametrize("datatype", DATATYPES)
def test_numbers_of_every_datatype(adder: Client, datatype: str) -> None:
    answer = adder.infer(matrix([1, 2, 100, 27], datatype), model="sum")
    assert values(answer)["predict"] == pytest.approx([3, 127])


@every_way
@pytest.mark.parametrize("datatype", DATATYPES[1:])
def test_numbers_of_every_datatype_as_values(adder: Client, datatype: str) -> None:
    answer = adder.infer(matrix([1, 2, 100, 27], datatype, binary=False), model="sum")
    assert values(answer)["predict"] == pytest.approx([3, 127])


@every_way
def test_nan_and_empty_text_are_missing(client: Client) -> None:
    rows = models.frame(3)
    rows["distance"][1] = rows["left"][2] = np.nan
    rows["carrier"][0] = ""
    assert values(client.infer(*tensors(rows))) == models.answer(rows)


@pytest.mark.parametrize("way", [*TRITON_GRPC, "kserve http", "kserve grpc"])
def test_nan_is_missing_among_values(client: Client) -> None:
    rows = models.frame(2)
    rows["distance"][1] = np.nan
    assert values(client.infer(*tensors(rows, binary=False))) == models.answer(rows)


@pytest.mark.parametrize("way", TRITON_HTTP)
def test_nan_in_json_is_refused_with_what_to_send(client: Client) -> None:
    """The client writes a word that is not JSON."""
    rows = models.frame(2)
    rows["distance"][1] = np.nan
    words = raised(client, "INVALID_ARGUMENT", client.infer, *tensors(rows, binary=False))
    assert words == "input 'distance', row 1: NaN is no JSON: send null where a number is missing"


@pytest.mark.parametrize("way", [*TRITON_HTTP, "kserve http"])
@both_forms
@pytest.mark.parametrize("back", [True, False], ids=["bytes-back", "values-back"])
def test_either_direction_may_be_bytes_or_values(client: Client, binary: bool, back: bool) -> None:
    rows = models.frame(4)
    outputs = [{"name": "predict", "binary": back}, {"name": "predict_proba", "binary": back}]
    answer = client.infer(*tensors(rows, binary), outputs=outputs)
    assert values(answer) == models.answer(rows)
    if client.package == "triton":  # KServe's does not tell
        assert {output["binary"] for output in answer["outputs"]} == {back}


@pytest.mark.parametrize("way", [*TRITON, "kserve http"])
def test_bytes_and_values_in_one_request(client: Client) -> None:
    rows = models.frame(4)
    distance, *others = tensors(rows)
    assert values(client.infer({**distance, "binary": False}, *others)) == models.answer(rows)


@pytest.mark.parametrize("way", ["kserve grpc"])
def test_bytes_and_values_in_one_message_are_refused(client: Client) -> None:
    """The protocol has raw contents for all inputs or for none; NVIDIA's client sends nothing else."""
    distance, *others = tensors(models.frame(4))
    words = raised(client, "INVALID_ARGUMENT", client.infer, {**distance, "binary": False}, *others)
    assert words == "there are 4 inputs, and raw_input_contents for 3 of them"


@every_way
def test_only_the_outputs_that_are_asked_for_in_their_order(client: Client) -> None:
    rows = models.frame(2)
    only = client.infer(*tensors(rows), outputs=[{"name": "predict_proba"}])
    assert values(only) == {"predict_proba": models.answer(rows)["predict_proba"]}
    both = client.infer(*tensors(rows), outputs=[{"name": "predict_proba"}, {"name": "predict"}])
    assert [output["name"] for output in both["outputs"]] == ["predict_proba", "predict"]


@every_way
def test_the_id_is_given_back(client: Client) -> None:
    assert client.infer(*tensors(models.frame(1)), request_id="é 7")["id"] == "é 7"


@pytest.mark.parametrize("way", [*TRITON, "kserve grpc"])
def test_the_version_may_be_named(client: Client) -> None:
    assert client.infer(*tensors(models.frame(1)), model_version="7")["model_version"] == "7"
    words = raised(client, "NOT_FOUND", client.infer, *tensors(models.frame(1)), model_version="8")
    assert words == "version '8' of 'late' is not served here, '7' is"


@every_way
def test_parameters_that_mean_nothing_here_are_passed_over(client: Client) -> None:
    more: dict[str, Any] = {"parameters": {"text": "x", "whole": 3, "flag": True}}
    if client.package == "triton":
        more |= {"priority": 2, "timeout": 10**6, "sequence_id": 5, "sequence_start": True, "sequence_end": True}
    rows = models.frame(2)
    assert values(client.infer(*tensors(rows), **more)) == models.answer(rows)


@every_way
def test_requests_at_once_get_each_its_own_answer(client: Client) -> None:
    asked = {f"{n}": models.frame(n % 5, seed=n) for n in range(40)}
    answers = client.ask(together=[request(*tensors(rows), request_id=name) for name, rows in asked.items()])
    assert [answer["id"] for answer in answers] == list(asked)
    for answer, rows in zip(answers, asked.values(), strict=True):
        found, expected = values(answer), models.answer(rows)
        assert found["predict"] == expected["predict"]
        assert found["predict_proba"] == pytest.approx(expected["predict_proba"], abs=1e-6)


@pytest.mark.parametrize("way", TRITON_HTTP)
@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_bodies_are_refused_and_compressed_answers_not_given(client: Client, algorithm: str) -> None:
    rows = models.frame(2)
    with pytest.raises(RaisedError) as caught:
        client.infer(*tensors(rows), request_compression_algorithm=algorithm)
    assert (caught.value.kind, caught.value.status) == (RAISES[client.way], "415")
    assert caught.value.message == f"Content-Encoding '{algorithm}' is not taken: send it plain"
    assert values(client.infer(*tensors(rows), response_compression_algorithm=algorithm)) == models.answer(rows)


@pytest.mark.parametrize("way", TRITON_GRPC)
@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_messages_are_read(client: Client, algorithm: str) -> None:
    rows = models.frame(50)
    assert values(client.infer(*tensors(rows), compression_algorithm=algorithm)) == models.answer(rows)


@every_way
def test_headers_of_ones_own_are_passed_over(client: Client) -> None:
    headers: Any = {"authorization": "Bearer x", "x-request-id": "7"}
    if client.way == "kserve grpc":
        headers = list(headers.items())
    rows = models.frame(1)
    assert values(client.infer(*tensors(rows), headers=headers)) == models.answer(rows)
