"""A model file of XGBoost before the library reads it: whole, of a version that is known, with trees that can be followed.

XGBoost's own reader checks that a file is JSON or UBJSON, and believes the numbers in it. Reads bytes from anywhere.
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from trimtab.model import trees, ubjson
from trimtab.model.engine import UnloadableModelError
from trimtab.model.trees import BrokenTreeError, integers, within

_NONE = (2**31 - 1, -1)
"""The parent of a root."""
_TYPES = frozenset({"int", "float", "i", "q", "c"})
_MOST = 100_000
"""Features, and classes: more would take the memory of a pod before a row is asked."""


def check(content: bytes, newest: tuple[int, int]) -> None:
    """Raises `UnloadableModelError` with a sentence for what is no model of XGBoost's, was cut short, was written by a
    release after `newest`, or has trees that lead nowhere."""
    document = _parsed(content)
    try:
        learner, written = document["learner"], tuple(map(int, document["version"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UnloadableModelError("the file is no model of XGBoost: it has no learner and no version") from error
    if written[:2] > newest:
        raise UnloadableModelError(
            f"the model was saved by XGBoost {'.'.join(map(str, written))}, this image has {newest[0]}.{newest[1]}: "
            "save it with that release, or convert it to ONNX"
        )
    try:
        _learner(learner)
    except UnloadableModelError:
        raise
    except BrokenTreeError as error:
        raise UnloadableModelError(f"the file is broken: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnloadableModelError(f"the file is broken: {type(error).__name__}: {str(error)[:200]}") from error


def _parsed(content: bytes) -> Any:
    if content[:1] != b"{":
        raise UnloadableModelError(
            "the file is no model of XGBoost in JSON or UBJSON: write it with save_model to a name in .ubj or .json"
        )
    try:
        return ubjson.read(content) if content[1:2] in b"iUIlL" else json.loads(content)
    except (ubjson.UbjsonError, ValueError, RecursionError) as error:
        raise UnloadableModelError(f"the file is no model of XGBoost, or was cut short: {str(error)[:200]}") from error


def _learner(learner: Mapping[str, Any]) -> None:
    shape = learner["learner_model_param"]
    features, groups = int(shape["num_feature"]), max(1, int(shape["num_class"]))
    if (targets := int(shape.get("num_target", 1))) > 1:
        raise UnloadableModelError(
            f"the model predicts {targets} targets a row, and one is served: train a model for each"
        )
    if not 1 <= features <= _MOST or groups > _MOST:
        raise UnloadableModelError(f"the model has {features} features and {groups} classes: 1 to {_MOST} are served")
    for name in ("feature_names", "feature_types"):
        if learner.get(name) and len(learner[name]) != features:
            raise BrokenTreeError(f"it has {features} features and {len(learner[name])} {name}")
    if odd := set(learner.get("feature_types") or ()) - _TYPES:
        raise BrokenTreeError(f"it has features of type {sorted(odd)[:3]}")
    booster = learner["gradient_booster"]
    if booster["name"] == "gblinear":
        _numbers(booster["model"]["weights"], "weights", (features + 1) * groups)
        return
    model = booster["gbtree"]["model"] if booster["name"] == "dart" else booster["model"]
    if booster["name"] == "dart":
        _numbers(booster["weight_drop"], "weight_drop", len(model["trees"]))
    _forest(model, features, groups)


def _forest(model: Mapping[str, Any], features: int, groups: int) -> None:
    count = len(model["trees"])
    if int(model["gbtree_model_param"].get("num_parallel_tree", 1)) < 1:
        raise BrokenTreeError("a round has no trees")
    if int(model["gbtree_model_param"]["num_trees"]) != count:
        raise BrokenTreeError(f"it has {count} trees and says {model['gbtree_model_param']['num_trees']}")
    within(integers(model["tree_info"], "tree_info", count), 0, groups, "tree_info")
    if (ends := model.get("iteration_indptr")) is not None:
        rounds = integers(ends, "iteration_indptr")
        within(rounds, 0, count + 1, "iteration_indptr")
        if len(rounds) and ((np.diff(rounds) < 0).any() or rounds[0] != 0 or rounds[-1] != count):
            raise BrokenTreeError("iteration_indptr does not go through the trees in order")
    for encoding in (model.get("cats") or {}).get("enc", ()):
        _encoding(encoding)
    for number, tree in enumerate(model["trees"]):
        try:
            if int(tree["id"]) != number:
                raise BrokenTreeError(f"stands tree {tree['id']}")
            _tree(tree, features)
        except BrokenTreeError as error:
            raise BrokenTreeError(f"in tree {number} {error}") from error


def _encoding(encoding: Mapping[str, Any]) -> None:
    """The values of one feature's categories: numbers, or the bytes of all texts and where each ends."""
    if "offsets" not in encoding:
        _numbers(encoding["values"], "categories", len(encoding["values"]))
        return
    ends, letters = integers(encoding["offsets"], "offsets"), integers(encoding["values"], "categories")
    within(letters, -128, 256, "categories")
    if len(ends) and (ends[0] != 0 or (np.diff(ends) < 0).any() or ends[-1] != len(letters)):
        raise BrokenTreeError("the texts of its categories do not follow one another")
    raw = letters.astype(np.uint8).tobytes()
    for start, end in pairwise(ends.tolist()):
        raw[start:end].decode()


