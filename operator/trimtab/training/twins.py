"""Twins: frames as Parquet and CSV files for the steps and containers that follow, and back again. Opens nothing
else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from trimtab.api.wire.models import Kind, Label
from trimtab.model import reading
from trimtab.model.frame import Column, Frame


def write(
    frame: Frame, kinds: Mapping[str, Kind], path: Path, *, labels: dict[str, Any] | None = None, csv: bool = False
) -> None:
    """Write a frame as Parquet, and beside it as CSV when asked. `labels` are further columns, as Arrow arrays."""
    columns = {name: array(column, kinds[name]) for name, column in frame.items()} | (labels or {})
    table = pa.table(columns) if columns else pa.table({})
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table, path, compression="zstd")
    if csv:
        pyarrow.csv.write_csv(table, path.with_suffix(".csv"))


def read(path: Path, kinds: Mapping[str, Kind]) -> dict[str, Column]:
    """Read back a frame of these columns."""
    table = reading.read([reading.Part(path.name, path)], None, kinds)
    return {name: table.frame[name] for name in kinds}


def array(column: Column, kind: Kind) -> Any:
    """A column as Arrow has it: Category text, Boolean booleans, Time timestamps in UTC, Number float64; missing is
    null."""
    if kind == "Category":
        return pa.array([text or None for text in column.tolist()], pa.string())
    missing = np.isnan(column)
    if kind == "Boolean":
        return pa.array(column == 1, pa.bool_(), mask=missing)
    if kind == "Time":
        micros = np.round(np.nan_to_num(column) * 1e6).astype(np.int64)
        return pa.array(micros, pa.int64(), mask=missing).cast(pa.timestamp("us", "UTC"))
    return pa.array(column, pa.float64(), mask=missing)


def label_array(codes: NDArray[np.int64], classes: tuple[Label, ...]) -> Any:
    """Labels in their own type."""
    return pa.array([classes[code] for code in codes.tolist()])


def number_array(numbers: NDArray[np.float64]) -> Any:
    """Numbers, NaN as null."""
    return pa.array(numbers, pa.float64(), mask=np.isnan(numbers))


def column(path: Path, name: str) -> NDArray[np.float64]:
    """One numeric column of a file of ours, null as NaN."""
    return np.asarray(pyarrow.parquet.read_table(path, columns=[name])[name].cast(pa.float64()).to_numpy(), np.float64)
