"""Served models: a fitted pipeline in the format that serves it, the fastest that gives the same answers. Writes one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import skops.io
from msgspec.structs import replace
from sklearn.pipeline import Pipeline

from trimtab.api.wire.models import Format, Label, Manifest, Parity, Signature
from trimtab.model import engines, signature
from trimtab.model.engine import Engine, Prediction, UnloadableModelError
from trimtab.model.engines.sklearn import SklearnEngine
from trimtab.model.frame import Frame
from trimtab.training import graphs, parity, signing
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.handover import Feature
from trimtab.training.rows import Rows


@dataclass(frozen=True)
class Served:
    """A model as it will be served: its file, its engine, and how it compares with what was fitted."""

    path: Path
    format: Format
    signature: Signature
    engine: Engine
    parity: Parity


def of(
    pipeline: Pipeline,
    learnt: Rows,
    features: Sequence[Feature],
    positive: Label | None,
    sample: Frame,
    folder: Path,
    seed: int,
) -> Served:
    """Write `model.onnx`, or `model.skops` where ONNX cannot be or would answer otherwise (`parity.fallback` says why), into the
    empty folder `folder`. `sample` holds held-out rows. Raises StepFailure (ModelUnusable) when neither can be served."""
    known = sign(pipeline, learnt, features, positive)
    fitted = SklearnEngine(pipeline, known)
    rows = parity.probe({feature.name: sample[feature.name] for feature in features}, features, pipeline, seed)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = fitted.predict(rows)
    for form in graphs.forms(pipeline):
        try:
            return _onnx(pipeline, features, form, known, wanted, rows, folder)
        except graphs.NotConvertible as error:
            why = str(error)
    return _skops(pipeline, known, wanted, rows, folder, why)


def sign(pipeline: Pipeline, learnt: Rows, features: Sequence[Feature], positive: Label | None) -> Signature:
    """What the pipeline takes and gives."""
    task: Literal["Classification", "Regression"] = "Regression" if learnt.classes is None else "Classification"
    return Signature(
        task=task,
        inputs=signing.inputs(features),
        outputs=signature.outputs(task, learnt.classes, hasattr(pipeline, "predict_proba")),
        classes=learnt.classes,
        positive=signing.place(learnt.classes, positive),
    )


def _onnx(
    pipeline: Pipeline,
    features: Sequence[Feature],
    form: graphs.Form,
    known: Signature,
    wanted: Prediction,
    rows: Frame,
    folder: Path,
) -> Served:
    path = folder / Manifest.MODEL["ONNX"][0]
    path.write_bytes(graphs.convert(pipeline, features, form))
    try:
        engine = engines.load(folder, "ONNX", signature=known)
        found = parity.compare(engine, wanted, rows)
        if not parity.holds(found):
            raise graphs.NotConvertible(
                f"in ONNX {found.label_mismatches} of {found.rows} rows get another label, and outputs differ by up to "
                f"{found.max_difference:.2g}"
            )
        return Served(path, "ONNX", known, engine, found)
    except (UnloadableModelError, ValueError, RuntimeError) as error:
        path.unlink()
        if isinstance(error, graphs.NotConvertible):
            raise
        raise graphs.NotConvertible(f"its ONNX form does not run: {' '.join(str(error).split())[:200]}") from error


def _skops(pipeline: Pipeline, known: Signature, wanted: Prediction, rows: Frame, folder: Path, why: str) -> Served:
    path = folder / Manifest.MODEL["Skops"][0]
    skops.io.dump(pipeline, path)
    try:
        engine = engines.load(folder, "Skops", signature=known)
    except UnloadableModelError as error:
        name = type(pipeline.named_steps["model"]).__name__
        raise StepFailure(Reason.MODEL_UNUSABLE, f"{name} cannot be served: {why}; as skops: {error}") from error
    found = parity.compare(engine, wanted, rows)
    return Served(path, "Skops", known, engine, replace(found, fallback=why))
