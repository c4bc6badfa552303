"""skops and joblib files: the same answers as the estimator, and no type or code that nobody allowed."""

import importlib
import os
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from lightgbm import LGBMClassifier, LGBMRegressor
from msgspec.structs import replace
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge, TweedieRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from xgboost import XGBClassifier, XGBRegressor

from tests.unit.model import boosted, make
from trimtab.model import engines
from trimtab.model import estimator as estimators
from trimtab.model.engine import UnloadableModelError
from trimtab.model.engines.joblib import PickleRefusedError
from trimtab.model.engines.sklearn import SklearnEngine
from trimtab.model.engines.skops import TRUSTED

ROWS = make.matrix(60)
TARGET = make.target(ROWS, (0, 1))


def saved(folder: Path, fitted: Any) -> Path:
    """A folder with the estimator as skops."""
    skops.io.dump(fitted, folder / "model.skops")
    return folder


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        RandomForestClassifier(5, n_jobs=2),
        GradientBoostingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        KNeighborsClassifier(3),
        KNeighborsClassifier(3, metric="manhattan", algorithm="ball_tree"),
        MLPClassifier((3,), max_iter=2000, solver="lbfgs"),
        GaussianNB(),
        SVC(),
        LinearSVC(),
        CalibratedClassifierCV(GaussianNB(), cv=2),
        make_pipeline(SimpleImputer(), LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_skops_classifiers_answer_as_fitted(estimator: Any, tmp_path: Path) -> None:
    fitted = estimator.fit(ROWS, TARGET)
    loaded = engines.load(saved(tmp_path, fitted), "Skops")
    answer = loaded.predict({"input": ROWS})
    assert answer.classes is not None
    assert answer.classes.tolist() == fitted.predict(ROWS).tolist()
    if hasattr(fitted, "predict_proba"):
        assert answer.probabilities is not None
        np.testing.assert_array_equal(answer.probabilities, fitted.predict_proba(ROWS))
    else:
        assert [output.name for output in loaded.signature.outputs] == ["predict"]


@pytest.mark.parametrize("estimator", [RandomForestClassifier(2, random_state=0), HistGradientBoostingClassifier(max_iter=3)])
def test_label_is_the_likeliest_class_in_the_order_of_the_signature(estimator: Any) -> None:
    target = np.array(["b", "c", "a"], object)[np.arange(60) % 3]
    fitted = estimator.fit(ROWS, target)
    known = replace(estimators.signature(fitted), classes=("c", "a", "b"))
    answer = SklearnEngine(fitted, known).predict({"input": ROWS})
    assert answer.classes is not None
    assert answer.probabilities is not None
    assert [("c", "a", "b")[code] for code in answer.classes] == fitted.predict(ROWS).tolist()
    np.testing.assert_array_equal(answer.probabilities, fitted.predict_proba(ROWS)[:, [2, 0, 1]])


@pytest.mark.parametrize(("raw", "label"), [(1e-20, 1), (0.0, 0), (-1e-20, 0)])
def test_label_is_the_models_own_where_both_classes_are_equally_likely(raw: float, label: int) -> None:
    fitted = HistGradientBoostingClassifier(max_iter=1).fit(np.zeros((60, 1)), np.arange(60) % 2)
    fitted._baseline_prediction = np.full((1, 1), raw)
    answer = SklearnEngine(fitted).predict({"input": np.zeros((3, 1))})
    assert answer.classes is not None
    assert answer.probabilities is not None
    assert (answer.probabilities == 0.5).all()
    assert answer.classes.tolist() == fitted.predict(np.zeros((3, 1))).tolist() == [label] * 3


@pytest.mark.parametrize(
    "estimator",
    [Ridge(), HistGradientBoostingRegressor(max_iter=3), TweedieRegressor(power=1)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_skops_regressors_answer_as_fitted(estimator: Any, tmp_path: Path) -> None:
    fitted = estimator.fit(ROWS, np.abs(ROWS.sum(axis=1)) + 1)
    answer = engines.load(saved(tmp_path, fitted), "Skops").predict({"input": ROWS})
    assert answer.values is not None
    np.testing.assert_array_equal(answer.values, fitted.predict(ROWS))


def test_types_outside_the_fixed_list_are_refused_by_name(tmp_path: Path) -> None:
    fitted = make_pipeline(SelectKBest(k=2), LogisticRegression()).fit(ROWS, TARGET)
    with pytest.raises(UnloadableModelError, match=r"does not trust: \['sklearn.feature_selection.*f_classif'\]"):
        engines.load(saved(tmp_path, fitted), "Skops")


def test_every_trusted_type_is_one_of_the_libraries_of_this_image() -> None:
    for name in TRUSTED:
        module, _, type_ = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), type_), type), name


