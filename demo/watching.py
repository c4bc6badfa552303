"""Follows the verdicts on one deployment while traffic is replayed, and draws them."""

import time
from dataclasses import dataclass, field
from typing import Any

from demo import screen
from demo.surroundings import Surroundings

SHOWN = ("temp", "dewp", "pressure", "humid", "wind_speed", "visib", "hour", "distance")


@dataclass
class Month:
    """What was seen during one month: verdicts, and the worst shift of each feature."""

    verdicts: set[str] = field(default_factory=set)
    psi: dict[str, float] = field(default_factory=dict)
    bound: dict[str, float] = field(default_factory=dict)
    drifted: set[str] = field(default_factory=set)


class Verdicts:
    """Reads the operator's own metrics, through the API server, so that the figures are those Prometheus sees."""

    def __init__(self, where: Surroundings, deployment: str) -> None:
        self._where, self._deployment = where, deployment
        self.months: dict[str, Month] = {}

    def follow(self, seconds: float, window: int, status: Any, month: str) -> Month:
        """Looks every two seconds; what is judged is the window before, so it goes on for one more window at the end."""
        seen = self.months.setdefault(month, Month())
        first, deadline = time.monotonic() + window + 4, time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(2)
            if time.monotonic() < first:  # still the window of the month before
                continue
            self._look(seen)
            verdict = "drifting" if seen.drifted else "in distribution" if seen.psi else "not judged yet"
            status.update(f"{month}: {verdict}  {', '.join(sorted(seen.drifted))}")
        return seen

    def _look(self, seen: Month) -> None:
        series = self._metrics()
        for (name, feature), value in series.items():
            if name == "trimtab_feature_drift_psi":
                seen.psi[feature] = max(seen.psi.get(feature, 0.0), value)
            elif name == "trimtab_feature_drift_psi_threshold":
                seen.bound[feature] = value
            elif name == "trimtab_feature_drifted" and value:
                seen.drifted.add(feature)
            elif name == "trimtab_drifting":
                seen.verdicts.add("Drifting" if value else "InDistribution")

    def _metrics(self) -> dict[tuple[str, str], float]:
        from prometheus_client.parser import text_string_to_metric_families

        found: dict[tuple[str, str], float] = {}
        for pod in self._where.pods():
            text = self._where.raw(f"/api/v1/namespaces/trimtab-system/pods/{pod}:8080/proxy/metrics")
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.labels.get("deployment") == self._deployment:
                        found[sample.name, sample.labels.get("feature", "")] = sample.value
        return found

    def line(self, month: str, seen: Month) -> str:
        """One month as a sentence."""
        if seen.drifted:
            worst = sorted(seen.drifted, key=lambda name: -seen.psi[name])
            told = ", ".join(f"{name} {seen.psi[name]:.2f} > {seen.bound[name]:.2f}" for name in worst[:4])
            return f"{month}  drifting: {told}"
        return f"{month}  in distribution" if seen.verdicts else f"{month}  not judged"

    def picture(self) -> None:
        """The shift of each feature by month, as bars beside their thresholds."""
        rows, width = [], screen.room(len(self.months), 12)
        for name in SHOWN:
            cells = [name]
            for seen in self.months.values():
                mark = "!" if name in seen.drifted else " "
                cells.append(screen.bar(seen.psi.get(name, 0.0), seen.bound.get(name, 0.02), width) + mark)
            rows.append(cells)
        screen.table("shift against January (PSI, logarithmic; | is the threshold, ! is drift)", ["feature", *self.months], rows)