def _tree(tree: Mapping[str, Any], features: int) -> None:
    nodes = len(tree["left_children"])
    if nodes == 0 or int(tree["tree_param"]["num_nodes"]) != nodes:
        raise BrokenTreeError(f"there are {nodes} nodes, and it says {tree['tree_param']['num_nodes']}")
    if tree["tree_param"].get("size_leaf_vector", "1") not in ("0", "1"):
        raise BrokenTreeError("a leaf does not hold one number")
    if int(tree["tree_param"]["num_feature"]) != features or not 0 <= int(tree["tree_param"]["num_deleted"]) < nodes:
        raise BrokenTreeError(f"of {nodes} nodes {tree['tree_param']['num_deleted']} are deleted, or its features are others")
    left, right = (integers(tree[name], name, nodes) for name in ("left_children", "right_children"))
    for name, children in (("left_children", left), ("right_children", right)):
        within(children, -1, nodes, name)
    if ((left < 0) != (right < 0)).any():
        raise BrokenTreeError("a node has one child")
    trees.joined(left, right)
    parents = integers(tree["parents"], "parents", nodes)
    inner = np.flatnonzero(left >= 0)
    if parents[0] not in _NONE or (parents[left[inner]] != inner).any() or (parents[right[inner]] != inner).any():
        raise BrokenTreeError("a node has another parent than the one that leads to it")
    within(integers(tree["split_indices"], "split_indices", nodes)[left >= 0], 0, features, "split_indices")
    integers(tree["default_left"], "default_left", nodes)
    for name in ("split_conditions", "base_weights", "loss_changes", "sum_hessian"):
        _numbers(tree[name], name, nodes)
    if "split_type" in tree:
        _categories(tree, left, nodes)


def _categories(tree: Mapping[str, Any], left: trees.Integers, nodes: int) -> None:
    """Nodes that split by a set of categories, and where in `categories` that set lies."""
    kinds = integers(tree["split_type"], "split_type", nodes)
    within(kinds, 0, 2, "split_type")
    split = integers(tree["categories_nodes"], "categories_nodes")
    starts = integers(tree["categories_segments"], "categories_segments", len(split))
    sizes = integers(tree["categories_sizes"], "categories_sizes", len(split))
    members = integers(tree["categories"], "categories")
    if split.tolist() != np.flatnonzero((kinds == 1) & (left >= 0)).tolist():
        raise BrokenTreeError("categories_nodes are not the nodes that split by category")
    within(starts, 0, len(members) + 1, "categories_segments")
    within(sizes, 1, len(members) + 1, "categories_sizes")
    within(starts + sizes, 0, len(members) + 1, "categories_segments and categories_sizes")
    within(members, 0, 1 << 24, "categories")


def _numbers(values: Any, name: str, count: int) -> None:
    found = np.asarray(values)
    if found.ndim != 1 or len(found) != count or found.dtype.kind not in "fiu":
        raise BrokenTreeError(f"{name} is not a list of {count} numbers")
