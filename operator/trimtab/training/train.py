"""The train step of Trimtab's own image: fit the estimator on the training rows. Sees no credentials and no held-out
labels."""

import time

import skops.io

from trimtab.api.wire.runs import Run, StepReport
from trimtab.training import fitting, folders, handover, rows
from trimtab.training.folders import Folders

MODEL = "model.skops"


def step(run: Run, here: Folders) -> StepReport:
    """Fit on `train.parquet`; leave the model and what there is to say of it."""
    job = folders.job(run)
    assert job.training.estimator is not None
    schema = handover.read(handover.Schema, here.data / handover.SCHEMA)
    learnt = rows.training(schema, here.data)
    started = time.monotonic()
    done = fitting.fit(
        job.training.estimator,
        job.task,
        learnt.frame,
        schema.features,
        learnt.target,
        learnt.classes,
        job.training.seed,
    )
    here.model.mkdir(parents=True, exist_ok=True)
    skops.io.dump(done.pipeline, here.model / MODEL)
    handover.write(done.said, here.model / handover.FITTED)
    print(f"train: {done.said.estimator} on {schema.rows} rows in {time.monotonic() - started:.3f} s")
    for note in done.said.notes:
        print(f"train: {note}")
    return StepReport(step="train")
