"""Binary tensors carry what JSON carries, to the bit, and a body that does not add up is refused in words."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.serving import make
from tests.unit.serving.asgi import INFER, Server, error
from tests.unit.serving.v2 import AGE, CARRIER, LEFT, STOPS, WEEKEND, body, columns, decoder, tensor
from trimtab.api.wire.models import Input
from trimtab.serving import binary
from trimtab.serving.decoding import Inference
from trimtab.serving.refusal import RefusedError


def raw(name: str, datatype: str, content: bytes, shape: list[int], size: int | None = None) -> tuple[Any, bytes]:
    """A tensor whose values follow the JSON, and those."""
    parameters = {"binary_data_size": len(content) if size is None else size}
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": parameters}, content


def texts(*values: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def request(*parts: Any, **more: Any) -> tuple[bytes, int]:
    """A body and the length of its JSON; parts are tensors, or tensors with bytes."""
    tensors = [part[0] if isinstance(part, tuple) else part for part in parts]
    head = body(*tensors, **more)
    return head + b"".join(part[1] for part in parts if isinstance(part, tuple)), len(head)


def decoded(inputs: tuple[Input, ...], *parts: Any) -> Inference:
    return decoder(*inputs).decode(*request(*parts))


WHOLE = [f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]


@pytest.mark.parametrize("datatype", [*WHOLE, "FP16", "FP32", "FP64"])
def test_numbers_of_every_datatype(datatype: str) -> None:
    kind = binary.dtype(datatype)
    assert kind is not None
    content = np.array([0, 1, 100], kind).tobytes()
    assert columns(decoded((AGE,), raw("age", datatype, content, [3]))) == {"age": [0.0, 1.0, 100.0]}


@given(st.lists(st.floats(width=32, allow_infinity=False), min_size=1, max_size=8))
def test_floats_arrive_to_the_bit_and_nan_is_missing(values: list[float]) -> None:
    for datatype, form in (("FP32", "<f4"), ("FP64", "<f8")):
        frame = decoded((AGE,), raw("age", datatype, np.array(values, form).tobytes(), [len(values)])).frame
        np.testing.assert_array_equal(frame["age"], np.array(values))


def test_columns_of_all_kinds_in_any_order_beside_json() -> None:
    inference = decoded(
        (AGE, CARRIER, WEEKEND, LEFT),
        raw("weekend", "BOOL", b"\x01\x00", [2]),
        tensor("age", (1.5, None)),
        raw("left", "BYTES", texts(b"1970-01-01T00:00:05Z", b""), [2, 1]),
        raw("carrier code", "BYTES", texts("é中".encode(), b""), [2]),
    )
    np.testing.assert_equal(
        columns(inference),
        {"age": [1.5, np.nan], "carrier code": ["é中", ""], "weekend": [1.0, 0.0], "left": [5.0, np.nan]},
    )


def test_a_matrix_may_be_bytes() -> None:
    values = np.arange(6.0).reshape(3, 2)
    inference = decoded((AGE, Input(name="b", datatype="FP64")), raw("input", "FP64", values.tobytes(), [3, 2]))
    np.testing.assert_array_equal(inference.frame.table, values)
    inference.frame.table[0, 0] = 7.0  # of its own: nothing holds on to the body


@pytest.mark.parametrize(
    ("inputs", "parts", "message"),
    [
        ((AGE,), [raw("age", "FP64", b"12345678", [2])], "input 'age': 2 values of FP64 are 16 bytes, not 8"),
        ((AGE,), [raw("age", "FP64", b"12345678", [1], 9)], "binary_data_size is 9, and 8 bytes are left of the body"),
        ((AGE,), [raw("age", "FP64", b"12345678", [10**9, 10**9])], "has 1000000000 rows, and one request may have 1000"),
        ((AGE,), [raw("age", "FP64", b"12345678", [1, 10**12])], "1000000000000 values of FP64 are 8000000000000 bytes"),
        ((AGE,), [raw("age", "FP8", b"1", [1])], "'FP8' is no datatype of the protocol"),
        ((AGE,), [raw("age", "BF16", b"11", [1])], "'BF16' is no datatype of the protocol"),
        ((AGE,), [raw("age", "BYTES", texts(b"1"), [1])], "is a Number: send datatype FP64"),
        ((AGE,), [raw("age", "FP64", struct.pack("<d", np.inf), [1])], "row 0: inf is infinite"),
        ((AGE,), [(tensor("age"), b"12345678")], "8 bytes of the body belong to no input"),
        ((AGE,), [raw("age", "INT64", struct.pack("<q", 2**60), [1])], "row 0: 1152921504606846976 is beyond 2^53"),
        ((STOPS,), [raw("stops", "FP32", struct.pack("<2f", 1, np.nan), [2])], "row 1: null is missing"),
        ((WEEKEND,), [raw("weekend", "BOOL", b"\x02", [1])], "row 0: 2 is neither 0 nor 1"),
        ((WEEKEND,), [raw("weekend", "FP64", struct.pack("<d", 0.5), [1])], "row 0: 0.5 is neither 0 nor 1"),
        ((CARRIER,), [raw("carrier code", "FP64", b"12345678", [1])], "is a Category: send its values as text"),
        ((CARRIER,), [raw("carrier code", "BYTES", texts(b"a", b"\xff"), [2])], "row 1: the bytes are no UTF-8 text"),
        ((CARRIER,), [raw("carrier code", "BYTES", texts(b"a"), [2])], "do not hold 2 elements"),
        ((CARRIER,), [raw("carrier code", "BYTES", texts(b"a", b"b"), [1])], "do not hold 1 elements"),
        ((CARRIER,), [raw("carrier code", "BYTES", b"\xff\xff\xff\xffa", [1])], "do not hold 1 elements"),
        ((CARRIER,), [raw("carrier code", "BYTES", b"\x01\x00", [1])], "do not hold 1 elements"),
        ((CARRIER,), [raw("carrier code", "BYTES", bytes(8004), [1, 2001])], "has 2001 texts, and one request may"),
        ((AGE,), [raw("age", "FP64", b"12345678", [1] + [2**63] * 300)], "shape a list has more than 2 dimensions"),
    ],
)  # fmt: skip
def test_bytes_that_do_not_fit_are_refused(inputs: tuple[Input, ...], parts: list[Any], message: str) -> None:
    with pytest.raises(RefusedError) as caught:
        decoder(*inputs).decode(*request(*parts))
    assert caught.value.status == 400
    assert message in caught.value.message


@pytest.mark.parametrize("size", [-1, 1.0, "8", True, [8]])
def test_a_size_is_a_number_of_bytes(size: Any) -> None:
    given_tensor = {"name": "age", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": size}}
    with pytest.raises(RefusedError, match="'binary_data_size' must be a number of bytes"):
        decoder(AGE).decode(body(given_tensor) + b"12345678", len(body(given_tensor)))


def test_no_rows_may_be_no_bytes_beside_a_null() -> None:
    """As KServe's client writes them."""
    inference = decoded((AGE,), ({**raw("age", "FP64", b"", [0])[0], "data": None}, b""))
    assert columns(inference) == {"age": []}