def test_skops_file_that_wants_to_call_something_is_refused(tmp_path: Path) -> None:
    skops.io.dump({"model": os.getpid}, tmp_path / "model.skops")
    with pytest.raises(UnloadableModelError, match="does not trust"):
        engines.load(tmp_path, "Skops")


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + b"\0" * 18, pickle.dumps({"a": 1}), b"\0" * 100])
def test_files_that_are_not_skops_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(content)
    with pytest.raises(UnloadableModelError, match="not skops"):
        engines.load(tmp_path, "Skops")


def test_skops_file_without_a_model_is_refused(tmp_path: Path) -> None:
    skops.io.dump({"a": 1}, tmp_path / "model.skops")
    with pytest.raises(UnloadableModelError, match="holds a dict, which has no predict"):
        engines.load(tmp_path, "Skops")


def test_joblib_is_refused_unread_unless_allowed(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(b"cos\nabort\n(tR.")
    with pytest.raises(PickleRefusedError, match="set allowPickle: true"):
        engines.load(tmp_path, "Joblib")


def test_joblib_is_loaded_where_allowed(tmp_path: Path) -> None:
    fitted = LogisticRegression().fit(ROWS, make.target(ROWS, ("no", "yes")))
    joblib.dump(fitted, tmp_path / "mine.joblib")
    loaded = engines.load(tmp_path, "Joblib", allow_pickle=True)
    answer = loaded.predict({"input": ROWS})
    assert loaded.signature.classes == ("no", "yes")
    assert answer.classes is not None
    assert [loaded.signature.classes[i] for i in answer.classes] == fitted.predict(ROWS).tolist()


def test_joblib_file_that_needs_what_is_not_here_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(b"cnowhere.at_all\nModel\n.")
    with pytest.raises(UnloadableModelError, match="joblib file does not load: No module named 'nowhere'"):
        engines.load(tmp_path, "Joblib", allow_pickle=True)


def test_model_of_another_release_of_scikit_learn_is_refused(tmp_path: Path) -> None:
    fitted = LogisticRegression().fit(ROWS, TARGET)
    joblib.dump(fitted, tmp_path / "model.joblib")
    content = (tmp_path / "model.joblib").read_bytes()
    here = __import__("sklearn").__version__
    (tmp_path / "model.joblib").write_bytes(content.replace(here.encode(), f"0.9{here[3:]}".encode()))
    with pytest.raises(UnloadableModelError, match=r"fitted with scikit-learn 0\.9"):
        engines.load(tmp_path, "Joblib", allow_pickle=True)


def test_own_pipeline_on_named_columns_answers_indices_into_the_classes() -> None:
    numbers = make.table()[list(make.COLUMNS[:2])].to_numpy()
    fitted = make.mixed(LogisticRegression(), make.target(numbers, (0, 1, 2)))
    loaded = SklearnEngine(fitted, make.signature(("c", "a", "b")))
    answer = loaded.predict(make.frame(make.table(7, 3)))
    assert answer.classes is not None
    assert answer.classes.tolist() == fitted.predict(make.table(7, 3)).tolist()


def test_frame_columns_reach_a_named_pipeline_by_name_in_any_order() -> None:
    numbers = make.table()[list(make.COLUMNS[:2])].to_numpy()
    loaded = SklearnEngine(make.mixed(LogisticRegression(), make.target(numbers, (0, 1))), make.signature((0, 1)))
    rows = make.frame(make.table(7, 3))
    backwards = dict(reversed(rows.items()))
    np.testing.assert_array_equal(loaded.predict(rows).probabilities, loaded.predict(backwards).probabilities)


def test_users_pipeline_without_signature_names_its_columns_and_their_kinds() -> None:
    numbers = make.table()[list(make.COLUMNS[:2])].to_numpy()
    fitted = make.mixed(LogisticRegression(), make.target(numbers, ("no", "yes")))
    loaded = SklearnEngine(fitted)
    assert [(i.name, i.datatype, i.kind) for i in loaded.signature.inputs] == [
        ("air time", "FP64", "Number"),
        ("dist.", "FP64", "Number"),
        ("carrier", "BYTES", "Category"),
    ]
    assert loaded.signature.classes == ("no", "yes")
    rows = make.frame(make.table(2))
    rows["carrier"] = np.array(["", "AA"], object)
    expected = make.table(2).assign(carrier=[None, "AA"])
    np.testing.assert_array_equal(loaded.predict(rows).probabilities, fitted.predict_proba(expected))


def test_missing_text_is_what_the_estimator_was_fitted_on() -> None:
    table = make.table().assign(carrier=[None, *make.table()["carrier"][1:]])
    y = make.target(table[list(make.COLUMNS[:2])].to_numpy(), (0, 1))
    rows = make.frame(make.table(2))
    rows["carrier"] = np.array(["", "AA"], object)
    asked = make.table(2).assign(carrier=[None, "AA"])
    for encoder in (
        OneHotEncoder(handle_unknown="ignore"),
        make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
    ):
        prepared = ColumnTransformer([("t", encoder, ["carrier"])], remainder="passthrough")
        fitted = make_pipeline(prepared, LogisticRegression()).fit(table, y)
        loaded = SklearnEngine(fitted, make.signature((0, 1)))
        np.testing.assert_array_equal(loaded.predict(rows).probabilities, fitted.predict_proba(asked))
    empty = make.table().assign(carrier=["", *make.table()["carrier"][1:]])
    own = make_pipeline(ColumnTransformer([("t", OneHotEncoder(), ["carrier"])]), LogisticRegression()).fit(empty, y)
    expected = own.predict_proba(make.table(2).assign(carrier=["", "AA"]))
    np.testing.assert_array_equal(SklearnEngine(own, make.signature((0, 1))).predict(rows).probabilities, expected)


@pytest.mark.parametrize("chosen", [[0], slice(0, 1), np.array([True, False, False]), ["carrier"]])
def test_text_columns_are_recognised_however_they_were_chosen(chosen: Any) -> None:
    table = make.table()[["carrier", "dist.", "air time"]]
    prepared = ColumnTransformer([("t", OneHotEncoder(handle_unknown="ignore"), chosen)], remainder="passthrough")
    loaded = SklearnEngine(make_pipeline(prepared, Ridge()).fit(table, np.arange(len(table))))
    assert [i.kind for i in loaded.signature.inputs] == ["Category", "Number", "Number"]


def test_value_that_the_estimator_refuses_is_a_value_error() -> None:
    loaded = SklearnEngine(LogisticRegression().fit(ROWS, TARGET))
    with pytest.raises(ValueError, match="Input X contains NaN"):
        loaded.predict({"input": np.full((1, 4), np.nan)})
    with pytest.raises(ValueError, match="column 'input' is missing"):
        loaded.predict({})


def test_models_that_cannot_be_served_are_refused() -> None:
    with pytest.raises(UnloadableModelError, match="IsotonicRegression does not say how many columns"):
        SklearnEngine(_without_width(IsotonicRegression().fit(ROWS[:, 0], ROWS[:, 1])))
    with pytest.raises(UnloadableModelError, match="has no classes_: it is not fitted"):
        SklearnEngine(LogisticRegression())
    with pytest.raises(UnloadableModelError, match="has no predict"):
        SklearnEngine(SimpleImputer())
    with pytest.raises(UnloadableModelError, match="several targets"):
        SklearnEngine(RandomForestClassifier(2).fit(ROWS, np.column_stack([TARGET, TARGET])))
    fitted = LogisticRegression().fit(pd.DataFrame(ROWS, columns=list("abcd")), TARGET)
    with pytest.raises(UnloadableModelError, match="model and signature disagree on the columns"):
        SklearnEngine(fitted, make.signature((0, 1)))


def _without_width(fitted: Any) -> Any:
    if hasattr(fitted, "n_features_in_"):
        del fitted.n_features_in_
    return fitted


def test_no_worker_pool_is_left_inside_a_loaded_model(tmp_path: Path) -> None:
    fitted = RandomForestClassifier(3, n_jobs=2).fit(ROWS, TARGET)
    engines.load(saved(tmp_path, make_pipeline(SimpleImputer(), fitted).fit(ROWS, TARGET)), "Skops")
    assert SklearnEngine(fitted)._fitted.n_jobs is None


def test_format_custom_and_folders_without_a_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnloadableModelError, match=r"the artifact holds no model\.onnx"):
        engines.load(tmp_path, "ONNX")
    (tmp_path / "anything").write_bytes(b"x")
    with pytest.raises(UnloadableModelError, match="an image of its own"):
        engines.load(tmp_path, "Custom")


