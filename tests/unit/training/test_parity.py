"""Parity: which rows are asked, and that each way in which conversions of trees are known to be wrong is caught."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper
from sklearn.ensemble import BaggingRegressor, RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from trimtab.api.training import Estimator
from trimtab.api.wire.models import Parity
from trimtab.model.engines import onnx as engine
from trimtab.model.engines.sklearn import SklearnEngine
from trimtab.training import fitting, graphs, parity, served, thresholds
from trimtab.training.handover import Feature
from trimtab.training.rows import Rows

FEATURES = (
    Feature(name="size", kind="Number"),
    Feature(name="place", kind="Category"),
    Feature(name="open", kind="Boolean"),
    Feature(name="age", kind="Number"),
)


def frame(n: int = 600) -> dict[str, NDArray[Any]]:
    """`age` is never missing, and few rows hold the rarest of the places."""
    rng = np.random.default_rng(0)
    place = np.array([f"p{code:02d}" for code in rng.geometric(0.2, n).clip(0, 20)], object)
    place[rng.random(n) < 0.05] = ""
    size = rng.normal(size=n)
    size[rng.random(n) < 0.1] = np.nan
    return {"size": size, "place": place, "open": rng.integers(0, 2, n) * 1.0, "age": rng.normal(size=n)}


def fit(name: str = "HistGradientBoostingClassifier", **params: Any) -> tuple[Any, Rows]:
    columns = frame()
    score = np.nan_to_num(columns["size"]) + columns["age"] + (columns["place"] < "p04") * 2.0
    learnt = Rows(columns, (score > np.median(score)).astype(np.int64), ("no", "yes"))
    spec = Estimator(name=name, params=params)
    return fitting.fit(spec, "Classification", columns, FEATURES, learnt.target, learnt.classes, 0).pipeline, learnt


def probes(pipeline: Any, base: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The rows that are made, without those they are made from."""
    whole = parity.probe(base, FEATURES, pipeline, 0)
    return {name: column[len(base[name]) :] for name, column in whole.items()}


def compared(pipeline: Any, learnt: Rows, held: dict[str, NDArray[Any]], change: Callable[[Any], None]) -> Parity:
    """The parity of a graph that `change` made wrong."""
    known = served.sign(pipeline, learnt, FEATURES, None)
    model = onnx.load_from_string(graphs.convert(pipeline, FEATURES, graphs.forms(pipeline)[0]))
    change(next(node for node in model.graph.node if node.op_type.startswith("TreeEnsemble")))
    wrong = engine.from_bytes(model.SerializeToString(), known)
    rows = parity.probe(held, FEATURES, pipeline, 0)
    return parity.compare(wrong, SklearnEngine(pipeline, known).predict(rows), rows)


# ---------------------------------------------------------------- rows


def values(column: NDArray[Any]) -> set[float]:
    return set(column.tolist())


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("HistGradientBoostingClassifier", {"max_iter": 5}),
        ("RandomForestClassifier", {"n_estimators": 3}),
        ("GradientBoostingClassifier", {"n_estimators": 5}),
        ("DecisionTreeClassifier", {}),
        ("BaggingClassifier", {"n_estimators": 3, "max_features": 0.5}),
    ],
)
def test_numbers_lie_on_and_beside_thresholds_of_every_kind_of_tree(name: str, params: dict[str, Any]) -> None:
    pipeline, learnt = fit(name, **params)
    model = pipeline.named_steps["model"]
    columns = pipeline.named_steps["columns"]
    first = columns.output_indices_["numbers"].start
    splits = [threshold for column, threshold in thresholds.of(model) if column == first]
    made = values(probes(pipeline, learnt.frame)["size"])
    probed = [split for split in splits if split in made]
    assert len(probed) >= min(len(splits), 60) > 0
    for split in probed:
        short = np.float32(split)
        assert float(np.nextafter(split, np.inf)) in made
        assert float(np.nextafter(split, -np.inf)) in made
        assert float(short) in made
        assert float(np.nextafter(short, np.float32(np.inf))) in made
        assert float(np.nextafter(short, np.float32(-np.inf))) in made


def test_no_column_goes_without_thresholds_however_many_another_has() -> None:
    pairs = [(0, float(number)) for number in range(5000)] + [(7, 1.5), (9, -2.5)]
    chosen = parity._spread(pairs, np.random.default_rng(0))
    assert len(chosen) == 300
    assert {(7, 1.5), (9, -2.5)} < set(chosen)
    assert parity._spread([], np.random.default_rng(0)) == []


def test_thresholds_of_trees_on_a_choice_of_columns_are_named_by_the_column_of_the_matrix() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 4)) + np.array([0, 10, 20, 30])
    model = BaggingRegressor(DecisionTreeRegressor(max_depth=3), max_features=2, random_state=0)
    found = thresholds.of(model.fit(table, table.sum(axis=1)))
    assert {column for column, _ in found} == {0, 1, 2, 3}
    assert all(abs(threshold - 10 * column) < 5 for column, threshold in found)


def test_models_without_trees_have_no_thresholds() -> None:
    assert thresholds.of(Ridge().fit([[0.0], [1.0]], [0.0, 1.0])) == []


