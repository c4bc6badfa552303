# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
"""Evidently at its defaults: for each column the test that `DataDriftPreset` chooses by rows, type and number of values.

Scores come from the function that the preset calls, because the preset itself takes a fifth of a second for each column to draw
what nobody looks at here; its cost is that of the preset.
"""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import protocol
from evidently import Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")


def watch(sample: protocol.Sample, only: list[str] | None) -> dict[str, Any]:
    reference = {name: _clean(values) for name, values in sample.reference.items()}
    scores = [[_score(reference[name], values) for name, values in window.items()] for window in sample.shown()]
    return {"Evidently": {"bar": 1.0, "scores": scores}}


def _clean(values: Any) -> pd.Series:
    if protocol.is_number(values):
        return pd.Series(values[np.isfinite(values)])
    return pd.Series(values[values != ""].astype(object))


def _score(reference: pd.Series, values: Any) -> float | None:
    current = _clean(values)
    if current.empty:
        return None
    kind = ColumnType.Numerical if protocol.is_number(values) else ColumnType.Categorical
    test = get_stattest(reference, current, kind, None)
    found = test(reference, current, kind, None)
    if "p_value" in test.display_name:
        return float(protocol.of_p(found.drift_score, found.actual_threshold))
    return float(found.drift_score / found.actual_threshold)


def cost(sample: protocol.Sample) -> dict[str, Any]:
    reference, current = pd.DataFrame(sample.reference), pd.DataFrame(next(sample.shown()))
    report = Report([DataDriftPreset()])
    return {"Evidently": {"record": None, "evaluate": 1e3 * protocol.spent(lambda: report.run(current, reference), 3)}}


protocol.serve(watch, cost)
