"""The drift series of Prometheus, read from the monitor's state at scrape time: what is gone has no series. Leader only.

Series carry the namespace of the object they speak of, so scrape configurations set `honor_labels: true`. How many there
are is bounded by a `Budget`, and `trimtab_omitted_features` says how many features of a deployment it leaves out.

A scrape reads in a thread of its own beside the event loop: everything is read once, and changed by nobody in place.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from trimtab.controller.cache import Object
from trimtab.controller.watches import FAULTS, Watch
from trimtab.drift.quality import Quality
from trimtab.drift.shifts import Shift
from trimtab.drift.verdicts import Verdict
from trimtab.plan import judgement

OBJECT = ("namespace", "deployment", "version")
SEVERITIES = (None, "Minor", "Moderate", "Major")

Sample: TypeAlias = tuple[str, tuple[str, ...], float]
"""Family without its prefix, values of the labels beside those of the object, value."""

GAUGES = {
    "feature_drift_psi": (
        ("feature",),
        "Bias-corrected population stability index of a feature against the reference.",
    ),
    "feature_drift_psi_threshold": (
        ("feature",),
        "Index above which the feature counts as drifted, for these rows.",
    ),
    "feature_drifted": (("feature",), "1 if the feature drifted after control of false discoveries, 0 if not."),
    "feature_quality_ratio": (
        ("feature", "check"),
        "Share of the newest window's rows whose value is missing, or invalid.",
    ),
    "feature_faulty": (("feature",), "1 if the feature's values are missing, invalid, vanished or frozen, 0 if not."),
    "prediction_drift_psi": (
        ("output",),
        "Bias-corrected population stability index of predictions, and of the score, against held-out rows.",
    ),
    "prediction_drift_psi_threshold": (("output",), "Index above which predictions, or the score, count as drifted."),
    "prediction_drifted": (("output",), "1 if predictions, or the score, drifted, 0 if not."),
    "monitored_features": ((), "Features that are judged."),
    "drifted_features": ((), "Features that drifted, those without series of their own included."),
    "omitted_features": ((), "Features that are judged and have no series of their own."),
    "drift_window_rows": ((), "Rows in the window that the verdict is from."),
    "drifting": ((), "1 if the deployment drifts, 0 if it is in distribution; absent while unknown."),
    "drift_severity": ((), "0 without drift, 1 Minor, 2 Moderate, 3 Major; absent while unknown."),
    "drift_unknown": (("reason",), "1 while nothing is said of drift, and why; absent once there is a verdict."),
    "data_quality_faulty": (
        (),
        "1 if values are missing, invalid, vanished or frozen, 0 if not; absent while unknown.",
    ),
    "drift_window_seconds": ((), "Length of the base window."),
    "drift_last_evaluation_timestamp_seconds": ((), "Unix time of the last evaluation."),
}
"""Labels beside those of the object, and meaning."""

COUNTERS = {
    "drift_snapshot_errors": (
        ("reason",),
        "Failures to read counts from a pod, to take them in, or to read or store windows, by reason.",
    ),
    "drift_pod_resets": ((), "Servers that were seen to be started again and to count anew."),
}


@dataclass(frozen=True, slots=True)
class Budget:
    """How many features have series of their own: of one deployment, and of all of them together."""

    each: int = 100
    total: int = 20_000

    def features(self, deployments: int) -> int:
        """How many features of each of so many deployments. It halves and halves again, so that one deployment more or
        less seldom changes the series of the others.

        >>> [Budget().features(deployments) for deployments in (1, 200, 201, 400, 401, 20_001)]
        [100, 100, 50, 50, 25, 0]
        """
        found = self.each
        while found * deployments > self.total:
            found //= 2
        return found


class DriftCollector(Collector):
    """Exports what was judged last of every version that serves. `serving`: the deployments and their watches."""

    def __init__(self, serving: Callable[[], Iterable[tuple[Object, Watch]]], budget: Budget) -> None:
        self._serving, self._budget = serving, budget

    def describe(self) -> Iterator[Metric]:
        """Nothing: series exist only while something serves."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One pass over the watches; then one family at a time, since a page of many deployments is large."""
        found = self._gathered()
        for table, family in ((GAUGES, GaugeMetricFamily), (COUNTERS, CounterMetricFamily)):
            for name, (more, text) in table.items():
                built = family(f"trimtab_{name}", text, labels=(*OBJECT, *more))
                for labels, value in found.pop(name, ()):
                    built.add_metric(labels, value)
                yield built

    def _gathered(self) -> dict[str, list[tuple[list[str], float]]]:
        """Values of all labels and value of each sample, by family."""
        served = list(self._serving())
        features = self._budget.features(len(served))
        found: defaultdict[str, list[tuple[list[str], float]]] = defaultdict(list)
        for deployment, watch in served:
            labels = _labels(deployment, watch)
            for name, more, value in samples(watch, features):
                found[name].append(([*labels, *more], value))
        return found


