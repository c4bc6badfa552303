"""V2 tensors into the rows of one model: pure, strict, and in words that name the column, the row and the value.

Tensors are matched by the names of the signature, in any order: one a column of shape [n] or [n, 1], or, where all columns
are numbers, all of them as one matrix [n, columns] named as in `MATRIX_NAMES`. Their data may be lists, flat or nested, or
arrays, whatever carried them.
"""

import math
from collections.abc import Container, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from trimtab.api.wire.models import Input, Signature
from trimtab.api.wire.serving import Limits
from trimtab.model.frame import Block, Column, Layout, block, width
from trimtab.serving import binary, values
from trimtab.serving.refusal import client
from trimtab.serving.values import Data, short

MATRIX_NAMES = ("input", "input-0")
"""Names under which a single tensor may carry all numeric columns in the order of the signature."""
_SHOWN = 8
_LONGEST_NAME = 1000
"""Characters of a name that is given back in a refusal, if the signature has none such."""
_MOST_DIMENSIONS = 2
_NOT_OFFERED = {
    "shared_memory_region": "values in shared memory are not taken or given: send them in the request, read them in the answer",
    "classification": "the classification extension is not offered: ask for predict_proba, whose labels are in the metadata",
}
"""Parameters by which other servers find values elsewhere, or give others: who asks for it would take what is there for them."""
_UNUSUAL = frozenset({"binary_data_size", *_NOT_OFFERED})

Tensor: TypeAlias = dict[str, Any]
"""`name`, `datatype`, `shape`, and `data` or `parameters.binary_data_size`, unchecked."""


class Tensors:
    """What one signature takes, within limits."""

    def __init__(self, signature: Signature, limits: Limits) -> None:
        self._inputs = {column.name: column for column in signature.inputs}
        self._layout = Layout(signature.inputs)
        self._rows = limits.rows
        self._numeric = all(width(column) == 1 and column.kind != "Category" for column in signature.inputs)
        self._simple = {
            column.name: "BYTES" if column.kind == "Category" else "FP64"
            for column in signature.inputs
            if width(column) == 1 and column.kind != "Boolean"
        }

    def frame(self, inputs: Any, tail: memoryview) -> Block:
        """The rows of a request, of which nothing was checked. `tail`: bytes behind its JSON. Raises `RefusedError`."""
        if not tail and (row := self._row(inputs)) is not None:
            return row
        tensors = self._named(inputs)
        self._attach(tensors, tail)
        if (matrix := self._matrix(tensors)) is not None:
            return matrix
        self._check_names(tensors)
        return self._columns(tensors)

    def _row(self, inputs: Any) -> Block | None:
        """One row, a tensor a column, as most clients send it, at a quarter of the time; None for any other form."""
        if not isinstance(inputs, list) or not len(inputs) == len(self._simple) == len(self._inputs):
            return None
        left, layout = dict(self._simple), self._layout
        table = np.empty((1, layout.width))
        texts: list[Any] = [None] * len(layout.texts)
        try:
            for tensor in inputs:
                (value,), datatype, name = tensor["data"], tensor["datatype"], tensor["name"]
                if not _is_one(tensor["shape"]) or left.pop(name) != datatype or _is_unusual(tensor):
                    return None
                if datatype == "FP64" and type(value) is float:
                    table[0, layout.spans[name]] = value
                elif datatype == "BYTES" and type(value) is str and value:
                    texts[layout.texts[name]] = np.array([value], object)
                else:
                    return None
        except (KeyError, TypeError, ValueError):
            return None
        return Block(layout, table, tuple(texts))

    def _named(self, inputs: Any) -> dict[str, Tensor]:
        if not isinstance(inputs, list) or not inputs:
            raise client("'inputs' must be a list of at least one tensor")
        tensors: dict[str, Tensor] = {}
        for tensor in inputs:
            name = tensor.get("name") if isinstance(tensor, dict) else None
            if not isinstance(name, str):
                raise client("each of 'inputs' must be an object with a 'name'")
            if len(name) > _LONGEST_NAME and name not in self._inputs:
                raise client(f"unknown input {short(name)}: {self._expected()}")
            if name in tensors:
                raise client(f"input {name!r} is there twice")
            tensors[name] = tensor
        return tensors

    def _attach(self, tensors: dict[str, Tensor], tail: memoryview) -> None:
        """Give every tensor that has bytes behind the JSON its own."""
        for name, tensor in tensors.items():
            size = _size(name, tensor)
            if size is None:
                continue
            if size > tail.nbytes:
                raise client(f"input {name!r}: binary_data_size is {size}, and {tail.nbytes} bytes are left of the body")
            datatype, count = tensor.get("datatype"), self._count(name, tensor)
            tensors[name] = {**tensor, "data": binary.read(name, datatype, tail[:size], count)}
            tail = tail[size:]
        if tail:
            raise client(f"{tail.nbytes} bytes of the body belong to no input")

    def _count(self, name: str, tensor: Tensor) -> int:
        """How many values the shape of a tensor promises, none of which was read."""
        shape = self._shape(name, tensor.get("shape"))
        if len(shape) > _MOST_DIMENSIONS:
            raise client(f"input {name!r}: shape {short(list(shape))} has more than {_MOST_DIMENSIONS} dimensions")
        count = math.prod(shape)
        if tensor.get("datatype") == "BYTES" and count > self._rows:
            raise client(f"input {name!r} has {count} texts, and one request may have {self._rows} rows: send them in parts")
        return count

    def _check_names(self, tensors: Mapping[str, Tensor]) -> None:
        if unknown := [name for name in tensors if name not in self._inputs]:
            raise client(f"unknown input {quoted(unknown)}: {self._expected()}")
        if missing := [name for name in self._inputs if name not in tensors]:
            raise client(f"missing input {quoted(missing)}: {self._expected()}")

    def _columns(self, tensors: Mapping[str, Tensor]) -> Block:
        """A tensor for each input, all of one length."""
        columns: dict[str, Column] = {}
        first, rows = "", -1
        for name, column in self._inputs.items():
            columns[name], n = self._column(column, tensors[name])
            if rows >= 0 and n != rows:
                raise client(f"input {name!r} has {n} rows, and input {first!r} has {rows}")
            first, rows = first or name, n
        return block(self._layout, columns)

    def _matrix(self, tensors: Mapping[str, Tensor]) -> Block | None:
        """All columns out of one tensor, or None where the request is not of that form."""
        if len(tensors) != 1 or (name := next(iter(tensors))) not in MATRIX_NAMES:
            return None
        tensor, columns = tensors[name], tuple(self._inputs.values())
        if len(columns) == 1 and name not in self._inputs:
            return self._columns({columns[0].name: tensor})
        if not self._numeric or (name in self._inputs and not _is_matrix(tensor)):
            return None
        flat, _, there = self._data(name, tensor, len(columns))
        if there != len(columns):
            raise client(f"input {name!r} has {there} columns, the model takes {len(columns)}: {self._expected()}")
        return Block(self._layout, values.numbers(flat, tensor.get("datatype"), columns))

    def _column(self, column: Input, tensor: Tensor) -> tuple[Column, int]:
        wide = width(column)
        flat, rows, there = self._data(column.name, tensor, wide)
        if there != wide:
            raise client(f"input {column.name!r} has {there} columns, the model takes {wide}")
        if wide == 1:
            return values.column(flat, tensor.get("datatype"), column), rows
        return values.numbers(flat, tensor.get("datatype"), (column,) * wide), rows

    def _data(self, name: str, tensor: Tensor, wide: int) -> tuple[Data, int, int]:
        """The flat values of a tensor with its rows and columns; `wide` columns are what the model takes."""
        shape = self._shape(name, tensor.get("shape"))
        if len(shape) == 1 and wide == 1:
            shape = (*shape, 1)
        if len(shape) != 2:
            wanted = "[n] or [n, 1]" if wide == 1 else f"[n, {wide}]"
            raise client(f"input {name!r}: shape {short(list(shape))} is not {wanted}")
        rows, columns = shape
        data = tensor.get("data")
        if not isinstance(data, list | np.ndarray):
            raise client(f"input {name!r}: 'data' must be a list")
        flat = _flat(name, data, columns)
        if len(flat) != rows * columns:
            raise client(f"input {name!r}: shape {tensor['shape']} needs {rows * columns} values, 'data' has {len(flat)}")
        return flat, rows, columns

    def _shape(self, name: str, shape: Any) -> tuple[int, ...]:
        if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
            raise client(f"input {name!r}: 'shape' must be a list of whole numbers, not {short(shape)}")
        if shape and shape[0] > self._rows:
            raise client(f"input {name!r} has {shape[0]} rows, and one request may have {self._rows}: send them in parts")
        return tuple(shape)

    def _expected(self) -> str:
        text = f"the model takes {quoted(tuple(self._inputs))}"
        if not self._numeric or len(self._inputs) == 1:
            return text
        return f"{text}, or one matrix of all columns named {MATRIX_NAMES[0]!r}"


