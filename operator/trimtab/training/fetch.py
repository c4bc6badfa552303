"""The fetch step: data and champion in, checked and split. Sees credentials of data and store; runs no code of a
user's."""

import os
import shutil
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.api.quantities import parse_share
from trimtab.api.training import HELD_OUT, ValidationType
from trimtab.api.wire.models import Kind
from trimtab.api.wire.runs import Look, Run, RunJob, StepReport
from trimtab.model import values
from trimtab.model.frame import Column, rows, take
from trimtab.store import fetch as artifacts
from trimtab.store.faults import StoreError
from trimtab.training import gates, handover, looking, metrics, split, target, twins
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.folders import DATA_FORMAT, Folders


class Unfit(StepFailure):
    """Data that were read but may not be used; the look goes along."""

    def __init__(self, reason: Reason, message: str, look: Look) -> None:
        super().__init__(reason, message)
        self.look = look


@dataclass(frozen=True)
class _Rows:
    """Labelled rows of one side: all columns, and the labels understood."""

    frame: dict[str, Column]
    label: Column


def step(run: Run, folders: Folders) -> StepReport:
    """Look at the Dataset and, in a training run, write what the other steps need."""
    seen = looking.look(run.data, "DATA_", time.time())
    report = StepReport(step="fetch", look=seen.look)
    print(f"fetch: {seen.look.rows} rows with a label, {len(seen.table.frame)} columns, {seen.look.digest}")
    if run.job is None:
        return report
    _usable(run.job, seen.look)
    _hand_over(run, run.job, seen, folders)
    return report


def _usable(job: RunJob, look: Look) -> None:
    for name in (*job.metrics, *gates.named(job.gates)):
        metrics.find(name, job.task)
    if job.expected_digest and look.digest != job.expected_digest:
        raise Unfit(
            Reason.DATA_CHANGED,
            f"the data have digest {look.digest}, and were {job.expected_digest} when the run was opened: a new "
            f"run takes them as they are",
            look,
        )
    if look.failures:
        more = f" (and {len(look.failures) - 1} more)" if len(look.failures) > 1 else ""
        raise Unfit(Reason.EXPECTATIONS_FAILED, look.failures[0].message + more, look)


def _hand_over(run: Run, job: RunJob, seen: looking.Seen, folders: Folders) -> None:
    spec, table = run.data, seen.table
    features = looking.features(spec, table)
    unlabelled = int((~seen.labelled).sum())
    notes = [f"{unlabelled} of {table.rows} rows have no label and were left out."] if unlabelled else []
    notes += [f"Column {name!r}: {table.notes[name]}." for name in features if name in table.notes][: looking.NOTES]
    here = _rows(table.frame, seen.labelled, spec.target_column)
    train, held, side, position = _sides(run, job, here, table.kinds, features)
    label = np.concatenate([train.label, held.label])
    positive = job.training.target.positive if job.training.target else None
    understood = target.of(label, table.kinds[spec.target_column], job.task, positive)
    _two_classes(understood, len(train.label))
    schema = handover.Schema(
        task=job.task,
        target=spec.target_column,
        features=tuple(handover.Feature(name=name, kind=kind) for name, kind in features.items()),
        classes=understood.classes,
        positive=understood.positive,
        rows=len(train.label),
        validation_rows=len(held.label),
        seed=job.training.seed,
    )
    until = _until(train.frame, spec.time_column)
    facts = handover.Facts(
        data_digest=seen.look.digest,
        side=side,
        trained_until=_latest(until, _until(held.frame, spec.time_column) if side.type != "Dataset" else None),
        twin_trained_until=until,
        kinds=table.kinds,
        champion_missing=_champion(job, folders),
        notes=tuple(notes),
    )
    _write(folders, schema, facts, (train, held), understood, spec.time_column, position)


def _rows(frame: dict[str, Column], labelled: Any, name: str) -> _Rows:
    kept = take(frame, labelled)
    return _Rows(kept, kept[name])


def _sides(
    run: Run, job: RunJob, here: _Rows, kinds: dict[str, Kind], features: dict[str, Kind]
) -> tuple[_Rows, _Rows, handover.Side, Column]:
    """Training rows, held-out rows, how they were parted, and the held-out rows' positions by hash."""
    validation = job.training.validation
    if validation.type is ValidationType.DATASET:
        held = _other(job, kinds, features, run.data.target_column)
        side = handover.Side(type="Dataset", train_rows=len(here.label), rows=len(held.label))
        return here, held, side, np.full(len(held.label), np.nan)
    fraction = parse_share(validation.fraction or HELD_OUT)
    position = split.positions(here.frame, kinds)
    if validation.type is ValidationType.TIME:
        if run.data.time_column is None:
            raise StepFailure(
                Reason.TIME_COLUMN_MISSING,
                "validation type Time needs the Dataset's timeColumn: name it, or use type Hash",
            )
        mask = split.by_time(here.frame[run.data.time_column], fraction)
    else:
        mask = split.by_hash(position, fraction)
    train, held = (_Rows(take(here.frame, keep), here.label[keep]) for keep in (~mask, mask))
    if not len(train.label):
        raise StepFailure(Reason.SPLIT_IMPOSSIBLE, "no row is left to train on: hold out fewer, or provide more data")
    side = handover.Side(
        type=validation.type.value, fraction=fraction, train_rows=len(train.label), rows=len(held.label)
    )
    return train, held, side, position[mask]


