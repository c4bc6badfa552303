"""The dashboard of all deployments."""

from manifests.dashboards.expressions import failing, requests, seconds, told
from manifests.dashboards.panels import Panel, Query, Variable, dashboard, number

NAMESPACES = Variable("namespace", "label_values(trimtab_condition, namespace)", many=True)
FLEET = 'namespace=~"$namespace"'


def board() -> str:
    """All deployments, with what asks for somebody."""
    drifting, faulty = told("trimtab_drifting", FLEET), told("trimtab_data_quality_faulty", FLEET)
    stable = f'max by (namespace, deployment) (trimtab_deployment_version_info{{{FLEET}, role="Stable"}})'
    wrong = (
        f'trimtab_condition{{{FLEET}, status="False", type!~"InDistribution|DataQuality"}}'
        f' or trimtab_condition{{{FLEET}, status="True", type="Stalled"}}'
    )
    return dashboard(
        "trimtab-fleet",
        "Trimtab / Fleet",
        "All model deployments: which drift, which fail, which wait for somebody.",
        [NAMESPACES],
        [
            number("Deployments that serve", f"count({stable})", steps=()),
            number("Drifting", f"sum({drifting})"),
            number("Asked with bad data", f"sum({faulty})"),
            number(
                "Without a replica",
                such('kind="ModelDeployment", type="Available", status="False", reason!="ScaledToZero"'),
                "Those that have never served included.",
            ),
            number("Trainings that failed", such('kind="Model", type="Trained", status="False"')),
            number("Waiting for somebody", such('type="Stalled", status="True"'), "Stalled, any kind."),
            Panel(
                "Deployments",
                [
                    Query(told("trimtab_drift_severity", FLEET), column="Drift"),
                    Query(told("trimtab_drifted_features", FLEET), column="Drifted columns"),
                    Query(faulty, column="Bad data"),
                    Query(requests(FLEET), column="Requests/s"),
                    Query(failing(FLEET), column="Failing"),
                    Query(seconds(0.99, FLEET), column="p99, s"),
                ],
                "Drift: 0 none, 1 Minor, 2 Moderate, 3 Major; empty while unknown.",
                kind="table",
                width=24,
                height=9,
            ),
            Panel("Requests per second", [Query(requests(FLEET, by="namespace, deployment"))], unit="reqps"),
            Panel(
                "Requests that fail",
                [Query(failing(FLEET, "namespace, deployment"))],
                unit="percentunit",
                steps=(0.01,),
            ),
            Panel(
                "Severity of drift",
                [Query(told("trimtab_drift_severity", FLEET))],
                "1 Minor, 2 Moderate, 3 Major.",
                top=3,
            ),
            Panel(
                "Conditions that are not well",
                [Query(f"max by (namespace, kind, name, type, reason) ({wrong})")],
                kind="table",
                width=12,
                height=9,
            ),
            Panel(
                "Trainings held back",
                [Query(told("trimtab_retrain_suppressed", FLEET, "namespace, model, reason"))],
                "A training that is wanted and not begun; status.suppressed of the Model says what is missing.",
                kind="table",
                width=6,
                height=9,
            ),
            Panel(
                "Trainings begun per day",
                [Query(f"sum by (reason) (increase(trimtab_retrain_triggers_total{{{FLEET}}}[1d]))", "{{reason}}")],
                width=6,
                height=9,
            ),
        ],
    )


def such(select: str) -> str:
    """How many objects have such a condition."""
    return f"count(max by (namespace, kind, name) (trimtab_condition{{{FLEET}, {select}}}))"
