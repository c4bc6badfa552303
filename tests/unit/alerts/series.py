"""Every series that Trimtab exports, with its labels and what these may say; and the labels that a scrape adds."""

from collections.abc import Mapping
from functools import cache

from prometheus_client.metrics_core import Metric

from tests.unit.docs.test_metrics import drift, names_of_labels, operator, server, statuses
from trimtab.api.conditions import ConditionStatus, ConditionType
from trimtab.api.kinds import KINDS
from trimtab.api.model import RunCause
from trimtab.api.modeldeployment import Role
from trimtab.api.reasons import REASONS, CommonReason, Reason
from trimtab.controller.watches import FAULTS

SCRAPED = frozenset({"job", "instance", "namespace", "pod"})
"""Labels of every target, by the scrape configuration of docs/operations.md and by the monitors."""
OF_SERVERS = frozenset({"deployment"})
"""Labels of the targets that are model servers, besides."""
PROCESS = ("process_cpu_seconds_total", "process_resident_memory_bytes")
SUFFIXES = {"counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}

KINDS_OF_REASONS: tuple[type[Reason], ...] = (CommonReason, *REASONS.values())
WORDS = frozenset(str(reason.value) for reasons in KINDS_OF_REASONS for reason in reasons)
VALUES: Mapping[str, frozenset[str]] = {
    "kind": frozenset(row.kind for row in KINDS),
    "controller": frozenset(row.kind for row in KINDS),
    "type": frozenset(str(kind.value) for kind in ConditionType),
    "status": frozenset(str(status.value) for status in ConditionStatus),
    "reason": WORDS | frozenset(FAULTS) | frozenset(str(cause.value) for cause in RunCause),
    "role": frozenset(str(role.value) for role in Role),
}
"""What a label may say, where that is a list of words."""


def _names(metric: Metric) -> list[str]:
    return [metric.name + suffix for suffix in SUFFIXES[metric.type]]


@cache
def exported() -> Mapping[str, frozenset[str]]:
    """Labels by name of the series, those of the scrape included."""
    found: dict[str, frozenset[str]] = dict.fromkeys(PROCESS, SCRAPED | OF_SERVERS)
    for metrics, more in (
        (operator(), SCRAPED),
        (drift(), SCRAPED),
        (statuses(), SCRAPED),
        (server(), SCRAPED | OF_SERVERS),
    ):
        for metric in metrics:
            for name in _names(metric):
                bucket = {"le"} if name.endswith("_bucket") and metric.type == "histogram" else set()
                found[name] = frozenset(names_of_labels(metric)) | more | bucket
    return found