def check_offered(parameters: Container[str], whose: str) -> None:
    """Raises `RefusedError` where a parameter of an input or output asks for what cannot be passed over in silence."""
    for name, words in _NOT_OFFERED.items():
        if name in parameters:
            raise client(f"{whose}: {words}")


def quoted(names: Sequence[str]) -> str:
    """Names in a sentence, the first few of them."""
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _size(name: str, tensor: Tensor) -> int | None:
    """Bytes of this tensor behind the JSON; None where its values are in it."""
    parameters = tensor.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise client(f"'parameters' of input {name!r} must be an object, not {short(parameters)}")
    check_offered(parameters or {}, f"input {name!r}")
    size = (parameters or {}).get("binary_data_size")
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise client(f"input {name!r}: 'binary_data_size' must be a number of bytes, not {short(size)}")
    if tensor.get("data") is not None:
        raise client(f"input {name!r} has both 'data' and 'binary_data_size'")
    return size


def _is_unusual(tensor: Tensor) -> bool:
    """Whether a parameter says more than that the values are in `data`."""
    parameters = tensor.get("parameters")
    return parameters is not None and (type(parameters) is not dict or not parameters.keys().isdisjoint(_UNUSUAL))


def _is_one(shape: Any) -> bool:
    """Whether a shape is [1] or [1, 1], in whole numbers."""
    return shape in ([1], [1, 1]) and type(shape[0]) is type(shape[-1]) is int


def _is_matrix(tensor: Tensor) -> bool:
    shape = tensor.get("shape")
    return isinstance(shape, list) and len(shape) == 2 and shape[1] != 1


def _flat(name: str, data: Data, columns: int) -> Data:
    """Row-major values; rows may be lists of their own, if each has all columns."""
    if len(data) == 0 or type(data[0]) is not list:
        return data
    flat: list[Any] = []
    for row, part in enumerate(data):
        if type(part) is not list or len(part) != columns:
            raise client(f"input {name!r}, row {row}: {short(part)} is not a list of {columns} values")
        flat += part
    return flat
