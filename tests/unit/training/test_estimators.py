"""Estimators by name, and parameters as a user of JSON can write them."""

import warnings

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from trimtab.training import estimators
from trimtab.training.failures import Reason, StepFailure


def refused(reason: Reason, action: object, *arguments: object) -> str:
    with pytest.raises(StepFailure) as failure:
        action(*arguments)  # type: ignore[operator]
    assert failure.value.reason is reason
    assert failure.value.exit_code == 3
    return failure.value.message


def test_estimators_are_found_by_the_name_of_their_class() -> None:
    assert estimators.find("LogisticRegression", "Classification") is LogisticRegression


def test_an_unknown_name_is_told_with_those_that_come_close() -> None:
    said = refused(Reason.ESTIMATOR_UNKNOWN, estimators.find, "RandomForrestClassifier", "Classification")
    assert "did you mean RandomForestClassifier" in said


def test_an_estimator_of_the_other_task_is_told_to_be_one() -> None:
    said = refused(Reason.ESTIMATOR_UNKNOWN, estimators.find, "Ridge", "Classification")
    assert said.startswith("Ridge is for task Regression, and the task is Classification: did you mean Ridge")


@pytest.mark.parametrize("name", ["VotingClassifier", "StackingClassifier", "BaseEstimator", "StandardScaler", ""])
def test_what_cannot_stand_alone_or_predicts_nothing_is_unknown(name: str) -> None:
    refused(Reason.ESTIMATOR_UNKNOWN, estimators.find, name, "Classification")


def test_an_unknown_parameter_is_told_with_the_valid_ones() -> None:
    said = refused(Reason.PARAMETER_UNKNOWN, estimators.build, RandomForestClassifier, {"n_estimator": 5}, 0)
    assert said.startswith("RandomForestClassifier has no parameter 'n_estimator': did you mean n_estimators")
    assert "max_depth" in said


def test_a_refused_value_is_told_in_scikit_learns_own_words() -> None:
    said = refused(Reason.PARAMETER_REFUSED, estimators.build, RandomForestClassifier, {"n_estimators": -5}, 0)
    assert said.startswith(
        "The 'n_estimators' parameter of RandomForestClassifier must be an int in the range [1, inf)"
    )


def test_text_that_reads_as_a_number_is_a_float_where_no_such_text_is_taken() -> None:
    built = estimators.build(RandomForestClassifier, {"max_features": "1.0", "min_samples_leaf": "0.1"}, 0)
    assert built.max_features == 1.0
    assert isinstance(built.max_features, float)
    assert built.min_samples_leaf == 0.1


def test_text_that_is_taken_stays_text_and_null_is_none() -> None:
    built = estimators.build(
        RandomForestClassifier, {"max_features": "sqrt", "class_weight": "balanced", "max_depth": None}, 0
    )
    assert (built.max_features, built.class_weight, built.max_depth) == ("sqrt", "balanced", None)


def test_class_weights_are_matched_to_the_classes_by_their_text() -> None:
    assert estimators.build(SVC, {"class_weight": {"late": 3}}, 0, ("late", "on time")).class_weight == {0: 3.0}
    assert estimators.build(SVC, {"class_weight": {"True": "2.5"}}, 0, (False, True)).class_weight == {1: 2.5}
    assert estimators.build(SVC, {"class_weight": {"7": 1, "9": 2}}, 0, (7, 9)).class_weight == {0: 1.0, 1: 2.0}
    said = refused(Reason.PARAMETER_REFUSED, estimators.build, SVC, {"class_weight": {"x": 1}}, 0, ("late", "on time"))
    assert said == "params.class_weight names 'x', which is none of the labels ['late', 'on time']"
    said = refused(
        Reason.PARAMETER_REFUSED, estimators.build, SVC, {"class_weight": {"late": "many"}}, 0, ("late", "on time")
    )
    assert "is 'many', not a number" in said


def test_what_preprocessing_sets_cannot_be_set() -> None:
    said = refused(
        Reason.PARAMETER_REFUSED, estimators.build, HistGradientBoostingClassifier, {"categorical_features": [0]}, 0
    )
    assert said.startswith("params.categorical_features is set by preprocess: Auto")


def test_every_random_state_is_seeded_unless_the_user_seeds_it() -> None:
    assert estimators.build(RandomForestClassifier, {}, 7).random_state == 7
    assert estimators.build(RandomForestClassifier, {"random_state": 3}, 7).random_state == 3


def test_early_stopping_is_never_on_by_itself() -> None:
    assert estimators.build(HistGradientBoostingClassifier, {}, 0).early_stopping is False
    assert estimators.build(HistGradientBoostingClassifier, {"early_stopping": True}, 0).early_stopping is True
    assert estimators.build(MLPClassifier, {}, 0).early_stopping is False


X = np.random.default_rng(0).normal(size=(300, 3))
Y = (X[:, 0] + np.random.default_rng(1).normal(size=300) > 0).astype(int)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (
            HistGradientBoostingClassifier,
            {"early_stopping": True, "max_iter": 60, "n_iter_no_change": 3, "learning_rate": 0.9},
        ),
        (GradientBoostingClassifier, {"n_iter_no_change": 2, "n_estimators": 200}),
        (MLPClassifier, {"early_stopping": True, "max_iter": 60, "hidden_layer_sizes": [4], "n_iter_no_change": 2}),
    ],
)
def test_a_second_fit_does_the_rounds_of_the_first(kind: type, params: dict[str, object]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        first = estimators.build(kind, params, 0).fit(X, Y)
    fixed, rounds = estimators.fixed(first)
    assert rounds is not None
    assert rounds < (params.get("max_iter") or params["n_estimators"])  # type: ignore[operator]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        second = estimators.build(kind, params, 0).set_params(**fixed).fit(X, Y)
    done = second.n_estimators_ if kind is GradientBoostingClassifier else second.n_iter_
    assert done == rounds


def test_without_early_stopping_nothing_is_fixed() -> None:
    assert estimators.fixed(estimators.build(LogisticRegression, {}, 0).fit(X, Y)) == ({}, None)
