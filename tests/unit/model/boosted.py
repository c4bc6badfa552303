"""Rows for models of XGBoost and LightGBM: numbers with holes, a category of text, one of numbers, and labels that follow."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trimtab.api.wire.models import Format
from trimtab.model import engines
from trimtab.model.engine import Engine, Prediction

N = 240
CARRIERS = ("UA", "AA", "WN", "DL")
GATES = (10, 40, 20)


def numbers(n: int = N, seed: int = 0) -> NDArray[np.float64]:
    """float64[n, 4], a tenth of it missing."""
    random = np.random.default_rng(seed)
    table = random.normal(size=(n, 4))
    table[random.random(table.shape) < 0.1] = np.nan
    return table


def labels(table: NDArray[np.float64], count: int = 2) -> NDArray[np.int64]:
    """0, 1, … by the first two columns, not without errors."""
    random = np.random.default_rng(1)
    score = np.nan_to_num(table[:, 0]) + np.nan_to_num(table[:, 1]) + random.normal(size=len(table)) / 2
    ranks = np.argsort(np.argsort(score))
    return np.asarray(ranks * count // len(table), np.int64)


def categorical(n: int = N) -> pd.DataFrame:
    """`size`, and the categories `carrier` (text) and `gate` (numbers), their values in no order."""
    random = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "size": random.normal(size=n),
            "carrier": pd.Categorical(random.choice(CARRIERS, n), categories=list(CARRIERS)),
            "gate": pd.Categorical(random.choice(GATES, n), categories=list(GATES)),
        }
    )


def strange(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows; in some, categories are missing."""
    rows = rows.copy()
    rows.loc[::5, "carrier"] = None
    rows.loc[::7, "gate"] = None
    return rows


def frame(rows: pd.DataFrame) -> dict[str, Any]:
    """As the server would see these rows."""
    text = rows["carrier"].astype(object)
    return {
        "size": rows["size"].to_numpy(np.float64),
        "carrier": text.where(text.notna(), "").to_numpy(object),
        "gate": rows["gate"].astype(object).astype(np.float64).to_numpy(),
    }


def columns(engine: Engine, table: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """A table as the columns of a model, by position."""
    return {column.name: table[:, place] for place, column in enumerate(engine.signature.inputs)}


def assert_alike(said: Prediction, fitted: Any, rows: Any) -> None:
    """The answer is the wrapper's own, bit by bit."""
    if said.values is not None:
        np.testing.assert_array_equal(said.values, fitted.predict(rows))
        return
    assert said.classes is not None
    np.testing.assert_array_equal(said.classes, fitted.predict(rows))
    if said.probabilities is not None:
        np.testing.assert_array_equal(said.probabilities, fitted.predict_proba(rows))


def opened(folder: Path, content: bytes, artifact: Format, **more: Any) -> Engine:
    """A single file as an engine."""
    for path in folder.iterdir():
        path.unlink()
    (folder / "brought").write_bytes(content)
    return engines.load(folder, artifact, **more)
