"""ONNX graphs of Trimtab's own and of users, answered as scikit-learn answers."""

from typing import Any

import numpy as np
import onnx
import pytest
from msgspec.structs import replace
from onnx import TensorProto, helper
from skl2onnx.common.data_types import Int64TensorType, StringTensorType
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tests.unit.model import make
from trimtab.api.wire.models import Input, Signature
from trimtab.model import engines, signature
from trimtab.model.engine import UnloadableModelError
from trimtab.model.engines import onnx as engine

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def graph(nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any] | None = None) -> bytes:
    """A graph written by hand."""
    made = helper.make_graph(nodes, "g", inputs, outputs, constants or [])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return bytes(helper.make_model(made, opset_imports=opsets, ir_version=9).SerializeToString())


def value(name: str, kind: int, shape: list[int | None]) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


# ---------------------------------------------------------------- Trimtab's own graphs


def test_own_graph_gives_the_classes_of_the_signature_for_columns_of_any_name() -> None:
    answer = engine.from_bytes(make.own_graph(2), make.signature(("no", "yes"))).predict(make.frame(make.table(9, 5)))
    fitted = make.mixed(LogisticRegression(), make.target(make.table()[list(make.COLUMNS[:2])].to_numpy(), (0, 1)))
    expected = fitted.predict_proba(make.table(9, 5))
    assert answer.probabilities is not None
    np.testing.assert_allclose(answer.probabilities, expected, atol=1e-5)
    assert answer.classes is not None
    assert answer.classes.tolist() == fitted.predict(make.table(9, 5)).tolist()


@pytest.mark.parametrize("names", [("numbers", "b"), ("b", "numbers"), ("text0", "numbers")])
def test_columns_called_like_inputs_of_trimtabs_own_graphs_are_not_mistaken_for_them(names: tuple[str, str]) -> None:
    first = helper.make_node("Gather", ["numbers", "zero"], ["a"], axis=1)
    second = helper.make_node("Gather", ["numbers", "one"], ["b"], axis=1)
    constants = [helper.make_tensor(name, INT64, [1], [place]) for place, name in enumerate(("zero", "one"))]
    nodes = [first, second, helper.make_node("Sub", ["a", "b"], ["y"])]
    content = graph(nodes, [value("numbers", FLOAT, [None, 2])], [value("y", FLOAT, [None, 1])], constants)
    known = Signature(
        task="Regression",
        inputs=tuple(Input(name=name, datatype="FP64") for name in names),
        outputs=signature.outputs("Regression", None, False),
    )
    answer = engine.from_bytes(content, known).predict({names[0]: np.array([5.0]), names[1]: np.array([2.0])})
    assert answer.values is not None
    assert answer.values.tolist() == [3.0]


def test_inputs_of_doubles_are_fed_without_rounding() -> None:
    nodes = [helper.make_node("Identity", ["c0"], ["y"])]
    double = TensorProto.DOUBLE
    content = graph(nodes, [value("c0", double, [None, 1])], [value("y", double, [None, 1])])
    answer = engine.from_bytes(content).predict({"c0": np.array([0.1, 1e300])})
    assert answer.values is not None
    assert answer.values.tolist() == [0.1, 1e300]


def test_unknown_category_and_missing_text_are_answered() -> None:
    rows = make.frame(make.table(2))
    rows[make.COLUMNS[2]] = np.array(["ZZ", ""], object)
    answer = engine.from_bytes(make.own_graph(2), make.signature((0, 1))).predict(rows)
    assert answer.classes is not None
    assert len(answer.classes) == 2


def test_value_beyond_float32_is_a_value_error_that_names_column_and_row() -> None:
    rows = make.frame(make.table(3))
    rows["dist."] = np.array([1.0, 2.0, 1e39])
    with pytest.raises(ValueError, match=r"column 'dist.', row 2: 1e\+39 does not fit the model's float32"):
        engine.from_bytes(make.own_graph(2), make.signature((0, 1))).predict(rows)


def test_missing_column_is_a_value_error_that_names_it() -> None:
    rows = make.frame(make.table(3))
    del rows["dist."]
    with pytest.raises(ValueError, match=r"column 'dist\.' is missing"):
        engine.from_bytes(make.own_graph(2), make.signature((0, 1))).predict(rows)


# ---------------------------------------------------------------- users' graphs


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("labels", [(0, 1), ("no", "yes"), (30, 10, 20), ("c", "a", "b")])
def test_users_classifier_gives_its_own_labels(labels: tuple[Any, ...], zipmap: bool) -> None:
    rows = make.matrix()
    fitted = LogisticRegression().fit(rows, make.target(rows, labels))
    loaded = engine.from_bytes(make.converted(fitted, make.floats(), zipmap=zipmap))
    answer = loaded.predict({"X": rows})
    assert loaded.signature.classes == tuple(sorted(labels))
    assert [output.name for output in loaded.signature.outputs] == ["predict", "predict_proba"]
    assert answer.classes is not None
    assert answer.probabilities is not None
    assert [loaded.signature.classes[i] for i in answer.classes] == fitted.predict(rows).tolist()
    np.testing.assert_allclose(answer.probabilities, fitted.predict_proba(rows), atol=1e-5)


