"""The metrics of a model server: a collector that reads plain integers when asked. All begin with `trimtab_server_`."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from trimtab.api.wire.serving import Serving
from trimtab.serving.figures import Figures


class ServerCollector(Collector):
    """Reads `figures` at each scrape; nothing is done per request."""

    def __init__(self, serving: Serving, figures: Figures) -> None:
        self._serving = serving
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        serving, figures = self._serving, self._figures
        yield InfoMetricFamily(
            "trimtab_server_model",
            "The model that this server answers for.",
            {
                "model": serving.model,
                "version": serving.version,
                "digest": serving.artifact.digest,
                "format": serving.artifact.format,
            },
        )
        requests = CounterMetricFamily(
            "trimtab_server_requests",
            "Inference requests answered, by HTTP status code; over gRPC the one that HTTP would have.",
            labels=("code",),
        )
        for code, count in sorted(figures.codes.items()):
            requests.add_metric((str(code),), count)
        yield requests
        yield HistogramMetricFamily(
            "trimtab_server_request_duration_seconds",
            "Seconds from the end of an inference request's headers until its answer was written.",
            figures.seconds.buckets(),
            figures.seconds.sum,
        )
        yield CounterMetricFamily("trimtab_server_rows", "Rows predicted in requests answered with 200.", figures.rows)
        yield GaugeMetricFamily(
            "trimtab_server_requests_in_flight", "Inference requests that are being answered.", figures.in_flight
        )
        yield HistogramMetricFamily(
            "trimtab_server_batch_rows",
            "Rows predicted in one call of the model; requests that arrive together share a call.",
            figures.batches.buckets(),
            figures.batches.sum,
        )


def registry(serving: Serving, figures: Figures) -> CollectorRegistry:
    """A registry of its own with the server's and the process's metrics."""
    own = CollectorRegistry()
    own.register(ServerCollector(serving, figures))
    ProcessCollector(registry=own)
    return own
