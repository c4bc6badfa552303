"""From columns to a served model: preprocessing, its ONNX form, and the parity of the two."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from trimtab.api.training import Estimator
from trimtab.model import engines
from trimtab.model.engine import UnloadableModelError
from trimtab.training import fitting, graphs, histograms, parity, preprocess, served
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.handover import Feature
from trimtab.training.rows import Rows

FEATURES = (
    Feature(name="size", kind="Number"),
    Feature(name="a column. with dots", kind="Category"),
    Feature(name="empty", kind="Number"),
    Feature(name="open", kind="Boolean"),
    Feature(name="label", kind="Category"),
)
LABELS = ("late", "on time")


def frame(n: int = 400, levels: int = 5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    size = rng.normal(size=n) * 1000
    size[rng.random(n) < 0.1] = np.nan
    many = np.array([f"l{i % 60:02d}" if levels > 40 else f"l{i % levels}" for i in range(n)], object)
    many[rng.random(n) < 0.05] = ""
    return {
        "size": size,
        "a column. with dots": many,
        "empty": np.full(n, np.nan),
        "open": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 2, n)),
        "label": np.array([f"rare {i}" if i % 50 == 0 else "common" for i in range(n)], object),
    }


def rows(n: int = 400, levels: int = 5, classes: int = 2) -> Rows:
    columns = frame(n, levels)
    score = np.nan_to_num(columns["size"]) / 1000 + (columns["a column. with dots"] == "l1") * 2
    score += np.random.default_rng(1).normal(size=n)
    codes = np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))
    return Rows(columns, codes.astype(np.int64), LABELS if classes == 2 else tuple(f"k{i}" for i in range(classes)))


def fit(name: str, learnt: Rows, task: str = "Classification", **params: object) -> fitting.Fit:
    spec = Estimator(name=name, params=params)
    return fitting.fit(spec, task, learnt.frame, FEATURES, learnt.target, learnt.classes, 0)


def serve(name: str, folder: Path, learnt: Rows, task: str = "Classification", **params: object) -> served.Served:
    done = fit(name, learnt, task, **params)
    positive = learnt.classes[1] if learnt.classes and len(learnt.classes) == 2 else None
    return served.of(done.pipeline, learnt, FEATURES, positive, learnt.frame, folder, 0)


# ---------------------------------------------------------------- recipes


def recipe(kind: type, learnt: Rows, **params: object) -> preprocess.Recipe:
    return preprocess.recipe(learnt.frame, FEATURES, kind, params)


def test_linear_models_get_common_levels_and_one_for_what_is_missing() -> None:
    found = recipe(LogisticRegression, rows())
    assert found.family is preprocess.Family.SCALED
    assert found.numbers == (0, 3)
    assert found.unused == (2,)
    assert found.one_hot == {1: ("l0", "l1", "l2", "l3", "l4", ""), 4: ("common",)}
    assert found.ordinal == {}


def test_levels_with_fewer_than_ten_rows_are_not_encoded() -> None:
    few = rows(n=60, levels=50)
    found = recipe(LogisticRegression, few)
    assert found.one_hot == {1: ("",), 4: ("common",)}


def test_trees_get_ordinals_beyond_thirty_levels() -> None:
    from sklearn.ensemble import RandomForestClassifier

    assert 1 in recipe(RandomForestClassifier, rows(levels=5)).one_hot
    many = recipe(RandomForestClassifier, rows(n=2000, levels=60))
    assert len(many.ordinal[1]) == 60
    assert 4 in many.one_hot


def test_histograms_get_every_level_up_to_their_bins() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    found = recipe(HistGradientBoostingClassifier, rows())
    assert len(found.ordinal[4]) == 9
    assert found.one_hot == {}
    assert len(recipe(HistGradientBoostingClassifier, rows(), max_bins=5).ordinal[4]) == 4


def test_levels_do_not_depend_on_the_order_of_rows() -> None:
    learnt = rows()
    order = np.random.default_rng(5).permutation(400)
    shuffled = Rows({name: column[order] for name, column in learnt.frame.items()}, learnt.target[order], LABELS)
    assert recipe(LogisticRegression, learnt) == recipe(LogisticRegression, shuffled)


def test_numbers_beyond_float32_are_refused_for_trees_by_name() -> None:
    learnt = rows()
    learnt.frame["size"][3] = 1e39
    with pytest.raises(StepFailure, match="column 'size' holds 1e\\+39") as failure:
        fit("RandomForestClassifier", learnt)
    assert failure.value.reason is Reason.VALUE_TOO_LARGE
    fit("HistGradientBoostingClassifier", learnt, max_iter=2)


def test_a_combination_that_scikit_learn_refuses_is_told_in_its_words() -> None:
    with pytest.raises(StepFailure) as failure:
        fit("LogisticRegression", rows(), solver="newton-cholesky", l1_ratio=0.5)
    assert failure.value.reason is Reason.FIT_REFUSED
    assert failure.value.message.startswith("LogisticRegression cannot be fitted: ")


def test_a_fit_that_did_not_converge_says_so() -> None:
    said = fit("LogisticRegression", rows(), max_iter=1).said
    assert any("failed to converge" in note for note in said.notes)
    assert said.parameters["max_iter"] == 1
    assert said.parameters["random_state"] == 0


# ---------------------------------------------------------------- served formats

CONVERTED = [
    ("LogisticRegression", {}, 1e-12),
    ("Perceptron", {}, 0.0),
    ("DecisionTreeClassifier", {"max_depth": 5}, 1e-6),
    ("RandomForestClassifier", {"n_estimators": 10}, 1e-6),
    ("ExtraTreesClassifier", {"n_estimators": 5}, 1e-6),
    ("GradientBoostingClassifier", {"n_estimators": 10}, 1e-5),
    ("MLPClassifier", {"hidden_layer_sizes": [5], "max_iter": 50}, 1e-6),
]


@pytest.mark.parametrize(("name", "params", "within"), CONVERTED, ids=[name for name, *_ in CONVERTED])
def test_estimators_are_served_from_onnx_with_the_answers_that_they_gave(
    name: str, params: dict[str, Any], within: float, tmp_path: Path
) -> None:
    found = serve(name, tmp_path / "m", rows(), **params)
    assert found.format == "ONNX"
    assert found.parity.fallback is None
    assert found.parity.label_mismatches == 0
    assert found.parity.max_difference <= within
    assert found.parity.rows > 400
    assert found.path == tmp_path / "m" / "model.onnx"


@pytest.mark.parametrize(
    ("name", "params"), [("Ridge", {}), ("RandomForestRegressor", {"n_estimators": 5}), ("ElasticNet", {})]
)
def test_regressors_are_served_from_onnx(name: str, params: dict[str, Any], tmp_path: Path) -> None:
    learnt = rows()
    numbers = Rows(learnt.frame, np.nan_to_num(learnt.frame["size"]) * 0.5 + 3, None)
    found = serve(name, tmp_path / "m", numbers, "Regression", **params)
    assert (found.format, found.parity.fallback) == ("ONNX", None)
    assert found.parity.max_difference <= parity.TOLERANCE
    assert [output.name for output in found.signature.outputs] == ["predict"]


def test_a_graph_that_onnx_runtime_does_not_load_is_not_served(tmp_path: Path) -> None:
    learnt = rows()
    numbers = Rows(learnt.frame, np.nan_to_num(learnt.frame["size"]), None)
    found = serve("SVR", tmp_path / "m", numbers, "Regression")
    assert found.format == "Skops"
    assert found.parity.fallback is not None
    assert found.parity.fallback.startswith("its ONNX form does not run: ONNX Runtime cannot load the file")


def test_ordinals_of_trees_are_the_same_in_onnx(tmp_path: Path) -> None:
    found = serve("RandomForestClassifier", tmp_path / "m", rows(n=2000, levels=60, classes=3), n_estimators=5)
    assert found.format == "ONNX"
    assert found.signature.classes == ("k0", "k1", "k2")
    assert found.signature.positive is None


@pytest.mark.parametrize("classes", [2, 3])
def test_histogram_boosting_is_served_from_onnx_in_float64(classes: int, tmp_path: Path) -> None:
    found = serve("HistGradientBoostingClassifier", tmp_path / "m", rows(classes=classes), max_iter=20)
    assert (found.format, found.parity.fallback) == ("ONNX", None)
    assert found.parity.label_mismatches == 0
    assert found.parity.max_difference <= 1e-15
    assert found.path == tmp_path / "m" / "model.onnx"


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_histogram_boosting_of_numbers_is_served_from_onnx_in_float64(loss: str, tmp_path: Path) -> None:
    learnt = rows()
    numbers = Rows(learnt.frame, np.exp(np.nan_to_num(learnt.frame["size"]) / 1000), None)
    found = serve("HistGradientBoostingRegressor", tmp_path / "m", numbers, "Regression", loss=loss, max_iter=20)
    assert (found.format, found.parity.fallback) == ("ONNX", None)
    assert found.parity.max_difference <= 1e-15


def test_histogram_boosting_in_a_form_that_is_not_known_is_served_by_scikit_learn_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histograms, "_LINKS", {})
    learnt = rows()
    numbers = Rows(learnt.frame, np.nan_to_num(learnt.frame["size"]), None)
    found = serve("HistGradientBoostingRegressor", tmp_path / "m", numbers, "Regression", max_iter=5)
    assert found.format == "Skops"
    assert found.parity.fallback == "HistGradientBoostingRegressor has no ONNX form here: its link is IdentityLink"
    assert (found.parity.label_mismatches, found.parity.max_difference) == (0, 0.0)
    assert not (tmp_path / "m" / "model.onnx").exists()


@pytest.mark.parametrize("name", ["NearestCentroid", "LinearSVC", "DummyClassifier"])
def test_what_has_no_onnx_form_is_served_by_scikit_learn(name: str, tmp_path: Path) -> None:
    found = serve(name, tmp_path / "m", rows())
    assert found.format == "Skops"
    assert found.parity.fallback is not None
    assert f"{name} has no ONNX form" in found.parity.fallback
    names = [output.name for output in found.signature.outputs]
    assert names == (["predict"] if name == "LinearSVC" else ["predict", "predict_proba"])


def test_a_conversion_that_is_known_to_be_wrong_without_an_error_is_caught(tmp_path: Path) -> None:
    found = serve("LinearDiscriminantAnalysis", tmp_path / "m", rows())
    assert found.format == "Skops"
    assert found.parity.fallback is not None
    assert "outputs differ by up to 0." in found.parity.fallback


def test_a_graph_that_answers_otherwise_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A converter that is wrong without an error: here it forgets the scaling."""
    right = graphs.convert

    def wrong(pipeline: object, *more: object) -> bytes:
        scaler = pipeline.named_steps["columns"].named_transformers_["numbers"].named_steps["scale"]  # type: ignore[attr-defined]
        mean, scaler.mean_ = scaler.mean_, scaler.mean_ + 0.5
        try:
            return right(pipeline, *more)  # type: ignore[arg-type]
        finally:
            scaler.mean_ = mean

    monkeypatch.setattr(graphs, "convert", wrong)
    found = serve("LogisticRegression", tmp_path / "m", rows())
    assert found.format == "Skops"
    assert found.parity.fallback is not None
    assert "outputs differ by up to" in found.parity.fallback


