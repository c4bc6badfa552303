"""Trees as ONNX: many of them in one TreeEnsemble that compares and adds in float64. Pure.

TreeEnsembleRegressor and TreeEnsembleClassifier give float32, which is wrong beside a threshold and in a tie; TreeEnsemble
(ai.onnx.ml 5) gives the type that it is fed with. ONNX Runtime adds the leaves of a row in the order of the trees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSET = {"": 18, "ai.onnx.ml": 5}
IR = 9
"""The format version that came with ai.onnx.ml 5."""
NODES = 500_000
"""Most nodes, leaves among them, of all trees together: ONNX Runtime needs 0.5 KB for each while it loads, and a pod of the slim
image has 512 MiB by default."""
_LEQ, _MEMBER = 0, 6
"""How a node of a TreeEnsemble splits: a number is at most the threshold, a category is among some."""
_TENSORS: dict[str, type] = {"nodes_modes": np.uint8, "nodes_splits": np.float64, "leaf_weights": np.float64}
"""Attributes that are tensors, with their type; all others are lists of integers."""


@dataclass(frozen=True)
class Tree:
    """One tree, by node; the first is the root. What splits a leaf has no meaning."""

    leaf: NDArray[np.bool_]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    column: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    """What a leaf adds."""
    categories: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)
    """By node: the codes, 0 or more, that go left where it splits categories."""


class Ensemble:
    """Trees below each other, as a TreeEnsemble has them."""

    def __init__(self) -> None:
        self._columns: dict[str, list[NDArray[Any]]] = {}
        self._members: list[NDArray[np.float64]] = []
        self._roots: list[int] = []
        self._nodes = self._leaves = 0

    def add(self, tree: Tree, target: int) -> None:
        """A tree whose leaves add to one target. A lone leaf becomes, as ONNX asks, a split with it on both sides."""
        leaf = tree.leaf
        place = np.where(leaf, self._leaves + np.cumsum(leaf) - 1, self._nodes + np.cumsum(~leaf) - 1)
        inner = np.flatnonzero(~leaf) if len(leaf) > 1 else np.array([0])
        left, right = (tree.left[inner], tree.right[inner]) if len(leaf) > 1 else (inner, inner)
        modes, splits = self._splits(tree, inner)
        self._extend(
            nodes_modes=modes,
            nodes_splits=splits,
            nodes_featureids=np.maximum(tree.column[inner], 0),
            nodes_truenodeids=place[left],
            nodes_trueleafs=leaf[left],
            nodes_falsenodeids=place[right],
            nodes_falseleafs=leaf[right],
            nodes_missing_value_tracks_true=tree.missing_left[inner],
            leaf_weights=tree.value[leaf],
            leaf_targetids=np.full(leaf.sum(), target),
        )
        self._roots.append(self._nodes)
        self._nodes += len(inner)
        self._leaves += int(leaf.sum())

    def node(self, matrix: str, sums: str, targets: int) -> onnx.NodeProto:
        """The operator: float64[n, columns] called `matrix` in, float64[n, targets] called `sums` out."""
        found: dict[str, Any] = {"tree_roots": self._roots, "n_targets": targets}
        for name, columns in self._columns.items():
            whole, kind = np.concatenate(columns), _TENSORS.get(name)
            found[name] = numpy_helper.from_array(whole.astype(kind)) if kind else whole.astype(np.int64).tolist()
        if self._members:
            found["membership_values"] = numpy_helper.from_array(np.concatenate(self._members))
        return helper.make_node("TreeEnsemble", [matrix], [sums], domain="ai.onnx.ml", **found)

    def _extend(self, **columns: NDArray[Any]) -> None:
        for name, column in columns.items():
            self._columns.setdefault(name, []).append(column)

    def _splits(self, tree: Tree, inner: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Modes and thresholds; sets of categories are kept aside, in the order of their nodes.

        ONNX Runtime refuses an empty set (only missing values go left): no code is at most -1, which says the same.
        """
        modes, splits = np.full(len(inner), _LEQ), tree.threshold[inner].astype(np.float64)
        for number, node in enumerate(inner.tolist() if tree.categories else ()):
            codes = tree.categories.get(node)
            if codes is None:
                continue
            modes[number], splits[number] = (_MEMBER, 0.0) if len(codes) else (_LEQ, -1.0)
            if len(codes):
                self._members.append(np.append(codes, np.nan))
        return modes, splits


def model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: Mapping[str, NDArray[Any]],
) -> onnx.ModelProto:
    """A model of these operators."""
    tensors = [numpy_helper.from_array(constant, name) for name, constant in constants.items()]
    graph = helper.make_graph(nodes, "trees", inputs, outputs, tensors)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSET.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR)
