"""The models that foreign clients ask: one with a column of every kind, one that takes a matrix; and their own answers."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.unit.model import make as models
from tests.unit.serving import make
from trimtab.api.wire.models import Input, Label, Signature
from trimtab.api.wire.serving import Limits
from trimtab.model.engines import onnx
from trimtab.model.frame import Frame
from trimtab.model.signature import outputs

CLASSES = ("früh", "late")
CARRIERS = ("AA", "é 中", "B6")
INPUTS = {
    "distance": Input(name="distance", datatype="FP64"),
    "weekend": Input(name="weekend", datatype="BOOL", kind="Boolean"),
    "left": Input(name="left", datatype="FP64", kind="Time"),
    "carrier": Input(name="carrier", datatype="BYTES", kind="Category"),
}
"""A column of every kind."""
ALL = tuple(INPUTS)


def frame(rows: int, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Rows of all columns, as a model has them."""
    random = np.random.default_rng(seed)
    return {
        "distance": random.integers(-400, 400, rows) / 8,
        "weekend": random.integers(0, 2, rows).astype(np.float64),
        "left": random.integers(0, 2**31, rows).astype(np.float64),
        "carrier": random.choice(np.array(CARRIERS, object), rows),
    }


def classifier(
    path: Path, names: tuple[str, ...] = ALL, classes: tuple[Label, ...] = CLASSES, model: str = "late"
) -> Path:
    """A folder with a classifier of these columns, as a server is started from."""
    return _folder(path, _graph(names), _signature(names, classes), model)


def adder(path: Path) -> Path:
    """A folder with a regressor of the columns a and b: their sum. Its server takes no large bodies."""
    rows = models.matrix(40, 2)
    fitted = LinearRegression().fit(rows, rows.sum(axis=1))
    graph = models.converted(fitted, [("numbers", DoubleTensorType([None, 2]))])
    inputs = tuple(Input(name=name, datatype="FP64") for name in "ab")
    told = Signature(task="Regression", inputs=inputs, outputs=outputs("Regression", None, False))
    return _folder(path, graph, told, "sum", limits=Limits(body_bytes=100_000))


def answer(rows: Frame) -> dict[str, list[Any]]:
    """What the classifier of all columns itself says of these rows: flat values by the names of its outputs."""
    found = _engine().predict(rows)
    assert found.classes is not None
    assert found.probabilities is not None
    return {"predict": [CLASSES[i] for i in found.classes], "predict_proba": found.probabilities.ravel().tolist()}


@cache
def _engine() -> onnx.OnnxEngine:
    return onnx.from_bytes(_graph(), _signature())


def _folder(path: Path, graph: bytes, told: Signature, model: str, **more: Any) -> Path:
    serving = replace(make.folder(path / "model", content=graph, signature=told, **more), model=model)
    (path / "serving.json").write_text(serving.to_json())
    return path


def _signature(names: tuple[str, ...] = ALL, classes: tuple[Label, ...] = CLASSES) -> Signature:
    return Signature(
        task="Classification",
        inputs=tuple(INPUTS[name] for name in names),
        outputs=outputs("Classification", classes, True),
        classes=classes,
        positive=1,
    )


@cache
def _graph(names: tuple[str, ...] = ALL) -> bytes:
    """Of columns whose last is the category. It takes what is missing."""
    rows, places = frame(200), list(range(len(names) - 1))
    numbers, text = make_pipeline(SimpleImputer(), StandardScaler()), OneHotEncoder(handle_unknown="ignore")
    prepared = ColumnTransformer([("numbers", numbers, places), ("text", text, [len(places)])])
    late = rows["distance"] + 9 * rows["weekend"] + rows["left"] / 2**26 > 20
    table = np.column_stack([rows[name] for name in names]).astype(object)
    fitted = make_pipeline(prepared, LogisticRegression()).fit(table, late.astype(int))
    types = [("numbers", FloatTensorType([None, len(places)])), ("text0", StringTensorType([None, 1]))]
    return models.converted(fitted, types, zipmap=False, names=["label", "probabilities"])