def test_missing_unknown_and_rare_values_are_asked_in_many_contexts() -> None:
    pipeline, learnt = fit(max_iter=5)
    made = probes(pipeline, learnt.frame)
    for name in ("size", "open", "age"):
        assert np.isnan(made[name]).sum() >= 10
    places = made["place"].tolist()
    assert places.count("") >= 10
    assert places.count("~ no level has this text ~") >= 10
    empty = (made["place"] == "") & np.isnan(made["size"]) & np.isnan(made["open"]) & np.isnan(made["age"])
    assert empty.any()


def test_every_level_is_asked_that_an_encoder_knows_though_no_held_out_row_has_it() -> None:
    pipeline, learnt = fit(max_iter=5)
    held = {name: column[learnt.frame["place"] == "p01"] for name, column in learnt.frame.items()}
    levels = values(learnt.frame["place"]) - {""}
    assert len(levels) > 15
    assert levels <= values(probes(pipeline, held)["place"])


def test_extremes_are_for_models_that_take_every_float64() -> None:
    pipeline, learnt = fit(max_iter=5)
    made = values(probes(pipeline, learnt.frame)["age"])
    assert {np.inf, -np.inf, 1e308, -1e308, 5e-324, -5e-324, 0.0} <= made
    pipeline, learnt = fit("RandomForestClassifier", n_estimators=2)
    column = probes(pipeline, learnt.frame)["age"]
    assert np.abs(column[~np.isnan(column)]).max() <= 1e30


def test_the_rows_are_the_same_for_the_same_seed() -> None:
    pipeline, learnt = fit(max_iter=5)
    once, again = (parity.probe(learnt.frame, FEATURES, pipeline, 3) for _ in range(2))
    for name, column in once.items():
        np.testing.assert_array_equal(column, again[name])


# ---------------------------------------------------------------- what is caught


def unchanged(node: Any) -> None:
    pass


def attribute(node: Any, name: str) -> Any:
    return next(one for one in node.attribute if one.name == name)


def short_thresholds(node: Any) -> None:
    """As a conversion to float32 would leave them."""
    splits = numpy_helper.to_array(attribute(node, "nodes_splits").t)
    attribute(node, "nodes_splits").t.CopyFrom(numpy_helper.from_array(splits.astype(np.float32).astype(np.float64)))


def strict_thresholds(node: Any) -> None:
    """Less than, where it must be at most."""
    modes = numpy_helper.to_array(attribute(node, "nodes_modes").t)
    attribute(node, "nodes_modes").t.CopyFrom(numpy_helper.from_array(np.where(modes == 0, 1, modes).astype(np.uint8)))


def missing_to_one_side(node: Any) -> None:
    sides = attribute(node, "nodes_missing_value_tracks_true").ints
    sides[:] = [0] * len(sides)


def a_category_forgotten(node: Any) -> None:
    """The last of each set, where it has two or more."""
    members = numpy_helper.to_array(attribute(node, "membership_values").t)
    ends = np.isnan(members)
    last = np.append(ends[1:], False) & ~ends & ~np.append(True, ends[:-1])
    attribute(node, "membership_values").t.CopyFrom(numpy_helper.from_array(members[~last]))


@pytest.mark.parametrize(
    "change",
    [short_thresholds, strict_thresholds, missing_to_one_side, a_category_forgotten],
    ids=lambda change: str(change.__name__),
)
def test_a_histogram_that_is_wrong_in_one_way_is_caught(
    change: Callable[[Any], None],
) -> None:
    pipeline, learnt = fit(max_iter=30)
    known = learnt.frame["place"] == "p01"
    plain = ~np.isnan(learnt.frame["size"]) & known
    held = {name: column[plain] for name, column in learnt.frame.items()}
    assert parity.holds(compared(pipeline, learnt, held, unchanged))
    found = compared(pipeline, learnt, held, change)
    assert not parity.holds(found)
    assert found.max_difference > parity.TOLERANCE


def test_a_forest_whose_thresholds_are_strict_is_caught() -> None:
    pipeline, learnt = fit("RandomForestClassifier", n_estimators=10)
    assert isinstance(pipeline.named_steps["model"], RandomForestClassifier)

    def strict(node: Any) -> None:
        modes = attribute(node, "nodes_modes").strings
        modes[:] = [b"BRANCH_LT" if mode == b"BRANCH_LEQ" else mode for mode in modes]

    assert parity.holds(compared(pipeline, learnt, learnt.frame, unchanged))
    assert not parity.holds(compared(pipeline, learnt, learnt.frame, strict))


@pytest.mark.parametrize("name", ["RandomForestClassifier", "GradientBoostingClassifier", "LogisticRegression"])
def test_what_was_never_missing_in_training_may_be_missing(name: str) -> None:
    pipeline, learnt = fit(name)
    known = served.sign(pipeline, learnt, FEATURES, None)
    ours = engine.from_bytes(graphs.convert(pipeline, FEATURES, graphs.forms(pipeline)[0]), known)
    rows = {**learnt.frame, "age": np.full(len(learnt.target), np.nan)}
    assert parity.holds(parity.compare(ours, SklearnEngine(pipeline, known).predict(rows), rows))


def test_both_without_a_number_agree_and_one_alone_does_not() -> None:
    nothing, number = np.array([np.nan, np.inf]), np.array([np.nan, 1.0])
    assert parity._largest(nothing, nothing, 1.0) == 0.0
    assert parity._largest(nothing, number, 1.0) == np.inf
