"""Thresholds: where the trees of a fitted model split, by column of the matrix that it was fitted on. Pure."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def of(model: Any) -> list[tuple[int, float]]:
    """Column and threshold of every split of a number, each once and in order; none for a model without trees."""
    return sorted(set(_histogram(model) if hasattr(model, "_predictors") else _trees(model)))


def _histogram(model: Any) -> Iterator[tuple[int, float]]:
    for predictors in model._predictors:
        for predictor in predictors:
            nodes = predictor.nodes
            numeric = (nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)
            split = nodes[numeric & np.isfinite(nodes["num_threshold"])]
            yield from zip(split["feature_idx"].tolist(), split["num_threshold"].tolist(), strict=True)


def _trees(model: Any) -> Iterator[tuple[int, float]]:
    """Of a tree, or of all trees in an ensemble, some of which were fitted on a choice of the columns."""
    members = np.ravel(model.estimators_) if hasattr(model, "estimators_") else [model]
    chosen = getattr(model, "estimators_features_", [None] * len(members))
    for member, columns in zip(members, chosen, strict=True):
        tree = getattr(member, "tree_", None)
        if tree is not None:
            inner = tree.feature >= 0
            places = tree.feature[inner] if columns is None else np.asarray(columns)[tree.feature[inner]]
            yield from zip(places.tolist(), tree.threshold[inner].tolist(), strict=True)
