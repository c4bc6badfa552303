"""The dashboard of the operator itself."""

from manifests.dashboards.expressions import BUILD, told
from manifests.dashboards.panels import Panel, Query, Row, dashboard, number


def board() -> str:
    """The operator itself."""
    return dashboard(
        "trimtab-operator",
        "Trimtab / Operator",
        "The operator: who leads, what waits, what fails, and how the API server answers.",
        [],
        [
            Panel(
                "Leader",
                [Query('leader_election_master_status{name="trimtab-operator"} == 1', "{{pod}}")],
                kind="stat",
                width=6,
                height=4,
                name=True,
            ),
            Panel(
                "Replicas",
                [Query("count by (version) (trimtab_build_info)", "{{version}}")],
                kind="stat",
                width=6,
                height=4,
            ),
            Panel(
                "Objects that wait",
                [Query(f'sum(workqueue_depth{{name="objects"}} {BUILD})')],
                kind="stat",
                width=6,
                height=4,
            ),
            number("Passes that failed, last hour", f"sum(increase(workqueue_retries_total[1h]) {BUILD})"),
            Row("Work"),
            Panel(
                "Passes per second",
                [
                    Query(
                        f"sum by (controller, result) (rate(controller_runtime_reconcile_total[$__rate_interval]) {BUILD})",
                        "{{controller}} {{result}}",
                    )
                ],
            ),
            Panel(
                "Time of a pass, 99 of 100",
                [_quantile("controller_runtime_reconcile_time_seconds", "controller")],
                unit="s",
            ),
            Panel("Queue", [Query(f'max by (pod) (workqueue_depth{{name="objects"}} {BUILD})', "{{pod}}")]),
            Row("API server"),
            Panel(
                "Requests per second",
                [
                    Query(
                        f"sum by (method, code) (rate(rest_client_requests_total[$__rate_interval]) {BUILD})",
                        "{{method}} {{code}}",
                    )
                ],
                unit="reqps",
            ),
            Panel("Time to answer, 99 of 100", [_quantile("rest_client_request_duration_seconds", "method")], unit="s"),
            Panel(
                "Events heard per second",
                [Query("sum by (kind) (rate(trimtab_watch_events_total[$__rate_interval]))", "{{kind}}")],
            ),
            Panel("Objects in memory", [Query("max by (kind) (trimtab_cache_objects)", "{{kind}}")]),
            Panel(
                "Events that were lost",
                [Query("sum by (kind) (increase(trimtab_cache_repairs_total[1h]))", "{{kind}}")],
                "A comparison with the API server set them right.",
            ),
            Panel("Memory", [Query(f"process_resident_memory_bytes {BUILD}", "{{pod}}")], unit="bytes"),
            Row("Drift"),
            Panel(
                "Time of a judgement, 99 of 100", [_quantile("trimtab_drift_evaluation_duration_seconds", "")], unit="s"
            ),
            Panel(
                "Counts that got lost",
                [
                    Query(
                        "sum by (reason) (increase(trimtab_drift_snapshot_errors_total[$__rate_interval]))",
                        "{{reason}}",
                    )
                ],
            ),
            Panel("Columns without series", [Query(f"sum({told('trimtab_omitted_features', '')})", "all deployments")]),
        ],
    )


def _quantile(histogram: str, by: str) -> Query:
    labels = f"{by}, le" if by else "le"
    rate = f"sum by ({labels}) (rate({histogram}_bucket[$__rate_interval]) {BUILD})"
    return Query(f"histogram_quantile(0.99, {rate})", f"{{{{{by}}}}}" if by else "all deployments")
