"""HistGradientBoosting in ONNX: what scikit-learn says, to the bit where labels hang on it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from trimtab.api.training import Estimator
from trimtab.model.engine import Prediction
from trimtab.model.engines import onnx as engine
from trimtab.model.engines.sklearn import SklearnEngine
from trimtab.training import ensembles, fitting, graphs, histograms, parity, served, thresholds
from trimtab.training.handover import Feature
from trimtab.training.rows import Rows

EDGES = (np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -5e-324, 0.0, -0.0, 2.0**53 + 1)


def table(rows: int = 300, width: int = 3, seed: int = 0, missing: float = 0.1) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, width))
    values[rng.random(values.shape) < missing] = np.nan
    return values


def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.nansum(values, axis=1), np.float64)


def split(values: NDArray[np.float64], classes: int) -> NDArray[np.int64]:
    ranks = np.argsort(np.argsort(total(values)))
    return np.asarray(ranks * classes // len(values), np.int64)


def said(model: Any, rows: NDArray[np.float64]) -> Prediction:
    """What the graph alone says, read without a signature."""
    return engine.from_bytes(histograms.convert(model, "X").SerializeToString()).predict({"X": rows})


def beside(model: Any, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows with one number on, and next to, each threshold of the model, and at the edges of float64."""
    found = []
    for number, (column, threshold) in enumerate(thresholds.of(model)):
        for value in (threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf)):
            found.append((number, column, value))
    found += [(number, column, edge) for number in range(5) for column in range(values.shape[1]) for edge in EDGES]
    rows = values[[number % len(values) for number, _, _ in found]]
    for row, (_, column, value) in zip(rows, found, strict=True):
        row[column] = value
    return rows


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile", "poisson", "gamma"])
def test_numbers_are_those_of_scikit_learn_on_and_beside_every_threshold(loss: str) -> None:
    values = table()
    wanted = np.exp(total(values) / 4)
    quantile = {"quantile": 0.9} if loss == "quantile" else {}
    model = HistGradientBoostingRegressor(loss=loss, max_iter=20, **quantile).fit(values, wanted)
    rows = beside(model, values)
    assert len(rows) > 300
    got = said(model, rows).values
    assert got is not None
    np.testing.assert_allclose(got, model.predict(rows), rtol=1e-15 if loss in ("poisson", "gamma") else 0)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_labels_are_those_of_scikit_learn_on_and_beside_every_threshold(classes: int) -> None:
    values = table()
    model = HistGradientBoostingClassifier(max_iter=10).fit(values, split(values, classes))
    rows = beside(model, values)
    got = said(model, rows)
    assert got.probabilities is not None
    np.testing.assert_array_equal(got.classes, model.predict(rows))
    np.testing.assert_allclose(got.probabilities, model.predict_proba(rows), rtol=0, atol=1e-15)


def test_a_row_is_answered_alike_alone_and_among_others() -> None:
    values = table(500)
    model = HistGradientBoostingRegressor(max_iter=50).fit(values, total(values))
    whole = said(model, values).values
    alone = engine.from_bytes(histograms.convert(model, "X").SerializeToString())
    assert whole is not None
    for row, wanted in zip(values[:50], whole, strict=False):
        np.testing.assert_array_equal(alone.predict({"X": row[None]}).values, [wanted])


def test_what_was_never_missing_in_training_may_be_missing() -> None:
    values = table(missing=0)
    model = HistGradientBoostingClassifier(max_iter=10).fit(values, split(values, 2))
    rows = values.copy()
    rows[np.arange(len(rows)), np.arange(len(rows)) % 3] = np.nan
    rows[::7] = np.nan
    np.testing.assert_array_equal(said(model, rows).classes, model.predict(rows))


@pytest.mark.parametrize("leaves", [2, 3, 4])
@pytest.mark.parametrize("least", [1, 40, 100, 151])
def test_small_trees_down_to_a_lone_leaf(leaves: int, least: int) -> None:
    values = table()
    model = HistGradientBoostingRegressor(max_iter=12, max_leaf_nodes=leaves, min_samples_leaf=least)
    model.fit(values, total(values))
    np.testing.assert_array_equal(said(model, values).values, model.predict(values))


