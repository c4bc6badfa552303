"""Expressions that dashboards share. They name the object they speak of and drop the labels of the scrape, as the alerts do.

So another leader is no other line. None needs a recording rule: the dashboards work without the alerts.
"""

VERSION = "namespace, deployment, version"
TARGET = "job, instance, namespace, pod"
BUILD = "and on (job, instance) trimtab_build_info"
"""Names of controller-runtime are shared with other operators: this takes ours."""


def told(series: str, select: str, by: str = VERSION) -> str:
    """A series of the operator's without the labels of its pod."""
    return f"max by ({by}) ({series}{{{select}}})"


def versioned(rate: str, select: str, by: str = VERSION) -> str:
    """A rate of the servers' by version, which stands in a series of its own."""
    info = f"max by ({TARGET}, version) (trimtab_server_model_info{{{select}}})"
    return f"sum by ({by}) ({rate} * on ({TARGET}) group_left (version) {info})"


def requests(select: str, codes: str = "", by: str = VERSION) -> str:
    chosen = f'{select}, code=~"{codes}"' if codes else select
    return versioned(f"rate(trimtab_server_requests_total{{{chosen}}}[$__rate_interval])", select, by)


def seconds(quantile: float, select: str, by: str = VERSION) -> str:
    """Time within which this share of the requests was answered."""
    rate = f"rate(trimtab_server_request_duration_seconds_bucket{{{select}}}[$__rate_interval])"
    return f"histogram_quantile({quantile}, {versioned(rate, select, f'{by}, le')})"


def failing(select: str, by: str = VERSION) -> str:
    return f"{requests(select, '5..', by)} / {requests(select, by=by)}"
