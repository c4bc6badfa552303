"""V2 inference requests into frames: pure, strict, and in words that name the column, the row and the value.

A request is matched by the names of the signature, in any order: one tensor a column of shape [n] or [n, 1], or, where
all columns are numbers, all of them as one matrix [n, columns] named as in `MATRIX_NAMES`. Data may be flat or nested.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from trimtab.api.wire import Input, Limits, Signature
from trimtab.model.frame import Column
from trimtab.serving import values
from trimtab.serving.refusal import client
from trimtab.serving.values import Literal

MATRIX_NAMES = ("input", "input-0")
"""Names under which a single tensor may carry all numeric columns in the order of the signature."""
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Inference:
    """One decoded request: `rows` rows of all columns, the outputs that are wanted, and the id to give back."""

    frame: dict[str, Column]
    rows: int
    outputs: tuple[str, ...]
    id: str | None


class Decoder:
    """Requests for one signature."""

    def __init__(self, signature: Signature, limits: Limits) -> None:
        self._inputs = {column.name: column for column in signature.inputs}
        self._outputs = tuple(output.name for output in signature.outputs)
        self._rows = limits.rows
        self._numeric = all(_single(column) and column.kind != "Category" for column in signature.inputs)

    def decode(self, body: bytes) -> Inference:
        """Raises `RefusedError` for whatever is not a request that this model can answer."""
        try:
            document, strict = orjson.loads(body), True
        except orjson.JSONDecodeError as error:
            document, strict = _lenient(body, error), False
        inference = self._decode(document)
        if not strict:
            raise client("the body is not JSON: NaN and Infinity are no JSON numbers")
        return inference

    def _decode(self, document: Any) -> Inference:
        if not isinstance(document, dict):
            raise client("the body must be a JSON object with 'inputs'")
        tensors = self._tensors(document.get("inputs"))
        frame, rows = self._frame(tensors)
        return Inference(frame, rows, self._wanted(document.get("outputs")), _identity(document.get("id")))

    def _tensors(self, inputs: Any) -> dict[str, dict[str, Any]]:
        if not isinstance(inputs, list) or not inputs:
            raise client("'inputs' must be a list of at least one tensor")
        tensors: dict[str, dict[str, Any]] = {}
        for tensor in inputs:
            name = tensor.get("name") if isinstance(tensor, dict) else None
            if not isinstance(name, str):
                raise client("each of 'inputs' must be an object with a 'name'")
            if name in tensors:
                raise client(f"input {name!r} is there twice")
            tensors[name] = tensor
        return tensors

    def _frame(self, tensors: dict[str, dict[str, Any]]) -> tuple[dict[str, Column], int]:
        if (matrix := self._matrix(tensors)) is not None:
            return matrix
        if unknown := [name for name in tensors if name not in self._inputs]:
            raise client(f"unknown input {_list(unknown)}: {self._expected()}")
        if missing := [name for name in self._inputs if name not in tensors]:
            raise client(f"missing input {_list(missing)}: {self._expected()}")
        frame: dict[str, Column] = {}
        first, rows = "", -1
        for name, column in self._inputs.items():
            frame[name], n = self._column(column, tensors[name])
            if rows >= 0 and n != rows:
                raise client(f"input {name!r} has {n} rows, and input {first!r} has {rows}")
            first, rows = first or name, n
        return frame, rows

    def _matrix(self, tensors: dict[str, dict[str, Any]]) -> tuple[dict[str, Column], int] | None:
        """All columns out of one tensor, or None where the request is not of that form."""
        if len(tensors) != 1 or (name := next(iter(tensors))) not in MATRIX_NAMES:
            return None
        tensor, columns = tensors[name], tuple(self._inputs.values())
        if len(columns) == 1 and (name not in self._inputs):
            column = columns[0]
            frame, rows = self._column(column, tensor)
            return {column.name: frame}, rows
        if not self._numeric or (name in self._inputs and not _is_matrix(tensor)):
            return None
        flat, rows, width = self._data(name, tensor, len(columns))
        if width != len(columns):
            raise client(f"input {name!r} has {width} columns, the model takes {len(columns)}: {self._expected()}")
        table = values.numbers(flat, tensor.get("datatype"), columns)
        return {column.name: np.ascontiguousarray(table[:, i]) for i, column in enumerate(columns)}, rows

    def _column(self, column: Input, tensor: Mapping[str, Any]) -> tuple[Column, int]:
        width = 1 if _single(column) else column.shape[1]
        flat, rows, there = self._data(column.name, tensor, width)
        if there != width:
            raise client(f"input {column.name!r} has {there} columns, the model takes {width}")
        if width == 1:
            return values.column(flat, tensor.get("datatype"), column), rows
        return values.numbers(flat, tensor.get("datatype"), (column,) * width), rows

    def _data(self, name: str, tensor: Mapping[str, Any], width: int) -> tuple[list[Any], int, int]:
        """The flat values of a tensor with its rows and columns; `width` is what the model takes."""
        rows, columns = self._shape(name, tensor.get("shape"), width)
        data = tensor.get("data")
        if not isinstance(data, list):
            if "binary_data_size" in (tensor.get("parameters") or {}):
                raise client(f"input {name!r}: binary tensors are not taken, send 'data' as JSON")
            raise client(f"input {name!r}: 'data' must be a list")
        flat = _flat(name, data, columns)
        if len(flat) != rows * columns:
            raise client(
                f"input {name!r}: shape {tensor['shape']} needs {rows * columns} values, 'data' has {len(flat)}"
            )
        return flat, rows, columns

    def _shape(self, name: str, shape: Any, width: int) -> tuple[int, int]:
        if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
            raise client(f"input {name!r}: 'shape' must be a list of whole numbers, not {_short(shape)}")
        if len(shape) == 1 and width == 1:
            shape = [*shape, 1]
        if len(shape) != 2:
            wanted = "[n] or [n, 1]" if width == 1 else f"[n, {width}]"
            raise client(f"input {name!r}: shape {_short(shape)} is not {wanted}")
        if shape[0] > self._rows:
            raise client(
                f"input {name!r} has {shape[0]} rows, and one request may have {self._rows}: send them in parts"
            )
        return shape[0], shape[1]

    def _wanted(self, outputs: Any) -> tuple[str, ...]:
        if outputs is None or outputs == []:
            return self._outputs
        if not isinstance(outputs, list) or not all(isinstance(o, dict) and "name" in o for o in outputs):
            raise client("'outputs' must be a list of objects with a 'name'")
        names = tuple(output["name"] for output in outputs)
        for name in names:
            if name not in self._outputs:
                raise client(f"unknown output {_short(name)}: the model gives {_list(self._outputs)}")
            if names.count(name) > 1:
                raise client(f"output {name!r} is asked for twice")
        return names

    def _expected(self) -> str:
        text = f"the model takes {_list(tuple(self._inputs))}"
        if not self._numeric or len(self._inputs) == 1:
            return text
        return f"{text}, or one matrix of all columns named {MATRIX_NAMES[0]!r}"


def _single(column: Input) -> bool:
    return len(column.shape) == 1 or column.shape[1] == 1


def _is_matrix(tensor: Mapping[str, Any]) -> bool:
    shape = tensor.get("shape")
    return isinstance(shape, list) and len(shape) == 2 and shape[1] != 1


def _flat(name: str, data: list[Any], columns: int) -> list[Any]:
    """Row-major values; rows may be lists of their own, if each has all columns."""
    if not data or type(data[0]) is not list:
        return data
    flat: list[Any] = []
    for row, part in enumerate(data):
        if type(part) is not list or len(part) != columns:
            raise client(f"input {name!r}, row {row}: {_short(part)} is not a list of {columns} values")
        flat += part
    return flat


def _identity(identity: Any) -> str | None:
    if identity is not None and not isinstance(identity, str):
        raise client(f"'id' must be text, not {_short(identity)}")
    return identity


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _short(value: Any) -> str:
    return values.short(value)


def _lenient(body: bytes, error: orjson.JSONDecodeError) -> Any:
    """What the body would be if NaN, Infinity and overflows were JSON, so that the refusal can name the column."""
    refusal = client(f"the body is not JSON: {error}")
    if b"NaN" not in body and b"Infinity" not in body and "infinity" not in str(error):
        raise refusal from error
    try:
        return json.loads(body, parse_constant=Literal, parse_float=values.fraction, parse_int=values.whole)
    except (ValueError, RecursionError):
        raise refusal from error
