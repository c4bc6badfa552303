"""Small real models for the tests of engines: fitted by scikit-learn, converted by skl2onnx."""

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from trimtab.api.wire.models import Input, Signature
from trimtab.model.signature import outputs

COLUMNS = ("air time", "dist.", "carrier")
CARRIERS = np.array(["AA", "B6", "DL"], object)


def matrix(rows: int = 80, width: int = 4, seed: int = 0) -> NDArray[np.float64]:
    """Rows of small numbers, exact as float32."""
    return np.random.default_rng(seed).integers(-40, 40, (rows, width)) / 8


def target(table: NDArray[np.float64], labels: tuple[Any, ...]) -> NDArray[Any]:
    """A label a row, by the sum of the first two columns."""
    ranks = np.argsort(np.argsort(table[:, 0] + table[:, 1]))
    kind = object if isinstance(labels[0], str) else None
    return np.array(labels, kind)[ranks * len(labels) // len(table)]


def table(rows: int = 80, seed: int = 0) -> pd.DataFrame:
    """Two columns of numbers and one of text, under names that no graph would take."""
    random = np.random.default_rng(seed)
    numbers = matrix(rows, 2, seed)
    return pd.DataFrame(
        {COLUMNS[0]: numbers[:, 0], COLUMNS[1]: numbers[:, 1], COLUMNS[2]: random.choice(CARRIERS, rows)}
    )


def frame(rows: pd.DataFrame) -> dict[str, Any]:
    """A table as a frame."""
    return {str(name): rows[name].to_numpy(object if name == COLUMNS[2] else np.float64) for name in rows}


def signature(classes: tuple[Any, ...] = (False, True), task: str = "Classification") -> Signature:
    """The signature of a model of `table`."""
    inputs = (
        Input(name=COLUMNS[0], datatype="FP64"),
        Input(name=COLUMNS[1], datatype="FP64"),
        Input(name=COLUMNS[2], datatype="BYTES", kind="Category"),
    )
    if task == "Regression":
        return Signature(task="Regression", inputs=inputs, outputs=outputs(task, None, False))
    return Signature(
        task="Classification",
        inputs=inputs,
        outputs=outputs(task, classes, True),
        classes=classes,
        positive=1 if len(classes) == 2 else None,
    )


def mixed(final: Any, y: Any) -> Any:
    """A pipeline on `table`, fitted as training fits: on a DataFrame with names."""
    numbers, texts = list(COLUMNS[:2]), [COLUMNS[2]]
    prepared = ColumnTransformer(
        [("n", StandardScaler(), numbers), ("t", OneHotEncoder(handle_unknown="ignore"), texts)]
    )
    return make_pipeline(prepared, final).fit(table(), y)


@cache
def own_graph(classes: int = 2, double: bool = False) -> bytes:
    """A graph as training writes it: numbers and text0; labels 0..k-1; one tensor of probabilities."""
    numbers = table()[list(COLUMNS[:2])].to_numpy()
    fitted = mixed(LogisticRegression(), target(numbers, tuple(range(classes))))
    number = DoubleTensorType if double else FloatTensorType
    types = [("numbers", number([None, 2])), ("text0", StringTensorType([None, 1]))]
    by_position = ColumnTransformer(
        [("n", StandardScaler(), [0, 1]), ("t", OneHotEncoder(handle_unknown="ignore"), [2])]
    )
    again = make_pipeline(by_position, fitted[-1])
    again[0].fit(table().to_numpy(object))
    return converted(again, types, zipmap=False, names=["label", "probabilities"])


def converted(fitted: Any, types: Any, *, zipmap: bool = True, names: list[str] | None = None) -> bytes:
    """An estimator as ONNX bytes."""
    options = {"zipmap": zipmap} if hasattr(fitted, "classes_") and hasattr(fitted, "predict_proba") else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = convert_sklearn(
            fitted, initial_types=types, options={id(fitted): options} if options else None, target_opset=18
        )
    if names:
        for old, new in zip([output.name for output in model.graph.output], names, strict=True):
            rename(model.graph, old, new)
    return bytes(model.SerializeToString())


def rename(graph: Any, old: str, new: str) -> None:
    """Call one value of a graph otherwise."""
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
    for value in (*graph.input, *graph.output):
        value.name = new if value.name == old else value.name


def floats(width: int | None = 4, name: str = "X") -> Any:
    """The type of one matrix of floats."""
    return [(name, FloatTensorType([None, width]))]
