"""The drift series of Prometheus, read from the monitor's state at scrape time: what is gone has no series. Leader only.

Series carry the namespace of the object they speak of, so scrape configurations set `honor_labels: true`.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from trimtab.controller.watches import Watch
from trimtab.drift.shifts import Shift

OBJECT = ("namespace", "deployment", "version")


class DriftCollector(Collector):
    """Exports what was judged last of every version that serves."""

    def __init__(self, serving: Callable[[], Iterable[Watch]]) -> None:
        self._serving = serving

    def describe(self) -> Iterator[Metric]:
        """Nothing: series exist only while something serves."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One pass over the watches."""
        psi = _family(
            "feature_drift_psi",
            "Bias-corrected population stability index of a feature against the reference.",
            "feature",
        )
        bound = _family(
            "feature_drift_psi_threshold", "Index above which the feature counts as drifted, for these rows.", "feature"
        )
        drifted = _family(
            "feature_drifted", "1 if the feature drifted after control of false discoveries, 0 if not.", "feature"
        )
        rows = _family("drift_window_rows", "Rows in the window that the verdict is from.")
        drifting = _family("drifting", "1 if the deployment drifts, 0 if it is in distribution; absent while unknown.")
        faulty = _family(
            "data_quality_faulty",
            "1 if values are missing, invalid, vanished or frozen, 0 if not; absent while unknown.",
        )
        length = _family("drift_window_seconds", "Length of the base window.")
        when = _family("drift_last_evaluation_timestamp_seconds", "Unix time of the last evaluation.")
        problems = _family(
            "drift_snapshot_problems", "Kinds of snapshots that were refused since the operator started."
        )
        for watch in self._serving():
            if watch.judgement is None or watch.judgement.verdict is None:
                continue
            labels, verdict = _labels(watch), watch.judgement.verdict
            rows.add_metric(labels, verdict.rows)
            length.add_metric(labels, watch.settings.window_seconds)
            when.add_metric(labels, watch.judged_at)
            problems.add_metric(labels, len(watch.problems))
            if verdict.verdict != "Unknown":
                drifting.add_metric(labels, float(verdict.verdict == "Drifting"))
            if watch.judgement.quality is not None and watch.judgement.quality.verdict != "Unknown":
                faulty.add_metric(labels, float(watch.judgement.quality.verdict == "Faulty"))
            for shift in verdict.features:
                _feature(psi, bound, drifted, [*labels, shift.name], shift)
        return iter((psi, bound, drifted, rows, drifting, faulty, length, when, problems))


def _family(name: str, text: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"trimtab_{name}", text, labels=(*OBJECT, *more))


def _labels(watch: Watch) -> list[str]:
    meta = watch.deployment["metadata"]
    versions = watch.deployment.get("status", {}).get("versions", ())
    number = next((entry.get("version") for entry in versions if entry["digest"] == watch.digest), None)
    return [meta["namespace"], meta["name"], str(number) if number is not None else watch.digest[7:19]]


def _feature(
    psi: GaugeMetricFamily, bound: GaugeMetricFamily, drifted: GaugeMetricFamily, labels: list[str], shift: Shift
) -> None:
    if shift.psi is None:
        return
    psi.add_metric(labels, shift.psi)
    if shift.threshold is not None:
        bound.add_metric(labels, shift.threshold)
    drifted.add_metric(labels, float(shift.verdict == "Drifting"))
