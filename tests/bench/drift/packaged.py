"""Streams out of packages: river's generators, NannyML's data, river's annotated series. Read where pip put them, or made once
into Trimtab's cache; nothing is vendored.
"""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.preprocessing import OrdinalEncoder

from tests.bench import venvs
from tests.bench.drift.samples import SCORE, Sample

HERE = Path(__file__).parent

GENERATORS = ("SEA", "Agrawal", "STAGGER", "LED", "Hyperplane", "RandomRBF", "Sine", "Mixed")
"""Waveform has one concept only, and takes no part."""

FITTED, REFERENCE, ROWS, HISTORY, BEFORE, AFTER = 5000, 10_000, 500, 48, 2, 20

NANNYML = {
    "synthetic_car_loan": ("repaid", "y_pred"),
    "synthetic_car_loan_dq": ("repaid", "y_pred"),
    "mc": ("y_true", "y_pred"),
    "regression_synthetic": ("y_true",),
    "synthetic_sample": ("work_home_actual", "period", "y_pred"),
}
"""Data sets, and their columns that are neither feature nor score; `id` and `timestamp` are none anyway."""

SCORES = {"y_pred_proba": SCORE, "y_pred_proba_prepaid_card": SCORE, "y_pred": SCORE}
EVERY = 5
"""Every so many rows of NannyML's references are taken, so that peers end within the night."""


def requirements(peer: str) -> Path:
    return HERE / f"requirements-{peer}.txt"


# ---------------------------------------------------------------- river's generators


def generated(name: str, change: bool, rng: Generator) -> Sample:
    """Columns, the score of a model that was fitted to the first concept, and whether it was wrong."""
    columns, wanted = _generated(name, int(rng.integers(1_000_000)))
    model, encoder = _model(columns, wanted)
    score, wrong = _asked(model, encoder, columns, wanted)
    table = {**columns, SCORE: score}
    start, windows = FITTED + REFERENCE, HISTORY + BEFORE + (AFTER if change else 0)
    end = start + ROWS * windows
    return Sample(
        {n: values[FITTED:start] for n, values in table.items()},
        {n: values[start:end] for n, values in table.items()},
        (ROWS,) * windows,
        HISTORY if change else 0,
        BEFORE if change else None,
        (),
        wrong[start:end],
    )


def _generated(name: str, seed: int) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    before, after = FITTED + REFERENCE + ROWS * (HISTORY + BEFORE), ROWS * AFTER
    folder = venvs.CACHE / "streams"
    path = folder / f"{requirements('river').stem}-{name}-{seed}-{before}-{after}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        script = str(HERE / "peers" / "generators.py")
        command = (
            str(venvs.python(requirements("river"))),
            script,
            name,
            str(seed),
            str(before),
            str(after),
            str(part),
        )
        subprocess.run(command, check=True)
        part.rename(path)
    with np.load(path) as file:
        return {n.removeprefix("x/"): file[n] for n in file.files if n != "y"}, file["y"]


def _model(columns: dict[str, NDArray[Any]], wanted: NDArray[Any]) -> tuple[Any, Any]:
    names = [name for name, values in columns.items() if values.dtype.kind != "f"]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    if names:
        encoder.fit(np.column_stack([columns[name] for name in names]))
    inputs = _inputs(encoder, columns)
    model = HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=0)
    return model.fit(inputs[:FITTED], wanted[:FITTED]), encoder


def _inputs(encoder: Any, columns: dict[str, NDArray[Any]]) -> NDArray[Any]:
    texts = [values for values in columns.values() if values.dtype.kind != "f"]
    numbers = [values for values in columns.values() if values.dtype.kind == "f"]
    encoded = [encoder.transform(np.column_stack(texts))] if texts else []
    return np.column_stack([*numbers, *encoded])


def _asked(model: Any, encoder: Any, columns: dict[str, NDArray[Any]], wanted: NDArray[Any]) -> tuple[Any, Any]:
    probabilities = model.predict_proba(_inputs(encoder, columns))
    wrong = model.classes_[probabilities.argmax(axis=1)] != wanted
    return probabilities[:, -1] if len(model.classes_) == 2 else probabilities.max(axis=1), wrong


# ---------------------------------------------------------------- NannyML's data


def nannyml(name: str, second: bool, rng: Generator) -> Sample:
    """The rows behind the reference in order of time: the first half, or the second behind the first as its history.

    Whoever made the data made them drift in the second half. Nothing is drawn.
    """
    reference, rows = _nannyml(name)
    half = len(next(iter(rows.values()))) // 2 // ROWS
    kept = {n: values[: 2 * half * ROWS if second else half * ROWS] for n, values in rows.items()}
    sizes = (ROWS,) * (2 * half if second else half)
    if not second:
        return Sample(reference, kept, sizes, ordered=True)
    return Sample(reference, kept, sizes, half - BEFORE, BEFORE, (), None, ordered=True)


@cache
def _nannyml(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = _site("nannyml") / "nannyml" / "datasets" / "data"
    tables = [pd.read_csv(folder / f"{name}_{part}.csv") for part in ("reference", "analysis")]
    left = {"id", "timestamp", *NANNYML[name]} - set(SCORES if name == "regression_synthetic" else ())
    names = [c for c in tables[0].columns if c not in left and c in tables[1].columns]
    reference, rows = ({SCORES.get(c, c): _column(t[c]) for c in names if _wanted(c)} for t in tables)
    return {c: values[::EVERY] for c, values in reference.items()}, rows


def _wanted(column: str) -> bool:
    return not column.startswith("y_pred_proba_") or column in SCORES


def _column(values: Any) -> NDArray[Any]:
    if values.dtype.kind in "fi":
        found: NDArray[Any] = values.to_numpy(float)
        return found
    return np.array(["" if pd.isna(value) else str(value) for value in values])


def _site(peer: str) -> Path:
    """Where pip put that peer's packages."""
    interpreter = venvs.python(requirements(peer))
    return next((interpreter.parents[1] / "lib").glob("python3*")) / "site-packages"
