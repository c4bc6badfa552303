"""The signature of a model that came without one, read from the model itself. Opens no file."""

from typing import TYPE_CHECKING, Any

import numpy as np

from trimtab.api.wire.models import Datatype, Input, Kind, Label, Output, Signature
from trimtab.model.engine import UnloadableModelError

if TYPE_CHECKING:  # ONNX Runtime is not imported where only scikit-learn's models are served
    from trimtab.model.graph import Graph, Port

DATATYPES: dict[str, Datatype] = {
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(float16)": "FP16",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(bool)": "BOOL",
    "tensor(string)": "BYTES",
}
"""V2 datatypes of the tensors of ONNX Runtime that an input may be."""
MATRIX = "input"
"""Name of the one matrix input of an estimator that was fitted on an array."""
_LABEL_TYPES = frozenset({"tensor(int64)", "tensor(int32)", "tensor(string)", "tensor(bool)"})
_NUMBER_TYPES = frozenset({"tensor(float)", "tensor(double)", "tensor(float16)"})


def outputs(task: str, classes: tuple[Label, ...] | None, probabilities: bool) -> tuple[Output, ...]:
    """`predict`, and `predict_proba` where the model has it."""
    if task == "Regression":
        return (Output(name="predict", datatype="FP64", shape=(-1,)),)
    labels = classes or ()
    predict = Output(name="predict", datatype=datatype(labels), shape=(-1,), labels=labels)
    if not probabilities:
        return (predict,)
    return predict, Output(name="predict_proba", datatype="FP64", shape=(-1, len(labels)), labels=labels)


def datatype(labels: tuple[Label, ...]) -> Datatype:
    """The V2 datatype that holds all these labels; raises `UnloadableModelError` for a mixture of text and numbers."""
    kinds = {type(label) for label in labels}
    if kinds == {str}:
        return "BYTES"
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    if kinds and kinds <= {int, float}:
        return "FP64"
    raise UnloadableModelError(f"labels must be all text, all numbers or all booleans, not {list(labels)[:10]}")


# ---------------------------------------------------------------- ONNX


def from_onnx(content: bytes) -> Signature:
    """The signature of a classifier or regressor in ONNX: one matrix or one input a column, with or without `ZipMap`.

    Raises `UnloadableModelError` with a sentence for what is no ONNX, is fixed to a number of rows, has inputs of three
    or more dimensions, gives several numbers a row, or does not name its labels.
    """
    from trimtab.model import graph

    return of_graph(graph.read(content))


def of_graph(graph: "Graph") -> Signature:
    """As `from_onnx`, for a graph that is open."""
    inputs = tuple(_input(port, graph.takes_missing) for port in graph.inputs)
    label, scores = label_port(graph), score_port(graph)
    if label is None:
        if scores is None or scores.type not in _NUMBER_TYPES:
            raise UnloadableModelError("the ONNX graph has neither an output of labels nor one of numbers")
        if len(scores.shape) == 2 and scores.shape[1] not in (1, None):
            raise UnloadableModelError(
                f"the output {scores.name!r} gives {scores.shape[1]} numbers a row and no label: "
                "a regressor gives one, a classifier needs an output of labels"
            )
        return Signature(task="Regression", inputs=inputs, outputs=outputs("Regression", None, False))
    classes = _classes(graph, label, scores)
    known = scores is not None and _are_probabilities(graph, scores, inputs, len(classes))
    return Signature(
        task="Classification",
        inputs=inputs,
        outputs=outputs("Classification", classes, known),
        classes=classes,
        positive=1 if len(classes) == 2 else None,
    )


def label_port(graph: "Graph") -> "Port | None":
    """The output that holds one label a row, or None."""
    return next((p for p in graph.outputs if p.type in _LABEL_TYPES and len(p.shape) <= 2), None)


def score_port(graph: "Graph") -> "Port | None":
    """The output that holds numbers, one or more a row, or None."""
    return next((p for p in graph.outputs if p.type in _NUMBER_TYPES or p.type.startswith("seq(map(")), None)


def _input(port: "Port", takes_missing: bool) -> Input:
    if port.type not in DATATYPES:
        raise UnloadableModelError(f"input {port.name!r} is {port.type}, which no V2 tensor can carry")
    if len(port.shape) not in (1, 2):
        raise UnloadableModelError(f"input {port.name!r} has {len(port.shape)} dimensions: one or two are served")
    if port.shape[0] is not None:
        raise UnloadableModelError(
            f"input {port.name!r} takes exactly {port.shape[0]} rows: export the graph with a free first dimension"
        )
    width = port.shape[1] if len(port.shape) == 2 else 1
    if width is None:  # some operators read past the row of a narrower matrix and answer nonsense
        raise UnloadableModelError(
            f"input {port.name!r} does not say how many columns it has: export it with a fixed second dimension"
        )
    shape = (-1,) if width == 1 else (-1, width)
    kinds: dict[str, Kind] = {"tensor(string)": "Category", "tensor(bool)": "Boolean"}
    missing = port.type == "tensor(string)" or (takes_missing and port.type in _NUMBER_TYPES)
    return Input(
        name=port.name,
        datatype=DATATYPES[port.type],
        kind=kinds.get(port.type, "Number"),
        shape=shape,
        accepts_missing=missing,
    )


def _classes(graph: "Graph", label: "Port", scores: "Port | None") -> tuple[Label, ...]:
    found = graph.labels.get(label.name) or (graph.labels.get(scores.name) if scores else None)
    if label.type == "tensor(bool)":
        return (False, True)
    if found:
        return found
    count = scores.shape[1] if scores and len(scores.shape) == 2 else None
    if count and count > 1 and label.type in ("tensor(int64)", "tensor(int32)"):
        return tuple(range(count))
    raise UnloadableModelError(
        f"the labels of output {label.name!r} are not in the graph: export with ZipMap, or bring a signature.json"
    )


def _are_probabilities(graph: "Graph", scores: "Port", inputs: tuple[Input, ...], classes: int) -> bool:
    """Whether the numbers of one row are a distribution: decision functions come under the same names."""
    feeds: dict[str, Any] = {}
    for port, column in zip(graph.inputs, inputs, strict=True):
        shape = (1,) if len(port.shape) == 1 else (1, column.shape[1] if len(column.shape) == 2 else 1)
        feeds[port.name] = np.full(shape, "" if port.type == "tensor(string)" else 0, numpy_type(port.type))
    try:
        (row,) = graph.session.run([scores.name], feeds)
    except Exception as error:  # ONNX Runtime raises a class of its own per status, all under Exception
        raise UnloadableModelError(f"the ONNX graph fails on a row of zeros: {str(error)[:300]}") from error
    values = np.array(list(row[0].values()) if isinstance(row, list) else row[0], np.float64).ravel()
    return bool(len(values) == classes and values.min() >= -1e-6 and abs(values.sum() - 1) < 1e-3)


def numpy_type(onnx_type: str) -> Any:
    """The numpy type of a tensor of ONNX Runtime."""
    names = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(string)": "object"}
    return np.dtype(names.get(onnx_type, onnx_type[len("tensor(") : -1]))
