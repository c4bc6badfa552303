"""ONNX graphs of fitted pipelines: the preprocessing node by node, the estimator by skl2onnx or by `histograms` and `forests`, in
one graph. Its inputs are `numbers`, all numeric columns side by side, and `text0`, `text1`, … for the categories: columns that
come one by one cost more than most models do.

The preprocessing is written here because its usual converters are wrong without an error (indicators of missing values) or do not
load (medians in float64). Whether a graph gives what scikit-learn gives is for `parity` to say.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from trimtab.model.graph import NUMBERS, TEXT
from trimtab.training import forests, histograms, preprocess
from trimtab.training.handover import Feature
from trimtab.training.preprocess import Family

OPSET = {"": 18, "ai.onnx.ml": 3}
_ML = "ai.onnx.ml"
_MATRIX = "X"
"""Name of what the preprocessing hands to the estimator; all its own names begin with `pre_`."""


class NotConvertible(ValueError):  # noqa: N818  no error: scikit-learn serves it then
    """There is no graph for this pipeline; the message says why, in one sentence."""


Form = Callable[[Any, int, "np.dtype[Any]"], onnx.ModelProto]
"""Writes a fitted estimator on one matrix of so many columns of that type; raises NotConvertible."""


def forms(pipeline: Pipeline) -> tuple[Form, ...]:
    """The ways to write the pipeline's estimator, the fastest first."""
    estimator = pipeline.named_steps["model"]
    if preprocess.family(type(estimator)) is Family.HISTOGRAM:
        return (_histogram,)
    return (_usual, _forest) if forests.known(estimator) else (_usual,)


def convert(pipeline: Pipeline, features: Sequence[Feature], form: Form) -> bytes:
    """The pipeline as ONNX: numbers in the precision that the estimator compares in, categories as text. Raises
    NotConvertible."""
    estimator = pipeline.named_steps["model"]
    trees = preprocess.family(type(estimator)) is Family.TREES
    graph = _Graph(np.dtype(np.float32 if trees else np.float64))
    width = graph.preprocess(pipeline.named_steps["columns"], features)
    return bytes(graph.onto(form(estimator, width, graph.dtype)).SerializeToString())


def _histogram(estimator: Any, width: int, dtype: np.dtype[Any]) -> onnx.ModelProto:
    try:
        return histograms.convert(estimator, _MATRIX)
    except histograms.NoFormError as error:
        raise NotConvertible(f"{type(estimator).__name__} has no ONNX form here: {error}") from error


def _forest(estimator: Any, width: int, dtype: np.dtype[Any]) -> onnx.ModelProto:
    return forests.convert(estimator, _MATRIX)


def _usual(estimator: Any, width: int, dtype: np.dtype[Any]) -> onnx.ModelProto:
    tensor = FloatTensorType if dtype == np.float32 else DoubleTensorType
    types = [(_MATRIX, tensor([None, width]))]
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            try:
                return to_onnx(
                    estimator, initial_types=types, options={id(estimator): {"zipmap": False}}, target_opset=OPSET
                )
            except NameError:  # no such option: this estimator gives no maps of probabilities
                return to_onnx(estimator, initial_types=types, target_opset=OPSET)
    except Exception as error:  # converters raise whatever comes up, down to KeyError
        said = " ".join(str(error).split())[:160] or type(error).__name__
        raise NotConvertible(f"{type(estimator).__name__} has no ONNX form: {said}") from error


