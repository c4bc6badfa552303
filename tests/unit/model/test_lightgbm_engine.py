"""LightGBM's own text files: the same answers as its scikit-learn wrapper, bit by bit, and clear words for everything else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor

from tests.unit.model import boosted
from trimtab.api.wire.models import Input, Signature
from trimtab.model import engines
from trimtab.model.engine import Engine, UnloadableModelError
from trimtab.model.signature import outputs

ROWS = boosted.numbers()
TWO = boosted.labels(ROWS)
POSITIVE = np.abs(np.nan_to_num(ROWS[:, 0])) / 9 + 0.01
SMALL: dict[str, Any] = {"n_estimators": 8, "num_leaves": 7, "n_jobs": 1, "verbose": -1}


def loaded(folder: Path, fitted: Any) -> Engine:
    """As a training container would leave it."""
    fitted.booster_.save_model(folder / "model.txt")
    return engines.load(folder, "LightGBM")


def text(fitted: Any) -> str:
    found: str = fitted.booster_.model_to_string()
    return found


@pytest.mark.parametrize(
    ("settings", "classes"),
    [
        ({}, 2),
        ({"boosting_type": "dart"}, 2),
        ({"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, 2),
        ({"linear_tree": True}, 2),
        ({"zero_as_missing": True}, 2),
        ({"min_child_samples": 10_000}, 2),
        ({}, 3),
        ({"objective": "multiclassova"}, 3),
    ],
    ids=str,
)
def test_classifiers_answer_as_the_wrapper(settings: dict[str, Any], classes: int, tmp_path: Path) -> None:
    fitted = LGBMClassifier(**SMALL | settings).fit(ROWS, boosted.labels(ROWS, classes))
    engine = loaded(tmp_path, fitted)
    assert engine.signature.classes == tuple(range(classes))
    for n in (1, 2, len(ROWS)):
        boosted.assert_alike(engine.predict(boosted.columns(engine, ROWS[:n])), fitted, ROWS[:n])


REGRESSIONS = (
    "regression",
    "regression_l1",
    "huber",
    "fair",
    "poisson",
    "quantile",
    "mape",
    "gamma",
    "tweedie",
    "cross_entropy",
    "cross_entropy_lambda",
    lambda truth, said: (said - truth, np.ones_like(truth)),
)


@pytest.mark.parametrize(
    "settings", [*({"objective": each} for each in REGRESSIONS), {"reg_sqrt": True}], ids=lambda settings: str(settings)[:32]
)
def test_regressors_answer_as_the_wrapper(settings: dict[str, Any], tmp_path: Path) -> None:
    fitted = LGBMRegressor(**SMALL | settings).fit(ROWS, POSITIVE)
    engine = loaded(tmp_path, fitted)
    assert engine.signature.task == "Regression"
    for n in (1, len(ROWS)):
        boosted.assert_alike(engine.predict(boosted.columns(engine, ROWS[:n])), fitted, ROWS[:n])


def test_rounds_after_the_best_do_not_answer(tmp_path: Path) -> None:
    held = boosted.numbers(seed=5)
    fitted = LGBMClassifier(**SMALL | {"n_estimators": 80, "learning_rate": 0.9})
    stop = lightgbm.early_stopping(4, verbose=False)
    fitted.fit(ROWS, TWO, eval_X=held, eval_y=boosted.labels(held), callbacks=[stop])
    assert 0 < fitted.best_iteration_ < 80
    engine = loaded(tmp_path, fitted)
    boosted.assert_alike(engine.predict(boosted.columns(engine, held)), fitted, held)


def test_inputs_are_the_features_by_name(tmp_path: Path) -> None:
    table = pd.DataFrame(ROWS, columns=["air time", "dist.", "é", "f0"])
    engine = loaded(tmp_path, LGBMClassifier(**SMALL).fit(table, TWO))
    assert [column.name for column in engine.signature.inputs] == ["air_time", "dist.", "é", "f0"]
    plain = boosted.opened(tmp_path, text(LGBMClassifier(**SMALL).fit(ROWS, TWO)).encode(), "LightGBM")
    assert [column.name for column in plain.signature.inputs] == ["Column_0", "Column_1", "Column_2", "Column_3"]


def test_many_threads_may_ask(tmp_path: Path) -> None:
    fitted = LGBMClassifier(**SMALL).fit(ROWS, TWO)
    engine = loaded(tmp_path, fitted)
    wanted = fitted.predict_proba(ROWS)

    def ask(start: int) -> bool:
        said = engine.predict(boosted.columns(engine, ROWS[start : start + 7]))
        return bool((said.probabilities == wanted[start : start + 7]).all())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(len(ROWS) - 7)))


# ---------------------------------------------------------------- categories


@cache
def with_categories() -> LGBMClassifier:
    rows = boosted.categorical()
    late = (rows["size"] + 2 * (rows["carrier"] == "UA") + 2 * (rows["gate"] == 40) > 1).astype(int)
    settings = {"min_data_per_group": 5, "cat_smooth": 1, "max_cat_to_onehot": 1}
    return LGBMClassifier(**SMALL | settings).fit(boosted.strange(rows), late)


def test_categories_are_known_by_their_values_and_unknown_ones_are_missing(tmp_path: Path) -> None:
    engine = loaded(tmp_path, with_categories())
    assert [(column.name, column.kind) for column in engine.signature.inputs] == [
        ("size", "Number"),
        ("carrier", "Category"),
        ("gate", "Number"),
    ]
    rows = boosted.strange(boosted.categorical())
    boosted.assert_alike(engine.predict(boosted.frame(rows)), with_categories(), rows)
    unknown = rows.assign(
        carrier=rows["carrier"].cat.rename_categories({"UA": "ZZ"}), gate=rows["gate"].cat.rename_categories({40: 30})
    )
    boosted.assert_alike(engine.predict(boosted.frame(unknown)), with_categories(), unknown)


def test_codes_without_values_are_numbers(tmp_path: Path) -> None:
    codes = np.column_stack([ROWS[:, 0], np.arange(len(ROWS)) % 5])
    fitted = LGBMClassifier(**SMALL).fit(codes, TWO, categorical_feature=[1])
    engine = loaded(tmp_path, fitted)
    assert [column.kind for column in engine.signature.inputs] == ["Number", "Number"]
    boosted.assert_alike(engine.predict(boosted.columns(engine, codes)), fitted, codes)


def test_categories_whose_column_cannot_be_told_are_refused(tmp_path: Path) -> None:
    rows = boosted.categorical()
    rows["carrier"] = rows["carrier"].cat.as_ordered()
    with pytest.raises(UnloadableModelError, match="the values of 2 categories for 1 categorical columns"):
        loaded(tmp_path, LGBMClassifier(**SMALL).fit(rows, TWO))


# ---------------------------------------------------------------- a signature that came with the version


def numeric(*names: str) -> Signature:
    inputs = tuple(Input(name=name, datatype="FP64") for name in names)
    return Signature(
        task="Classification",
        inputs=inputs,
        outputs=outputs("Classification", ("no", "yes"), True),
        classes=("no", "yes"),
    )


def test_a_name_with_blanks_is_the_one_that_lightgbm_changed(tmp_path: Path) -> None:
    table = pd.DataFrame({"air time": ROWS[:, 0], "b": ROWS[:, 1]})
    fitted = LGBMClassifier(**SMALL).fit(table, TWO)
    engine = boosted.opened(tmp_path, text(fitted).encode(), "LightGBM", signature=numeric("b", "air time"))
    said = engine.predict({"b": ROWS[:, 1], "air time": ROWS[:, 0]})
    np.testing.assert_array_equal(said.probabilities, fitted.predict_proba(table))
    assert engine.signature.classes == ("no", "yes")


def test_columns_without_names_are_matched_by_position(tmp_path: Path) -> None:
    fitted = LGBMClassifier(**SMALL).fit(ROWS[:, :2], TWO)
    engine = boosted.opened(tmp_path, text(fitted).encode(), "LightGBM", signature=numeric("b", "a"))
    said = engine.predict({"a": ROWS[:, 1], "b": ROWS[:, 0]})
    np.testing.assert_array_equal(said.probabilities, fitted.predict_proba(ROWS[:, :2]))
    with pytest.raises(UnloadableModelError, match="the model takes 2 columns, its signature names 1"):
        boosted.opened(tmp_path, text(fitted).encode(), "LightGBM", signature=numeric("b"))


# ---------------------------------------------------------------- what is not served


def test_objectives_that_give_neither_a_class_nor_a_number_are_refused(tmp_path: Path) -> None:
    ranker = LGBMRanker(**SMALL).fit(ROWS, TWO, group=[len(ROWS)])
    with pytest.raises(UnloadableModelError, match="the objective lambdarank gives neither"):
        loaded(tmp_path, ranker)
    data = lightgbm.Dataset(ROWS, boosted.labels(ROWS, 3))
    own = {"objective": lambda said, rows: (said - 0.5, np.ones_like(said)), "num_class": 3, "verbose": -1}
    booster = lightgbm.train(own, data, 2)
    with pytest.raises(UnloadableModelError, match="an objective of your own with 3 numbers a row gives neither"):
        boosted.opened(tmp_path, booster.model_to_string().encode(), "LightGBM")


Change = Callable[[str], str]


def line(name: str, value: str) -> Change:
    """The first line of that name, in the head or in the first tree, with another value."""

    def change(model: str) -> str:
        start = model.index(f"\n{name}=") + 1
        return model[:start] + f"{name}={value}" + model[model.index("\n", start) :]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: "", "no model of LightGBM in text"),
        (lambda _: '{"learner": {}}', "no model of LightGBM in text"),
        (lambda model: model + "\0", "no model of LightGBM in text"),
        (line("version", "v5"), "the file is of version v5, and this image's LightGBM reads v3 and v4"),
        (lambda model: model[: model.index("end of trees")], "cut short: it has no line 'end of trees'"),
        (lambda model: model[: model.index("[num_leaves")], "cut short: it has no line 'end of parameters'"),
        (lambda model: model[:-7], "its last line does not give pandas_categorical"),
        (lambda model: f"{model}more", "its last line does not give pandas_categorical"),
        (line("num_class", "2"), "8 trees for 2 classes, and has 8"),
        (line("num_class", "99999999"), "4 features and 99999999 classes"),
        (line("max_feature_idx", "99999998"), "99999999 features and 1 classes"),
        (line("max_feature_idx", "4"), "it has 5 features, 4 names of them"),
        (line("feature_names", "a b c a"), "it has 4 features, 3 names of them"),
        (line("objective", "nothing"), "Unknown objective type name: nothing"),
        (line("objective", "multiclass num_class:3"), "its objective is 'multiclass num_class:3', and it has 1 classes"),
        (line("tree_sizes", "1 2"), "it says that it has 2 trees for 1 classes, and has 8"),
        (lambda model: model.replace("\nTree=1\n", "\nTree=2\n"), "tree '2' stands where tree 1 should"),
        (line("num_leaves", "0"), "in tree 0 there are 0 leaves"),
        (line("num_leaves", "99999999999999999999"), "in tree 0 num_leaves holds what is no whole number"),
        (line("num_leaves", "6"), "in tree 0 leaf_value holds 7 numbers, and should hold 6"),
        (line("leaf_value", "1 2 3 4 5 6 x"), "in tree 0 leaf_value holds what is no number"),
        (line("left_child", "1 2 3"), "in tree 0 left_child is not a list of 6 whole numbers"),
        (line("left_child", "1 2 3 4 5 1_0"), "in tree 0 left_child holds what is no number"),
        (line("left_child", "1 2 3 4 5\x1c1"), "in tree 0 left_child holds what is no number"),
        (line("left_child", "1 2 3 4 5 6"), "in tree 0 left_child holds 6, and may hold -7 to 5"),
        (line("left_child", "0 0 0 0 0 0"), "in tree 0 two branches lead to one node"),
        (line("right_child", "-8 -8 -8 -8 -8 -8"), "in tree 0 right_child holds -8"),
        (line("split_feature", "4 0 0 0 0 0"), "in tree 0 split_feature holds 4, and may hold 0 to 3"),
        (line("decision_type", "1 2 2 2 2 2"), "in tree 0 a node splits by a set of categories that is none of 0"),
        (line("num_cat", "1"), "in tree 0 there is no cat_boundaries"),
        (lambda model: model.replace("[categorical_feature: ]", "[categorical_feature: 9]"), "categorical_feature holds 9"),
        (lambda model: model.replace("[categorical_feature: ]", "[categorical_feature: 1]"), "a category has a range"),
        (lambda model: model.replace("pandas_categorical:null", 'pandas_categorical:{"a": 1}'), "it holds no lists"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_file_is_said(change: Change, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnloadableModelError, match=said):
        boosted.opened(tmp_path, change(saved()).encode(), "LightGBM")


@cache
def saved() -> str:
    """A file as the wrapper's booster writes it."""
    return text(LGBMClassifier(**SMALL).fit(ROWS, TWO))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnloadableModelError, match="it is not UTF-8"):
        boosted.opened(tmp_path, b"tree\n\xff\xff", "LightGBM")
