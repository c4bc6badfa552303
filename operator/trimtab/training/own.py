"""Our own estimators in evaluate: the judged twin made servable, and its likeness fitted on all rows. Reads what train left."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import skops.io

from trimtab.api.wire.models import Label
from trimtab.api.wire.runs import RunJob
from trimtab.model.engines.skops import TRUSTED
from trimtab.model.frame import Frame
from trimtab.training import fitting, handover, rows, served, train
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.folders import Folders
from trimtab.training.rows import HeldOut, Rows
from trimtab.training.served import Served

_LIBRARIES = ("sklearn.", "numpy.", "scipy.")
TWIN = "evaluation"


@dataclass(frozen=True)
class Made:
    """The judged twin, what ships, and the rows it was fitted on."""

    twin: Served
    shipped: Served
    learnt: Frame
    refitted: bool
    fitted: handover.Fitted
    notes: tuple[str, ...]


def make(
    job: RunJob, here: Folders, schema: handover.Schema, facts: handover.Facts, learnt: Rows, held: HeldOut
) -> Made:
    """Twin and shipped model, with their files in `outcome`: `model.*`, and `evaluation.*` where the two are not one."""
    fitted = handover.read(handover.Fitted, here.model / handover.FITTED)
    pipeline = _trained(here.model / train.MODEL)
    positive = schema.classes[schema.positive] if schema.classes and schema.positive is not None else None
    with tempfile.TemporaryDirectory(prefix="trimtab-") as scratch:
        twin = _served(pipeline, learnt, schema, positive, held, Path(scratch) / "twin", job.training.seed)
        if job.training.validation.refit is False or facts.side.type == "Dataset":
            shutil.copyfile(twin.path, here.outcome / twin.path.name)
            return Made(twin, twin, learnt.frame, False, fitted, fitted.notes)
        shutil.copyfile(twin.path, here.outcome / f"{TWIN}{twin.path.suffix}")
        handover.write(twin.signature, here.outcome / f"{TWIN}.signature.json")
        everything = rows.all_rows(schema, learnt, held)
        again = _again(job, schema, everything, fitting.again(pipeline))
        shipped = _served(
            again.pipeline, everything, schema, positive, held, Path(scratch) / "shipped", job.training.seed
        )
        shutil.copyfile(shipped.path, here.outcome / shipped.path.name)
    return Made(twin, shipped, everything.frame, True, fitted, again.said.notes)


def _served(
    pipeline: Any, learnt: Rows, schema: handover.Schema, positive: Label | None, held: HeldOut, folder: Path, seed: int
) -> Served:
    return served.of(pipeline, learnt, schema.features, positive, held.frame, folder, seed)


def _again(job: RunJob, schema: handover.Schema, everything: Rows, fixed: dict[str, Any]) -> fitting.Fit:
    assert job.training.estimator is not None
    return fitting.fit(
        job.training.estimator,
        job.task,
        everything.frame,
        schema.features,
        everything.target,
        everything.classes,
        job.training.seed,
        fixed,
    )


def _trained(path: Path) -> Any:
    """The pipeline that our own train step left. Of types that skops does not know, only the libraries' own are built."""
    try:
        unknown = set(skops.io.get_untrusted_types(file=path)) - TRUSTED
        strange = sorted(name for name in unknown if not name.startswith(_LIBRARIES))
        if strange:
            raise StepFailure(
                Reason.MODEL_UNUSABLE, f"the trained model needs types that are not trusted: {strange[:10]}"
            )
        return skops.io.load(path, trusted=sorted(unknown | TRUSTED))
    except OSError as error:
        raise StepFailure(Reason.NO_MODEL_WRITTEN, f"the train step left no {path.name}: {error.strerror}") from error
