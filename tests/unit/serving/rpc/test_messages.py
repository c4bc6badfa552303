"""Messages of gRPC carry what JSON carries, to the bit, and are refused in the words of REST."""

from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.serving import make
from tests.unit.serving.asgi import INFER, Server, error
from tests.unit.serving.rpc.calls import FIELDS, call, plain, raw, refused, typed
from tests.unit.serving.v2 import AGE, CARRIER, LEFT, OUTPUTS, STOPS, WEEKEND, body, columns, decoder, tensor
from trimtab.api.wire.models import Input, Signature
from trimtab.api.wire.serving import Limits
from trimtab.serving import loading
from trimtab.serving.decoding import Inference
from trimtab.serving.refusal import RefusedError
from trimtab.serving.rpc import messages
from trimtab.serving.rpc import open_inference_pb2 as pb

INVALID = grpc.StatusCode.INVALID_ARGUMENT
SERVING = make.told("s3://models/late.onnx", make.digest(b""), "ONNX")


def grpc_decoder(*inputs: Input) -> messages.Decoder:
    signature = Signature(task="Classification", inputs=inputs, outputs=OUTPUTS, classes=("a", "b"), positive=1)
    return messages.Decoder(SERVING, signature, Limits(rows=1000))


def decoded(inputs: tuple[Input, ...], message: pb.ModelInferRequest) -> Inference:
    return grpc_decoder(*inputs).decode(message.SerializeToString())


def said(inputs: tuple[Input, ...], message: pb.ModelInferRequest | bytes) -> str:
    """The words of a request that is refused with 400."""
    content = message if isinstance(message, bytes) else message.SerializeToString()
    with pytest.raises(RefusedError) as caught:
        grpc_decoder(*inputs).decode(content)
    assert caught.value.status == 400
    return caught.value.message


# ---------------------------------------------------------------- requests

NUMERIC = [name for name in FIELDS if name not in ("BOOL", "BYTES")]


@pytest.mark.parametrize("datatype", NUMERIC)
@pytest.mark.parametrize("form", [typed, raw])
def test_numbers_of_every_datatype_are_those_of_rest(form: Any, datatype: str) -> None:
    given_tensor = tensor("age", (0, 1, 100), datatype)
    frame = decoded((AGE,), form({"inputs": [given_tensor]})).frame
    np.testing.assert_array_equal(frame["age"], decoder(AGE).decode(body(given_tensor)).frame["age"])


def test_half_floats_are_raw() -> None:
    request = {"inputs": [tensor("age", (0.5, 65504.0), "FP16")]}
    assert columns(decoded((AGE,), raw(request))) == {"age": [0.5, 65504.0]}
    message = pb.ModelInferRequest(model_name="late")
    message.inputs.add(name="age", datatype="FP16", shape=[1]).contents.fp32_contents.append(1)
    expected = "input 'age': FP16 has no form in 'contents': send it in raw_input_contents, or send FP32"
    assert said((AGE,), message) == expected


@given(st.lists(st.floats(width=32, allow_infinity=False), min_size=1, max_size=8), st.sampled_from(["FP32", "FP64"]))
def test_floats_arrive_to_the_bit_and_nan_is_missing(values: list[float], datatype: str) -> None:
    request = {"inputs": [tensor("age", tuple(values), datatype)]}
    for form in (typed, raw):
        np.testing.assert_array_equal(decoded((AGE,), form(request)).frame["age"], np.array(values))


@pytest.mark.parametrize("form", [typed, raw])
def test_columns_of_all_kinds_in_any_order(form: Any) -> None:
    request = {
        "inputs": [
            tensor("weekend", (True, False), "BOOL"),
            tensor("left", ("1970-01-01T00:00:05Z", ""), "BYTES", [2, 1]),
            tensor("carrier code", ("é中", ""), "BYTES"),
            tensor("age", (1.5, float("nan"))),
        ]
    }
    np.testing.assert_equal(
        columns(decoded((AGE, CARRIER, WEEKEND, LEFT), form(request))),
        {"age": [1.5, np.nan], "carrier code": ["é中", ""], "weekend": [1.0, 0.0], "left": [5.0, np.nan]},
    )