def test_values_are_in_one_place() -> None:
    both = {**tensor("age"), "parameters": {"binary_data_size": 8}}
    with pytest.raises(RefusedError, match="both 'data' and 'binary_data_size'"):
        decoder(AGE).decode(*request((both, b"12345678")))


@pytest.mark.parametrize("header", [3, 10**9])
def test_a_header_length_that_is_none_is_refused(header: int) -> None:
    with pytest.raises(RefusedError) as caught:
        decoder(AGE).decode(body(tensor()), header)
    assert caught.value.status == 400


ONE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 9), st.none(), st.booleans(), st.text(max_size=2),
    st.just([1.5]), st.just({}),
)  # fmt: skip
SHAPES = st.sampled_from([[1], [1, 1], [1.0], [True], [2], [], "1", None])
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["age", "carrier code", "stops", 7]),
        "datatype": st.sampled_from(["FP64", "BYTES", "INT64", None]),
        "shape": SHAPES,
        "data": st.lists(ONE, max_size=2),
    },
    optional={
        "parameters": st.sampled_from(
            [{}, {"content_type": "str"}, {"binary_data_size": 0}, {"shared_memory_region": "x"}, [], 3]
        )
    },
)
GOOD = st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.text(min_size=1, max_size=3)).map(
    lambda row: [tensor("age", (row[0],)), tensor("carrier code", (row[1],), "BYTES", [1, 1])]
)


