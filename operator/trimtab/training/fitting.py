"""Fitting: one estimator on the rows of a frame, with what it warned of, and again on more rows with the same
settings."""

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from trimtab.api.training import Estimator
from trimtab.api.wire.models import Label
from trimtab.model.frame import Frame
from trimtab.training import estimators, preprocess
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.handover import Feature, Fitted

_NOTES = 5


@dataclass(frozen=True)
class Fit:
    """A fitted pipeline, and what there is to say of it."""

    pipeline: Pipeline
    said: Fitted


def fit(
    spec: Estimator,
    task: str,
    frame: Frame,
    features: Sequence[Feature],
    target: NDArray[Any],
    classes: tuple[Label, ...] | None,
    seed: int,
    fixed: dict[str, Any] | None = None,
) -> Fit:
    """Fit the estimator that the spec names. `target`: codes among `classes`, or numbers. `fixed` overrides parameters.

    Raises StepFailure with scikit-learn's own sentence where it refuses.
    """
    kind = estimators.find(spec.name, task)
    estimator = estimators.build(kind, spec.params, seed, classes)
    if fixed:
        estimator.set_params(**fixed)
    recipe = preprocess.recipe(frame, features, kind, estimator.get_params(deep=False))
    pipeline = preprocess.pipeline(recipe, estimator)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            table = preprocess.matrix(frame, features)
            pipeline = preprocess.lightened(pipeline.fit(table, target), table)
        except (ValueError, TypeError) as error:
            raise StepFailure(Reason.FIT_REFUSED, f"{spec.name} cannot be fitted: {_sentence(error)}") from error
    notes = [_unused(features[place]) for place in recipe.unused]
    notes += [*dict.fromkeys(_sentence(warning.message) for warning in caught if _is_told(warning))]
    said = Fitted(
        estimator=spec.name,
        parameters=plain(estimator.get_params(deep=False)),
        iterations=estimators.fixed(estimator)[1],
        notes=tuple(notes[:_NOTES]),
    )
    return Fit(pipeline, said)


def again(pipeline: Pipeline) -> dict[str, Any]:
    """Parameters that fix the rounds of a second fit to those of this one."""
    return estimators.fixed(pipeline.named_steps["model"])[0]


def plain(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as JSON knows them."""
    return {name: _plain(value) for name, value in sorted(params.items())}


def _unused(feature: Feature) -> str:
    if feature.kind == "Category":
        return f"Column {feature.name!r} has no level with {preprocess.LEVEL_ROWS} rows and is not used."
    return f"Column {feature.name!r} has no values and is not used."


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return repr(copy.copy(value))[:200]


def _is_told(warning: warnings.WarningMessage) -> bool:
    return issubclass(warning.category, UserWarning | RuntimeWarning) and not issubclass(
        warning.category, FutureWarning
    )


def _sentence(error: Any) -> str:
    """The first paragraph, on one line."""
    return " ".join(str(error).split("\n\n")[0].split())[:400] or type(error).__name__
