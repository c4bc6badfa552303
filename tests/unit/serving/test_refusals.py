"""What is no V2 request is refused in words that name the column, the row and the value."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.serving.v2 import AGE, CARRIER, LEFT, STOPS, WEEKEND, body, decoder, refusal, tensor
from trimtab.api.wire.models import Input
from trimtab.serving.decoding import MOST_NESTED, Inference
from trimtab.serving.refusal import RefusedError

MANY = [f"c{i}" for i in range(12)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the body is not JSON: Input is a zero-length, empty document: line 1 column 1 (char 0)"),
        (b"[1]", "the body must be a JSON object with 'inputs'"),
        (b"{}", "'inputs' must be a list of at least one tensor"),
        (body(), "'inputs' must be a list of at least one tensor"),
        (b'{"inputs": [1]}', "each of 'inputs' must be an object with a 'name'"),
        (body(tensor(name=7)), "each of 'inputs' must be an object with a 'name'"),
        (body(tensor(), tensor()), "input 'age' is there twice"),
        (body(tensor(), id=7), "'id' must be text, not 7"),
        (body(tensor(), outputs="predict"), "'outputs' must be a list of objects with a 'name'"),
        (
            body(tensor(), outputs=[{"name": "score"}]),
            "unknown output 'score': the model gives 'predict', 'predict_proba'",
        ),
        (body(tensor(), outputs=[{"name": ["x"]}]), "unknown output ['x']: the model gives 'predict', 'predict_proba'"),
        (body(tensor(), outputs=[{"name": "predict"}] * 2), "output 'predict' is asked for twice"),
        (
            body(tensor(), outputs=[{"name": "predict", "parameters": {"binary_data": "false"}}]),
            "parameter 'binary_data' must be true or false, not 'false'",
        ),
        (
            body(tensor(), parameters={"binary_data_output": 1}),
            "parameter 'binary_data_output' must be true or false, not 1",
        ),
        (body(tensor(), tensor("agee")), "unknown input 'agee': the model takes 'age'"),
        (body(tensor("Age")), "unknown input 'Age': the model takes 'age'"),
        (body(tensor(shape=[2])), "input 'age': shape [2] needs 2 values, 'data' has 1"),
        (
            body(tensor(shape=[10**18])),
            f"input 'age' has {10**18} rows, and one request may have 1000: send them in parts",
        ),
        (body(tensor(shape=[1001])), "input 'age' has 1001 rows, and one request may have 1000: send them in parts"),
        (body(tensor(shape=[1, 10**18])), f"input 'age': shape [1, {10**18}] needs {10**18} values, 'data' has 1"),
        (body(tensor(shape=[1, 1, 1])), "input 'age': shape [1, 1, 1] is not [n] or [n, 1]"),
        (body(tensor(shape=[])), "input 'age': shape [] is not [n] or [n, 1]"),
        (body(tensor(shape=[-1])), "input 'age': 'shape' must be a list of whole numbers, not [-1]"),
        (body(tensor(shape=[1.0])), "input 'age': 'shape' must be a list of whole numbers, not [1.0]"),
        (body(tensor(shape=[True])), "input 'age': 'shape' must be a list of whole numbers, not [True]"),
        (body(tensor(shape="1")), "input 'age': 'shape' must be a list of whole numbers, not '1'"),
        (body({"name": "age", "datatype": "FP64", "shape": [1]}), "input 'age': 'data' must be a list"),
        (
            body({"name": "age", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": 8}}),
            "input 'age': binary_data_size is 8, and 0 bytes are left of the body",
        ),
        (
            body({"name": "age", "datatype": "FP64", "shape": [1], "parameters": [1]}),
            "'parameters' of input 'age' must be an object, not [1]",
        ),
        (body(tensor(data=[[1], 2], shape=[2])), "input 'age', row 1: 2 is not a list of 1 values"),
        (body(tensor(data=[[1], [2, 3]], shape=[3])), "input 'age', row 1: [2, 3] is not a list of 1 values"),
        (body(tensor(data=[1, [2]])), "input 'age', row 1: [2] is nested deeper than the shape of its tensor"),
        (
            body(tensor(data=[[[1]]], shape=[1])),
            "input 'age', row 0: [1] is nested deeper than the shape of its tensor",
        ),
        (body(tensor(data=("1",))), "input 'age', row 0: '1' is not a number, which datatype FP64 needs"),
        (body(tensor(data=(1, True))), "input 'age', row 1: true is not a number, which datatype FP64 needs"),
        (body(tensor(data=(1, {}))), "input 'age', row 1: {} is not a number, which datatype FP64 needs"),
        (body(tensor(data=(0, float("nan")))), "input 'age', row 1: NaN is no JSON: send null where a number is missing"),
        (body(tensor(data=(float("inf"),))), "input 'age', row 0: Infinity is not a number, which datatype FP64 needs"),
        (
            body(tensor(data=(-float("inf"),))),
            "input 'age', row 0: -Infinity is not a number, which datatype FP64 needs",
        ),
        (
            body(tensor(data=(1,))).replace(b"[1]}", b"[1e999]}"),
            "input 'age', row 0: 1e999 is not a number, which datatype FP64 needs",
        ),
        (body(tensor(data=(1e39,), datatype="FP32")), "input 'age', row 0: 1e+39 is outside FP32: send FP64"),
        (body(tensor(data=(1, 1.5), datatype="INT32")), "input 'age', row 1: 1.5 is not whole, as INT32 is"),
        (body(tensor(data=(300,), datatype="UINT8")), "input 'age', row 0: 300 is outside UINT8"),
        (body(tensor(data=(-1,), datatype="UINT64")), "input 'age', row 0: -1 is outside UINT64"),
        (
            body(tensor(data=(2**53 + 1,), datatype="INT64")),
            f"input 'age', row 0: {2**53 + 1} is beyond 2^53 and would be rounded: send FP64 if it may be",
        ),
        (body(tensor(data=(10**30,), datatype="INT64")), "input 'age', row 0: 1e+30 is outside INT64"),
        (body(tensor(datatype="FP16")), "input 'age': FP16 has no form in JSON, send FP32"),
        (
            body(tensor(datatype="FLOAT")),
            "input 'age' is a Number: send datatype FP64 or another numeric datatype, not 'FLOAT'",
        ),
        (
            body(tensor(data=(True,), datatype="BOOL")),
            "input 'age' is a Number: send datatype FP64 or another numeric datatype, not 'BOOL'",
        ),
        (
            body(tensor(data=("1",), datatype="BYTES")),
            "input 'age' is a Number: send datatype FP64 or another numeric datatype, not 'BYTES'",
        ),
        (
            body(tensor(datatype=None)),
            "input 'age' is a Number: send datatype FP64 or another numeric datatype, not null",
        ),
        (
            body(tensor(datatype=["FP64"])),
            "input 'age' is a Number: send datatype FP64 or another numeric datatype, not ['FP64']",
        ),
    ],
)
def test_what_is_no_request_is_refused_in_these_words(content: bytes, message: str) -> None:
    assert refusal(decoder(AGE), content) == message


SHARED = {"shared_memory_region": "mine", "shared_memory_byte_size": 8}
TOP = {"classification": 2}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (body({**tensor(), "parameters": SHARED}), "input 'age': values in shared memory are not taken or given"),
        (body({**tensor(data=(1.5, 2)), "parameters": SHARED}), "input 'age': values in shared memory"),
        (body({"name": "age", "datatype": "FP64", "shape": [1], "parameters": SHARED}), "input 'age': values in shared memory"),
        (body(tensor(), outputs=[{"name": "predict", "parameters": SHARED}]), "output 'predict': values in shared memory"),
        (body(tensor(), outputs=[{"name": "predict", "parameters": TOP}]), "output 'predict': the classification extension"),
    ],
)  # fmt: skip
def test_values_that_would_be_elsewhere_or_others_are_refused(request_: bytes, words: str) -> None:
    assert refusal(decoder(AGE), request_).startswith(words)


def test_flags_that_are_null_are_not_given() -> None:
    chosen = [{"name": "predict", "parameters": {"binary_data": None}}]
    inference = decoder(AGE).decode(body(tensor(), outputs=chosen, parameters={"binary_data_output": True}))
    assert inference.binary == {"predict"}


@pytest.mark.parametrize(
    ("column", "datatype", "value", "message"),
    [
        (STOPS, "INT64", None, "row 0: null is missing, and the model needs a value here"),
        (CARRIER, "BYTES", 7, "row 0: 7 is not text, which datatype BYTES needs"),
        (CARRIER, "BYTES", True, "row 0: true is not text, which datatype BYTES needs"),
        (WEEKEND, "BOOL", 1, "row 0: 1 is neither true nor false, which datatype BOOL needs"),
        (WEEKEND, "BOOL", "true", "row 0: 'true' is neither true nor false, which datatype BOOL needs"),
        (WEEKEND, "INT64", 2, "row 0: 2 is neither 0 nor 1, as a Boolean is"),
        (LEFT, "BYTES", "1/2/2013", "row 0: '1/2/2013' is not a time such as 2013-01-31T12:00:00Z"),
        (LEFT, "BYTES", 5, "row 0: 5 is not text, which datatype BYTES needs"),
    ],
)
def test_values_of_another_kind_are_refused_in_these_words(
    column: Input, datatype: str, value: Any, message: str
) -> None:
    content = body(tensor(column.name, (value,), datatype))
    assert refusal(decoder(column), content) == f"input {column.name!r}, {message}"


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (CARRIER, "input 'carrier code' is a Category: send its values as text in datatype BYTES, not 'INT64'"),
        (WEEKEND, "input 'weekend' is a Boolean: send datatype BOOL, not 'BYTES'"),
        (LEFT, "input 'left' is a Time: send datatype BYTES or FP64, not 'BOOL'"),
    ],
)
def test_datatypes_of_another_kind_are_refused_in_these_words(column: Input, message: str) -> None:
    wrong = message.rsplit("'", 2)[1]
    assert refusal(decoder(column), body(tensor(column.name, (1,), wrong))) == message


@pytest.mark.parametrize("value", [None, ""])
def test_missing_text_is_refused_where_the_model_needs_a_value(value: Any) -> None:
    needed = replace(CARRIER, accepts_missing=False)
    message = refusal(decoder(needed), body(tensor(needed.name, ("AA", value), "BYTES")))
    assert message == "input 'carrier code', row 1: null is missing, and the model needs a value here"


def test_missing_and_unknown_columns_are_listed() -> None:
    made = decoder(*(Input(name=name, datatype="FP64") for name in MANY))
    listed = ", ".join(repr(name) for name in MANY[:8])
    expected = f"the model takes {listed} and 4 more, or one matrix of all columns named 'input'"
    assert (
        refusal(made, body(tensor("c3")))
        == f"missing input 'c0', 'c1', 'c2', 'c4', 'c5', 'c6', 'c7', 'c8' and 3 more: {expected}"
    )
    assert refusal(made, body(tensor("X", (1,) * 12, shape=[1, 12]))) == f"unknown input 'X': {expected}"


def test_columns_of_different_lengths_are_refused() -> None:
    message = refusal(decoder(AGE, STOPS), body(tensor("stops", (1, 2)), tensor("age", (1,))))
    assert message == "input 'stops' has 2 rows, and input 'age' has 1"


def test_a_matrix_names_the_column_at_fault() -> None:
    made = decoder(AGE, STOPS)
    message = refusal(made, body(tensor("input", [1, 2, 3, None], shape=[2, 2])))
    assert message == "input 'stops', row 1: null is missing, and the model needs a value here"
    assert refusal(made, body(tensor("input", [1, 2, 3], shape=[1, 3]))).startswith(
        "input 'input' has 3 columns, the model takes 2"
    )
    assert (
        refusal(made, body(tensor("input", [[1, 2], [3]], shape=[2, 2])))
        == "input 'input', row 1: [3] is not a list of 2 values"
    )


def test_a_matrix_is_not_taken_where_a_column_is_text() -> None:
    made = decoder(AGE, CARRIER)
    message = refusal(made, body(tensor("input", (1, 2), shape=[1, 2])))
    assert message == "unknown input 'input': the model takes 'age', 'carrier code'"


@pytest.mark.parametrize("depth", [1023, 1024, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    content = b'{"inputs":' + b"[" * depth + b"NaN" + b"]" * depth + b"}"
    assert refusal(decoder(AGE), content)


def test_literals_outside_of_tensors_are_refused_too() -> None:
    content = body(tensor(), parameters={"x": float("nan")})
    assert refusal(decoder(AGE), content) == "the body is not JSON: NaN and Infinity are no JSON numbers"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["inputs", "name", "shape", "data", "datatype", "outputs", "id", "x"]), inner
            )
        ),
    )
)
def test_whatever_is_sent_is_decoded_or_refused(document: Any) -> None:
    for content in (
        document,
        {"inputs": document},
        {"inputs": [{"name": "age", "datatype": "FP64", "shape": [1], "data": document}]},
    ):
        outcome = tried(json.dumps(content).encode())
        assert isinstance(outcome, Inference) or (outcome.status == 400 and len(outcome.message) < 2000)


def tried(content: bytes) -> Inference | RefusedError:
    """What became of a request."""
    try:
        return decoder(AGE).decode(content)
    except RefusedError as error:
        return error


DEEP = b"[" * 1000 + b"]" * 1000
"""As deep as the parser takes."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (body(tensor(), outputs=[{"name": "DEEP"}]), "unknown output a list: the model gives 'predict', 'predict_proba'"),
        (body(tensor(), parameters="DEEP"), "'parameters' of the request must be an object, not a list"),
        (body(tensor(), id="DEEP"), "'id' must be text, not a list"),
        (body(tensor(shape="DEEP")), "input 'age': 'shape' must be a list of whole numbers, not a list"),
        (body(tensor(datatype="DEEP")), "input 'age' is a Number: send datatype FP64 or another numeric datatype, not a list"),
    ],
)
def test_what_is_too_deep_for_words_is_refused_in_few(content: bytes, message: str) -> None:
    assert refusal(decoder(AGE), content.replace(b'"DEEP"', DEEP)) == message


def test_a_name_is_given_back_in_part() -> None:
    assert len(refusal(decoder(AGE), body(tensor("x" * 10**6)))) < 200


@pytest.mark.parametrize("one", ["[]", '{"a": 0}'])
def test_what_takes_far_more_memory_than_text_is_not_read(one: str) -> None:
    content = b'{"inputs": [' + ",".join([one] * (MOST_NESTED + 1)).encode() + b"]}"
    words = f"the body has more than {MOST_NESTED} lists and objects: send 'data' flat, or the rows in parts"
    assert refusal(decoder(AGE), content) == words
