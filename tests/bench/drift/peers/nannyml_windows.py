# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
"""NannyML at its defaults: Jensen-Shannon distance of each column, beyond three standard deviations of what it is over chunks of
the reference; the reconstruction error of principal components, likewise; and the share of missing values, likewise.

A chunk is a window, and the reference is cut into chunks of as many rows, at least ten chunks.
"""

import os
import warnings
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml as nml
import numpy as np
import pandas as pd
import protocol

warnings.filterwarnings("ignore")
EPOCH = np.datetime64("2020-01-01T00:00:00", "s")
CHUNKS = 10


def watch(sample: protocol.Sample, only: list[str] | None) -> dict[str, Any]:
    reference, rows = _reference(sample), _rows(sample)
    numbers = [name for name, values in sample.reference.items() if protocol.is_number(values)]
    made = {
        "NannyML": (lambda: _columns(reference, rows, sample.columns, numbers)),
        "NannyML PCA": (lambda: _joint(reference, rows, sample.columns)),
        "NannyML missing": (lambda: _missing(reference, rows, sample.columns)),
    }
    chosen = [name for name in made if name in (only or ["NannyML", "NannyML PCA"])]
    if len(sample.columns) < 2:
        chosen = [name for name in chosen if name != "NannyML PCA"]
    return {name: {"bar": 3.0, "scores": made[name]()} for name in chosen}


def _reference(sample: protocol.Sample) -> pd.DataFrame:
    frame = _frame(sample.reference)
    size = max(1, min(int(np.median(sample.sizes)), len(frame) // CHUNKS))
    return frame.assign(when=EPOCH + (np.arange(len(frame)) // size * 3600).astype("timedelta64[s]"))


def _rows(sample: protocol.Sample) -> pd.DataFrame:
    skipped = sum(sample.sizes[: sample.history])
    shown = sample.sizes[sample.history :]
    frame = _frame({name: values[skipped:] for name, values in sample.rows.items()})
    hours = np.repeat(np.arange(len(shown)), shown) * 3600
    return frame.assign(when=EPOCH + np.timedelta64(10 * 365, "D") + hours.astype("timedelta64[s]"))


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    texts = {name: np.where(v == "", None, v.astype(object)) for name, v in columns.items() if v.dtype.kind != "f"}
    return pd.DataFrame({**columns, **texts})


def _columns(reference: pd.DataFrame, rows: pd.DataFrame, columns: list[str], numbers: list[str]) -> Any:
    texts = [name for name in columns if name not in numbers]
    calculator = nml.UnivariateDriftCalculator(
        column_names=columns, treat_as_categorical=texts, timestamp_column_name="when", chunk_period="h"
    )
    found = calculator.fit(reference).calculate(rows).to_df()
    return _scores(found, [(name, "jensen_shannon") for name in columns])


def _joint(reference: pd.DataFrame, rows: pd.DataFrame, columns: list[str]) -> Any:
    calculator = nml.DataReconstructionDriftCalculator(
        column_names=columns, timestamp_column_name="when", chunk_period="h"
    )
    found = calculator.fit(reference).calculate(rows).to_df()
    return [[score] for (score,) in _scores(found, [("reconstruction_error",)])]


def _missing(reference: pd.DataFrame, rows: pd.DataFrame, columns: list[str]) -> Any:
    calculator = nml.MissingValuesCalculator(column_names=columns, timestamp_column_name="when", chunk_period="h")
    found = calculator.fit(reference).calculate(rows).to_df()
    return _scores(found, [(name,) for name in columns])


def _scores(found: pd.DataFrame, columns: list[tuple[str, ...]]) -> list[list[float | None]]:
    """Standard deviations from the mean over the reference's chunks. A lower threshold never counts where it is below 0."""
    chunk = ("chunk", "period") if found.columns.nlevels == 2 else ("chunk", "chunk", "period")
    past = found[chunk] == "reference"
    scored = []
    for column in columns:
        values = found[(*column, "value")].to_numpy(float)
        usual = values[past.to_numpy()]
        mean, deviation = np.nanmean(usual), max(float(np.nanstd(usual)), 1e-12)
        now = values[~past.to_numpy()]
        beyond = (now - mean) / deviation
        scored.append(np.where((beyond < 0) & (mean - 3 * deviation <= 0), 0.0, np.abs(beyond)))
    return [[None if np.isnan(s) else float(min(s, 1e9)) for s in window] for window in zip(*scored, strict=True)]


def cost(sample: protocol.Sample) -> dict[str, Any]:
    reference, rows = _reference(sample), _rows(sample)
    fitted = nml.UnivariateDriftCalculator(
        column_names=sample.columns, timestamp_column_name="when", chunk_period="h"
    ).fit(reference)
    window = rows[rows["when"] == rows["when"].iloc[0]]
    return {"NannyML": {"record": None, "evaluate": 1e3 * protocol.spent(lambda: fitted.calculate(window), 5)}}


protocol.serve(watch, cost)