@pytest.mark.parametrize("zipmap", [True, False])
def test_classes_of_a_signature_in_another_order_reorder_answers_and_probabilities(zipmap: bool) -> None:
    rows = make.matrix()
    fitted = LogisticRegression().fit(rows, make.target(rows, ("a", "b", "c")))
    content = make.converted(fitted, make.floats(), zipmap=zipmap)
    known = signature.from_onnx(content)
    turned = replace(known, classes=("c", "a", "b"), outputs=signature.outputs("Classification", ("c", "a", "b"), True))
    answer = engine.from_bytes(content, turned).predict({"X": rows})
    assert answer.probabilities is not None
    assert answer.classes is not None
    np.testing.assert_allclose(answer.probabilities, fitted.predict_proba(rows)[:, [2, 0, 1]], atol=1e-5)
    assert [("c", "a", "b")[i] for i in answer.classes] == fitted.predict(rows).tolist()


def test_labels_are_found_behind_operators_that_pick_them_from_a_constant() -> None:
    rows = make.matrix()
    fitted = GaussianNB().fit(rows, make.target(rows, (7, 5)))
    assert signature.from_onnx(make.converted(fitted, make.floats(), zipmap=False)).classes == (5, 7)


def test_decision_function_under_the_name_of_probabilities_is_not_served_as_such() -> None:
    rows = make.matrix()
    fitted = LinearSVC().fit(rows, make.target(rows, (0, 1)))
    loaded = engine.from_bytes(make.converted(fitted, make.floats()))
    assert [output.name for output in loaded.signature.outputs] == ["predict"]
    answer = loaded.predict({"X": rows})
    assert answer.probabilities is None
    assert answer.classes is not None
    assert answer.classes.tolist() == fitted.predict(rows).tolist()


def test_users_regressor_gives_values() -> None:
    rows = make.matrix()
    fitted = LinearRegression().fit(rows, rows.sum(axis=1))
    loaded = engine.from_bytes(make.converted(fitted, make.floats()))
    assert loaded.signature.task == "Regression"
    assert loaded.signature.inputs[0].shape == (-1, 4)
    answer = loaded.predict({"X": rows})
    assert answer.values is not None
    np.testing.assert_allclose(answer.values, fitted.predict(rows), atol=1e-4)


def test_matrix_of_unknown_width_needs_a_signature_that_gives_it() -> None:
    rows = make.matrix()
    fitted = LogisticRegression().fit(rows, make.target(rows, (0, 1)))
    content = make.converted(fitted, make.floats(width=None), zipmap=False)
    with pytest.raises(UnloadableModelError, match="input 'X' does not say how many columns it has"):
        engine.from_bytes(content)
    known = signature.from_onnx(make.converted(fitted, make.floats(width=4), zipmap=False))
    answer = engine.from_bytes(content, known).predict({"X": rows})
    assert answer.classes is not None
    assert answer.classes.tolist() == fitted.predict(rows).tolist()


def test_named_columns_of_a_signature_fill_the_one_matrix_of_a_graph_in_order() -> None:
    rows = make.matrix()
    fitted = LinearRegression().fit(rows, rows @ [1.0, 2.0, 3.0, 4.0])
    known = Signature(
        task="Regression",
        inputs=tuple(Input(name=name, datatype="FP64") for name in "dcba"),
        outputs=signature.outputs("Regression", None, False),
    )
    answer = engine.from_bytes(make.converted(fitted, make.floats()), known).predict(
        {name: rows[:, i] for i, name in enumerate("dcba")}
    )
    assert answer.values is not None
    np.testing.assert_allclose(answer.values, fitted.predict(rows), atol=1e-4)


def test_columns_of_integers_and_text_are_read_from_the_graph_and_fed_by_name() -> None:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    table = make.table()
    table["n"] = np.arange(len(table)) % 7
    table = table[["n", "carrier"]]
    fitted = make_pipeline(
        ColumnTransformer([("t", OneHotEncoder(handle_unknown="ignore"), ["carrier"])], remainder="passthrough"),
        DecisionTreeClassifier(max_depth=3),
    ).fit(table, np.arange(len(table)) % 2)
    types = [("n", Int64TensorType([None, 1])), ("carrier", StringTensorType([None, 1]))]
    loaded = engine.from_bytes(make.converted(fitted, types))
    assert [(i.name, i.datatype, i.kind, i.accepts_missing) for i in loaded.signature.inputs] == [
        ("n", "INT64", "Number", False),
        ("carrier", "BYTES", "Category", True),
    ]
    rows = {"carrier": table["carrier"].to_numpy(object), "n": table["n"].to_numpy(float)}
    answer = loaded.predict(rows)
    assert answer.classes is not None
    assert answer.classes.tolist() == fitted.predict(table).tolist()
    with pytest.raises(ValueError, match=r"column 'n', row 0: 1.5 does not fit the model's int64"):
        loaded.predict({**rows, "n": np.full(len(table), 1.5)})