def test_a_tie_is_the_first_class() -> None:
    values = table(100)
    model = HistGradientBoostingClassifier(max_iter=1, min_samples_leaf=60).fit(values, np.arange(100) % 2)
    got = said(model, values)
    assert got.probabilities is not None
    assert set(model.predict(values)) == {0}
    assert (got.probabilities == 0.5).all()
    np.testing.assert_array_equal(got.classes, np.zeros(100))


@pytest.mark.parametrize(
    "params",
    [
        {"early_stopping": True, "n_iter_no_change": 2},
        {"monotonic_cst": [1, -1, 0]},
        {"interaction_cst": [[0], [1, 2]]},
        {"max_bins": 2},
        {"max_features": 0.5, "l2_regularization": 2.0, "max_depth": 2},
    ],
    ids=str,
)
def test_settings_of_the_fit_change_nothing_here(params: dict[str, Any]) -> None:
    values = table()
    model = HistGradientBoostingClassifier(max_iter=30, random_state=0, **params).fit(values, split(values, 2))
    rows = beside(model, values)
    np.testing.assert_array_equal(said(model, rows).classes, model.predict(rows))


@pytest.mark.parametrize("scale", [1e-310, 1e-30, 1e30, 1e300])
def test_numbers_of_any_size_are_compared_in_float64(scale: float) -> None:
    values = table() * scale
    model = HistGradientBoostingRegressor(max_iter=10).fit(values, total(values / scale))
    rows = beside(model, values)
    np.testing.assert_array_equal(said(model, rows).values, model.predict(rows))


# ---------------------------------------------------------------- through preprocessing


def pair(
    frame: dict[str, Any], target: NDArray[Any], classes: int, params: dict[str, Any]
) -> tuple[Any, tuple[Feature, ...], engine.OnnxEngine, SklearnEngine]:
    """The pipeline as training fits it, its features, and both engines."""
    features = tuple(Feature(name=n, kind="Category" if c.dtype == object else "Number") for n, c in frame.items())
    labels = tuple(f"k{i}" for i in range(classes)) or None
    kind, task = ("Classifier", "Classification") if classes else ("Regressor", "Regression")
    spec = Estimator(name=f"HistGradientBoosting{kind}", params=params)
    pipeline = fitting.fit(spec, task, frame, features, target, labels, 0).pipeline
    known = served.sign(pipeline, Rows(frame, target, labels), features, None)
    ours = engine.from_bytes(graphs.convert(pipeline, features, *graphs.forms(pipeline)), known)
    return pipeline, features, ours, SklearnEngine(pipeline, known)


@pytest.mark.parametrize("levels", [1, 2, 30, 31, 32, 33, 100, 254, 400])
def test_categories_go_the_way_that_scikit_learn_sends_them(levels: int) -> None:
    rng = np.random.default_rng(levels)
    codes = np.append(np.arange(levels), rng.integers(0, levels, 900))
    text = np.array([f"v{code}" for code in codes], object)
    text[rng.random(len(text)) < 0.05] = ""
    size = rng.normal(size=len(text))
    target = rng.normal(size=levels)[codes] + size
    _, _, ours, theirs = pair({"text": text, "size": size}, target, 0, {"max_iter": 40})
    asked = np.array([*(f"v{code}" for code in range(levels)), "", "unknown", "-1", "1.5", "0", "V1", " v1"], object)
    for number in (-2.0, 0.3, np.nan):
        frame = {"text": asked, "size": np.full(len(asked), number)}
        np.testing.assert_array_equal(ours.predict(frame).values, theirs.predict(frame).values)