# ---------------------------------------------------------------- boosting libraries in joblib


BOOSTED = pd.DataFrame(boosted.numbers(), columns=["air time", "b", "c", "d"])
LATE = np.where(boosted.labels(boosted.numbers()) == 1, "yes", "no")
QUIET: dict[str, Any] = {"n_estimators": 4, "num_leaves": 5, "verbose": -1}


def unpickled(folder: Path, fitted: Any) -> Any:
    joblib.dump(fitted, folder / "model.joblib")
    return engines.load(folder, "Joblib", allow_pickle=True)


@pytest.mark.parametrize(
    ("estimator", "labels"),
    [
        (XGBClassifier(n_estimators=4, n_jobs=2), LATE == "yes"),
        (XGBClassifier(n_estimators=4, n_jobs=2, missing=0.0), LATE == "yes"),
        (make_pipeline(StandardScaler(), XGBClassifier(n_estimators=4, n_jobs=2)), (LATE == "yes") * 1),
        (LGBMClassifier(**QUIET, n_jobs=2), LATE),
        (make_pipeline(StandardScaler().set_output(transform="pandas"), LGBMClassifier(**QUIET, n_jobs=2)), LATE),
    ],
    ids=["xgboost", "xgboost with a mark of its own", "xgboost in a pipeline", "lightgbm", "lightgbm in a pipeline"],
)
def test_boosted_classifiers_answer_as_fitted_under_their_own_labels(estimator: Any, labels: Any, tmp_path: Path) -> None:
    fitted = estimator.fit(BOOSTED, labels)
    engine = unpickled(tmp_path, fitted)
    assert engine.signature.classes == tuple(fitted.classes_.tolist())
    given = {column.name: BOOSTED.to_numpy()[:, place] for place, column in enumerate(engine.signature.inputs)}
    assert {name.replace("_", " ") for name in given} == set(BOOSTED)
    said = engine.predict(given)
    assert [engine.signature.classes[code] for code in said.classes] == fitted.predict(BOOSTED).tolist()
    np.testing.assert_array_equal(said.probabilities, fitted.predict_proba(BOOSTED))