@given(
    st.floats(allow_infinity=False),
    st.text(max_size=3),
    st.sampled_from([[1], [1, 1]]),
    st.sampled_from(["FP64", "FP32"]),
)
def test_one_row_is_the_same_row_in_every_form(age: float, carrier: str, shape: list[int], datatype: str) -> None:
    if datatype == "FP32":
        age = float(np.float32(age)) if abs(age) < 1e38 else 1.0
    tensors = [tensor("carrier code", (carrier,), "BYTES", shape), tensor("age", (age,), datatype, shape)]
    for form in (typed, raw):
        inference = decoded((AGE, CARRIER), form({"inputs": tensors}))
        np.testing.assert_equal(columns(inference), {"age": [age], "carrier code": [carrier]})


@pytest.mark.parametrize("form", [typed, raw])
def test_a_matrix_is_taken_in_the_order_of_the_signature(form: Any) -> None:
    request = {"inputs": [tensor("input", (0.0, 1.0, 2.0, 3.0, 4.0, 5.0), shape=[3, 2])]}
    inference = decoded((AGE, Input(name="b", datatype="FP64")), form(request))
    np.testing.assert_array_equal(inference.frame.table, np.arange(6.0).reshape(3, 2))


def test_parameters_that_mean_nothing_are_passed_over() -> None:
    message = typed({"inputs": [tensor()]})
    message.parameters["priority"].uint64_param = 3
    message.inputs[0].parameters["content_type"].string_param = "np"
    inference = decoded((AGE,), message)
    assert (columns(inference), inference.binary) == ({"age": [1.5]}, frozenset())


# ---------------------------------------------------------------- refusals in the words of REST


@pytest.mark.parametrize("side", ["inputs", "outputs"])
@pytest.mark.parametrize("parameter", ["shared_memory_region", "classification"])
def test_values_that_would_be_elsewhere_or_others_are_refused(parameter: str, side: str) -> None:
    message = typed({"inputs": [tensor()], "outputs": [{"name": "predict"}]})
    asked = getattr(message, side)[0]
    asked.parameters[parameter].string_param = "x"
    chosen = {**tensor(), "parameters": {parameter: "x"}} if side == "inputs" else tensor()
    outputs = [{"name": "predict", "parameters": {parameter: "x"}}] if side == "outputs" else []
    with pytest.raises(RefusedError) as caught:
        decoder(AGE).decode(body(chosen, outputs=outputs))
    assert said((AGE,), message) == caught.value.message
    assert caught.value.message.startswith(f"{side[:-1]} {asked.name!r}: ")


ALIKE: dict[str, tuple[Input, Any]] = {
    "no inputs": (AGE, []),
    "twice": (AGE, [tensor(), tensor()]),
    "unknown": (AGE, [tensor("agee")]),
    "missing": (STOPS, [tensor("age")]),
    "too few values": (AGE, [tensor(shape=[2])]),
    "too many rows": (AGE, [tensor(shape=[1001])]),
    "huge rows": (AGE, [tensor(shape=[10**18])]),
    "wide": (AGE, [tensor(shape=[1, 10**18])]),
    "deep": (AGE, [tensor(shape=[1, 1, 1])]),
    "no shape": (AGE, [tensor(shape=[])]),
    "negative": (AGE, [tensor(shape=[-1])]),
    "outside UINT8": (AGE, [tensor(data=(300,), datatype="UINT8")]),
    "outside INT8": (AGE, [tensor(data=(-129,), datatype="INT8")]),
    "beyond 2^53": (AGE, [tensor(data=(2**53 + 1,), datatype="INT64")]),
    "BOOL for a number": (AGE, [tensor(data=(True,), datatype="BOOL")]),
    "BYTES for a number": (AGE, [tensor(data=("1",), datatype="BYTES")]),
    "text is missing": (
        replace(CARRIER, accepts_missing=False),
        [tensor("carrier code", ("",), "BYTES")],
    ),
    "a number for text": (CARRIER, [tensor("carrier code", (1,), "INT64")]),
    "no Boolean": (WEEKEND, [tensor("weekend", (2,), "INT64")]),
    "text for a Boolean": (WEEKEND, [tensor("weekend", ("x",), "BYTES")]),
    "no time": (LEFT, [tensor("left", ("1/2/2013",), "BYTES")]),
}


@pytest.mark.parametrize("case", ALIKE)
def test_what_rest_refuses_is_refused_in_the_same_words(case: str) -> None:
    wanted, tensors = ALIKE[case]
    with pytest.raises(RefusedError) as caught:
        decoder(wanted).decode(body(*tensors))
    assert said((wanted,), typed({"inputs": tensors})) == caught.value.message


