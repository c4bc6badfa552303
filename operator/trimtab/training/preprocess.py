"""`preprocess: Auto`: how columns become what an estimator needs. Explicit, of scikit-learn's own parts, the same
for every engine.

Levels are chosen from the rows that are fitted. Missing values were made NaN or the empty text before, by
`trimtab.model`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from trimtab.model.frame import Column, Frame
from trimtab.training import estimators
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.handover import Feature

LEVEL_ROWS = 10
"""Rows from which on a level is encoded by itself."""
ONE_HOT = 100
TREE_ONE_HOT = 30
TREE_ORDINAL = 1000
HISTOGRAM_LEVELS = 254
FLOAT32 = float(np.finfo(np.float32).max)


class Family(StrEnum):
    """What an estimator asks of its numbers."""

    SCALED = "Scaled"
    """Linear models, support vectors, neighbours, networks, and all that is not known better: median, scaling,
    float64."""
    TREES = "Trees"
    """Trees and forests: median, float32 inside scikit-learn."""
    HISTOGRAM = "Histogram"
    """HistGradientBoosting: numbers as they are, categories by index, missing is NaN."""


@dataclass(frozen=True)
class Recipe:
    """Which columns (by position among the features) are encoded how."""

    family: Family
    numbers: tuple[int, ...]
    one_hot: dict[int, tuple[str, ...]]
    ordinal: dict[int, tuple[str, ...]]
    unused: tuple[int, ...]
    """Numbers without a single value, and categories without a level that is common enough."""


def family(kind: type) -> Family:
    """What the estimators of this class ask of their numbers."""
    trees, histograms = estimators.families()
    if kind.__module__.startswith(histograms):
        return Family.HISTOGRAM
    return Family.TREES if kind.__module__.startswith(trees) else Family.SCALED


def recipe(frame: Frame, features: Sequence[Feature], kind: type, params: dict[str, Any]) -> Recipe:
    """Choose encodings and levels from the rows that will be fitted. Raises StepFailure (NoFeatures, ValueTooLarge)."""
    of = family(kind)
    one_hot: dict[int, tuple[str, ...]] = {}
    ordinal: dict[int, tuple[str, ...]] = {}
    for place, feature in enumerate(features):
        if feature.kind != "Category":
            continue
        column = frame[feature.name]
        if of is Family.HISTOGRAM:
            bins = params.get("max_bins", HISTOGRAM_LEVELS + 1)
            most = min(HISTOGRAM_LEVELS, bins - 1) if isinstance(bins, int) else HISTOGRAM_LEVELS
            ordinal[place] = _levels(column, 1, most)
        elif of is Family.TREES and len(_levels(column, LEVEL_ROWS, TREE_ORDINAL)) > TREE_ONE_HOT:
            ordinal[place] = _levels(column, LEVEL_ROWS, TREE_ORDINAL)
        else:
            most = TREE_ONE_HOT if of is Family.TREES else ONE_HOT
            one_hot[place] = _levels(column, LEVEL_ROWS, most) + (("",) if (column == "").any() else ())
    numeric = [place for place, feature in enumerate(features) if feature.kind != "Category"]
    numbers = tuple(place for place in numeric if not np.isnan(frame[features[place].name]).all())
    used = {*numbers, *(place for place, levels in (one_hot | ordinal).items() if levels)}
    unused = tuple(place for place in range(len(features)) if place not in used)
    found = Recipe(
        of,
        numbers,
        {place: levels for place, levels in one_hot.items() if levels},
        {place: levels for place, levels in ordinal.items() if levels},
        unused,
    )
    if not (found.numbers or found.one_hot or found.ordinal):
        raise StepFailure(
            Reason.NO_FEATURES,
            f"no feature is left: no number has a value, and no category has a level with {LEVEL_ROWS} rows or more",
        )
    if of is Family.TREES:
        _within_float32(frame, features)
    return found


def pipeline(recipe: Recipe, estimator: Any) -> Pipeline:
    """Columns in, encoded as the recipe says, into the estimator. Takes what `matrix` gives."""
    parts: list[tuple[str, Any, list[int]]] = []
    if recipe.numbers:
        parts.append(("numbers", _numbers(recipe.family), [*recipe.numbers]))
    if recipe.one_hot:
        levels = [np.array(each, object) for each in recipe.one_hot.values()]
        encoder = OneHotEncoder(categories=levels, handle_unknown="ignore", sparse_output=False)
        parts.append(("one_hot", encoder, [*recipe.one_hot]))
    if recipe.ordinal:
        levels = [np.array(each, object) for each in recipe.ordinal.values()]
        unknown = np.nan if recipe.family is Family.HISTOGRAM else -1
        encoder = OrdinalEncoder(categories=levels, handle_unknown="use_encoded_value", unknown_value=unknown)
        parts.append(("ordinal", encoder, [*recipe.ordinal]))
    if recipe.family is Family.HISTOGRAM and recipe.ordinal:
        parts.reverse()
        estimator.set_params(categorical_features=[*range(len(recipe.ordinal))])
    columns = ColumnTransformer(parts, remainder="drop", sparse_threshold=0.0)
    return Pipeline([("columns", columns), ("model", estimator)])


def lightened(pipeline: Pipeline, rows: Any) -> Pipeline:
    """Take out the encoder that HistGradientBoosting puts before its own trees when it has categories.

    It moves categories to the front, where they are already, and gives codes 0..k-1 to codes 0..k-1: it changes nothing, costs a
    third of a prediction, and holds a function, which no skops file should have to be trusted with. Left alone where it changes
    a row.
    """
    model = pipeline.named_steps["model"]
    inner = getattr(model, "_preprocessor", None)
    if inner is None:
        return pipeline
    encoded = pipeline[:-1].transform(rows)
    if np.array_equal(inner.transform(encoded), np.asarray(encoded, np.float64), equal_nan=True):
        model._preprocessor = None
    return pipeline


def matrix(frame: Frame, features: Sequence[Feature]) -> Any:
    """The features side by side: float64[n, k], or object[n, k] where some are text."""
    kind: Any = object if any(feature.kind == "Category" for feature in features) else np.float64
    return np.column_stack([np.asarray(frame[feature.name], kind) for feature in features])


def _numbers(of: Family) -> Any:
    if of is Family.HISTOGRAM:
        return "passthrough"
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    return imputer if of is Family.TREES else Pipeline([("median", imputer), ("scale", StandardScaler())])


def _levels(column: Column, rows: int, most: int) -> tuple[str, ...]:
    """The most frequent levels with so many rows, in order of their text; ties by text, so that rows may come in any
    order."""
    counts = Counter(column.tolist())
    counts.pop("", None)
    common = sorted(
        (level for level, count in counts.items() if count >= rows), key=lambda level: (-counts[level], level)
    )
    return tuple(sorted(common[:most]))


def _within_float32(frame: Frame, features: Sequence[Feature]) -> None:
    for feature in features:
        if feature.kind != "Category" and (np.abs(frame[feature.name]) > FLOAT32).any():
            largest = float(np.nanmax(np.abs(frame[feature.name])))
            raise StepFailure(
                Reason.VALUE_TOO_LARGE,
                f"column {feature.name!r} holds {largest:g}, beyond the largest float32 that trees compute "
                f"with: scale it down, or use "
                "HistGradientBoosting",
            )
