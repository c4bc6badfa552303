"""Forests of two classes in float64: what scikit-learn says to the bit, ties above all."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor

from trimtab.api.training import Estimator
from trimtab.model.engine import Prediction
from trimtab.model.engines import onnx as engine
from trimtab.training import ensembles, fitting, forests, graphs, served, thresholds
from trimtab.training.handover import Feature
from trimtab.training.rows import Rows

FEATURES = tuple(Feature(name=name, kind="Number") for name in ("a", "b", "c"))


def table(rows: int, seed: int = 0) -> NDArray[np.float64]:
    """Numbers that float32 holds: the rest is cut off before a tree sees it."""
    return np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32).astype(np.float64)


def noisy(values: NDArray[np.float64]) -> NDArray[np.int64]:
    noise = np.random.default_rng(1).normal(size=len(values))
    return np.asarray(values.sum(axis=1) + noise > 0, np.int64)


def said(model: Any, rows: NDArray[np.float64]) -> Prediction:
    return engine.from_bytes(forests.convert(model, "X").SerializeToString()).predict({"X": rows})


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(100, random_state=0),
        RandomForestClassifier(10, max_depth=3, class_weight="balanced", random_state=0),
        RandomForestClassifier(4, min_samples_leaf=400, random_state=0),
        ExtraTreesClassifier(20, min_samples_leaf=3, random_state=0),
    ],
    ids=["grown", "shallow", "lone leaves", "extra"],
)
def test_answers_are_those_of_scikit_learn_to_the_bit(model: Any) -> None:
    values = table(600)
    model.fit(values, noisy(values))
    rows = table(2000, seed=2)
    splits = thresholds.of(model)[:1500]
    for row, (column, threshold) in zip(rows, splits, strict=False):
        row[column] = np.float32(threshold)
    got = said(model, rows)
    np.testing.assert_array_equal(got.classes, model.predict(rows))
    np.testing.assert_array_equal(got.probabilities, model.predict_proba(rows))


def test_a_tie_is_the_first_class() -> None:
    values = table(600)
    model = RandomForestClassifier(100, random_state=0).fit(values, noisy(values))
    rows = table(20_000, seed=3)
    chances = model.predict_proba(rows)
    tied = chances[:, 0] == chances[:, 1]
    assert tied.sum() > 50
    got = said(model, rows[tied])
    np.testing.assert_array_equal(got.classes, np.zeros(tied.sum()))


def test_a_forest_with_ties_is_served_from_onnx(tmp_path: Path) -> None:
    values, held = table(600), table(3000, seed=3)
    frame, sample = ({f.name: rows[:, i] for i, f in enumerate(FEATURES)} for rows in (values, held))
    learnt = Rows(frame, noisy(values), ("no", "yes"))
    spec = Estimator(name="RandomForestClassifier")
    pipeline = fitting.fit(spec, "Classification", frame, FEATURES, learnt.target, learnt.classes, 0).pipeline
    found = served.of(pipeline, learnt, FEATURES, "yes", sample, tmp_path / "m", 0)
    assert (found.format, found.parity.fallback, found.parity.label_mismatches) == ("ONNX", None, 0)


def test_only_forests_of_the_classes_zero_and_one_are_known() -> None:
    values = table(60)
    assert forests.known(ExtraTreesClassifier(2).fit(values, noisy(values)))
    assert not forests.known(RandomForestClassifier(2).fit(values, noisy(values) + 1))
    assert not forests.known(RandomForestClassifier(2).fit(values, np.arange(60) % 3))
    assert not forests.known(RandomForestRegressor(2).fit(values, values[:, 0]))


def test_a_forest_that_is_too_large_to_be_there_twice_has_the_usual_form_only(monkeypatch: pytest.MonkeyPatch) -> None:
    values = table(60)
    model = RandomForestClassifier(3, random_state=0).fit(values, noisy(values))
    nodes = sum(member.tree_.node_count for member in model.estimators_)
    monkeypatch.setattr(ensembles, "NODES", 2 * nodes)
    assert forests.known(model)
    monkeypatch.setattr(ensembles, "NODES", 2 * nodes - 1)
    assert not forests.known(model)


def test_the_faster_form_is_tried_first() -> None:
    values = table(60)
    frame = {feature.name: values[:, number] for number, feature in enumerate(FEATURES)}
    spec = Estimator(name="RandomForestClassifier", params={"n_estimators": 2})
    done = fitting.fit(spec, "Classification", frame, FEATURES, noisy(values), ("no", "yes"), 0)
    operators = []
    for form in graphs.forms(done.pipeline):
        model = onnx.load_from_string(graphs.convert(done.pipeline, FEATURES, form))
        operators += [node.op_type for node in model.graph.node if node.op_type.startswith("Tree")]
    assert operators == ["TreeEnsembleClassifier", "TreeEnsemble"]
