"""ONNX Runtime as an engine, for Trimtab's own graphs and a user's classifier or regressor. Runs no code of a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Input, Signature
from trimtab.model import classes, graph, signature
from trimtab.model.engine import Prediction, UnloadableModelError
from trimtab.model.frame import Column, Frame, rows, table, width


def load(path: Path, known: Signature | None) -> "OnnxEngine":
    """Load one ONNX file; raises `UnloadableModelError`."""
    return from_bytes(path.read_bytes(), known)


def from_bytes(content: bytes, known: Signature | None = None) -> "OnnxEngine":
    """Load an ONNX model from memory; without a signature it is read from the graph. Raises `UnloadableModelError`."""
    opened = graph.read(content)
    return OnnxEngine(opened, known or signature.of_graph(opened))


class OnnxEngine:
    """A graph and the signature by which it is fed. `predict` is safe to call from several threads."""

    def __init__(self, opened: graph.Graph, known: Signature) -> None:
        self._signature = known
        self._session = opened.session
        self._feeds = _feeder(opened, known)
        self._read = _classifier(opened, known) if known.task == "Classification" else _regressor(opened)

    @property
    def signature(self) -> Signature:
        return self._signature

    def predict(self, frame: Frame) -> Prediction:
        """The answer for the rows of `frame`; raises `ValueError` for a missing column or a value that does not fit."""
        names, read = self._read
        return read(self._session.run(names, self._feeds(frame)), rows(frame))


# ---------------------------------------------------------------- inputs

_Feeder = Callable[[Frame], dict[str, Any]]


def _feeder(opened: graph.Graph, known: Signature) -> _Feeder:
    ports, inputs = opened.inputs, known.inputs
    for port in ports:
        if port.type not in signature.DATATYPES:
            raise UnloadableModelError(f"input {port.name!r} is {port.type}, which no V2 tensor can carry")
    if (own := _own(ports, inputs)) is not None:
        return own
    if len(ports) == 1 and len(inputs) > 1 and len(ports[0].shape) == 2 and ports[0].shape[1] in (None, len(inputs)):
        return _stacked(ports[0], inputs)
    if len(ports) != len(inputs):
        raise UnloadableModelError(f"the graph has {len(ports)} inputs, its signature {len(inputs)}")
    pairs = _paired(ports, inputs)
    return _columns(pairs)


def _own(ports: tuple[graph.Port, ...], inputs: tuple[Input, ...]) -> _Feeder | None:
    """Trimtab's own graphs: all numeric columns as one matrix, and the categories, both in the order of the signature."""
    numbers = tuple(column.name for column in inputs if column.kind != "Category")
    texts = tuple(column.name for column in inputs if column.kind == "Category")
    names = [*([graph.NUMBERS] if numbers else []), *(f"{graph.TEXT}{place}" for place in range(len(texts)))]
    if [port.name for port in ports] != names or any(width(column) != 1 for column in inputs):
        return None
    if numbers and ports[0].shape[1:] not in ((None,), (len(numbers),)):
        return None
    pairs = list(zip(names[-len(texts) :], texts, strict=True)) if texts else []
    wanted = signature.numpy_type(ports[0].type) if numbers else None

    def feed(frame: Frame) -> dict[str, Any]:
        feeds = {name: _column(frame, column).reshape(-1, 1) for name, column in pairs}
        if numbers:
            feeds[graph.NUMBERS] = _cast(table(frame, numbers), wanted, numbers)
        return feeds

    return feed


def _paired(ports: tuple[graph.Port, ...], inputs: tuple[Input, ...]) -> list[tuple[graph.Port, Input]]:
    if len(ports) == 1:
        return [(ports[0], inputs[0])]
    by_name = {column.name: column for column in inputs}
    if unknown := [port.name for port in ports if port.name not in by_name]:
        raise UnloadableModelError(f"the graph has inputs {unknown[:5]} that its signature does not name")
    return [(port, by_name[port.name]) for port in ports]


def _stacked(port: graph.Port, inputs: tuple[Input, ...]) -> _Feeder:
    """Numeric columns side by side, for a graph with one matrix."""
    if port.type == "tensor(string)" or any(column.kind == "Category" for column in inputs):
        raise UnloadableModelError("a graph with one matrix takes numbers only, and the signature has columns of text")
    names, wanted = tuple(column.name for column in inputs), signature.numpy_type(port.type)

    return lambda frame: {port.name: _cast(table(frame, names), wanted, names)}


