"""A Model whose champion drifts while newer data lie ready, to be changed by a test, and what its plans open or hold back."""

from typing import Any

from tests import make
from trimtab.plan import model
from trimtab.plan.intent import Object, Plan

HOUR = 3600.0
DRIFT: Object = {"triggers": [{"name": "drift", "type": "Drift", "drift": {"severity": "Moderate"}}], "cooldown": "24h"}
CHAMPION = make.version(1)
DRIFTING = (make.drifting(CHAMPION, since=1800),)
FRESH = make.looked(digest=make.FEBRUARY, since=600)
"""Other data than the champion's, looked at after the drift was seen."""


UNCHANGED = make.looked(digest=make.JANUARY, since=600)
STALE = make.looked(digest=make.FEBRUARY, since=7200)
BEFORE = {"specDigest": make.spec_digest(make.model(task="Regression", metrics=["r2"]))}
"""What a status remembers of a spec that was another one."""


def planned(
    *runs: Object,
    versions: tuple[Object, ...] = (),
    deployments: tuple[Object, ...] = (),
    dataset: Object | None = FRESH,
    status: Object | None = None,
    now: float = make.NOW,
    **spec: Any,
) -> Plan:
    parent = make.model(status=status, **spec)
    return model.plan(model.Observed(parent, versions, runs, deployments, dataset, make.DEFAULTS), now)


def drifted(*runs: Object, **changes: Any) -> Plan:
    """The plan of a Model whose champion drifts, with newer data there."""
    given: dict[str, Any] = {
        "versions": (CHAMPION,),
        "deployments": DRIFTING,
        "retraining": DRIFT,
        "status": {"specDigest": make.spec_digest(make.model())},
    }
    return planned(*runs, **{**given, **changes})


def opened(plan: Plan) -> str | None:
    """Why a run was opened."""
    return str(plan.children[0].obj["spec"]["trigger"]["type"]) if plan.children else None


def held(plan: Plan) -> str | None:
    assert plan.status is not None
    reason: str | None = plan.status.get("suppressed", {}).get("reason")
    return reason


def own(name: str = "r", **more: Any) -> Object:
    """A run that the Model opened for the spec as it is."""
    return make.run(name, opened_by=make.model(), **more)


def modes(mode: str) -> Object:
    return {**DRIFT, "mode": mode}
