"""Rows with labels as models are fitted on them and judged by: what fetch left, read back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from trimtab.api.wire.models import Kind, Label
from trimtab.model.frame import Column, concatenate
from trimtab.training import handover, target, twins

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """A frame and its labels. Classification: `target` holds codes among `classes`, those that occur. Regression: numbers."""

    frame: dict[str, Column]
    target: NDArray[Any]
    classes: tuple[Label, ...] | None


@dataclass(frozen=True)
class HeldOut:
    """The rows that judge. `target` holds codes among all classes of the schema, or numbers; `times` seconds or NaN; `position`
    where the hash of a row lies."""

    frame: dict[str, Column]
    """All columns, those that are no feature too."""
    target: NDArray[Any]
    times: Floats
    position: Floats


def training(schema: handover.Schema, folder: Path) -> Rows:
    """The training rows."""
    kinds = {feature.name: feature.kind for feature in schema.features}
    frame = twins.read(folder / handover.TRAIN, kinds | {schema.target: _kind(schema)})
    return _rows(frame, frame.pop(schema.target), schema)


def held_out(schema: handover.Schema, facts: handover.Facts, folder: Path) -> HeldOut:
    """The held-out rows, with their labels."""
    path = folder / handover.TARGET
    label = twins.read(path, {handover.TARGET_COLUMN: _kind(schema)})[handover.TARGET_COLUMN]
    return HeldOut(
        frame=twins.read(folder / handover.HELD_OUT, facts.kinds),
        target=label if schema.classes is None else target.codes(label, schema.classes),
        times=twins.column(path, handover.TIME_COLUMN),
        position=twins.column(path, handover.POSITION_COLUMN),
    )


def all_rows(schema: handover.Schema, train: Rows, held: HeldOut) -> Rows:
    """Training and held-out rows below each other, for the model that ships."""
    names = [feature.name for feature in schema.features]
    frame = concatenate([train.frame, {name: held.frame[name] for name in names}])
    if schema.classes is None or train.classes is None:
        return Rows(frame, np.concatenate([train.target, held.target]), None)
    label = np.concatenate([target.labels(train.target, train.classes), target.labels(held.target, schema.classes)])
    return _rows(frame, label, schema)


def times(folder: Path) -> Floats:
    """Seconds since 1970 of each training row, NaN where unknown."""
    return twins.column(folder / handover.TIMES, handover.TIME_COLUMN)


def count(path: Path) -> int:
    """Rows of a Parquet file."""
    return int(pyarrow.parquet.ParquetFile(path).metadata.num_rows)


def _rows(frame: dict[str, Column], label: Column, schema: handover.Schema) -> Rows:
    if schema.classes is None:
        return Rows(frame, label.astype(np.float64), None)
    there = np.unique(target.codes(label, schema.classes))
    classes = tuple(schema.classes[code] for code in there.tolist())
    return Rows(frame, target.codes(label, classes), classes)


def _kind(schema: handover.Schema) -> Kind:
    """The kind of the target column in our own files."""
    first = schema.classes[0] if schema.classes else 0.0
    if isinstance(first, str):
        return "Category"
    return "Boolean" if isinstance(first, bool) else "Number"
