"""A look at a Dataset: its files fetched, read and checked. What fetch does first in every run, and all it does in a
mere look."""

import os
import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trimtab.api.dataset import ColumnType, DatasetSpec, SeenColumn
from trimtab.api.wire.models import Kind
from trimtab.api.wire.runs import Look
from trimtab.model import reading, values
from trimtab.store import data
from trimtab.training import expectations, folders, target
from trimtab.training.failures import Reason, StepFailure

COLUMNS = 2000
NOTES = 20
"""Columns with a note: a status has no room for two thousand, and nobody would read them."""


@dataclass(frozen=True)
class Seen:
    """What was read, which rows have a label (bool[rows]), and what there is to say of it."""

    table: reading.Table
    labelled: NDArray[np.bool_]
    look: Look


def look(spec: DatasetSpec, prefix: str, now: float) -> Seen:
    """Fetch, read and check a Dataset. Raises StoreError, ReadingError, or StepFailure when target or time column is
    not there."""
    scratch = os.environ.get("TMPDIR") or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="trimtab-", dir=scratch) as folder:
        files = data.download(folders.location(spec.source), Path(folder), prefix=prefix)
        parts = [reading.Part(file.name, file.path) for file in files]
        missing = spec.csv.missing if spec.csv else ()
        table = reading.read(parts, spec.format, expectations.declared(spec), missing)
    _require(spec.target_column, table, Reason.TARGET_COLUMN_MISSING, "targetColumn")
    if spec.time_column:
        _require(spec.time_column, table, Reason.TIME_COLUMN_MISSING, "timeColumn")
    labelled = target.labelled(table.frame[spec.target_column])
    found = Look(
        digest=data.digest(files),
        rows=int(labelled.sum()),
        bytes=sum(file.bytes for file in files),
        columns=_columns(table),
        failures=expectations.judged(spec, table, labelled, now),
        newest_time=_newest(table, spec.time_column),
    )
    return Seen(table, labelled, found)


def _columns(table: reading.Table) -> tuple[SeenColumn, ...]:
    noted = dict(islice(table.notes.items(), NOTES))
    kinds = islice(table.kinds.items(), COLUMNS)
    return tuple(SeenColumn(name=name, type=ColumnType(kind), note=noted.get(name)) for name, kind in kinds)


def features(spec: DatasetSpec, table: reading.Table) -> dict[str, Kind]:
    """The feature columns in the order of the data. Raises StepFailure when one is absent, unusable, or none is
    left."""
    chosen = spec.features
    roles = {spec.target_column, spec.time_column}
    if chosen and chosen.include is not None:
        wanted = list(chosen.include)
        if spec.target_column in wanted:
            raise StepFailure(
                Reason.FEATURE_MISSING,
                f"features.include names the target {spec.target_column!r}, which no model may see: remove it",
            )
    else:
        left_out = set(chosen.exclude or ()) if chosen else set()
        wanted = [name for name in (*table.frame, *table.unsupported) if name not in roles and name not in left_out]
    for name in wanted:
        if name in table.unsupported:
            raise StepFailure(Reason.UNSUPPORTED_COLUMN, table.unsupported[name])
        _require(name, table, Reason.FEATURE_MISSING, "features.include")
    if not wanted:
        raise StepFailure(
            Reason.NO_FEATURES, "no column is left as a feature: check features, targetColumn and timeColumn"
        )
    order = set(wanted)
    return {name: kind for name, kind in table.kinds.items() if name in order}


def _require(name: str, table: reading.Table, reason: Reason, field: str) -> None:
    if name in table.unsupported:
        raise StepFailure(Reason.UNSUPPORTED_COLUMN, table.unsupported[name])
    if name not in table.frame:
        there = [*table.frame]
        shown = ", ".join(map(repr, there[:30])) + (f" and {len(there) - 30} more" if len(there) > 30 else "")
        raise StepFailure(reason, f"{field} {name!r} is not among the columns: {shown}")


def _newest(table: reading.Table, name: str | None) -> str | None:
    times = table.frame[name] if name else np.array([])
    known = times[np.isfinite(times)] if name else times
    return values.format_time(float(known.max())) if len(known) else None