def samples(watch: Watch, features: int) -> Iterator[Sample]:
    """All that is said of one watch, the first `features` of the profile one by one."""
    yield "drift_window_seconds", (), watch.settings.window_seconds
    yield "drift_pod_resets", (), watch.resets
    yield from (("drift_snapshot_errors", (fault,), watch.faults[fault]) for fault in FAULTS)
    judged = watch.judgement
    if judged is None:
        return
    if (reason := judgement.unknown(judged)) is not None:
        yield "drift_unknown", (reason,), 1
    if judged.verdict is not None:
        yield "drift_last_evaluation_timestamp_seconds", (), watch.judged_at
        yield from _verdict(judged.verdict, features)
    if judged.quality is not None and judged.quality.verdict != "Unknown":
        yield from _quality(judged.quality, features)


def _verdict(verdict: Verdict, features: int) -> Iterator[Sample]:
    yield "drift_window_rows", (), verdict.rows
    if verdict.verdict != "Unknown":
        yield "drifting", (), verdict.verdict == "Drifting"
        yield "drift_severity", (), SEVERITIES.index(verdict.severity)
    yield "monitored_features", (), len(verdict.features)
    yield "drifted_features", (), sum(shift.verdict == "Drifting" for shift in verdict.features)
    yield "omitted_features", (), max(0, len(verdict.features) - features)
    for shift in verdict.features[:features]:
        yield from _shift("feature_drift", "feature_drifted", shift.name, shift)
    for output, judged in (("predictions", verdict.predictions), ("score", verdict.score)):
        if judged is not None:
            yield from _shift("prediction_drift", "prediction_drifted", output, judged)


def _shift(family: str, drifted: str, name: str, shift: Shift) -> Iterator[Sample]:
    if shift.psi is None:
        return
    yield f"{family}_psi", (name,), shift.psi
    if shift.threshold is not None:
        yield f"{family}_psi_threshold", (name,), shift.threshold
    yield drifted, (name,), shift.verdict == "Drifting"


def _quality(quality: Quality, features: int) -> Iterator[Sample]:
    yield "data_quality_faulty", (), quality.verdict == "Faulty"
    faulty = {fault.column for fault in quality.faults}
    for share in quality.shares[:features]:
        yield "feature_quality_ratio", (share.column, "missing"), share.missing
        yield "feature_quality_ratio", (share.column, "invalid"), share.invalid
        yield "feature_faulty", (share.column,), share.column in faulty


def _labels(deployment: Object, watch: Watch) -> list[str]:
    """Of the deployment as it is now: an older one would not know the number of a version that has just begun to serve."""
    meta = deployment["metadata"]
    versions = deployment.get("status", {}).get("versions", ())
    number = next((entry.get("version") for entry in versions if entry["digest"] == watch.digest), None)
    return [meta["namespace"], meta["name"], str(number) if number is not None else watch.digest[7:19]]
