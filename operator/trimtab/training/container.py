"""What a user's container left: its model found, loaded as the server would, or its predictions read. Runs pickles
only when allowed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet
from msgspec.structs import replace
from numpy.typing import NDArray

from trimtab.api.wire.models import Format, Label, Manifest, Signature
from trimtab.model import classes, engines, reading, signature, values
from trimtab.model.engine import Engine, Prediction, UnloadableModelError
from trimtab.model.frame import Frame, take
from trimtab.training import handover, signing, target
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.rows import HeldOut, Rows

_OURS = frozenset({handover.FITTED, "outcome"})


@dataclass(frozen=True)
class Brought:
    """A model of a user's: its files, its format, and what it says of the held-out rows. No engine where it is Custom."""

    files: tuple[Path, ...]
    format: Format
    signature: Signature
    said: Prediction
    engine: Engine | None = None


def brought(folder: Path, schema: handover.Schema, learnt: Rows, held: HeldOut, allow_pickle: bool) -> Brought:
    """Find the one model in the folder. Raises StepFailure: NoModelWritten, PickleNotAllowed, ModelUnusable,
    PredictionsUnusable."""
    files = tuple(sorted(path for path in folder.iterdir() if path.name not in _OURS)) if folder.is_dir() else ()
    models = [(kind, path) for kind, names in Manifest.MODEL.items() for path in files if path.name in names]
    if len(models) > 1:
        names = " and ".join(path.name for _, path in models)
        raise StepFailure(
            Reason.MODEL_UNUSABLE, f"the container wrote {names}: write one of them, so that it is clear which serves"
        )
    for path in (models[0][1],) if models else files:
        _plain(path)
    if models:
        return _loaded(models[0][0], models[0][1], schema, learnt, held, allow_pickle)
    if not any(path.name == handover.PREDICTIONS for path in files):
        there = f"it wrote {', '.join(path.name for path in files[:10])}" if files else "it wrote nothing"
        wanted = ", ".join([*(name for names in Manifest.MODEL.values() for name in names), handover.PREDICTIONS])
        raise StepFailure(
            Reason.NO_MODEL_WRITTEN, f"the container left no model in {folder}: {there}; one of {wanted} must be there"
        )
    said = _predictions(folder / handover.PREDICTIONS, schema, len(held.target))
    known = Signature(
        task=schema.task,
        inputs=signing.inputs(schema.features),
        outputs=signature.outputs(schema.task, schema.classes, said.probabilities is not None),
        classes=schema.classes,
        positive=schema.positive,
    )
    return Brought(files, "Custom", known, said)


def _plain(path: Path) -> None:
    """Links are not followed: one could lead to the labels that judge."""
    if path.is_symlink() or not path.is_file():
        raise StepFailure(
            Reason.MODEL_UNUSABLE,
            f"the container wrote {path.name!r}, which is no plain file: write files into the model folder, and "
            f"no folders or links",
        )


def _loaded(
    kind: Format, path: Path, schema: handover.Schema, learnt: Rows, held: HeldOut, allow_pickle: bool
) -> Brought:
    if kind == "Joblib" and not allow_pickle:
        raise StepFailure(
            Reason.PICKLE_NOT_ALLOWED,
            f"the container wrote {path.name}, and loading it runs whatever code is in it: write model.onnx or "
            f"model.skops, or set "
            "training.allowPickle: true",
        )
    frame = {feature.name: held.frame[feature.name] for feature in schema.features}
    try:
        own = engines.load(path.parent, kind, allow_pickle=allow_pickle).signature
        if own.task != schema.task:
            raise UnloadableModelError(f"it is a model for {own.task}, and the task is {schema.task}")
        known = _signed(own, schema, learnt)
        engine = engines.load(path.parent, kind, allow_pickle=allow_pickle, signature=known)
        known = replace(known, inputs=signing.inputs(schema.features, _takes_missing(engine, frame, schema)))
        engine = engines.load(path.parent, kind, allow_pickle=allow_pickle, signature=known)
        said = engine.predict(frame)
    except (UnloadableModelError, ValueError, RuntimeError) as error:
        raise StepFailure(
            Reason.MODEL_UNUSABLE, f"{path.name} cannot be used: {' '.join(str(error).split())[:500]}"
        ) from error
    return Brought((path,), kind, known, said, engine)


