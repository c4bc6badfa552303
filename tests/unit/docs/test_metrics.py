"""docs/metrics.md lists the series that the two processes export, in their own words, and no others."""

from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from tests.unit.docs.pages import ROOT
from trimtab.api.wire.base import Location
from trimtab.api.wire.serving import Artifact, Serving
from trimtab.controller import metrics
from trimtab.controller.series import Budget, DriftCollector
from trimtab.controller.statuses import StatusCollector
from trimtab.serving.figures import Figures
from trimtab.serving.metrics import ServerCollector

PAGE = ROOT / "docs" / "metrics.md"
SUFFIXES = {"counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def operator() -> list[Metric]:
    return list(metrics.REGISTRY.collect())


def drift() -> list[Metric]:
    return list(DriftCollector(lambda: (), Budget()).collect())


def statuses() -> list[Metric]:
    return list(StatusCollector(0).collect())


def server() -> list[Metric]:
    artifact = Artifact(location=Location(uri="pvc://models/model.onnx"), digest=f"sha256:{'0' * 64}", format="ONNX")
    serving = Serving(namespace="shop", deployment="late", model="late", version="1", artifact=artifact)
    return list(ServerCollector(serving, Figures()).collect())


def shown(metric: Metric) -> str:
    """A row of the page's table."""
    labels = ", ".join(f"`{name}`" for name in names_of_labels(metric))
    exported = metric.name + ("" if metric.type == "histogram" else SUFFIXES[metric.type][0])
    return f"| `{exported}` | {metric.type} | {labels} | {metric.documentation} |"


def names_of_labels(metric: Metric) -> tuple[str, ...]:
    """Label names: of the samples there are, of the collector in the registry, or of the family itself."""
    if metric.samples:
        return tuple(name for name in metric.samples[0].labels if name != "le")
    owner: Any = of_registry(metrics.REGISTRY).get(metric.name, metric)
    return tuple(owner._labelnames)


def of_registry(registry: CollectorRegistry) -> dict[str, object]:
    """The operator's own metrics by name; a registry collects no label names while there are no samples."""
    return dict(registry._names_to_collectors)


def rows(heading: str) -> list[str]:
    """The rows of the table below a heading."""
    section = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line for line in section.splitlines() if line.startswith("| `") and line.count(" | ") == 3]


def test_the_page_lists_what_the_operator_exports() -> None:
    assert rows("Operator") == [shown(metric) for metric in operator()]


def test_the_page_lists_the_series_of_drift() -> None:
    assert rows("Drift and data quality") == [shown(metric) for metric in drift()]


def test_the_page_lists_the_series_of_statuses() -> None:
    assert rows("Statuses") == [shown(metric) for metric in statuses()]


def test_the_page_lists_what_a_model_server_exports() -> None:
    assert rows("Model servers") == [shown(metric) for metric in server()]
