"""Estimators: scikit-learn's classes by name, and what a user wrote in `params` as what they take. Fits nothing."""

import difflib
import importlib
import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

import sklearn
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import all_estimators
from sklearn.utils._param_validation import InvalidParameterError, Options

from trimtab.api.wire.models import Label
from trimtab.model import values
from trimtab.training.failures import Reason, StepFailure

__all__ = ["ConvergenceWarning", "build", "families", "find", "fixed"]

TYPES = {"Classification": "classifier", "Regression": "regressor"}
MIXINS: dict[str, type] = {"Classification": ClassifierMixin, "Regression": RegressorMixin}
MODULES = ("linear_model", "tree", "ensemble", "svm", "neighbors", "naive_bayes", "neural_network")
"""Where most estimators are: looked at first, since a walk through all of scikit-learn costs a second."""
OURS = {"categorical_features": "it follows from the columns"}
"""Parameters that preprocessing sets, and why a user cannot."""


@cache
def known(task: str) -> dict[str, type]:
    """Every estimator of a task that needs no other estimator to be made, by name."""
    return {name: kind for name, kind in all_estimators(type_filter=TYPES[task]) if _alone(kind)}


def find(name: str, task: str) -> type:
    """The class of that name. Raises StepFailure (EstimatorUnknown) with those that come close."""
    for module in MODULES:
        kind = getattr(importlib.import_module(f"sklearn.{module}"), name, None)
        if inspect.isclass(kind) and issubclass(kind, MIXINS[task]) and _alone(kind):
            return kind
    estimators = known(task)
    if name in estimators:
        return estimators[name]
    other = next((other for other in TYPES if other != task and name in known(other)), None)
    if other:
        said = f"{name} is for task {other}, and the task is {task}"
    else:
        said = f"scikit-learn {sklearn.__version__} has no {TYPES[task]} {name!r} that can be used alone"
    close = difflib.get_close_matches(name, estimators, n=5, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(sorted(estimators))}"
    raise StepFailure(Reason.ESTIMATOR_UNKNOWN, f"{said}: {hint}")


def build(kind: type, params: Mapping[str, Any], seed: int, classes: tuple[Label, ...] | None = None) -> Any:
    """An estimator with these parameters, every random state seeded, and early stopping never on by itself.

    Text that reads as a number reaches a parameter that takes no such text as that float; keys of `class_weight` are
    matched to the classes by their text. Raises StepFailure: ParameterUnknown, ParameterRefused (with scikit-learn's
    own sentence).
    """
    valid = sorted(inspect.signature(kind).parameters)
    for name in params:
        if name in OURS:
            raise StepFailure(
                Reason.PARAMETER_REFUSED, f"params.{name} is set by preprocess: Auto ({OURS[name]}): remove it"
            )
        if name not in valid:
            close = difflib.get_close_matches(name, valid, n=3)
            hint = f"did you mean {', '.join(close)}? " if close else ""
            raise StepFailure(
                Reason.PARAMETER_UNKNOWN, f"{kind.__name__} has no parameter {name!r}: {hint}It has {', '.join(valid)}"
            )
    given = {name: _taken(kind, name, value, classes) for name, value in params.items()}
    if "early_stopping" in valid and _stops_by_itself(kind):
        given.setdefault("early_stopping", False)
    try:
        estimator = kind(**given)
        estimator._validate_params()
    except (InvalidParameterError, TypeError) as error:
        raise StepFailure(Reason.PARAMETER_REFUSED, str(error)) from error
    unseeded = {name: seed for name, value in estimator.get_params().items() if _is_seed(name) and value is None}
    return estimator.set_params(**unseeded)


def fixed(fitted: Any) -> tuple[dict[str, Any], int | None]:
    """Parameters that make a second fit do as many rounds as a fit that may have stopped early, and that number."""
    params, rounds = fitted.get_params(deep=False), getattr(fitted, "n_iter_", None)
    if params.get("n_iter_no_change") is not None and hasattr(fitted, "n_estimators_"):
        return {"n_estimators": int(fitted.n_estimators_), "n_iter_no_change": None}, int(fitted.n_estimators_)
    if params.get("early_stopping") is not True or not isinstance(rounds, int):
        return {}, None
    again: dict[str, Any] = {"early_stopping": False, "max_iter": rounds}
    if "hidden_layer_sizes" in params:
        again["n_iter_no_change"] = rounds
    elif "tol" in params and "max_bins" not in params:
        again["tol"] = None
    return again, rounds


def families() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Beginnings of the modules of estimators that split on thresholds in float32, and of those that bin histograms."""
    trees = (
        "sklearn.tree",
        "sklearn.ensemble._forest",
        "sklearn.ensemble._gb",
        "sklearn.ensemble._bagging",
        "sklearn.ensemble._weight_boosting",
    )
    return trees, ("sklearn.ensemble._hist_gradient_boosting",)


def _alone(kind: type) -> bool:
    parameters = inspect.signature(kind).parameters.values()
    return all(p.default is not p.empty or p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters)


def _stops_by_itself(kind: type) -> bool:
    return bool(inspect.signature(kind).parameters["early_stopping"].default == "auto")


def _is_seed(name: str) -> bool:
    return name.rsplit("__", 1)[-1] == "random_state"


def _taken(kind: type, name: str, value: Any, classes: tuple[Label, ...] | None) -> Any:
    """A value of JSON as the parameter takes it."""
    if name == "class_weight" and isinstance(value, dict):
        return _weights(value, classes or ())
    if isinstance(value, str) and value not in _texts(kind, name) and values.NUMBER.fullmatch(value):
        return float(value)
    return value


def _texts(kind: type, name: str) -> set[str]:
    """The texts that a parameter takes."""
    constraints = getattr(kind, "_parameter_constraints", {}).get(name, [])
    options = [one.options for one in constraints if isinstance(one, Options)] if isinstance(constraints, list) else []
    return {text for some in options for text in some if isinstance(text, str)}


def _weights(value: Mapping[str, Any], classes: tuple[Label, ...]) -> dict[int, float]:
    codes = {values.label_text(label): code for code, label in enumerate(classes)}
    weights = {}
    for key, weight in value.items():
        code = codes.get(
            key, codes.get(key.casefold()) if isinstance(classes[:1], tuple) and isinstance(classes[0], bool) else None
        )
        if code is None:
            raise StepFailure(
                Reason.PARAMETER_REFUSED, f"params.class_weight names {key!r}, which is none of the labels {[*codes]}"
            )
        try:
            weights[code] = float(weight)
        except (TypeError, ValueError) as error:
            raise StepFailure(
                Reason.PARAMETER_REFUSED, f"params.class_weight of {key!r} is {weight!r}, not a number"
            ) from error
    return weights
