"""Forests of two classes as ONNX, computed in float64 as scikit-learn does. Pure.

Half of the trees for each class is a common answer, and the float32 of the usual form breaks such a tie at random. Here both
classes are summed, tree by tree as scikit-learn does: probabilities are equal to the bit, and so a tie is one. The price is
that each tree is there twice.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from trimtab.training import ensembles


def known(model: Any) -> bool:
    """Whether this is such a forest, with classes 0 and 1, and small enough to be there twice."""
    if type(model) not in (RandomForestClassifier, ExtraTreesClassifier):
        return False
    nodes = sum(member.tree_.node_count for member in model.estimators_)
    return bool(np.array_equal(model.classes_, [0, 1]) and 2 * nodes <= ensembles.NODES)


def convert(model: Any, name: str) -> onnx.ModelProto:
    """The forest on one float32 matrix called `name`, which is what its trees compare: labels and probabilities."""
    ensemble = ensembles.Ensemble()
    for member in model.estimators_:
        for target in range(2):
            ensemble.add(_tree(member.tree_, target), target)
    nodes = [
        helper.make_node("Cast", [name], ["wide"], to=TensorProto.DOUBLE),
        ensemble.node("wide", "votes", 2),
        helper.make_node("Div", ["votes", "trees"], ["probabilities"]),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    matrix = helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, model.n_features_in_])
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, 2]),
    ]
    return ensembles.model(nodes, [matrix], outputs, {"trees": np.array(float(len(model.estimators_)))})


def _tree(tree: Any, target: int) -> ensembles.Tree:
    return ensembles.Tree(
        leaf=tree.children_left < 0,
        left=tree.children_left,
        right=tree.children_right,
        column=tree.feature,
        threshold=tree.threshold,
        missing_left=tree.missing_go_to_left.astype(np.bool_),
        value=tree.value[:, 0, target],
    )
