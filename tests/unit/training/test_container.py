"""What a user's container may leave, and what is said of everything else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from xgboost import XGBClassifier

from trimtab.training import container, handover
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.rows import HeldOut, Rows

SCHEMA = handover.Schema(
    task="Classification",
    target="late",
    features=(handover.Feature(name="size", kind="Number"), handover.Feature(name="carrier", kind="Category")),
    classes=("no", "perhaps", "yes"),
    rows=60,
    validation_rows=6,
    seed=0,
)
BOOLEAN = SCHEMA.model_copy(update={"classes": (False, True), "positive": 1})
NUMBER = SCHEMA.model_copy(update={"task": "Regression", "classes": None})


def frame(n: int = 60) -> dict[str, np.ndarray]:
    return {"size": np.linspace(-1, 1, n), "carrier": np.array(["AA", "B6"] * (n // 2), object)}


TRAIN = Rows(frame(), np.arange(60) % 2, ("no", "yes"))
HELD = HeldOut(frame(6), np.array([0, 1, 2, 0, 1, 2]), np.full(6, np.nan), np.full(6, np.nan))
Write = Callable[[Path], None]


def brought(folder: Path, write: Write, schema: handover.Schema = SCHEMA) -> container.Brought:
    model = folder / "model"
    model.mkdir()
    write(model)
    return container.brought(model, schema, TRAIN, HELD, allow_pickle=False)


def skops_of(model: Any, labels: Any, columns: tuple[str, ...] = ("size", "carrier")) -> Write:
    def write(folder: Path) -> None:
        data = pd.DataFrame(frame()).set_axis([*columns], axis=1)
        skops.io.dump(model.fit(data, labels), folder / "model.skops")

    return write


def boosted(name: str, model: Any, labels: Any, *, carrier: bool = True) -> Write:
    """By XGBoost or LightGBM itself; without `carrier` as a category, as codes."""

    def write(folder: Path) -> None:
        data = pd.DataFrame(frame())
        data["carrier"] = data["carrier"].astype("category") if carrier else (data["carrier"] == "AA") * 1.0
        fitted = model.fit(data, labels)
        (fitted.booster_ if name == "model.txt" else fitted).save_model(folder / name)

    return write


def pipeline(last: Any = None) -> Any:
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [1]), ("passthrough", [0]))
    return make_pipeline(columns, last or LogisticRegression())


def predictions(**columns: Any) -> Write:
    return lambda folder: pd.DataFrame(columns).to_parquet(folder / "predictions.parquet")


def files(*names: str) -> Write:
    def write(folder: Path) -> None:
        for name in names:
            (folder / name).write_text("no model")

    return write


def link(name: str) -> Write:
    """To something that would be read as what it stands for."""

    def write(folder: Path) -> None:
        outside = folder.parent / "outside"
        outside.mkdir()
        predictions(prediction=["no", "yes", "perhaps"] * 2)(outside)
        (folder / name).symlink_to(outside / "predictions.parquet")

    return write


def folder(name: str) -> Write:
    def write(folder: Path) -> None:
        predictions(prediction=["no"] * 6)(folder)
        (folder / name).mkdir()

    return write


def test_a_model_that_has_seen_no_other_class_keeps_the_classes_it_knows(tmp_path: Path) -> None:
    found = brought(tmp_path, skops_of(pipeline(), np.array(["no", "yes"])[np.arange(60) % 2]))
    assert found.signature.classes == ("no", "yes")
    assert found.said.probabilities is not None
    assert found.said.probabilities.shape == (6, 2)


def test_a_model_fitted_on_codes_is_taken_to_mean_the_classes_in_order(tmp_path: Path) -> None:
    found = brought(tmp_path, skops_of(pipeline(), np.arange(60) % 3))
    assert found.signature.classes == ("no", "perhaps", "yes")
    assert found.signature.positive is None


def test_inputs_say_by_trial_whether_they_may_be_missing(tmp_path: Path) -> None:
    found = brought(tmp_path, skops_of(pipeline(), np.arange(60) % 3))
    assert [(column.name, column.accepts_missing) for column in found.signature.inputs] == [
        ("size", False),
        ("carrier", True),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "model"),
    [
        ("model.ubj", "XGBoost", XGBClassifier(n_estimators=2, n_jobs=1, enable_categorical=True)),
        ("model.json", "XGBoost", XGBClassifier(n_estimators=2, n_jobs=1, enable_categorical=True)),
        ("model.txt", "LightGBM", LGBMClassifier(n_estimators=2, verbose=-1)),
    ],
)
def test_a_boosters_own_file_means_the_classes_of_the_data(name: str, kind: str, model: Any, tmp_path: Path) -> None:
    found = brought(tmp_path, boosted(name, model, np.arange(60) % 3))
    assert found.format == kind
    assert [path.name for path in found.files] == [name]
    assert found.signature.classes == ("no", "perhaps", "yes")
    assert [(column.name, column.kind, column.accepts_missing) for column in found.signature.inputs] == [
        ("size", "Number", True),
        ("carrier", "Category", True),
    ]
    assert found.said.probabilities is not None
    assert found.said.probabilities.shape == (6, 3)


def test_a_booster_that_has_seen_no_other_class_keeps_the_classes_it_knows(tmp_path: Path) -> None:
    model = XGBClassifier(n_estimators=2, n_jobs=1, enable_categorical=True)
    assert brought(tmp_path, boosted("model.ubj", model, np.arange(60) % 2)).signature.classes == ("no", "yes")


def test_a_regressor_is_a_model_too(tmp_path: Path) -> None:
    found = brought(tmp_path, skops_of(pipeline(Ridge()), np.linspace(0, 1, 60)), NUMBER)
    assert found.said.values is not None
    assert found.signature.classes is None


@pytest.mark.parametrize(
    ("columns", "schema", "classes", "probabilities"),
    [
        ({"prediction": ["no", "yes", "perhaps"] * 2}, SCHEMA, [0, 2, 1, 0, 2, 1], None),
        ({"prediction": [True, False] * 3, "probability": [0.9, 0.1] * 3}, BOOLEAN, [1, 0] * 3, [0.1, 0.9]),
        (
            {
                "prediction": ["no"] * 6,
                "probability_no": [0.5] * 6,
                "probability_perhaps": [0.25] * 6,
                "probability_yes": [0.25] * 6,
            },
            SCHEMA,
            [0] * 6,
            [0.5, 0.25, 0.25],
        ),
    ],
)
def test_predictions_are_read_with_or_without_probabilities(
    columns: dict[str, Any],
    schema: handover.Schema,
    classes: list[int],
    probabilities: list[float] | None,
    tmp_path: Path,
) -> None:
    found = brought(tmp_path, predictions(**columns), schema)
    assert found.format == "Custom"
    assert found.said.classes is not None
    assert found.said.classes.tolist() == classes
    given = None if found.said.probabilities is None else found.said.probabilities[0].round(6).tolist()
    assert given == probabilities


def test_predicted_numbers_are_read(tmp_path: Path) -> None:
    found = brought(tmp_path, predictions(prediction=[1, 2, 3, 4, 5, 6]), NUMBER)
    assert found.said.values is not None
    assert found.said.values.tolist() == [1, 2, 3, 4, 5, 6]


REFUSED: list[tuple[Write, handover.Schema, Reason, str]] = [
    (
        files(),
        SCHEMA,
        Reason.NO_MODEL_WRITTEN,
        "it wrote nothing; one of model.onnx, model.skops, model.joblib, model.ubj, model.json, model.txt, predictions.parquet",
    ),
    (files("train.log"), SCHEMA, Reason.NO_MODEL_WRITTEN, "it wrote train.log; one of"),
    (files("fitted.json"), SCHEMA, Reason.NO_MODEL_WRITTEN, "it wrote nothing"),
    (files("model.onnx"), SCHEMA, Reason.MODEL_UNUSABLE, "model.onnx cannot be used: the file is not ONNX"),
    (files("model.skops"), SCHEMA, Reason.MODEL_UNUSABLE, "model.skops cannot be used: the file is not skops"),
    (files("model.ubj"), SCHEMA, Reason.MODEL_UNUSABLE, "model.ubj cannot be used: the file is no model of XGBoost"),
    (files("model.json"), SCHEMA, Reason.MODEL_UNUSABLE, "model.json cannot be used: the file is no model of XGBoost"),
    (files("model.txt"), SCHEMA, Reason.MODEL_UNUSABLE, "model.txt cannot be used: the file is no model of LightGBM"),
    (
        files("model.json", "model.ubj"),
        SCHEMA,
        Reason.MODEL_UNUSABLE,
        "wrote model.json and model.ubj: write one of them",
    ),
    (
        boosted("model.ubj", XGBClassifier(n_estimators=2, n_jobs=1), np.arange(60) % 2, carrier=False),
        NUMBER,
        Reason.MODEL_UNUSABLE,
        "it is a model for Classification, and the task is Regression",
    ),
    (
        boosted("model.txt", LGBMClassifier(n_estimators=2, verbose=-1), np.arange(60) % 3, carrier=False),
        SCHEMA,
        Reason.MODEL_UNUSABLE,
        "column 'carrier' is text, and the model knows no categories of text for it",
    ),
    (files("model.joblib"), SCHEMA, Reason.PICKLE_NOT_ALLOWED, "set training.allowPickle: true"),
    (
        files("model.onnx", "model.skops"),
        SCHEMA,
        Reason.MODEL_UNUSABLE,
        "wrote model.onnx and model.skops: write one of them",
    ),
    (
        skops_of(make_pipeline(FunctionTransformer(pd.DataFrame), pipeline()), np.arange(60) % 3),
        SCHEMA,
        Reason.MODEL_UNUSABLE,
        "types that this server does not trust",
    ),
    (
        skops_of(pipeline(), np.arange(60) % 3, ("weight", "carrier")),
        SCHEMA,
        Reason.MODEL_UNUSABLE,
        "['size', 'weight']",
    ),
    (
        skops_of(pipeline(), np.array(["n", "y"])[np.arange(60) % 2]),
        SCHEMA,
        Reason.MODEL_UNUSABLE,
        "the model knows the labels ['n', 'y'], its signature the classes ['no', 'perhaps', 'yes']",
    ),
    (
        skops_of(pipeline(Ridge()), np.linspace(0, 1, 60)),
        SCHEMA,
        Reason.MODEL_UNUSABLE,
        "it is a model for Regression, and the task is Classification",
    ),
    (link("model.onnx"), SCHEMA, Reason.MODEL_UNUSABLE, "'model.onnx', which is no plain file"),
    (link("predictions.parquet"), SCHEMA, Reason.MODEL_UNUSABLE, "'predictions.parquet', which is no plain file"),
    (folder("checkpoints"), SCHEMA, Reason.MODEL_UNUSABLE, "'checkpoints', which is no plain file"),
    (predictions(prediction=["no"]), SCHEMA, Reason.PREDICTIONS_UNUSABLE, "has 1 rows, and validation.parquet has 6"),
    (predictions(answer=["no"] * 6), SCHEMA, Reason.PREDICTIONS_UNUSABLE, "has no column 'prediction', but answer"),
    (
        predictions(prediction=["maybe"] * 6),
        SCHEMA,
        Reason.PREDICTIONS_UNUSABLE,
        "prediction 'maybe' is none of the labels",
    ),
    (
        predictions(prediction=["no", None] * 3),
        SCHEMA,
        Reason.PREDICTIONS_UNUSABLE,
        "prediction '' is none of the labels",
    ),
    (
        predictions(prediction=[True] * 6, probability=[1.5] * 6),
        BOOLEAN,
        Reason.PREDICTIONS_UNUSABLE,
        "probabilities must be numbers from 0 to 1",
    ),
    (
        predictions(prediction=["a"] * 6),
        NUMBER,
        Reason.PREDICTIONS_UNUSABLE,
        "'prediction' must be a number in every row",
    ),
    (files("predictions.parquet"), SCHEMA, Reason.PREDICTIONS_UNUSABLE, "predictions.parquet cannot be read"),
]


@pytest.mark.parametrize(("write", "schema", "reason", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_cannot_be_judged_is_told(
    write: Write, schema: handover.Schema, reason: Reason, said: str, tmp_path: Path
) -> None:
    with pytest.raises(StepFailure) as failure:
        brought(tmp_path, write, schema)
    assert failure.value.reason is reason
    assert said in failure.value.message
    assert failure.value.exit_code == 3
