"""HistGradientBoosting as ONNX: all trees in one TreeEnsemble that computes in float64, as scikit-learn does. Pure.

TreeEnsembleRegressor and TreeEnsembleClassifier give float32, which is wrong beside a threshold; TreeEnsemble (ai.onnx.ml 5)
gives what it is fed with. The start value is added to the leaves of the first round, so that every sum has the terms and the
order of scikit-learn's: raw predictions are equal to the bit.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = {"": 18, "ai.onnx.ml": 5}
_IR = 9
"""The format version that came with ai.onnx.ml 5."""
_LEQ, _MEMBER = 0, 6
"""How a node of a TreeEnsemble splits: a number is at most the threshold, a category is among some."""
_TENSORS: dict[str, type] = {"nodes_modes": np.uint8, "nodes_splits": np.float64, "leaf_weights": np.float64}
"""Attributes that are tensors, with their type; all others are lists of integers."""
_LINKS = {"IdentityLink": "Identity", "LogLink": "Exp"}
"""Operators that make predictions of raw ones, by scikit-learn's name of the link."""


class UnknownModelError(ValueError):
    """This form of the model is not known here; the message says which."""


def convert(model: Any, name: str) -> onnx.ModelProto:
    """A fitted HistGradientBoosting model on one float64 matrix called `name`: labels 0..k-1 and probabilities, or numbers.

    Classes must be 0..k-1, and categories the codes that an encoder in front of the model gives: 0, 1, …, or NaN for a
    category that was not fitted. Raises `UnknownModelError`.
    """
    if model._preprocessor is not None:
        raise UnknownModelError("it encodes categories by itself")
    nodes, outputs = _head(model)
    graph = helper.make_graph(
        [_ensemble(model, name), *nodes],
        "histogram",
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, model.n_features_in_])],
        outputs,
        [numpy_helper.from_array(np.array(constant), key) for key, constant in _CONSTANTS.items()],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSET.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR)


# ---------------------------------------------------------------- trees


def _ensemble(model: Any, name: str) -> onnx.NodeProto:
    """All trees, round by round and class by class."""
    trees = _Trees()
    start = np.ravel(model._baseline_prediction)
    for number, predictors in enumerate(model._predictors):
        for target, predictor in enumerate(predictors):
            trees.add(predictor, target, float(start[target]) if number == 0 else 0.0)
    return helper.make_node(
        "TreeEnsemble",
        [name],
        ["raw"],
        domain="ai.onnx.ml",
        n_targets=int(model.n_trees_per_iteration_),
        **trees.attributes(),
    )


class _Trees:
    """Columns of a TreeEnsemble's attributes, tree below tree."""

    def __init__(self) -> None:
        self._columns: dict[str, list[NDArray[Any]]] = {}
        self._members: list[NDArray[np.float64]] = []
        self._roots: list[int] = []
        self._nodes = self._leaves = 0

    def add(self, predictor: Any, target: int, start: float) -> None:
        """One tree. One that is a lone leaf becomes, as ONNX asks, a split with that leaf on both sides."""
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        place = np.where(leaf, self._leaves + np.cumsum(leaf) - 1, self._nodes + np.cumsum(~leaf) - 1)
        inner, leaves = nodes[~leaf] if len(nodes) > 1 else nodes, nodes[leaf]
        modes, splits = self._splits(inner, predictor.raw_left_cat_bitsets)
        self._extend(
            nodes_modes=modes,
            nodes_splits=splits,
            nodes_featureids=inner["feature_idx"],
            nodes_truenodeids=place[inner["left"]],
            nodes_trueleafs=leaf[inner["left"]],
            nodes_falsenodeids=place[inner["right"]],
            nodes_falseleafs=leaf[inner["right"]],
            nodes_missing_value_tracks_true=inner["missing_go_to_left"],
            leaf_weights=start + leaves["value"],
            leaf_targetids=np.full(len(leaves), target),
        )
        self._roots.append(self._nodes)
        self._nodes += len(inner)
        self._leaves += len(leaves)

    def attributes(self) -> dict[str, Any]:
        """As a node takes them: integers as lists, all else as tensors."""
        found: dict[str, Any] = {"tree_roots": self._roots}
        for name, columns in self._columns.items():
            whole, kind = np.concatenate(columns), _TENSORS.get(name)
            found[name] = numpy_helper.from_array(whole.astype(kind)) if kind else whole.astype(np.int64).tolist()
        if self._members:
            found["membership_values"] = numpy_helper.from_array(np.concatenate(self._members))
        return found

    def _extend(self, **columns: NDArray[Any]) -> None:
        for name, column in columns.items():
            self._columns.setdefault(name, []).append(column)

    def _splits(self, inner: NDArray[Any], bitsets: NDArray[np.uint32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Modes and thresholds; the sets of categories that go left are kept aside, in order of their nodes.

        ONNX Runtime refuses an empty set (only missing values go left): no code is at most -1, which says the same.
        """
        modes = np.full(len(inner), _LEQ)
        splits = np.array(inner["num_threshold"])
        for number in np.flatnonzero(inner["is_categorical"]):
            members = _members(bitsets[inner["bitset_idx"][number]])
            modes[number], splits[number] = (_MEMBER, 0.0) if len(members) else (_LEQ, -1.0)
            if len(members):
                self._members.append(np.append(members, np.nan))
        return modes, splits


def _members(bitset: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The codes in a set of 256 bits."""
    bits = np.unpackbits(bitset.astype("<u4").view(np.uint8), bitorder="little")
    return np.flatnonzero(bits).astype(np.float64)


# ---------------------------------------------------------------- from raw predictions to answers

_CONSTANTS = {"zero": np.float64(0), "one": np.float64(1), "flat": np.array([-1], np.int64)}


def _head(model: Any) -> tuple[list[onnx.NodeProto], list[onnx.ValueInfoProto]]:
    if not hasattr(model, "classes_"):
        return _numbers(model)
    if not np.array_equal(model.classes_, np.arange(len(model.classes_))):
        raise UnknownModelError("its classes are not 0, 1, …")
    return _two_classes() if model.n_trees_per_iteration_ == 1 else _classes(len(model.classes_))


def _numbers(model: Any) -> tuple[list[onnx.NodeProto], list[onnx.ValueInfoProto]]:
    link = type(model._loss.link).__name__
    if link not in _LINKS:
        raise UnknownModelError(f"its link is {link}")
    node = helper.make_node(_LINKS[link], ["raw"], ["variable"])
    return [node], [helper.make_tensor_value_info("variable", TensorProto.DOUBLE, [None, 1])]


def _two_classes() -> tuple[list[onnx.NodeProto], list[onnx.ValueInfoProto]]:
    """A tie is the first class, whatever the probabilities are rounded to."""
    nodes = [
        helper.make_node("Reshape", ["raw", "flat"], ["line"]),
        helper.make_node("Greater", ["line", "zero"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["label"], to=TensorProto.INT64),
        helper.make_node("Sigmoid", ["raw"], ["second"]),
        helper.make_node("Sub", ["one", "second"], ["first"]),
        helper.make_node("Concat", ["first", "second"], ["probabilities"], axis=1),
    ]
    return nodes, _classified(2)


def _classes(count: int) -> tuple[list[onnx.NodeProto], list[onnx.ValueInfoProto]]:
    nodes = [
        helper.make_node("ArgMax", ["raw"], ["label"], axis=1, keepdims=0),
        helper.make_node("Softmax", ["raw"], ["probabilities"], axis=1),
    ]
    return nodes, _classified(count)


def _classified(count: int) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, count]),
    ]