def test_missing_values_are_taken_only_where_the_graph_handles_them() -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    rows = make.matrix()
    target = make.target(rows, (0, 1))
    plain = make.converted(LogisticRegression().fit(rows, target), make.floats())
    filled = make.converted(make_pipeline(SimpleImputer(), LogisticRegression()).fit(rows, target), make.floats())
    assert not signature.from_onnx(plain).inputs[0].accepts_missing
    assert signature.from_onnx(filled).inputs[0].accepts_missing


# ---------------------------------------------------------------- what cannot be loaded


def external() -> bytes:
    weight = helper.make_tensor("w", FLOAT, [1, 1], [1.0])
    weight.ClearField("float_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../secret.bin")
    nodes = [helper.make_node("MatMul", ["X", "w"], ["y"])]
    return graph(nodes, [value("X", FLOAT, [None, 1])], [value("y", FLOAT, [None, 1])], [weight])


def fixed_rows() -> bytes:
    nodes = [helper.make_node("Identity", ["X"], ["y"])]
    return graph(nodes, [value("X", FLOAT, [1, 1])], [value("y", FLOAT, [1, 1])])


def logits() -> bytes:
    nodes = [helper.make_node("Identity", ["X"], ["y"])]
    return graph(nodes, [value("X", FLOAT, [None, 3])], [value("y", FLOAT, [None, 3])])


def image() -> bytes:
    nodes = [helper.make_node("ReduceSum", ["X"], ["y"], keepdims=0)]
    return graph(nodes, [value("X", FLOAT, [None, 3, 8, 8])], [value("y", FLOAT, [None])])


def nameless_labels() -> bytes:
    nodes = [helper.make_node("Cast", ["X"], ["label"], to=STRING)]
    return graph(nodes, [value("X", FLOAT, [None, 1])], [value("label", STRING, [None, 1])])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no graph"),
        (b"\x80\x04K\x01.", "is not ONNX"),
        (b"PK\x03\x04" + b"\0" * 40, "is not ONNX"),
        (make.own_graph(2)[:400], "ONNX"),
        (external(), "keeps weights in other files"),
        (fixed_rows(), "takes exactly 1 rows"),
        (logits(), "gives 3 numbers a row and no label"),
        (image(), "has 4 dimensions"),
        (nameless_labels(), "labels of output 'label' are not in the graph"),
    ],
    ids=["empty", "pickle", "zip", "cut", "external", "fixed", "logits", "image", "nameless"],
)
def test_unloadable_graphs_are_refused_with_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(UnloadableModelError, match=message):
        engine.from_bytes(content)


def test_graph_that_disagrees_with_its_signature_is_refused() -> None:
    content, known = make.own_graph(2), make.signature((0, 1))
    first, second, text = known.inputs
    more = Input(name="more", datatype="FP64")
    for inputs in ((first, second), (first, text), (first, second, more), (text, text)):
        with pytest.raises(UnloadableModelError, match=r"that its signature does not name|the graph has 2 inputs"):
            engine.from_bytes(content, replace(known, inputs=inputs))
    with pytest.raises(UnloadableModelError, match="the graph has 2 inputs, its signature 4"):
        engine.from_bytes(content, replace(known, inputs=(first, second, more, text)))
    with pytest.raises(UnloadableModelError, match=r"the model knows the labels \[0, 1\], its signature the classes"):
        engine.from_bytes(content, make.signature((0, 1, 2)))


def test_external_data_is_refused_even_where_the_file_is_there(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.bin").write_bytes(np.array([2.0], np.float32).tobytes())
    (inside / "model.onnx").write_bytes(external())
    monkeypatch.chdir(inside)
    with pytest.raises(UnloadableModelError, match="other files"):
        engines.load(inside, "ONNX")


def test_onnx_package_reads_what_the_small_parser_reads() -> None:
    content = make.own_graph(3)
    parsed = onnx.load_model_from_string(content)
    labels = next(a.ints for node in parsed.graph.node for a in node.attribute if a.name.startswith("classlabels"))
    known = make.signature(("a", "b", "c"))
    assert list(labels) == [0, 1, 2]
    assert engine.from_bytes(content, known).signature is known
