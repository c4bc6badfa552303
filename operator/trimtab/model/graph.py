"""What an ONNX file says of itself: its inputs, outputs and labels. Reads bytes in memory; opens no other file.

ONNX Runtime tells names and types. Labels stand in attributes that it does not tell, so the few protobuf fields that
hold them are read here with protobuf itself (field numbers: onnx.proto3 of ONNX 1.20), without the `onnx` package.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

# Official builds of ONNX Runtime report models and machines to their maker and leave an identifier in the home folder,
# unless this is set before the import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from trimtab.api.wire.models import Label
from trimtab.model.engine import UnloadableModelError

NUMBERS, TEXT = "numbers", "text"
"""Inputs of the graphs that training writes: all numeric columns as one matrix, and before a number each category."""
_INT32, _INT64, _STRING, _BYTES, _MESSAGE = 5, 3, 9, 12, 11
_FIELDS: dict[str, dict[str, tuple[int, int, str | None]]] = {
    "Model": {"graph": (7, _MESSAGE, "Graph")},
    "Graph": {
        "node": (1, _MESSAGE, "*Node"),
        "initializer": (5, _MESSAGE, "*Tensor"),
        "sparse": (15, _MESSAGE, "*Sparse"),
    },
    "Node": {
        "input": (1, _STRING, "*"),
        "output": (2, _STRING, "*"),
        "op_type": (4, _STRING, None),
        "attribute": (5, _MESSAGE, "*Attribute"),
    },
    "Attribute": {
        "name": (1, _STRING, None),
        "tensor": (5, _MESSAGE, "Tensor"),
        "graph": (6, _MESSAGE, "Graph"),
        "ints": (8, _INT64, "*"),
        "strings": (9, _BYTES, "*"),
        "tensors": (10, _MESSAGE, "*Tensor"),
        "graphs": (11, _MESSAGE, "*Graph"),
    },
    "Tensor": {
        "data_type": (2, _INT32, None),
        "int32_data": (5, _INT32, "*"),
        "string_data": (6, _BYTES, "*"),
        "int64_data": (7, _INT64, "*"),
        "name": (8, _STRING, None),
        "raw_data": (9, _BYTES, None),
        "data_location": (14, _INT32, None),
    },
    "Sparse": {"values": (1, _MESSAGE, "Tensor"), "indices": (2, _MESSAGE, "Tensor")},
}
_EXTERNAL = 1
_RAW_WIDTHS = {6: 4, 7: 8}
"""Bytes per number of raw int32 and int64 tensors, by ONNX data type."""
_CLASS_LABELS = ("classlabels_int64s", "classlabels_ints", "classlabels_strings")
_UNCHANGED = frozenset({"Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"})
"""Operators that pass labels on as they are."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the graph. `type` is ONNX Runtime's (`tensor(float)`); None in `shape` is a free length."""

    name: str
    type: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A session that is ready to run, and what its file says. `labels` by the name of the output that carries them."""

    session: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    labels: dict[str, tuple[Label, ...]]
    takes_missing: bool
    """The graph fills or branches on NaN: it has an `Imputer`, or trees that track missing values."""


def read(content: bytes) -> Graph:
    """Parse and open an ONNX file on one thread; raises `UnloadableModelError` with a sentence."""
    model = _parse(content)
    if any(tensor.data_location == _EXTERNAL for tensor in _tensors(model.graph)):
        raise UnloadableModelError("the ONNX file keeps weights in other files, which are not read: save it as one")
    session = _session(content)
    outputs = _ports(session.get_outputs())
    labels = {port.name: found for port in outputs if (found := _labels(model.graph, port.name))}
    return Graph(session, _ports(session.get_inputs()), outputs, labels, _takes_missing(model.graph))


def _session(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a class of its own per status, all under Exception
        raise UnloadableModelError(f"ONNX Runtime cannot load the file: {sentence(error)}") from error


def sentence(error: Exception) -> str:
    """The first line of what ONNX Runtime says, without its codes."""
    text = str(error).split(" : ", 3)[-1].strip().splitlines()
    return (text[0] if text else type(error).__name__)[:400]


def _ports(arguments: Any) -> tuple[Port, ...]:
    return tuple(
        Port(a.name, a.type, tuple(n if isinstance(n, int) and n >= 0 else None for n in a.shape or ()))
        for a in arguments
    )


# ---------------------------------------------------------------- protobuf


@cache
def _model_class() -> Any:
    """The message class of a model with the fields above; all others are skipped by the parser."""
    file = descriptor_pb2.FileDescriptorProto(name="trimtab/onnx.proto", package="trimtab", syntax="proto3")
    for name, fields in _FIELDS.items():
        kind = file.message_type.add(name=name)
        for field, (number, type_, target) in fields.items():
            repeated = target is not None and target.startswith("*")
            added = kind.field.add(name=field, number=number, type=type_, label=3 if repeated else 1)
            if target and target.strip("*"):
                added.type_name = f".trimtab.{target.strip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("trimtab.Model"))


def _parse(content: bytes) -> Any:
    try:
        model = _model_class().FromString(content)
    except message.DecodeError as error:
        raise UnloadableModelError("the file is not ONNX: it cannot be parsed") from error
    if not model.graph.node:
        raise UnloadableModelError("the file is not ONNX: it holds no graph")
    return model


def _graphs(graph: Any) -> Iterator[Any]:
    """The graph and all graphs inside its operators."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("graph"):
                yield from _graphs(attribute.graph)
            for inner in attribute.graphs:
                yield from _graphs(inner)


def _tensors(graph: Any) -> Iterator[Any]:
    for inner in _graphs(graph):
        yield from inner.initializer
        for sparse in inner.sparse:
            yield from (sparse.values, sparse.indices)
        for node in inner.node:
            for attribute in node.attribute:
                yield attribute.tensor
                yield from attribute.tensors


def _takes_missing(graph: Any) -> bool:
    for inner in _graphs(graph):
        for node in inner.node:
            if node.op_type == "Imputer":
                return True
            if any(a.name == "nodes_missing_value_tracks_true" and any(a.ints) for a in node.attribute):
                return True
    return False


# ---------------------------------------------------------------- labels


def _labels(graph: Any, output: str) -> tuple[Label, ...]:
    """The labels behind an output, in the order of the classes; empty where the graph does not name them."""
    producers = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    name, left = output, len(graph.node)
    while name in producers and left:
        node, left = producers[name], left - 1
        for attribute in node.attribute:
            if attribute.name in _CLASS_LABELS and (values := tuple(attribute.ints) or _texts(attribute.strings)):
                return values
        if node.op_type not in _UNCHANGED and node.op_type not in ("ArrayFeatureExtractor", "Gather"):
            return ()
        name = node.input[0]
    return _constant(constants[name]) if name in constants else ()


def _constant(tensor: Any) -> tuple[Label, ...]:
    if width := _RAW_WIDTHS.get(tensor.data_type):
        raw = tensor.raw_data
        numbers = [int.from_bytes(raw[i : i + width], "little", signed=True) for i in range(0, len(raw), width)]
        return tuple(numbers) or tuple(tensor.int64_data) or tuple(tensor.int32_data)
    return _texts(tensor.string_data)


def _texts(values: Any) -> tuple[Label, ...]:
    return tuple(value.decode("utf-8", "replace") for value in values)