def test_an_unknown_datatype_is_refused_as_rest_refuses_it() -> None:
    message = pb.ModelInferRequest(model_name="late")
    message.inputs.add(name="age", datatype="FLOAT", shape=[1]).contents.fp64_contents.append(1)
    expected = "input 'age' is a Number: send datatype FP64 or another numeric datatype, not 'FLOAT'"
    assert said((AGE,), message) == expected


@pytest.mark.parametrize("form", [typed, raw])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "null is missing, and the model needs a value here"),
        (np.inf, "inf is infinite, which no value of a column is"),
    ],
)
def test_nan_and_infinity_are_named(value: float, words: str, form: Any) -> None:
    needed = replace(AGE, accepts_missing=False)
    for values in ((value,), (1.0, value)):
        row = len(values) - 1
        assert said((needed,), form({"inputs": [tensor(data=values)]})) == f"input 'age', row {row}: {words}"


# ---------------------------------------------------------------- refusals of messages


def test_contents_of_another_datatype_are_refused() -> None:
    message = typed({"inputs": [tensor()]})
    message.inputs[0].contents.fp32_contents.append(1)
    expected = "input 'age': values of FP64 belong into fp64_contents, and there are fp32_contents"
    assert said((AGE,), message) == expected


@pytest.mark.parametrize("count", [1, 3])
def test_raw_contents_are_one_for_each_input(count: int) -> None:
    message = raw({"inputs": [tensor(), tensor("stops")]})
    del message.raw_input_contents[:]
    message.raw_input_contents.extend([bytes(8)] * count)
    assert said((AGE, STOPS), message) == f"there are 2 inputs, and raw_input_contents for {count} of them"


def test_values_are_in_one_place() -> None:
    message = raw({"inputs": [tensor()]})
    message.inputs[0].contents.fp64_contents.append(1)
    assert said((AGE,), message) == "input 'age' has 'contents', and the request has raw_input_contents"


@pytest.mark.parametrize(
    ("column", "datatype", "content", "words"),
    [
        (AGE, "FP64", bytes(7), "input 'age': 1 values of FP64 are 8 bytes, not 7"),
        (AGE, "FP64", bytes(16), "input 'age': 1 values of FP64 are 8 bytes, not 16"),
        (AGE, "BF16", bytes(2), "input 'age': 'BF16' is no datatype of the protocol"),
        (CARRIER, "BYTES", b"\xff\xff\xff\xffa", "input 'carrier code': the bytes do not hold 1 elements"),
        (CARRIER, "BYTES", b"\x01\0\0\0\xff", "input 'carrier code', row 0: the bytes are no UTF-8 text"),
    ],
)
def test_raw_contents_that_do_not_fit_are_refused(column: Input, datatype: str, content: bytes, words: str) -> None:
    message = pb.ModelInferRequest(model_name="late", raw_input_contents=[content])
    message.inputs.add(name=column.name, datatype=datatype, shape=[1])
    assert said((column,), message).startswith(words)


def test_typed_bytes_that_are_no_text_are_refused() -> None:
    message = pb.ModelInferRequest(model_name="late")
    message.inputs.add(name="carrier code", datatype="BYTES", shape=[2]).contents.bytes_contents.extend([b"a", b"\xff"])
    assert said((CARRIER,), message) == "input 'carrier code', row 1: the bytes are no UTF-8 text"


@pytest.mark.parametrize("content", [b"\xff", b"\x0a\x05ab", b"\x0a\x01\xff", b"\x0b", b'{"inputs": []}'])
def test_bytes_that_are_no_message_are_refused(content: bytes) -> None:
    assert said((AGE,), content) == "the message is no ModelInferRequest of the protocol"


@pytest.mark.parametrize(
    "field", [b"\x2a\x00", b"\x32\x00", b"\xaa\x00\x00", b"\x08\x01", b"\x0d\0\0\0\0", b"\x09" + bytes(8)]
)
def test_a_flood_of_tiny_fields_is_refused_unread(field: bytes) -> None:
    assert said((AGE,), field * 300_000) == "the message has more than 20000 inputs, outputs and contents"


@pytest.mark.parametrize("end", [b"\x2b", b"\x2a" + b"\xff" * 11, b"\x2a", b"\xff" * 300_000])
def test_large_bytes_that_are_no_message_are_refused_unread(end: bytes) -> None:
    assert (
        said((AGE,), b"\x3a\x80\x80\x20" + bytes(512 << 10) + end)
        == "the message is no ModelInferRequest of the protocol"
    )