def _other(job: RunJob, kinds: dict[str, Kind], features: dict[str, Kind], name: str) -> _Rows:
    """The held-out rows of validation type Dataset, with the kinds of the training data."""
    spec = job.validation_data
    if spec is None:
        raise StepFailure(Reason.RUN_UNREADABLE, "validation type Dataset, but the run names no validationData")
    seen = looking.look(spec, "VALIDATION_", time.time())
    if seen.look.failures:
        raise Unfit(Reason.EXPECTATIONS_FAILED, f"validation data: {seen.look.failures[0].message}", seen.look)
    for column in (*features, name):
        if column not in seen.table.frame:
            raise StepFailure(
                Reason.FEATURE_MISSING, f"the validation data have no column {column!r}, which the training data have"
            )
        if seen.table.kinds[column] != kinds[column]:
            raise StepFailure(
                Reason.FEATURE_MISSING,
                f"column {column!r} is {kinds[column]} in the training data and {seen.table.kinds[column]} in "
                f"the validation data: "
                "write it with one type, or give its type under expect.columns of both",
            )
    shared = {
        column: values_ for column, values_ in seen.table.frame.items() if kinds.get(column) == seen.table.kinds[column]
    }
    return _rows(shared, seen.labelled, name)


def _two_classes(understood: target.Target, training: int) -> None:
    if understood.codes is None or understood.classes is None:
        return
    there = np.unique(understood.codes[:training])
    if len(there) < 2:
        only = values.label_text(understood.classes[int(there[0])])
        raise StepFailure(
            Reason.ONE_CLASS_ONLY,
            f"every label among the {training} training rows is {only!r}: a classifier needs rows of two "
            f"classes at least, so hold out "
            "other rows (validation) or provide more data",
        )


def _until(frame: dict[str, Column], name: str | None) -> str | None:
    times = frame.get(name) if name else None
    if times is None or not np.isfinite(times).any():
        return None
    return values.format_time(float(np.nanmax(times)))


def _latest(*moments: str | None) -> str | None:
    known = [moment for moment in moments if moment]
    return max(known, key=lambda moment: values.parse_time(moment) or 0.0, default=None)


def _champion(job: RunJob, folders: Folders) -> str | None:
    """Fetch the champion by its digest; why it could not be, if so. That makes its gates inconclusive, and fails
    nothing."""
    if job.champion is None:
        return None
    try:
        artifacts.artifact(job.champion.location, job.champion.digest, folders.champion)
    except StoreError as error:
        shutil.rmtree(folders.champion, ignore_errors=True)
        return f"{error.reason}: {error.message}"
    return None


def _write(
    folders: Folders,
    schema: handover.Schema,
    facts: handover.Facts,
    sides: tuple[_Rows, _Rows],
    understood: target.Target,
    time_column: str | None,
    position: Column,
) -> None:
    csv = os.environ.get(DATA_FORMAT, "").casefold() == "csv"
    kinds = {feature.name: feature.kind for feature in schema.features}
    train, held = sides
    labels = _labels(understood, len(train.label))
    shown = [{name: side.frame[name] for name in kinds} for side in sides]
    twins.write(shown[0], kinds, folders.data / handover.TRAIN, labels={schema.target: labels[0]}, csv=csv)
    twins.write(shown[1], kinds, folders.data / handover.VALIDATION, csv=csv)
    handover.write(schema, folders.data / handover.SCHEMA)
    times = [side.frame.get(time_column or "", np.full(rows(side.frame), np.nan)) for side in sides]
    columns = {name: kind for name, kind in facts.kinds.items() if name in held.frame}
    twins.write(held.frame, columns, folders.heldout / handover.HELD_OUT)
    judged = {
        handover.TARGET_COLUMN: labels[1],
        handover.TIME_COLUMN: twins.number_array(times[1]),
        handover.POSITION_COLUMN: twins.number_array(position),
    }
    twins.write({}, {}, folders.heldout / handover.TARGET, labels=judged)
    twins.write({}, {}, folders.heldout / handover.TIMES, labels={handover.TIME_COLUMN: twins.number_array(times[0])})
    handover.write(facts.model_copy(update={"kinds": columns}), folders.heldout / handover.FACTS)


def _labels(understood: target.Target, training: int) -> tuple[Any, Any]:
    if understood.codes is not None and understood.classes is not None:
        halves = understood.codes[:training], understood.codes[training:]
        return twins.label_array(halves[0], understood.classes), twins.label_array(halves[1], understood.classes)
    assert understood.numbers is not None
    return twins.number_array(understood.numbers[:training]), twins.number_array(understood.numbers[training:])