@pytest.mark.parametrize("regressor", [XGBRegressor(n_estimators=4, n_jobs=1), LGBMRegressor(**QUIET, n_jobs=1)])
def test_boosted_regressors_answer_as_fitted(regressor: Any, tmp_path: Path) -> None:
    fitted = regressor.fit(BOOSTED.to_numpy(), BOOSTED["b"].fillna(0))
    engine = unpickled(tmp_path, fitted)
    boosted.assert_alike(engine.predict(boosted.columns(engine, BOOSTED.to_numpy())), fitted, BOOSTED.to_numpy())


@pytest.mark.parametrize(
    "classifier", [XGBClassifier(n_estimators=4, n_jobs=1, enable_categorical=True), LGBMClassifier(**QUIET, n_jobs=1)]
)
def test_categories_of_a_boosted_classifier_are_known_in_joblib_too(classifier: Any, tmp_path: Path) -> None:
    rows = boosted.strange(boosted.categorical())
    fitted = classifier.fit(rows, boosted.labels(boosted.numbers()))
    boosted.assert_alike(unpickled(tmp_path, fitted).predict(boosted.frame(rows)), fitted, rows)


def test_boosters_inside_pipelines_have_one_thread() -> None:
    for classifier in (XGBClassifier(n_estimators=2), LGBMClassifier(**QUIET)):
        fitted = make_pipeline(StandardScaler(), classifier).fit(BOOSTED.fillna(0).to_numpy(), (LATE == "yes") * 1)
        assert SklearnEngine(fitted)._fitted[-1].n_jobs == 1
