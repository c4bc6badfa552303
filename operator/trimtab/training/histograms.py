"""HistGradientBoosting as ONNX, computed in float64 as scikit-learn does. Pure.

The start value is added to the leaves of the first round, so that every sum has the terms and the order of scikit-learn's:
raw predictions are equal to the bit.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from trimtab.training import ensembles

_LINKS = {"IdentityLink": "Identity", "LogLink": "Exp"}
"""Operators that make predictions of raw ones, by scikit-learn's name of the link."""
_CONSTANTS = {"zero": np.array(0.0), "one": np.array(1.0), "flat": np.array([-1], np.int64)}


class NoFormError(ValueError):
    """There is no ONNX form of this model here; the message says why."""


def convert(model: Any, name: str) -> onnx.ModelProto:
    """A fitted HistGradientBoosting model on one float64 matrix called `name`: labels 0..k-1 and probabilities, or numbers.

    Classes must be 0..k-1, and categories the codes that an encoder in front of the model gives: 0, 1, …, or NaN for a
    category that was not fitted. Raises `NoFormError`.
    """
    if model._preprocessor is not None:
        raise NoFormError("it encodes categories by itself")
    if (count := sum(len(tree.nodes) for trees in model._predictors for tree in trees)) > ensembles.NODES:
        raise NoFormError(f"its trees have {count:,} nodes, more than {ensembles.NODES:,}")
    nodes, outputs = _head(model)
    matrix = helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, model.n_features_in_])
    return ensembles.model([_trees(model, name), *nodes], [matrix], outputs, _CONSTANTS)


def _trees(model: Any, name: str) -> onnx.NodeProto:
    """All trees, round by round and class by class."""
    ensemble = ensembles.Ensemble()
    start = np.ravel(model._baseline_prediction)
    for number, predictors in enumerate(model._predictors):
        for target, predictor in enumerate(predictors):
            ensemble.add(_tree(predictor, float(start[target]) if number == 0 else 0.0), target)
    return ensemble.node(name, "raw", model.n_trees_per_iteration_)


def _tree(predictor: Any, start: float) -> ensembles.Tree:
    nodes = predictor.nodes
    return ensembles.Tree(
        leaf=nodes["is_leaf"].astype(np.bool_),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        column=nodes["feature_idx"],
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"].astype(np.bool_),
        value=start + nodes["value"],
        categories={
            int(node): _members(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
            for node in np.flatnonzero(nodes["is_categorical"])
        },
    )


def _members(bitset: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The codes in a set of 256 bits."""
    bits = np.unpackbits(bitset.astype("<u4").view(np.uint8), bitorder="little")
    return np.flatnonzero(bits).astype(np.float64)


# ---------------------------------------------------------------- from raw predictions to answers


def _head(model: Any) -> tuple[list[onnx.NodeProto], list[onnx.ValueInfoProto]]:
    if not hasattr(model, "classes_"):
        return _numbers(model)
    if not np.array_equal(model.classes_, np.arange(len(model.classes_))):
        raise NoFormError("its classes are not 0, 1, …")
    return _two_classes() if model.n_trees_per_iteration_ == 1 else _classes(len(model.classes_))


def _numbers(model: Any) -> tuple[list[onnx.NodeProto], list[onnx.ValueInfoProto]]:
    link = type(model._loss.link).__name__
    if link not in _LINKS:
        raise NoFormError(f"its link is {link}")
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
