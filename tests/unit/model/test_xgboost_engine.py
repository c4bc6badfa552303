"""XGBoost's own files: the same answers as its scikit-learn wrapper, bit by bit, and clear words for everything else."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier

from tests.unit.model import boosted
from trimtab.api.wire.models import Input, Signature
from trimtab.model import engines
from trimtab.model.engine import Engine, UnloadableModelError
from trimtab.model.signature import outputs

ROWS = boosted.numbers()
TWO = boosted.labels(ROWS)
POSITIVE = np.abs(np.nan_to_num(ROWS[:, 0])) / 9 + 0.01
SMALL: dict[str, Any] = {"n_estimators": 8, "n_jobs": 1}


def loaded(folder: Path, fitted: Any, name: str = "model.ubj") -> Engine:
    """As a training container would leave it."""
    fitted.save_model(folder / name)
    return engines.load(folder, "XGBoost")


def content(fitted: Any, kind: str = "ubj") -> bytes:
    return bytes(fitted.get_booster().save_raw(kind))


@cache
def plain() -> bytes:
    """A model in JSON that a classifier wrote."""
    fitted = XGBClassifier(**SMALL).fit(ROWS, TWO)
    fitted.get_booster().set_attr(scikit_learn='{"_estimator_type": "classifier"}')
    return content(fitted, "json")


def changed(change: Any) -> bytes:
    """It, in which something was changed."""
    document = json.loads(plain())
    change(document)
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("settings", "classes"),
    [
        ({}, 2),
        ({"booster": "dart", "rate_drop": 0.5}, 2),
        ({"booster": "gblinear"}, 2),
        ({"base_score": 0.1}, 2),
        ({"objective": "reg:logistic"}, 2),
        ({"gamma": 1.0, "tree_method": "exact"}, 2),
        ({"grow_policy": "lossguide", "max_leaves": 5, "num_parallel_tree": 3}, 3),
        ({}, 3),
        ({"objective": "multi:softmax"}, 3),
        ({"objective": "multi:softmax", "booster": "gblinear"}, 3),
    ],
    ids=str,
)
def test_classifiers_answer_as_the_wrapper(settings: dict[str, Any], classes: int, tmp_path: Path) -> None:
    fitted = XGBClassifier(**SMALL | settings).fit(ROWS, boosted.labels(ROWS, classes))
    engine = loaded(tmp_path, fitted)
    assert engine.signature.classes == tuple(range(classes))
    assert [output.name for output in engine.signature.outputs] == ["predict", "predict_proba"]
    for n in (1, 2, len(ROWS)):
        boosted.assert_alike(engine.predict(boosted.columns(engine, ROWS[:n])), fitted, ROWS[:n])


@pytest.mark.parametrize(("name", "kind"), [("model.json", "json"), ("mine.bin", "json"), ("mine.bin", "ubj")])
def test_json_and_ubjson_are_told_by_what_is_in_the_file(name: str, kind: str, tmp_path: Path) -> None:
    fitted = XGBClassifier(**SMALL).fit(ROWS, TWO)
    (tmp_path / name).write_bytes(content(fitted, kind))
    engine = engines.load(tmp_path, "XGBoost")
    boosted.assert_alike(engine.predict(boosted.columns(engine, ROWS)), fitted, ROWS)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"booster": "gblinear"},
        {"objective": "reg:squaredlogerror"},
        {"objective": "reg:logistic"},
        {"objective": "reg:pseudohubererror"},
        {"objective": "reg:absoluteerror"},
        {"objective": "reg:gamma"},
        {"objective": "reg:tweedie"},
        {"objective": "reg:quantileerror", "quantile_alpha": 0.3},
        {"objective": "count:poisson"},
        {"objective": "binary:logistic"},
        {"objective": lambda truth, said: (said - truth, np.ones_like(truth))},
    ],
    ids=lambda settings: str(settings.get("objective", settings))[:24],
)
def test_regressors_answer_as_the_wrapper(settings: dict[str, Any], tmp_path: Path) -> None:
    fitted = XGBRegressor(**SMALL | settings).fit(ROWS, POSITIVE)
    engine = loaded(tmp_path, fitted)
    assert engine.signature.task == "Regression"
    for n in (1, len(ROWS)):
        boosted.assert_alike(engine.predict(boosted.columns(engine, ROWS[:n])), fitted, ROWS[:n])


def test_rounds_after_the_best_do_not_answer(tmp_path: Path) -> None:
    held = boosted.numbers(seed=5)
    fitted = XGBClassifier(n_estimators=80, learning_rate=0.9, n_jobs=1, early_stopping_rounds=4)
    fitted.fit(ROWS, TWO, eval_set=[(held, boosted.labels(held))], verbose=False)
    assert 0 < fitted.best_iteration < fitted.get_booster().num_boosted_rounds() - 1
    engine = loaded(tmp_path, fitted)
    boosted.assert_alike(engine.predict(boosted.columns(engine, held)), fitted, held)


def test_a_forest_and_a_bare_booster_are_classifiers_too(tmp_path: Path) -> None:
    fitted = XGBRFClassifier(**SMALL).fit(ROWS, TWO)
    boosted.assert_alike(loaded(tmp_path, fitted).predict(dict(zip(("f0", "f1", "f2", "f3"), ROWS.T, strict=True))), fitted, ROWS)
    bare = boosted.opened(tmp_path, content(fitted), "XGBoost")
    assert bare.signature.task == "Classification"
    boosted.assert_alike(bare.predict(boosted.columns(bare, ROWS)), fitted, ROWS)


def test_labels_without_probabilities(tmp_path: Path) -> None:
    fitted = XGBClassifier(**SMALL, objective="binary:hinge").fit(ROWS, TWO)
    engine = loaded(tmp_path, fitted)
    assert [output.name for output in engine.signature.outputs] == ["predict"]
    boosted.assert_alike(engine.predict(boosted.columns(engine, ROWS)), fitted, ROWS)


def test_inputs_are_the_features_by_name_and_kind(tmp_path: Path) -> None:
    table = pd.DataFrame(ROWS, columns=["air time", "dist.", "é", "f0"]).assign(late=TWO == 1)
    engine = loaded(tmp_path, XGBClassifier(**SMALL).fit(table, TWO))
    assert [(column.name, column.kind, column.datatype) for column in engine.signature.inputs] == [
        ("air time", "Number", "FP64"),
        ("dist.", "Number", "FP64"),
        ("é", "Number", "FP64"),
        ("f0", "Number", "FP64"),
        ("late", "Boolean", "BOOL"),
    ]
    plain = boosted.opened(tmp_path, content(XGBClassifier(**SMALL).fit(ROWS, TWO)), "XGBoost")
    assert [column.name for column in plain.signature.inputs] == ["f0", "f1", "f2", "f3"]


def test_one_thread_answers_and_many_may_ask(tmp_path: Path) -> None:
    for booster in ("gbtree", "dart", "gblinear"):
        fitted = XGBClassifier(**SMALL, booster=booster).fit(ROWS, TWO)
        engine = loaded(tmp_path, fitted)
        wanted = fitted.predict_proba(ROWS)

        def ask(start: int, engine: Engine = engine, wanted: Any = wanted) -> bool:
            said = engine.predict(boosted.columns(engine, ROWS[start : start + 7]))
            return bool((said.probabilities == wanted[start : start + 7]).all())

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(ask, range(len(ROWS) - 7)))


# ---------------------------------------------------------------- categories


@pytest.fixture(scope="module")
def with_categories() -> XGBClassifier:
    rows = boosted.categorical()
    late = (rows["size"] + 2 * (rows["carrier"] == "UA") + 2 * (rows["gate"] == 40) > 1).astype(int)
    return XGBClassifier(n_estimators=20, n_jobs=1, enable_categorical=True, max_cat_to_onehot=1).fit(rows, late)


def test_categories_are_known_by_their_values(with_categories: XGBClassifier, tmp_path: Path) -> None:
    engine = loaded(tmp_path, with_categories)
    assert [(column.name, column.kind) for column in engine.signature.inputs] == [
        ("size", "Number"),
        ("carrier", "Category"),
        ("gate", "Number"),
    ]
    rows = boosted.strange(boosted.categorical())
    boosted.assert_alike(engine.predict(boosted.frame(rows)), with_categories, rows)


def test_an_unknown_category_is_a_missing_one_where_the_wrapper_refuses(
    with_categories: XGBClassifier, tmp_path: Path
) -> None:
    engine = loaded(tmp_path, with_categories)
    rows = boosted.categorical(40)
    unknown = rows.assign(carrier=pd.Categorical(["ZZ"] * 40), gate=pd.Categorical([30] * 40))
    with pytest.raises(xgboost.core.XGBoostError, match="Found a category not in the training set"):
        with_categories.predict(unknown)
    missing = rows.assign(
        carrier=pd.Categorical([None] * 40, categories=list(boosted.CARRIERS)),
        gate=pd.Categorical([None] * 40, categories=list(boosted.GATES)),
    )
    boosted.assert_alike(engine.predict(boosted.frame(unknown)), with_categories, missing)


def test_codes_without_values_are_numbers(tmp_path: Path) -> None:
    codes = np.column_stack([ROWS[:, 0], np.arange(len(ROWS)) % 5])
    fitted = XGBClassifier(**SMALL, enable_categorical=True, feature_types=["q", "c"]).fit(codes, TWO)
    engine = loaded(tmp_path, fitted)
    assert [column.kind for column in engine.signature.inputs] == ["Number", "Number"]
    boosted.assert_alike(engine.predict(boosted.columns(engine, codes)), fitted, codes)


def test_text_needs_a_model_that_knows_its_categories(tmp_path: Path) -> None:
    table = pd.DataFrame({"size": ROWS[:, 0], "carrier": np.arange(len(ROWS)) % 3})
    fitted = XGBClassifier(**SMALL).fit(table, TWO)
    with pytest.raises(UnloadableModelError, match="column 'carrier' is text, and the model knows no categories of text"):
        boosted.opened(tmp_path, content(fitted), "XGBoost", signature=signature())


# ---------------------------------------------------------------- a signature that came with the version


def signature(classes: tuple[Any, ...] | None = (False, True), **more: Any) -> Signature:
    inputs = (Input(name="carrier", datatype="BYTES", kind="Category"), Input(name="size", datatype="FP64"))
    task: Any = "Regression" if classes is None else "Classification"
    given = {"task": task, "inputs": inputs, "outputs": outputs(task, classes, True), "classes": classes}
    return Signature(**given | more)


@pytest.mark.parametrize("classes", [(False, True), ("no", "yes"), (3, 7), (1, 0)])
def test_classes_of_the_signature_are_meant_by_value_or_in_order(classes: tuple[Any, ...], tmp_path: Path) -> None:
    fitted = XGBClassifier(**SMALL).fit(ROWS[:, :1], TWO)
    known = signature(classes, inputs=(Input(name="size", datatype="FP64"),))
    engine = boosted.opened(tmp_path, content(fitted), "XGBoost", signature=known)
    said = engine.predict({"size": ROWS[:, 0]})
    assert said.classes is not None
    assert said.probabilities is not None
    flipped = classes == (1, 0)
    np.testing.assert_array_equal(said.classes, 1 - fitted.predict(ROWS[:, :1]) if flipped else fitted.predict(ROWS[:, :1]))
    wanted = fitted.predict_proba(ROWS[:, :1])
    np.testing.assert_array_equal(said.probabilities, wanted[:, ::-1] if flipped else wanted)


def test_columns_are_matched_by_name_and_without_names_by_position(tmp_path: Path) -> None:
    inputs = tuple(Input(name=name, datatype="FP64") for name in ("b", "a"))
    table = pd.DataFrame({"a": ROWS[:, 0], "b": ROWS[:, 1]})
    named = XGBRegressor(**SMALL).fit(table, POSITIVE)
    engine = boosted.opened(tmp_path, content(named), "XGBoost", signature=signature(None, inputs=inputs))
    boosted.assert_alike(engine.predict({"b": ROWS[:, 1], "a": ROWS[:, 0]}), named, table)
    plain = XGBRegressor(**SMALL).fit(ROWS[:, :2], POSITIVE)
    engine = boosted.opened(tmp_path, content(plain), "XGBoost", signature=signature(None, inputs=inputs))
    boosted.assert_alike(engine.predict({"b": ROWS[:, 0], "a": ROWS[:, 1]}), plain, ROWS[:, :2])
    matrix = (Input(name="input", datatype="FP64", shape=(-1, 2)),)
    engine = boosted.opened(tmp_path, content(plain), "XGBoost", signature=signature(None, inputs=matrix))
    boosted.assert_alike(engine.predict({"input": ROWS[:, :2]}), plain, ROWS[:, :2])
    with pytest.raises(ValueError, match="column 'input' is missing"):
        engine.predict({"a": ROWS[:, 0]})


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (signature(None), "it is a model for Classification, and its signature says Regression"),
        (signature(("a", "b", "c")), r"the model knows the labels \[0, 1\], its signature the classes"),
        (signature(inputs=(Input(name="size", datatype="FP64"),)), r"model and signature disagree on the columns \['carrier'\]"),
        (
            signature(inputs=tuple(Input(name=name, datatype="FP64") for name in ("carrier", "size"))),
            "column 'carrier' is a Number, and the model was trained on categories of text",
        ),
        (
            signature(inputs=(Input(name="input", datatype="FP64", shape=(-1, 2)),)),
            "a matrix holds numbers only, and the model has categories",
        ),
    ],
)
def test_a_signature_that_is_not_the_models_is_refused(known: Signature, said: str, tmp_path: Path) -> None:
    rows = boosted.categorical()[["size", "carrier"]]
    fitted = XGBClassifier(**SMALL, enable_categorical=True).fit(rows, TWO)
    with pytest.raises(UnloadableModelError, match=said):
        boosted.opened(tmp_path, content(fitted), "XGBoost", signature=known)


def test_a_signature_cannot_promise_probabilities_that_there_are_not(tmp_path: Path) -> None:
    fitted = XGBClassifier(**SMALL, objective="binary:hinge").fit(ROWS[:, :1], TWO)
    known = signature(inputs=(Input(name="size", datatype="FP64"),))
    with pytest.raises(UnloadableModelError, match="names predict_proba, and the model's objective gives labels only"):
        boosted.opened(tmp_path, content(fitted), "XGBoost", signature=known)


# ---------------------------------------------------------------- what is not served


@pytest.mark.parametrize(
    ("fitted", "said"),
    [
        (XGBClassifier(**SMALL, objective="binary:logitraw").fit(ROWS, TWO), "binary:logitraw in a classifier gives neither"),
        (XGBRegressor(**SMALL, objective="survival:cox").fit(ROWS, POSITIVE), "survival:cox in a regressor gives neither"),
        (XGBRanker(**SMALL).fit(ROWS, TWO, qid=np.zeros(len(ROWS), int)), "rank:ndcg in a ranker gives neither"),
        (XGBRegressor(**SMALL).fit(ROWS, np.column_stack([POSITIVE] * 2)), "predicts 2 targets a row"),
        (
            XGBRegressor(**SMALL, multi_strategy="multi_output_tree").fit(ROWS, np.column_stack([POSITIVE] * 2)),
            "predicts 2 targets a row",
        ),
        (
            XGBRegressor(**SMALL, objective="reg:quantileerror", quantile_alpha=[0.1, 0.9]).fit(ROWS, POSITIVE),
            "predicts 2 targets a row",
        ),
        (XGBClassifier(**SMALL).fit(ROWS, np.column_stack([TWO] * 2)), "predicts 2 targets a row"),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, str) else "",
)
def test_objectives_that_give_neither_a_class_nor_a_number_are_refused(fitted: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnloadableModelError, match=said):
        loaded(tmp_path, fitted)


def test_an_empty_text_as_a_category_is_refused(tmp_path: Path) -> None:
    rows = boosted.categorical()
    rows["carrier"] = rows["carrier"].cat.rename_categories({"UA": ""})
    with pytest.raises(UnloadableModelError, match="'carrier' has the empty text as a category"):
        loaded(tmp_path, XGBClassifier(**SMALL, enable_categorical=True).fit(rows, TWO))


def tree(document: Any) -> Any:
    return document["learner"]["gradient_booster"]["model"]["trees"][1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(version=[9, 1, 0]), "was saved by XGBoost 9.1.0, this image has 3."),
        (lambda d: d.pop("version"), "no model of XGBoost: it has no learner and no version"),
        (lambda d: d["learner"].pop("gradient_booster"), "the file is broken: KeyError: 'gradient_booster'"),
        (lambda d: d["learner"]["objective"].update(name="reg:nothing"), "XGBoost does not load the file: Unknown objective"),
        (lambda d: d["learner"]["learner_model_param"].update(num_feature="99999999"), "99999999 features and 1 classes"),
        (lambda d: d["learner"]["learner_model_param"].update(num_class="99999999"), "4 features and 99999999 classes"),
        (lambda d: d["learner"]["attributes"].update(best_iteration="8"), "its best iteration 8 is none that it has"),
        (lambda d: d["learner"]["attributes"].update(best_iteration="x"), "its attribute best_iteration"),
        (lambda d: d["learner"]["attributes"].update(scikit_learn="["), "its attribute scikit_learn"),
        (lambda d: d["learner"]["attributes"].update(scikit_learn="[]"), "its attribute scikit_learn"),
        (lambda d: d["learner"].update(feature_names=["a"]), "4 features and 1 feature_names"),
        (lambda d: d["learner"].update(feature_types=["x"] * 4), r"it has features of type \['x'\]"),
        (lambda d: d["learner"].update(feature_names=["a"] * 4), "two of its features have one name"),
        (lambda d: tree(d)["left_children"].__setitem__(0, 99), "in tree 1 left_children holds 99, and may hold -1 to"),
        (lambda d: tree(d)["left_children"].__setitem__(0, 0), "in tree 1 two branches lead to one node"),
        (lambda d: tree(d)["left_children"].__setitem__(0, -1), "in tree 1 a node has one child"),
        (lambda d: tree(d)["left_children"].__setitem__(0, 1.5), "left_children is not a list of"),
        (lambda d: tree(d)["right_children"].pop(), "right_children is not a list of"),
        (lambda d: tree(d)["parents"].__setitem__(1, 2), "in tree 1 a node has another parent"),
        (lambda d: tree(d)["split_indices"].__setitem__(0, 4), "split_indices holds 4, and may hold 0 to 3"),
        (lambda d: tree(d)["split_conditions"].pop(), "split_conditions is not a list of"),
        (lambda d: tree(d)["split_conditions"].__setitem__(0, "x"), "split_conditions is not a list of"),
        (lambda d: tree(d)["split_type"].__setitem__(0, 1), "categories_nodes are not the nodes that split by category"),
        (lambda d: tree(d).update(id=2), "in tree 1 stands tree 2"),
        (lambda d: tree(d)["tree_param"].update(num_nodes="1"), "nodes, and it says 1"),
        (lambda d: tree(d)["tree_param"].update(size_leaf_vector="7"), "a leaf does not hold one number"),
        (lambda d: tree(d)["tree_param"].update(num_deleted="-1"), "-1 are deleted"),
        (lambda d: tree(d)["tree_param"].update(num_feature="9"), "its features are others"),
        (
            lambda d: d["learner"]["gradient_booster"]["model"]["gbtree_model_param"].update(num_parallel_tree="0"),
            "a round has no trees",
        ),
        (lambda d: d["learner"]["gradient_booster"]["model"]["trees"].pop(), "it has 7 trees and says 8"),
        (lambda d: d["learner"]["gradient_booster"]["model"]["tree_info"].__setitem__(0, 3), "tree_info holds 3"),
        (lambda d: d["learner"]["gradient_booster"]["model"]["iteration_indptr"].__setitem__(1, 9), "iteration_indptr holds 9"),
        (lambda d: d["learner"]["gradient_booster"]["model"]["iteration_indptr"].__setitem__(1, 5), "trees in order"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_file_is_said(change: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnloadableModelError, match=said):
        boosted.opened(tmp_path, changed(change), "XGBoost")
