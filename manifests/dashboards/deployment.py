"""The dashboard of one deployment."""

from manifests.dashboards.expressions import TARGET, failing, requests, seconds, told, versioned
from manifests.dashboards.panels import Panel, Query, Row, Variable, dashboard

NAMESPACE = Variable("namespace", 'label_values(trimtab_condition{kind="ModelDeployment"}, namespace)')
DEPLOYMENT = Variable(
    "deployment", 'label_values(trimtab_condition{kind="ModelDeployment", namespace="$namespace"}, name)'
)
ONE = 'namespace="$namespace", deployment="$deployment"'
SEVERITY = {0: "none", 1: "Minor", 2: "Moderate", 3: "Major"}


def board() -> str:
    """One deployment: traffic, time, errors, drift by column, data quality, versions."""
    psi, bound = (
        told("trimtab_feature_drift_psi", ONE, "feature"),
        told("trimtab_feature_drift_psi_threshold", ONE, "feature"),
    )
    answers = told("trimtab_prediction_drift_psi", ONE, "output")
    answers_bound = told("trimtab_prediction_drift_psi_threshold", ONE, "output")
    info = f"max by ({TARGET}) (trimtab_server_model_info{{{ONE}}})"
    stable = f'trimtab_deployment_version_info{{{ONE}, role="Stable"}}'
    ours = f"max by (namespace, model) ({stable})"
    return dashboard(
        "trimtab-deployment",
        "Trimtab / Deployment",
        "One model deployment: traffic, time, errors, drift of each column against its threshold, data quality, versions.",
        [NAMESPACE, DEPLOYMENT],
        [
            Panel(
                "Version",
                [Query(f"max by (version) ({stable})", "{{version}}")],
                kind="stat",
                width=3,
                height=4,
                name=True,
            ),
            Panel(
                "Drift",
                [Query(told("trimtab_drift_severity", ONE, "deployment"))],
                kind="stat",
                width=3,
                height=4,
                steps=(1, 3),
                words=SEVERITY,
            ),
            Panel(
                "Data",
                [Query(told("trimtab_data_quality_faulty", ONE, "deployment"))],
                kind="stat",
                width=3,
                height=4,
                steps=(0.5, 1),
                words={0: "sound", 1: "faulty"},
            ),
            Panel(
                "No verdict because",
                [Query(told("trimtab_drift_unknown", ONE, "reason"), "{{reason}}")],
                kind="stat",
                width=4,
                height=4,
                name=True,
            ),
            Panel(
                "Rows judged",
                [Query(told("trimtab_drift_window_rows", ONE, "deployment"))],
                kind="stat",
                width=3,
                height=4,
            ),
            Panel(
                "Last judged",
                [Query(f"time() - {told('trimtab_drift_last_evaluation_timestamp_seconds', ONE, 'deployment')}")],
                kind="stat",
                width=4,
                height=4,
                unit="s",
            ),
            Panel(
                "Columns",
                [
                    Query(told("trimtab_drifted_features", ONE, "deployment"), "drifted"),
                    Query(told("trimtab_monitored_features", ONE, "deployment"), "judged"),
                    Query(told("trimtab_omitted_features", ONE, "deployment"), "without series"),
                ],
                kind="stat",
                width=4,
                height=4,
            ),
            Row("Requests"),
            Panel(
                "Requests per second",
                [Query(requests(ONE, by="version, code"), "{{code}}, version {{version}}")],
                unit="reqps",
            ),
            Panel(
                "Requests that fail",
                [Query(failing(ONE, "version"), "version {{version}}")],
                unit="percentunit",
                steps=(0.01,),
            ),
            Panel(
                "Time to answer",
                [
                    Query(seconds(quantile, ONE, "version"), f"{name}, version {{{{version}}}}")
                    for quantile, name in ((0.5, "half"), (0.9, "9 of 10"), (0.99, "99 of 100"))
                ],
                unit="s",
            ),
            Panel(
                "Rows per second",
                [
                    Query(
                        versioned(f"rate(trimtab_server_rows_total{{{ONE}}}[$__rate_interval])", ONE, "version"),
                        "{{version}}",
                    )
                ],
            ),
            Panel(
                "Requests at a time", [Query(f"max by (pod) (trimtab_server_requests_in_flight{{{ONE}}})", "{{pod}}")]
            ),
            Panel(
                "Rows per call of the model",
                [
                    Query(
                        f"sum by (pod) (rate(trimtab_server_batch_rows_sum{{{ONE}}}[$__rate_interval]))"
                        f" / sum by (pod) (rate(trimtab_server_batch_rows_count{{{ONE}}}[$__rate_interval]))",
                        "{{pod}}",
                    )
                ],
                "Requests that arrive together share a call.",
            ),
            Panel(
                "CPU",
                [Query(f"rate(process_cpu_seconds_total[$__rate_interval]) and on ({TARGET}) {info}", "{{pod}}")],
                unit="none",
            ),
            Panel(
                "Memory", [Query(f"process_resident_memory_bytes and on ({TARGET}) {info}", "{{pod}}")], unit="bytes"
            ),
            Panel(
                "Server processes started again",
                [
                    Query(
                        f"sum by (version) (increase(trimtab_drift_pod_resets_total{{{ONE}}}[1h]))",
                        "version {{version}}",
                    )
                ],
            ),
            Row("Drift"),
            Panel(
                "Shift of each column against its threshold",
                [Query(f"topk(10, {psi} / {bound})", "{{feature}}")],
                "PSI over the PSI from which on it counts, for these rows: above 1 the column drifts. The ten largest.",
                width=12,
                height=9,
                steps=(1,),
            ),
            Panel(
                "Columns now",
                [
                    Query(psi, column="PSI"),
                    Query(bound, column="Threshold"),
                    Query(told("trimtab_feature_drifted", ONE, "feature"), column="Drifted"),
                    Query(told("trimtab_feature_faulty", ONE, "feature"), column="Faulty"),
                ],
                kind="table",
                width=12,
                height=9,
            ),
            Panel(
                "Shift of predictions and score against their threshold",
                [Query(f"{answers} / {answers_bound}", "{{output}}")],
                width=12,
                steps=(1,),
            ),
            Panel(
                "Verdicts",
                [
                    Query(told("trimtab_drifting", ONE, "version"), "drifting, version {{version}}"),
                    Query(told("trimtab_prediction_drifted", ONE, "output"), "{{output}} drifted"),
                ],
                width=12,
                top=1,
            ),
            Row("Data quality"),
            Panel(
                "Values missing or invalid",
                [
                    Query(
                        f"topk(10, {told('trimtab_feature_quality_ratio', ONE, 'feature, check')})",
                        "{{feature}}, {{check}}",
                    )
                ],
                "Share of the newest window's rows. The ten largest.",
                width=12,
                unit="percentunit",
            ),
            Panel(
                "Counts that got lost",
                [
                    Query(
                        f"sum by (reason) (increase(trimtab_drift_snapshot_errors_total{{{ONE}}}[$__rate_interval]))",
                        "{{reason}}",
                    )
                ],
                "A few while pods start or end are nothing.",
                width=12,
            ),
            Row("Versions and training"),
            Panel(
                "Versions that have pods",
                [Query(told("trimtab_deployment_version_info", ONE, "version, role"), "{{version}} {{role}}")],
                top=1,
            ),
            Panel(
                "Champion",
                [
                    Query(
                        f"max by (model) (trimtab_model_champion_version and on (namespace, model) {ours})",
                        "{{model}}",
                    )
                ],
            ),
            Panel(
                "Training",
                [
                    Query(
                        f"time() - max by (model) (trimtab_retrain_last_timestamp_seconds and on (namespace, model) {ours})",
                        "since the last run was opened",
                    ),
                    Query(
                        "clamp_min(max by (model) (trimtab_retrain_next_allowed_timestamp_seconds"
                        f" and on (namespace, model) {ours}) - time(), 0)",
                        "until drift may open another",
                    ),
                ],
                kind="stat",
                unit="s",
            ),
        ],
    )