def test_a_model_that_nothing_can_serve_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise UnloadableModelError("no")

    monkeypatch.setattr(engines, "load", refuse)
    with pytest.raises(StepFailure, match="LogisticRegression cannot be served") as failure:
        serve("LogisticRegression", tmp_path / "m", rows())
    assert failure.value.reason is Reason.MODEL_UNUSABLE


def test_columns_keep_their_names_and_the_graph_calls_them_otherwise(tmp_path: Path) -> None:
    import onnx

    found = serve("LogisticRegression", tmp_path / "m", rows())
    assert [column.name for column in found.signature.inputs] == [feature.name for feature in FEATURES]
    assert [column.datatype for column in found.signature.inputs] == ["FP64", "BYTES", "FP64", "BOOL", "BYTES"]
    assert [port.name for port in onnx.load(found.path).graph.input] == ["numbers", "text0", "text1"]


def test_a_lightened_pipeline_keeps_its_encoder_when_it_needs_it() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    rng = np.random.default_rng(0)
    table = np.column_stack([rng.normal(size=300), rng.integers(5, 9, 300)])
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features=[1]).fit(table, table[:, 1] == 7)
    pipeline = Pipeline([("columns", "passthrough"), ("model", model)])
    before = pipeline.predict_proba(table)
    assert (preprocess.lightened(pipeline, table).predict_proba(table) == before).all()
    assert model._preprocessor is not None


def test_our_pipelines_lose_the_encoder_inside_histogram_boosting_and_nothing_else() -> None:
    done = fit("HistGradientBoostingClassifier", rows(), max_iter=5)
    assert done.pipeline.named_steps["model"]._preprocessor is None