@st.composite
def problems(draw: Callable[..., Any]) -> tuple[dict[str, Any], NDArray[Any], int, dict[str, Any]]:
    """Columns of numbers on any scale and of text, with holes; a target; the number of classes; and parameters."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(20, 200))
    frame: dict[str, Any] = {}
    score = rng.normal(size=rows)
    for number in range(draw(st.integers(1, 3))):
        column = np.round(rng.normal(size=rows), draw(st.integers(0, 17)))
        score = score + column
        column = column * draw(st.sampled_from([1e-300, 1e-8, 1.0, 1e8, 1e300]))
        column[rng.random(rows) < draw(st.sampled_from([0.0, 0.0, 0.2]))] = np.nan
        frame[f"n{number}"] = column
    for number in range(draw(st.integers(0, 2))):
        codes = rng.integers(0, draw(st.integers(1, 60)), rows)
        score = score + codes % 3
        frame[f"t{number}"] = np.array([f"v{code}" if code else "" for code in codes], object)
    classes = draw(st.sampled_from([0, 2, 3]))
    target: NDArray[Any] = np.argsort(np.argsort(score)) * classes // rows if classes else score
    losses = ["squared_error", "absolute_error", "poisson", "gamma"]
    params: dict[str, Any] = {} if classes else {"loss": draw(st.sampled_from(losses))}
    if params.get("loss") in ("poisson", "gamma"):
        target = np.exp(score / 4)
    params |= {
        "max_iter": draw(st.integers(1, 8)),
        "max_leaf_nodes": draw(st.integers(2, 31)),
        "min_samples_leaf": draw(st.integers(1, 30)),
        "max_bins": draw(st.sampled_from([2, 16, 255])),
        "learning_rate": draw(st.sampled_from([0.1, 1.0])),
    }
    return frame, target, classes, params


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(problems())
def test_any_model_answers_as_scikit_learn_does(
    problem: tuple[dict[str, Any], NDArray[Any], int, dict[str, Any]],
) -> None:
    frame, target, classes, params = problem
    pipeline, features, ours, theirs = pair(frame, target, classes, params)
    rows = parity.probe(frame, features, pipeline, 0)
    found, wanted = ours.predict(rows), theirs.predict(rows)
    if classes:
        assert found.probabilities is not None
        assert wanted.probabilities is not None
        np.testing.assert_array_equal(found.classes, wanted.classes)
        np.testing.assert_allclose(found.probabilities, wanted.probabilities, rtol=0, atol=1e-15)
    else:
        assert found.values is not None
        assert wanted.values is not None
        exact = params["loss"] in ("squared_error", "absolute_error")
        np.testing.assert_allclose(found.values, wanted.values, rtol=0 if exact else 1e-15)


# ---------------------------------------------------------------- the graph


def test_the_graph_is_standard_onnx_with_one_operator_for_all_trees() -> None:
    values = table()
    model = histograms.convert(HistGradientBoostingClassifier(max_iter=5).fit(values, split(values, 2)), "X")
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node if node.domain] == ["TreeEnsemble"]
    assert {node.domain for node in model.graph.node} == {"", "ai.onnx.ml"}


def test_the_graph_is_the_same_for_the_same_model() -> None:
    values = table()
    model = HistGradientBoostingClassifier(max_iter=5).fit(values, split(values, 3))
    once, again = (histograms.convert(model, "X").SerializeToString() for _ in range(2))
    assert once == again


def test_a_model_that_encodes_categories_by_itself_is_refused() -> None:
    values = np.column_stack([table(width=1), np.arange(300) % 4 + 5])
    model = HistGradientBoostingRegressor(max_iter=2, categorical_features=[1]).fit(values, total(values))
    with pytest.raises(histograms.NoFormError, match="it encodes categories by itself"):
        histograms.convert(model, "X")


def test_classes_that_are_not_counted_from_zero_are_refused() -> None:
    values = table()
    model = HistGradientBoostingClassifier(max_iter=2).fit(values, split(values, 2) + 1)
    with pytest.raises(histograms.NoFormError, match="its classes are not 0, 1"):
        histograms.convert(model, "X")


def test_a_link_that_is_not_known_is_refused_by_name() -> None:
    class OddLink:
        pass

    values = table()
    model = HistGradientBoostingRegressor(max_iter=2).fit(values, total(values))
    model._loss.link = OddLink()
    with pytest.raises(histograms.NoFormError, match="its link is OddLink"):
        histograms.convert(model, "X")


def test_a_model_that_a_slim_pod_could_not_load_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    values = table()
    model = HistGradientBoostingRegressor(max_iter=5).fit(values, total(values))
    nodes = sum(len(tree.nodes) for trees in model._predictors for tree in trees)
    monkeypatch.setattr(ensembles, "NODES", nodes)
    histograms.convert(model, "X")
    monkeypatch.setattr(ensembles, "NODES", nodes - 1)
    with pytest.raises(histograms.NoFormError, match=f"its trees have {nodes} nodes, more than {nodes - 1}"):
        histograms.convert(model, "X")
