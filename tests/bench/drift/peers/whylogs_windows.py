# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
"""whylogs at its defaults: profiles of the reference and of each window, and `calculate_drift_scores` between them
(Kolmogorov and Smirnov's test from a sketch of quantiles, chi-squared from frequent items; drift from p = 0.05 down).
"""

import os
import warnings
from typing import Any

os.environ["WHYLOGS_NO_ANALYTICS"] = "True"

import numpy as np
import pandas as pd
import protocol
import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

warnings.filterwarnings("ignore")
DRIFT = 0.05


def watch(sample: protocol.Sample, only: list[str] | None) -> dict[str, Any]:
    reference = whylogs.log(_frame(sample.reference)).view()
    scores = []
    for window in sample.shown():
        found = _compared(whylogs.log(_frame(window)).view(), reference)
        scores.append([_score(found.get(name)) for name in sample.columns])
    return {"whylogs": {"bar": 1.0, "scores": scores}}


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    texts = {name: np.where(v == "", None, v.astype(object)) for name, v in columns.items() if v.dtype.kind != "f"}
    return pd.DataFrame({**columns, **texts})


def _compared(window: Any, reference: Any) -> Any:
    return calculate_drift_scores(target_view=window, reference_view=reference, with_thresholds=True)


def _score(found: Any) -> float | None:
    if not found or found.get("pvalue") is None or np.isnan(found["pvalue"]):
        return None
    return float(protocol.of_p(float(found["pvalue"]), DRIFT))


def cost(sample: protocol.Sample) -> dict[str, Any]:
    window = _frame(next(sample.shown()))
    reference, current = whylogs.log(_frame(sample.reference)).view(), whylogs.log(window).view()
    record = protocol.spent(lambda: whylogs.log(window), 10) / len(window)
    evaluate = protocol.spent(lambda: _compared(current, reference), 5)
    return {"whylogs": {"record": 1e6 * record, "evaluate": 1e3 * evaluate}}


protocol.serve(watch, cost)
