"""What a server refuses of a foreign client, which raises its own exception with the words of the server."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.process.serving.clients import models
from tests.process.serving.clients.agents import Client, RaisedError, request
from tests.process.serving.clients.asking import every_triton, every_way, matrix, raised, tensor, tensors, values
from tests.process.serving.server import Server, eventually

GOOD = tensors(models.frame(2))
REFUSED: dict[str, tuple[list[Any], str]] = {
    "unknown input": ([*GOOD, tensor("x", "FP64", [1, 2])], "unknown input 'x': the model takes"),
    "missing input": (GOOD[1:], "missing input 'distance': the model takes"),
    "input twice": ([*GOOD, GOOD[0]], "input 'distance' is there twice"),
    "rows": ([tensor("distance", "FP64", [1]), *GOOD[1:]], "has 2 rows, and input 'distance' has 1"),
    "shape": (
        [tensor("distance", "FP64", [1, 2, 3, 4], shape=[2, 2]), *GOOD[1:]],
        "input 'distance' has 2 columns, the model takes 1",
    ),
    "shape that promises more": (
        [{**GOOD[0], "told": [3]}, *GOOD[1:]],
        "input 'distance': 3 values of FP64 are 24 bytes, not 16",
    ),
    "datatype": (
        [tensor("distance", "BYTES", ["1", "2"]), *GOOD[1:]],
        "input 'distance' is a Number: send datatype FP64 or another numeric datatype, not 'BYTES'",
    ),
    "text that is none": (
        [*GOOD[:3], tensor("carrier", "BYTES", ["AA", {"hex": "ff"}])],
        "input 'carrier', row 1: the bytes are no UTF-8 text",
    ),
    "infinity": (
        [tensor("distance", "FP32", [1, float("inf")]), *GOOD[1:]],
        "input 'distance', row 1: inf is infinite",
    ),
    "whole number that would be rounded": (
        [tensor("distance", "INT64", [1, 2**53 + 1]), *GOOD[1:]],
        "is beyond 2^53 and would be rounded",
    ),
}


@every_way
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_raises_the_clients_own_exception_with_our_words(client: Client, case: str) -> None:
    inputs, words = REFUSED[case]
    assert words in raised(client, "INVALID_ARGUMENT", client.infer, *inputs)


@every_way
def test_another_model_is_not_found(client: Client) -> None:
    words = raised(client, "NOT_FOUND", client.infer, *GOOD, model="early")
    assert words.startswith("model 'early' is not served here, 'late' is")


@every_way
def test_an_unknown_output_is_named(client: Client) -> None:
    words = raised(client, "INVALID_ARGUMENT", client.infer, *GOOD, outputs=[{"name": "x"}])
    assert words.startswith("unknown output 'x': the model gives 'predict', 'predict_proba'")


@every_way
def test_a_body_beyond_the_limit_is_refused_though_it_is_sent_to_its_end(adder: Client) -> None:
    large = {**matrix([1.5, 2]), "shape": [250_000, 2], "times": 250_000}
    words = raised(adder, "RESOURCE_EXHAUSTED", adder.infer, large, model="sum")
    said = "larger than max" if adder.grpc else "the body is larger than 100000 bytes: send the rows in parts"
    assert said in words
    assert values(adder.infer(matrix([1, 2]), model="sum"))["predict"] == pytest.approx([3])


NOT_THERE: dict[str, dict[str, Any]] = {
    "get_model_config": {"model_name": "late"},
    "get_inference_statistics": {"model_name": "late"},
    "get_system_shared_memory_status": {},
    "register_system_shared_memory": {"name": "mine", "key": "/mine", "byte_size": 8},
    "unregister_system_shared_memory": {"name": "mine"},
    "get_cuda_shared_memory_status": {},
    "unregister_cuda_shared_memory": {},
    "get_trace_settings": {"model_name": "late"},
    "update_log_settings": {"settings": {"log_verbose_level": 1}},
}


@every_triton
@pytest.mark.parametrize("method", NOT_THERE)
def test_what_only_triton_has_is_said_not_to_be_there(client: Client, method: str) -> None:
    words = raised(client, "UNIMPLEMENTED", client.call, method, **NOT_THERE[method])
    assert words == "Method not found!" if client.grpc else words.startswith("there is nothing at '/v2/")


@every_triton
@pytest.mark.parametrize("method", ["load_model", "unload_model"])
def test_models_are_neither_loaded_nor_unloaded(client: Client, method: str) -> None:
    words = raised(client, "INVALID_ARGUMENT", client.call, method, model_name="late")
    assert words.startswith("what is served here is decided by its ModelDeployment")


@pytest.mark.parametrize("way", ["triton grpc"])
def test_streams_are_said_not_to_be_there(client: Client) -> None:
    words = raised(client, "UNIMPLEMENTED", client.ask, stream=request(*GOOD))
    assert words == "Method not found!"


@every_triton
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_values_in_shared_memory_are_refused(client: Client, side: str) -> None:
    inputs, outputs = GOOD, None
    if side == "inputs":
        inputs = [{**GOOD[0], "region": "mine"}, *GOOD[1:]]
    else:
        outputs = [{"name": "predict", "region": "mine"}]
    words = raised(client, "INVALID_ARGUMENT", client.infer, *inputs, outputs=outputs)
    assert "values in shared memory are not taken or given" in words


@every_triton
def test_classification_is_refused_and_not_answered_with_something_else(client: Client) -> None:
    wanted = [{"name": "predict_proba", "classes": 2}]
    words = raised(client, "INVALID_ARGUMENT", client.infer, *GOOD, outputs=wanted)
    assert "the classification extension is not offered" in words


# ---------------------------------------------------------------- time

SECONDS = 0.2
LATE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "triton http": ({"seconds": SECONDS}, {}, "TimeoutError"),
    "triton http-aio": ({"seconds": SECONDS}, {}, "TimeoutError"),
    "triton grpc": ({}, {"client_timeout": SECONDS}, "InferenceServerException"),
    "triton grpc-aio": ({}, {"client_timeout": SECONDS}, "InferenceServerException"),
    "kserve http": ({}, {"timeout": SECONDS}, "ReadTimeout"),
    "kserve grpc": ({}, {"timeout": SECONDS}, "AioRpcError"),
}


@contextmanager
def standing_still(server: Server) -> Iterator[None]:
    """Nothing of it moves meanwhile."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


@every_way
def test_a_client_that_gives_up_leaves_nothing_behind(client: Client) -> None:
    asked, more, kind = LATE[client.way]
    with standing_still(client.server), pytest.raises(RaisedError) as caught:
        client.ask(infer=request(*GOOD, **more), **asked)
    assert caught.value.kind == kind
    if client.grpc:
        assert caught.value.status == "StatusCode.DEADLINE_EXCEEDED"
    rows = models.frame(3)
    assert values(client.infer(*tensors(rows))) == models.answer(rows)
    eventually(lambda: b"requests_in_flight 0.0" in client.server.get("/metrics")[1])
