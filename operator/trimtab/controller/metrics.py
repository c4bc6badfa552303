"""Every series the operator exports. Names of controller-runtime where one exists, so that common dashboards work."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

_REQUESTS = Counter(
    "rest_client_requests", "Requests to the API server by method and HTTP code.", ["method", "code"], registry=REGISTRY
)
_REQUEST_SECONDS = Histogram(
    "rest_client_request_duration_seconds",
    "Seconds until the API server answered, by method.",
    ["method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
RECONCILES = Counter(
    "controller_runtime_reconcile",
    "Passes over an object by kind and result (success, error, requeue_after).",
    ["controller", "result"],
    registry=REGISTRY,
)
RECONCILE_SECONDS = Histogram(
    "controller_runtime_reconcile_time_seconds",
    "Seconds a pass over an object took, by kind.",
    ["controller"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge("workqueue_depth", "Objects that wait for a pass.", ["name"], registry=REGISTRY)
QUEUE_RETRIES = Counter(
    "workqueue_retries", "Passes that failed and were tried again.", ["name"], registry=REGISTRY
)
WATCH_EVENTS = Counter(
    "trimtab_watch_events", "Events heard from the API server, by kind.", ["kind"], registry=REGISTRY
)
CACHE_OBJECTS = Gauge("trimtab_cache_objects", "Objects held in memory, by kind.", ["kind"], registry=REGISTRY)
CACHE_REPAIRS = Counter(
    "trimtab_cache_repairs",
    "Objects whose event was lost and that a comparison with the API server set right, by kind.",
    ["kind"],
    registry=REGISTRY,
)
EVALUATION_SECONDS = Histogram(
    "trimtab_drift_evaluation_duration_seconds",
    "Seconds that one judgement of one deployment took.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)
LEADER = Gauge("leader_election_master_status", "1 while this replica holds the Lease.", ["name"], registry=REGISTRY)
BUILD = Gauge("trimtab_build_info", "1, with the version of the operator.", ["version"], registry=REGISTRY)


def request(method: str, code: str, seconds: float) -> None:
    """Count one round trip to the API server."""
    _REQUESTS.labels(method, code).inc()
    _REQUEST_SECONDS.labels(method).observe(seconds)