def test_large_messages_of_the_protocol_are_read() -> None:
    values = tuple(range(900))
    message = raw({"inputs": [tensor("age", values)], "id": "x" * 400_000})
    assert columns(decoded((AGE,), message)) == {"age": list(map(float, values))}


def tried(content: bytes) -> Inference | RefusedError:
    """What became of a request."""
    try:
        return grpc_decoder(AGE).decode(content)
    except RefusedError as refusal:
        return refusal


@given(st.binary(max_size=200))
def test_whatever_is_sent_is_decoded_or_refused(content: bytes) -> None:
    for sent in (content, raw({"inputs": [tensor()]}).SerializeToString() + content):
        outcome = tried(sent)
        assert isinstance(outcome, Inference) or (outcome.status in (400, 404) and len(outcome.message) < 2000)


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("form", [typed, raw])
@pytest.mark.parametrize("more", [{}, {"id": "a"}, {"outputs": [{"name": "predict_proba"}, {"name": "predict"}]}])
def test_answers_are_those_of_rest(form: Any, more: dict[str, Any], server: Server) -> None:
    request = make.request(30, **more)
    answer = call(server, "ModelInfer", form(request))
    assert plain(answer) == server.infer(request).json()
    assert len(answer.raw_output_contents) == (len(answer.outputs) if form is raw else 0)


def test_raw_answers_are_those_of_rest_in_bytes(server: Server) -> None:
    request = make.request(5, parameters={"binary_data_output": True})
    response = server.infer(request)
    tail = response.content[int(response.headers["inference-header-content-length"]) :]
    assert b"".join(call(server, "ModelInfer", raw(request)).raw_output_contents) == tail
    message = typed(request)
    message.parameters["binary_data_output"].bool_param = True
    assert b"".join(call(server, "ModelInfer", message).raw_output_contents) == tail


@pytest.mark.parametrize("classes", [("no", "yes"), (False, True), (5, 3), (0.5, 1.5)])
@pytest.mark.parametrize("form", [typed, raw])
def test_labels_keep_their_type(form: Any, classes: tuple[Any, ...], tmp_path: Any) -> None:
    made = Server(loading.load(make.folder(tmp_path, classes=classes), tmp_path))
    answer = plain(call(made, "ModelInfer", form(make.request(30))))
    assert answer == made.infer(make.request(30)).json()
    assert {type(label) for label in answer["outputs"][0]["data"]} == {type(classes[0])}


def test_no_rows_get_an_answer_of_no_rows(server: Server) -> None:
    for form in (typed, raw):
        assert plain(call(server, "ModelInfer", form(make.request(0)))) == server.infer(make.request(0)).json()


# ---------------------------------------------------------------- the same status

STATUSES: dict[str, tuple[grpc.StatusCode, Any, dict[str, Any]]] = {
    "unknown output": (INVALID, make.request(1, outputs=[{"name": "score"}]), {}),
    "an output twice": (INVALID, make.request(1, outputs=[{"name": "predict"}] * 2), {}),
    "too many rows": (INVALID, make.request(151), {}),
    "another model": (grpc.StatusCode.NOT_FOUND, make.request(1), {"model_name": "early"}),
    "another version": (grpc.StatusCode.NOT_FOUND, make.request(1), {"model_version": "8"}),
}


@pytest.mark.parametrize("case", STATUSES)
def test_refusals_have_the_code_that_stands_for_rests(case: str, server: Server) -> None:
    code, request, named = STATUSES[case]
    path = f"/v2/models/{named.get('model_name', 'late')}/versions/{named.get('model_version', '7')}/infer"
    response = server.infer(request, path)
    assert refused(server, "ModelInfer", typed(request, **named)) == (code, error(response))
    assert {400: INVALID, 404: grpc.StatusCode.NOT_FOUND}[response.status_code] == code
    assert server.inferences.figures.codes[response.status_code] == 2


def test_a_row_that_the_model_cannot_take_is_refused(server: Server) -> None:
    request = make.request(1)
    request["inputs"][0]["data"] = [1e39]
    expected = error(server.ask("POST", INFER, json=request))
    assert refused(server, "ModelInfer", typed(request)) == (INVALID, expected)
