# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
"""Frouros: its PSI (10 bins; it has no threshold, so the habit of 0.1), its tests of Kolmogorov and Smirnov and chi-squared at
p < 0.05, and its maximum mean discrepancy, which has no threshold either and is judged only at an equal rate of false alarms.
"""

import warnings
from typing import Any

import numpy as np
import protocol
from frouros.detectors.data_drift import MMD, PSI, ChiSquareTest, KSTest

warnings.filterwarnings("ignore")
LEVEL, HABIT = 0.05, 0.1
MOST = 2000
"""Rows of the reference that the discrepancy is taken against: its cost grows with their square."""


def watch(sample: protocol.Sample, only: list[str] | None) -> dict[str, Any]:
    chosen = only or ["Frouros PSI", "Frouros tests"]
    made: dict[str, Any] = {}
    if "Frouros PSI" in chosen and any(map(protocol.is_number, sample.reference.values())):
        detectors = {
            name: _fitted(PSI(), values) for name, values in sample.reference.items() if protocol.is_number(values)
        }
        scores = [[_psi(detectors.get(name), values) for name, values in w.items()] for w in sample.shown()]
        made["Frouros PSI"] = {"bar": 1.0, "scores": scores}
    if "Frouros tests" in chosen:
        tests = {name: _fitted(_test(values), values) for name, values in sample.reference.items()}
        scores = [[_tested(tests[name], values) for name, values in w.items()] for w in sample.shown()]
        made["Frouros tests"] = {"bar": 1.0, "scores": scores}
    if "Frouros MMD" in chosen:
        made["Frouros MMD"] = {"bar": 1e9, "scores": _discrepancies(sample)}
    return made


def _clean(values: Any) -> Any:
    return values[np.isfinite(values)] if protocol.is_number(values) else values[values != ""]


def _fitted(detector: Any, values: Any) -> Any:
    detector.fit(X=_clean(values))
    return detector


def _test(values: Any) -> Any:
    return KSTest() if protocol.is_number(values) else ChiSquareTest()


def _psi(detector: Any, values: Any) -> float | None:
    clean = _clean(values)
    if detector is None or not clean.size:
        return None
    return float(min(1e9, detector.compare(X=clean)[0].distance / HABIT))


def _tested(detector: Any, values: Any) -> float | None:
    clean = _clean(values)
    if not clean.size:
        return None
    p = float(detector.compare(X=clean)[0].p_value)
    return None if np.isnan(p) else protocol.of_p(p, LEVEL)


def _discrepancies(sample: protocol.Sample) -> list[list[float | None]]:
    base = np.column_stack(list(sample.reference.values()))
    detector = _fitted_all(base[:: max(1, len(base) // MOST)])
    return [[float(detector.compare(X=np.column_stack(list(w.values())))[0].distance)] for w in sample.shown()]


def _fitted_all(base: Any) -> Any:
    detector = MMD()
    detector.fit(X=base)
    return detector


def cost(sample: protocol.Sample) -> dict[str, Any]:
    window = next(sample.shown())
    found = {}
    for title, make in (("Frouros PSI", PSI), ("Frouros tests", KSTest)):
        detectors = [(_fitted(make(), values), window[name]) for name, values in sample.reference.items()]
        taken = protocol.spent(lambda: [detector.compare(X=values) for detector, values in detectors], 5)  # noqa: B023
        found[title] = {"record": None, "evaluate": 1e3 * taken}
    return found


protocol.serve(watch, cost)
