"""A model file of LightGBM before the library reads it: whole, of a version that is known, with trees that can be followed.

LightGBM's own reader ends the process where a tree is cut short or a number is missing. Reads bytes from anywhere.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.model import trees
from trimtab.model.engine import UnloadableModelError
from trimtab.model.trees import BrokenTreeError, integers, within

_VERSIONS = ("v3", "v4")
_TREES, _PARAMETERS, _PANDAS = "\nend of trees\n", "\nend of parameters\n", "pandas_categorical:"
_CATEGORIES = "\n[categorical_feature: "
_MOST = 100_000
"""Features, and classes: more would take the memory of a pod before a row is asked."""
_PLAIN = re.compile(r"[-+.0-9A-Za-z ]*")
"""What numbers are written with. Python would read more as numbers and as blanks than the library does."""
_CATEGORICAL = 1
"""Bit of a node's decision type."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What the library may read of a file, and what its head and tail say."""

    text: str
    """Head and trees."""
    objective: tuple[str, ...]
    """Its name and options; empty for one that was a function of the user's."""
    classes: int
    """Numbers that it gives a row."""
    names: tuple[str, ...]
    categorical: tuple[int, ...]
    """Features that are categories."""
    levels: tuple[Sequence[Any], ...]
    """Values of the categories that came from pandas, column by column, without the columns."""


def read(content: bytes) -> ModelFile:
    """Raises `UnloadableModelError` with a sentence for what is no model of LightGBM's, was cut short, is of another version
    of the format, or has trees that lead nowhere."""
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UnloadableModelError("the file is no model of LightGBM in text: it is not UTF-8") from error
    if not text.startswith("tree\n") or "\0" in text:
        raise UnloadableModelError("the file is no model of LightGBM in text: write it with the Booster's save_model")
    head, *found = text.partition(_TREES)[0].split("\nTree=")
    pairs = _pairs(head)
    if (version := pairs.get("version")) not in _VERSIONS:
        raise UnloadableModelError(
            f"the file is of version {str(version)[:20]}, and this image's LightGBM reads {' and '.join(_VERSIONS)}"
        )
    for end in (_TREES, _PARAMETERS):
        if end not in text:
            raise UnloadableModelError(f"the file was cut short: it has no line {end.strip()!r}")
    try:
        return _checked(head, pairs, found, text[text.index(_TREES) :])
    except BrokenTreeError as error:
        raise UnloadableModelError(f"the file is broken: {error}") from error


def _checked(head: str, pairs: Mapping[str, str], found: list[str], tail: str) -> ModelFile:
    features, classes = _number(pairs, "max_feature_idx") + 1, _number(pairs, "num_class")
    if not 1 <= features <= _MOST or not 1 <= classes <= _MOST:
        raise UnloadableModelError(f"the model has {features} features and {classes} classes: 1 to {_MOST} are served")
    names, infos = (tuple(pairs.get(name, "").split(" ")) for name in ("feature_names", "feature_infos"))
    if not len(names) == len(infos) == features or len(set(names)) < features:
        raise BrokenTreeError(f"it has {features} features, {len(set(names))} names of them and {len(infos)} ranges")
    sizes, each = pairs.get("tree_sizes", "").split(), _number(pairs, "num_tree_per_iteration")
    if len(sizes) != len(found) or not found or each != classes or len(found) % each:
        raise BrokenTreeError(f"it says that it has {len(sizes)} trees for {classes} classes, and has {len(found)}")
    objective = tuple(pairs.get("objective", "").split())
    if any(option.startswith("num_class:") and option != f"num_class:{classes}" for option in objective):
        raise BrokenTreeError(f"its objective is {' '.join(objective)!r}, and it has {classes} classes")
    for number, tree in enumerate(found):
        _numbered(number, tree, features)
    return ModelFile(
        text=_in_turn(head, found),
        objective=objective,
        classes=classes,
        names=names,
        categorical=_categorical(tail, infos),
        levels=_levels(tail.partition(_PARAMETERS)[2].strip()),
    )


def _in_turn(head: str, found: list[str]) -> str:
    """Without the sizes of the trees, the library reads one after the other, and what it finds wrong is an error; with them
    it reads in threads, and is ended by it. Nor does it need what follows the trees."""
    lines = [line for line in head.split("\n") if not line.startswith("tree_sizes=")]
    return "\nTree=".join(["\n".join(lines), *found]) + _TREES


def _categorical(tail: str, infos: Sequence[str]) -> tuple[int, ...]:
    """The features that are categories, of those that are there at all."""
    listed = tail.partition(_CATEGORIES)[2].partition("]")[0]
    places = _integers({"categorical_feature": listed.replace(",", " ")}, "categorical_feature", None)
    within(places, 0, len(infos), "categorical_feature")
    if any(infos[place].startswith("[") for place in places.tolist()):
        raise BrokenTreeError("a feature that is a category has a range of numbers")
    return tuple(places.tolist())