def _columns(pairs: list[tuple[graph.Port, Input]]) -> _Feeder:
    """One tensor an input. Columns of one numeric type are cast as one block: a cast each costs more than the model."""
    blocks: dict[str, list[tuple[graph.Port, str]]] = {}
    others: list[tuple[graph.Port, str]] = []
    for port, column in pairs:
        _agree(port, column)
        if width(column) == 1 and port.type != "tensor(string)":
            blocks.setdefault(port.type, []).append((port, column.name))
        else:
            others.append((port, column.name))

    def feed(frame: Frame) -> dict[str, Any]:
        feeds: dict[str, Any] = {}
        for type_, members in blocks.items():
            names = tuple(name for _, name in members)
            cast = np.ascontiguousarray(_cast(table(frame, names), signature.numpy_type(type_), names).T)
            for values, (port, _) in zip(cast, members, strict=True):
                feeds[port.name] = values if len(port.shape) == 1 else values.reshape(-1, 1)
        for port, name in others:
            values = _column(frame, name)
            if port.type != "tensor(string)":
                names = (name,) * values.shape[1]
                values = np.ascontiguousarray(_cast(values, signature.numpy_type(port.type), names))
            feeds[port.name] = values.reshape(-1, 1) if values.ndim < len(port.shape) else values
        return feeds

    return feed


def _agree(port: graph.Port, column: Input) -> None:
    text = port.type == "tensor(string)"
    if text != (column.kind == "Category"):
        raise UnloadableModelError(f"column {column.name!r} is a {column.kind}, and its graph input is {port.type}")
    wide = width(column)
    there = port.shape[1] if len(port.shape) == 2 else 1
    if there is not None and wide != there:
        raise UnloadableModelError(f"input {column.name!r} is {wide} wide in the signature and {there} in the graph")


def _column(frame: Frame, name: str) -> Column:
    try:
        return frame[name]
    except KeyError:
        raise ValueError(f"column {name!r} is missing") from None


def _cast(block: NDArray[np.float64], wanted: Any, names: tuple[str, ...]) -> NDArray[Any]:
    """float64[rows, columns] in the type of the graph. Raises `ValueError` for a value that the type cannot hold."""
    if wanted == np.float64:
        return block
    with np.errstate(over="ignore", invalid="ignore"):
        cast = block.astype(wanted)
    wrong = np.isinf(cast) if wanted.kind == "f" else cast != block
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(f"column {names[column]!r}, row {row}: {block[row, column]} does not fit the model's {wanted}")
    return cast


# ---------------------------------------------------------------- outputs

_Reader = tuple[list[str], Callable[[list[Any], int], Prediction]]


def _regressor(opened: graph.Graph) -> _Reader:
    port = signature.score_port(opened)
    if port is None or port.type.startswith("seq"):
        raise UnloadableModelError("the signature is of a regression, and the graph gives no numbers")

    def read(answers: list[Any], n: int) -> Prediction:
        values = np.asarray(answers[0], np.float64).reshape(-1)
        if len(values) != n:
            raise RuntimeError(f"the graph gave {len(values)} numbers for {n} rows")
        return Prediction(values=values)

    return [port.name], read


def _classifier(opened: graph.Graph, known: Signature) -> _Reader:
    label, scores, named = signature.label_port(opened), signature.score_port(opened), known.classes or ()
    if label is None:
        raise UnloadableModelError("the signature is of a classification, and the graph gives no labels")
    wanted = any(output.name == "predict_proba" for output in known.outputs)
    if wanted and scores is None:
        raise UnloadableModelError("the signature names predict_proba, and the graph gives no probabilities")
    own = opened.labels.get(label.name) or (opened.labels.get(scores.name) if scores else None)
    if own is None:
        own = named if label.type == "tensor(string)" else tuple(range(len(named)))
    order = classes.positions(own, named)
    index = dict(zip(own, order, strict=True))
    same = list(own) == order
    straight = order == list(range(len(order)))
    by_class = sorted(range(len(own)), key=order.__getitem__)

    def read(answers: list[Any], n: int) -> Prediction:
        labels = np.asarray(answers[0]).reshape(-1)
        if same:
            positions = labels.astype(np.int64)
        else:
            positions = np.fromiter((index[value] for value in labels.tolist()), np.int64, len(labels))
        if len(positions) != n or (n and not 0 <= positions.min() <= positions.max() < len(own)):
            raise RuntimeError(f"the graph gave labels that are not among {list(own)[:10]} for {n} rows")
        if not wanted:
            return Prediction(classes=positions)
        if isinstance(answers[1], list):
            matrix = np.array([[row[own[i]] for i in by_class] for row in answers[1]], np.float64).reshape(n, len(own))
        else:
            matrix = np.asarray(answers[1], np.float64).reshape(n, len(own))
            matrix = matrix if straight else matrix[:, by_class]
        return Prediction(classes=positions, probabilities=matrix)

    return [label.name, *([scores.name] if wanted and scores else [])], read
