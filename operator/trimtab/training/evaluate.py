"""The evaluate step: judge the candidate on held-out rows, then make what ships. Sees the labels that judge, and no
credentials."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trimtab.api.wire.models import Format, Parity, Signature
from trimtab.api.wire.profiles import profile_to_json
from trimtab.api.wire.runs import Run, RunJob, StepReport
from trimtab.model import frame as frames
from trimtab.model.engine import Engine, Prediction
from trimtab.model.frame import Frame
from trimtab.store import transfer
from trimtab.training import (
    champion,
    container,
    environment,
    expectations,
    folders,
    gates,
    handover,
    judging,
    message,
    metrics,
    reference,
    rows,
    split,
)
from trimtab.training.failures import Reason
from trimtab.training.folders import Folders
from trimtab.training.rows import HeldOut, Rows

_CRASHED = StepReport(
    step="evaluate",
    reason=Reason.MODEL_UNUSABLE,
    message="the step ended without a word while it loaded the container's model: most likely a library crashed on the file, "
    "which is then broken, or made to do that; the log says where",
)


@dataclass(frozen=True)
class Candidate:
    """The judged model, and what ships: the same, or its likeness fitted on all rows."""

    said: Prediction
    """Of the judged model on the held-out rows."""
    judged: Signature
    engine: Engine | None
    """Of the judged model; None for a custom one."""
    shipped: Signature
    format: Format
    learnt: Frame
    """All rows the shipped model was fitted on."""
    serves: Engine | None
    """Of the shipped model; None for a custom one."""
    refitted: bool
    parity: Parity | None = None
    fitted: handover.Fitted | None = None
    notes: tuple[str, ...] = ()


def step(run: Run, here: Folders) -> StepReport:
    """Judge, refit, convert, and leave in `outcome` all that publish uploads."""
    job = folders.job(run)
    schema = handover.read(handover.Schema, here.data / handover.SCHEMA)
    facts = handover.read(handover.Facts, here.heldout / handover.FACTS)
    named = tuple(dict.fromkeys([*wanted(job, schema), *gates.named(job.gates)]))
    for name in named:
        metrics.find(name, job.task)
    learnt, held = rows.training(schema, here.data), rows.held_out(schema, facts, here.heldout)
    _empty(here.outcome)
    candidate = _candidate(job, here, schema, facts, learnt, held)
    whole = judging.judged(candidate.said, candidate.judged.classes, schema, held.target)
    scores = judging.measured(named, whole, held.times, job.task, job.training.seed)
    contest = champion.contest(job.champion, here.champion, schema, facts, held, whole, job.training.allow_pickle)
    verdicts = gates.judge(job.gates, job.task, scores, contest, job.training.seed)
    for score in scores.values():
        print(f"evaluate: {score.name} {score.value if score.value is not None else score.reason}")
    for verdict in verdicts:
        print(f"evaluate: gate {verdict.name}: {verdict.verdict}: {verdict.message}")
    weights = {}
    if candidate.engine:
        weights = judging.importances(candidate.engine, held.frame, held.target, schema, named[0], job.training.seed)
    digest = _describe(candidate, schema, here, held, weights, facts)
    report = handover.Report(
        format=candidate.format,
        rows=len(next(iter(candidate.learnt.values()))),
        data_digest=facts.data_digest,
        profile_digest=digest,
        parameters_digest=environment.parameters_digest(run, job),
        trained_until=facts.trained_until if candidate.refitted else facts.twin_trained_until,
        twin_trained_until=facts.twin_trained_until,
        validation=facts.side,
        metrics=tuple(scores.values()),
        gates=verdicts,
        parity=candidate.parity,
        estimator=candidate.fitted,
        importances=weights,
        champion=job.champion.name if job.champion else None,
        seed=job.training.seed,
        image=job.image,
        environment=environment.versions(),
        notes=(*facts.notes, *candidate.notes),
    )
    handover.write(report, here.outcome / handover.REPORT)
    return StepReport(step="evaluate")


def wanted(job: RunJob, schema: handover.Schema) -> tuple[str, ...]:
    """The metrics that the model asks for, or those of its task."""
    return job.metrics or metrics.defaults(job.task, len(schema.classes) if schema.classes else None)


def _candidate(
    job: RunJob, here: Folders, schema: handover.Schema, facts: handover.Facts, learnt: Rows, held: HeldOut
) -> Candidate:
    if job.training.container is not None:
        return _brought(here, schema, learnt, held, job.training.allow_pickle)
    from trimtab.training import own  # scikit-learn and its converters are loaded only where they are needed

    made = own.make(job, here, schema, facts, learnt, held)
    sample = {feature.name: held.frame[feature.name] for feature in schema.features}
    return Candidate(
        said=made.twin.engine.predict(sample),
        judged=made.twin.signature,
        engine=made.twin.engine,
        shipped=made.shipped.signature,
        format=made.shipped.format,
        learnt=made.learnt,
        serves=made.shipped.engine,
        refitted=made.refitted,
        parity=made.shipped.parity,
        fitted=made.fitted,
        notes=made.notes,
    )


def _brought(here: Folders, schema: handover.Schema, learnt: Rows, held: HeldOut, allow_pickle: bool) -> Candidate:
    with message.will(_CRASHED, folders.termination()):
        found = container.brought(here.model, schema, learnt, held, allow_pickle)
    for path in found.files:
        shutil.copyfile(path, here.outcome / path.name, follow_symlinks=False)
    return Candidate(
        said=found.said,
        judged=found.signature,
        engine=found.engine,
        shipped=found.signature,
        format=found.format,
        learnt=learnt.frame,
        serves=found.engine,
        refitted=False,
    )


def _empty(folder: Path) -> None:
    """An empty folder of our own, whatever a container left in its place."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _of_its_own_rows(candidate: Candidate) -> Prediction | None:
    """What the shipped model says of the rows it was fitted on, without those that it refuses for a missing value."""
    if candidate.serves is None:
        return None
    whole = np.ones(frames.rows(candidate.learnt), np.bool_)
    for column in candidate.shipped.inputs:
        if not column.accepts_missing:
            whole &= ~expectations.missing_in(candidate.learnt[column.name])
    return candidate.serves.predict(frames.take(candidate.learnt, whole)) if whole.any() else None


def _describe(
    candidate: Candidate,
    schema: handover.Schema,
    here: Folders,
    held: HeldOut,
    weights: dict[str, float],
    facts: handover.Facts,
) -> str:
    """Signature and reference profile; returns the profile's digest."""
    handover.write(candidate.shipped, here.outcome / handover.SIGNATURE)
    times = rows.times(here.heldout)
    if candidate.refitted:
        times = np.concatenate([times, held.times])
    profile = reference.profile(
        candidate.learnt,
        schema.features,
        split.newer(times),
        reference.Said(candidate.said, candidate.judged),
        reference.Said(_of_its_own_rows(candidate), candidate.shipped),
        weights,
    )
    content = profile_to_json(profile)
    (here.outcome / handover.PROFILE).write_bytes(content)
    return transfer.digest_of(content)
