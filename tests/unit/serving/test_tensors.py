"""V2 requests become frames, with the values that training would read."""

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.serving.v2 import AGE, CARRIER, LEFT, STOPS, WEEKEND, body, columns, decoder, refusal, tensor
from trimtab.api.wire.models import Input
from trimtab.model.values import normalise


def test_columns_are_matched_by_name_in_any_order_and_framed_in_the_signatures() -> None:
    made = decoder(AGE, CARRIER, WEEKEND)
    inference = made.decode(
        body(
            tensor("weekend", (True, False), "BOOL"),
            tensor("carrier code", ("AA", "é\u4e2d"), "BYTES"),
            tensor("age", (1.5, 2), "FP64"),
            id="x-1",
        )
    )
    assert list(inference.frame) == ["age", "carrier code", "weekend"]
    assert columns(inference) == {"age": [1.5, 2.0], "carrier code": ["AA", "é\u4e2d"], "weekend": [1.0, 0.0]}
    assert (inference.rows, inference.id, inference.outputs) == (2, "x-1", ("predict", "predict_proba"))


@pytest.mark.parametrize("shape", [[3], [3, 1]])
@pytest.mark.parametrize("data", [[1, 2, 3], [[1], [2], [3]]])
def test_a_column_may_be_flat_or_nested(shape: list[int], data: list[Any]) -> None:
    assert columns(decoder(AGE).decode(body(tensor(data=data, shape=shape)))) == {"age": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize("name", ["input", "input-0"])
@pytest.mark.parametrize("data", [[1, 2, 3, 4], [[1, 2], [3, 4]]])
def test_numeric_columns_may_come_as_one_matrix(name: str, data: list[Any]) -> None:
    inference = decoder(AGE, STOPS).decode(body(tensor(name, data, shape=[2, 2])))
    assert columns(inference) == {"age": [1.0, 3.0], "stops": [2.0, 4.0]}


def test_a_matrix_of_the_signature_keeps_its_width() -> None:
    made = decoder(Input(name="X", datatype="FP32", shape=(-1, 3)))
    for name in ("X", "input"):
        inference = made.decode(body(tensor(name, [[1, 2, 3], [4, 5, 6]], "FP32", [2, 3])))
        assert inference.frame["X"].tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert refusal(made, body(tensor("X", [1, 2], "FP32", [1, 2]))) == "input 'X' has 2 columns, the model takes 3"
    assert refusal(made, body(tensor("X", [1, 2, 3], "FP32", [3]))) == "input 'X': shape [3] is not [n, 3]"


def test_a_column_that_is_called_input_is_a_column() -> None:
    inside = decoder(Input(name="input", datatype="FP64"), Input(name="b", datatype="FP64"))
    assert columns(inside.decode(body(tensor("b", (2,)), tensor("input", (1,))))) == {"input": [1.0], "b": [2.0]}
    assert columns(inside.decode(body(tensor("input", (1, 2), shape=[1, 2])))) == {"input": [1.0], "b": [2.0]}
    assert refusal(inside, body(tensor("input", (1,)))).startswith("missing input 'b'")


@pytest.mark.parametrize(
    ("column", "datatype", "value", "expected"),
    [
        (AGE, "FP64", None, np.nan),
        (AGE, "FP64", 10**30, 1e30),
        (AGE, "FP32", 0.1, 0.1),
        (AGE, "INT8", -128, -128.0),
        (AGE, "UINT64", 2**53 - 1, 2.0**53 - 1),
        (AGE, "INT64", 3.0, 3.0),
        (AGE, "UINT8", None, np.nan),
        (STOPS, "FP64", 2.5, 2.5),
        (CARRIER, "BYTES", None, ""),
        (CARRIER, "BYTES", "", ""),
        (CARRIER, "BYTES", "007", "007"),
        (CARRIER, "BYTES", "NA", "NA"),
        (WEEKEND, "BOOL", None, np.nan),
        (WEEKEND, "INT64", 1, 1.0),
        (WEEKEND, "FP64", None, np.nan),
        (LEFT, "FP64", 5, 5.0),
        (LEFT, "BYTES", "1970-01-01T00:00:05Z", 5.0),
        (LEFT, "BYTES", "1970-01-01T01:00:05+01:00", 5.0),
        (LEFT, "BYTES", "1970-01-01 00:00:05", 5.0),
        (LEFT, "BYTES", None, np.nan),
    ],
)
def test_values_are_taken_as_they_are_and_null_is_missing(
    column: Input, datatype: str, value: Any, expected: Any
) -> None:
    frame = decoder(column).decode(body(tensor(column.name, (value,), datatype))).frame
    np.testing.assert_equal(frame[column.name].tolist(), [expected])


def test_no_rows_are_a_request_of_no_rows() -> None:
    inference = decoder(AGE, CARRIER).decode(body(tensor(data=()), tensor("carrier code", (), "BYTES")))
    assert inference.rows == 0
    assert columns(inference) == {"age": [], "carrier code": []}


def test_outputs_are_given_in_the_order_asked_for() -> None:
    made = decoder(AGE)
    wanted = [{"name": "predict_proba", "parameters": {"binary_data": True}}, {"name": "predict"}]
    assert made.decode(body(tensor(), outputs=wanted)).outputs == ("predict_proba", "predict")
    assert made.decode(body(tensor(), outputs=[])).outputs == ("predict", "predict_proba")


@given(
    st.sampled_from(["Number", "Boolean", "Category", "Time"]),
    st.data(),
)
def test_a_request_reads_values_as_training_does(kind: Any, data: st.DataObject) -> None:
    numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53) + 1, 2**53 - 1)
    texts = st.text(st.characters(codec="utf-8"))
    choices: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
        "Number": ("FP64", numbers),
        "Boolean": ("BOOL", st.booleans()),
        "Category": ("BYTES", texts),
        "Time": ("BYTES", st.datetimes().map(lambda moment: moment.isoformat())),
    }
    datatype, values = choices[kind]
    drawn = data.draw(st.lists(values | st.none(), min_size=1))
    column = Input(name="c", datatype="FP64", kind=kind)
    content = orjson.dumps({"inputs": [tensor("c", drawn, datatype)]})
    np.testing.assert_array_equal(decoder(column).decode(content).frame["c"], normalise(kind, drawn).values)