def _signed(own: Signature, schema: handover.Schema, learnt: Rows) -> Signature:
    """The signature of the data, with the classes that the model knows."""
    known = _classes(own, schema, learnt)
    positive = schema.classes[schema.positive] if schema.classes and schema.positive is not None else None
    probabilities = any(output.name == "predict_proba" for output in own.outputs)
    return Signature(
        task=schema.task,
        inputs=signing.inputs(schema.features),
        outputs=signature.outputs(schema.task, known, probabilities),
        classes=known,
        positive=signing.place(known, positive),
    )


def _classes(own: Signature, schema: handover.Schema, learnt: Rows) -> tuple[Label, ...] | None:
    """All labels of the data, or those of the training rows where the model has seen no others."""
    if schema.classes is None or own.classes is None:
        return None
    refusal: UnloadableModelError | None = None
    for known in (schema.classes, learnt.classes or ()):
        try:
            classes.positions(own.classes, known)
            return known
        except UnloadableModelError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def _takes_missing(engine: Engine, frame: Frame, schema: handover.Schema) -> NDArray[np.bool_]:
    """By trial, column by column: one row with nothing in it."""
    return np.array([_answers(engine, frame, feature) for feature in schema.features], np.bool_)


def _answers(engine: Engine, frame: Frame, feature: handover.Feature) -> bool:
    row = take(frame, np.array([0]))
    row[feature.name] = np.array([""], object) if feature.kind == "Category" else np.array([np.nan])
    try:
        said = engine.predict(row)
    except (ValueError, RuntimeError, TypeError):
        return False
    numbers = [part for part in (said.probabilities, said.values) if part is not None]
    return all(bool(np.isfinite(part).all()) for part in numbers)


def _predictions(path: Path, schema: handover.Schema, rows: int) -> Prediction:
    """`prediction`, and for classes also `probability` (of the positive one) or one `probability_<label>` a class."""
    try:
        known = pyarrow.parquet.read_schema(path)
        table = reading.read([reading.Part(path.name, path)])
    except (reading.ReadingError, OSError, pyarrow.ArrowException) as error:
        raise StepFailure(Reason.PREDICTIONS_UNUSABLE, f"{path.name} cannot be read: {str(error)[:300]}") from error
    if "prediction" not in table.frame:
        raise StepFailure(
            Reason.PREDICTIONS_UNUSABLE, f"{path.name} has no column 'prediction', but {', '.join(known.names[:10])}"
        )
    if table.rows != rows:
        raise StepFailure(
            Reason.PREDICTIONS_UNUSABLE,
            f"{path.name} has {table.rows} rows, and validation.parquet has {rows}: write one a row, in order",
        )
    column = table.frame["prediction"]
    if schema.classes is None:
        if table.kinds["prediction"] != "Number" or np.isnan(column).any():
            raise StepFailure(Reason.PREDICTIONS_UNUSABLE, f"{path.name}: 'prediction' must be a number in every row")
        return Prediction(values=column.astype(np.float64))
    texts = [values.label_text(label) for label in schema.classes]
    said = np.array([_text(value, table.kinds["prediction"]) for value in column.tolist()], object)
    codes = target.codes(said, tuple(texts))
    if (codes < 0).any():
        odd = said[codes < 0][0]
        raise StepFailure(
            Reason.PREDICTIONS_UNUSABLE, f"{path.name}: prediction {odd!r} is none of the labels {texts[:20]}"
        )
    return Prediction(classes=codes, probabilities=_probabilities(path, table, schema, texts))


def _text(value: object, kind: str) -> str:
    return values.label_text(bool(value) if kind == "Boolean" else value)


def _probabilities(
    path: Path, table: reading.Table, schema: handover.Schema, texts: list[str]
) -> NDArray[np.float64] | None:
    frame = table.frame
    if "probability" in frame and schema.positive is not None:
        one = frame["probability"].astype(np.float64)
        columns = [one if code == schema.positive else 1 - one for code in range(2)]
    elif all(f"probability_{text}" in frame for text in texts):
        columns = [frame[f"probability_{text}"].astype(np.float64) for text in texts]
    else:
        return None
    found = np.column_stack(columns)
    if not np.isfinite(found).all() or found.min() < 0 or found.max() > 1:
        raise StepFailure(
            Reason.PREDICTIONS_UNUSABLE, f"{path.name}: probabilities must be numbers from 0 to 1 in every row"
        )
    return found