def _levels(line: str) -> tuple[Sequence[Any], ...]:
    if not line:
        return ()
    try:
        if not line.startswith(_PANDAS):
            raise ValueError("it is another")
        found = json.loads(line.removeprefix(_PANDAS)) or []
        if not all(isinstance(levels, list) for levels in found):
            raise ValueError("it holds no lists")
    except (ValueError, TypeError, RecursionError) as error:
        raise BrokenTreeError(f"its last line does not give {_PANDAS.strip(':')}: {str(error)[:100]}") from error
    return tuple(found)


def _pairs(lines: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in lines.split("\n"))


def _number(pairs: Mapping[str, str], name: str) -> int:
    return int(_integers(pairs, name, 1)[0])


def _integers(pairs: Mapping[str, str], name: str, count: int | None) -> trees.Integers:
    words = _words(pairs, name)
    try:
        found = np.array(words, np.int64)
    except (ValueError, OverflowError) as error:
        raise BrokenTreeError(f"{name} holds what is no whole number") from error
    return integers(found, name, count)


def _floats(pairs: Mapping[str, str], name: str, count: int) -> NDArray[np.float64]:
    words = _words(pairs, name)
    try:
        found = np.array(words, np.float64)
    except ValueError as error:
        raise BrokenTreeError(f"{name} holds what is no number") from error
    if len(found) != count:
        raise BrokenTreeError(f"{name} holds {len(found)} numbers, and should hold {count}")
    return found


def _words(pairs: Mapping[str, str], name: str) -> list[str]:
    if name not in pairs:
        raise BrokenTreeError(f"there is no {name}")
    if not _PLAIN.fullmatch(pairs[name]):
        raise BrokenTreeError(f"{name} holds what is no number")
    return pairs[name].split()


# ---------------------------------------------------------------- one tree


def _numbered(number: int, text: str, features: int) -> None:
    place, _, lines = text.partition("\n")
    if place != str(number):
        raise BrokenTreeError(f"tree {place[:20]!r} stands where tree {number} should")
    try:
        _tree(_pairs(lines.strip("\n")), features)
    except BrokenTreeError as error:
        raise BrokenTreeError(f"in tree {number} {error}") from error


def _tree(pairs: Mapping[str, str], features: int) -> None:
    leaves, sets = _number(pairs, "num_leaves"), _number(pairs, "num_cat")
    if leaves < 1 or sets < 0:
        raise BrokenTreeError(f"there are {leaves} leaves and {sets} sets of categories")
    _floats(pairs, "leaf_value", leaves)
    for name in ("leaf_weight", "leaf_count"):
        if pairs.get(name):
            _floats(pairs, name, leaves)
    if _number({"is_linear": "0", **pairs}, "is_linear"):
        _linear(pairs, leaves, features)
    if leaves > 1:
        _inner(pairs, leaves, sets, features)


def _inner(pairs: Mapping[str, str], leaves: int, sets: int, features: int) -> None:
    nodes = leaves - 1
    left, right = (_integers(pairs, name, nodes) for name in ("left_child", "right_child"))
    for name, children in (("left_child", left), ("right_child", right)):
        within(children, -leaves, nodes, name)
    trees.joined(left, right)
    within(_integers(pairs, "split_feature", nodes), 0, features, "split_feature")
    for name in ("split_gain", "internal_value", "internal_weight", "internal_count"):
        if name in pairs:
            _floats(pairs, name, nodes)
    thresholds = _floats(pairs, "threshold", nodes)
    kinds = _integers(pairs, "decision_type", nodes)
    within(kinds, 0, 16, "decision_type")
    chosen = thresholds[kinds & _CATEGORICAL == 1]
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < sets):
        raise BrokenTreeError(f"a node splits by a set of categories that is none of {sets}")
    if sets:
        ends = _integers(pairs, "cat_boundaries", sets + 1)
        if ends[0] != 0 or (np.diff(ends) < 0).any():
            raise BrokenTreeError("cat_boundaries are not in order")
        within(_integers(pairs, "cat_threshold", int(ends[-1])), 0, 1 << 32, "cat_threshold")


def _linear(pairs: Mapping[str, str], leaves: int, features: int) -> None:
    """Leaves that hold a linear model each."""
    _floats(pairs, "leaf_const", leaves)
    counts = _integers(pairs, "num_features", leaves)
    within(counts, 0, features + 1, "num_features")
    within(_integers(pairs, "leaf_features", int(counts.sum())), 0, features, "leaf_features")
    _floats(pairs, "leaf_coeff", int(counts.sum()))