@given(st.lists(TENSORS, max_size=3) | GOOD)
def test_the_short_way_for_one_row_is_the_long_way(tensors: list[Any]) -> None:
    """What the short way takes, the long one takes alike; what is wrong, the short way leaves to the long one."""
    made = decoder(AGE, CARRIER)._tensors
    short = made._row(tensors)
    if short is None:
        return
    named = made._named(tensors)
    made._attach(named, memoryview(b""))
    made._check_names(named)
    long = made._columns(named)
    np.testing.assert_array_equal(short.table, long.table)
    assert [column.tolist() for column in short.texts] == [column.tolist() for column in long.texts]


def test_most_requests_of_one_row_go_the_short_way() -> None:
    made = decoder(AGE, CARRIER)._tensors
    assert made._row([tensor("carrier code", ("AA",), "BYTES"), tensor("age", (1.5,))]) is not None


# ---------------------------------------------------------------- answers


def ask(server: Server, **more: Any) -> Any:
    return server.infer({**make.request(2), **more})


@pytest.mark.parametrize("outputs", [[{"name": "predict_proba"}, {"name": "predict"}], None])
def test_answers_may_be_bytes(server: Server, outputs: Any) -> None:
    plain = ask(server, **({"outputs": outputs} if outputs else {})).json()["outputs"]
    response = ask(server, parameters={"binary_data_output": True}, **({"outputs": outputs} if outputs else {}))
    assert response.headers["content-type"] == "application/octet-stream"
    length = int(response.headers["inference-header-content-length"])
    head, tail = json.loads(response.content[:length]), response.content[length:]
    for given_plain, given_binary in zip(plain, head["outputs"], strict=True):
        size = given_binary["parameters"]["binary_data_size"]
        values = binary.read("x", given_binary["datatype"], memoryview(tail[:size]), len(given_plain["data"]))
        assert list(values) == given_plain["data"]
        assert (given_binary["name"], given_binary["shape"]) == (given_plain["name"], given_plain["shape"])
        tail = tail[size:]
    assert tail == b""


def test_each_output_may_say_for_itself(server: Server) -> None:
    outputs = [{"name": "predict", "parameters": {"binary_data": False}}, {"name": "predict_proba"}]
    response = ask(server, parameters={"binary_data_output": True}, outputs=outputs)
    head = json.loads(response.content[: int(response.headers["inference-header-content-length"])])
    assert "data" in head["outputs"][0]
    assert "data" not in head["outputs"][1]
    assert "inference-header-content-length" not in ask(server, outputs=[{"name": "predict"}]).headers


def test_bytes_come_over_http(server: Server) -> None:
    content, length = request(*[
        raw(each["name"], each["datatype"], binary.write(each["data"], each["datatype"]), each["shape"])
        for each in make.request(3)["inputs"]
    ])  # fmt: skip
    headers = {"inference-header-content-length": str(length)}
    for media in ("application/octet-stream", "application/json", "application/vnd.sagemaker+json"):
        response = server.ask("POST", INFER, content=content, headers={**headers, "content-type": media})
        assert response.json() == server.infer(make.request(3)).json()
    response = server.ask("POST", INFER, content=content, headers={"content-type": "application/octet-stream"})
    assert response.status_code == 400
    assert error(response).startswith("the body is not JSON")