@dataclass
class _Graph:
    """A graph that grows node by node; `dtype` is what numbers are in it."""

    dtype: np.dtype[Any]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    columns: dict[int, int] = field(default_factory=dict)
    """By place among the features: the column of `numbers`."""
    texts: dict[int, str] = field(default_factory=dict)
    """By place among the features: the input of a category."""

    @property
    def number(self) -> int:
        """The data type of numbers."""
        return int(TensorProto.FLOAT if self.dtype == np.float32 else TensorProto.DOUBLE)

    def preprocess(self, columns: Any, features: Sequence[Feature]) -> int:
        """Add the fitted column transformer; its output is the matrix. Returns the matrix's width."""
        self._declare(features)
        blocks, width = [], 0
        for name, fitted, places in columns.transformers_:
            if name == "remainder":
                continue
            block, wide = getattr(self, f"_{name}")(fitted, [int(place) for place in places])
            blocks.append(block)
            width += wide
        self._node("Concat", blocks, _MATRIX, axis=1)
        return width

    def _declare(self, features: Sequence[Feature]) -> None:
        for place, feature in enumerate(features):
            if feature.kind == "Category":
                self.texts[place] = f"{TEXT}{len(self.texts)}"
            else:
                self.columns[place] = len(self.columns)
        if self.columns:
            self.inputs.append(helper.make_tensor_value_info(NUMBERS, self.number, [None, len(self.columns)]))
        for name in self.texts.values():
            self.inputs.append(helper.make_tensor_value_info(name, TensorProto.STRING, [None, 1]))

    def onto(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """The estimator's model with this graph before it."""
        graph = helper.make_graph(
            [*self.nodes, *model.graph.node],
            "trimtab",
            self.inputs,
            list(model.graph.output),
            [*self.constants, *model.graph.initializer],
        )
        versions = {entry.domain: entry.version for entry in model.opset_import}
        opsets = [
            helper.make_opsetid(domain, max(versions.get(domain, 0), OPSET.get(domain, 0)))
            for domain in versions | OPSET
        ]
        return helper.make_model(graph, opset_imports=opsets, ir_version=model.ir_version, producer_name="trimtab")

    def _numbers(self, fitted: Any, places: list[int]) -> tuple[str, int]:
        """Median for what is missing, an indicator for columns where something was, then scale where the recipe scales.
        As they are where it does neither."""
        columns = [self.columns[place] for place in places]
        raw = NUMBERS
        if columns != list(range(len(self.columns))):
            raw = self._node("Gather", [NUMBERS, self._constant(np.array(columns, np.int64))], axis=1)
        if isinstance(fitted, FunctionTransformer):  # what becomes of "passthrough"
            return raw, len(places)
        imputer = fitted.named_steps["median"] if isinstance(fitted, Pipeline) else fitted
        missing = self._node("IsNaN", [raw])
        matrix = self._node("Where", [missing, self._constant(np.asarray(imputer.statistics_, self.dtype)), raw])
        width = len(places)
        indicated = imputer.indicator_.features_ if imputer.indicator_ is not None else np.array([], np.int64)
        if len(indicated):
            flags = self._node("Gather", [missing, self._constant(indicated.astype(np.int64))], axis=1)
            matrix = self._node("Concat", [matrix, self._node("Cast", [flags], to=self.number)], axis=1)
            width += len(indicated)
        if isinstance(fitted, Pipeline):
            scaler = fitted.named_steps["scale"]
            centred = self._node("Sub", [matrix, self._constant(np.asarray(scaler.mean_, self.dtype))])
            matrix = self._node("Div", [centred, self._constant(np.asarray(scaler.scale_, self.dtype))])
        return matrix, width

    def _one_hot(self, fitted: Any, places: list[int]) -> tuple[str, int]:
        blocks, width = [], 0
        for place, levels in zip(places, fitted.categories_, strict=True):
            flags = self._node("OneHotEncoder", [self.texts[place]], domain=_ML, cats_strings=[*levels], zeros=1)
            flat = self._node("Reshape", [flags, self._constant(np.array([-1, len(levels)], np.int64))])
            blocks.append(self._node("Cast", [flat], to=self.number))
            width += len(levels)
        return self._node("Concat", blocks, axis=1), width

    def _ordinal(self, fitted: Any, places: list[int]) -> tuple[str, int]:
        blocks = []
        for place, levels in zip(places, fitted.categories_, strict=True):
            codes = self._node(
                "LabelEncoder",
                [self.texts[place]],
                domain=_ML,
                keys_strings=[*levels],
                values_floats=[float(code) for code in range(len(levels))],
                default_float=float(fitted.unknown_value),
            )
            blocks.append(self._node("Cast", [codes], to=self.number))
        return self._node("Concat", blocks, axis=1), len(places)

    def _node(
        self, operator: str, inputs: list[str], output: str | None = None, domain: str = "", **attributes: Any
    ) -> str:
        name = output or f"pre_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], domain=domain, **attributes))
        return name

    def _constant(self, values: NDArray[Any]) -> str:
        name = f"pre_constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name
