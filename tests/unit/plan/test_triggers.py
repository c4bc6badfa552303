"""When a Model opens a run, and why it does not."""

import pytest

from tests import make
from tests.unit.plan.wishes import (
    BEFORE,
    CHAMPION,
    DRIFT,
    DRIFTING,
    FRESH,
    HOUR,
    STALE,
    UNCHANGED,
    drifted,
    held,
    modes,
    opened,
    own,
    planned,
)
from trimtab.plan.intent import Plan

RUNS: dict[str, tuple[Plan, str | None]] = {
    "a Model with no version and no run opens one": (planned(), "Initial"),
    "versions of an earlier Model of the name are taken up": (planned(versions=(CHAMPION,)), None),
    "a run by hand is a run": (planned(make.run()), None),
    "a changed spec opens a run": (planned(own(stage="Succeeded"), status=BEFORE, task="Regression"), "SpecChanged"),
    "a spec that was changed and changed back is a change": (
        planned(
            own("first", stage="Succeeded", created=900),
            make.run("second", opened_by=make.model(task="Regression"), stage="Succeeded", created=500),
            status={"specDigest": make.spec_digest(make.model(task="Regression"))},
        ),
        "SpecChanged",
    ),
    "a changed spec opens one run and not two": (planned(own(stage="Succeeded"), status=BEFORE), None),
    "changed gates open no run": (
        planned(
            own(stage="Succeeded"),
            status={"specDigest": make.spec_digest(make.model())},
            gates=[{"name": "q", "type": "Bound", "bound": {"metric": "brier", "atMost": 1}}],
        ),
        None,
    ),
    "a changed spec opens a run with retraining disabled": (
        planned(own(stage="Succeeded"), status=BEFORE, task="Regression", retraining={"mode": "Disabled"}),
        "SpecChanged",
    ),
    "a suspended Model opens none": (planned(suspend=True), None),
    "drift opens a run": (drifted(), "Drift"),
    "drift with retraining disabled opens none": (drifted(retraining=modes("Disabled")), None),
    "milder drift than the trigger names opens none": (
        drifted(deployments=(make.drifting(CHAMPION, severity="Minor"),)),
        None,
    ),
    "worse drift than the trigger names opens one": (
        drifted(deployments=(make.drifting(CHAMPION, severity="Major"),)),
        "Drift",
    ),
    "drift of a version that is not champion opens none": (
        drifted(versions=(CHAMPION, make.version(2)), deployments=DRIFTING),
        None,
    ),
    "drift without a champion opens none": (drifted(versions=(make.version(1, verdicts={"q": "Failed"}),)), None),
    "any trigger of several is enough": (
        drifted(
            deployments=(make.drifting(CHAMPION, severity="Minor"),),
            retraining={
                "triggers": [*DRIFT["triggers"], {"name": "any", "type": "Drift", "drift": {"severity": "Minor"}}]
            },
        ),
        "Drift",
    ),
    "a failed run is repeated once the data are other ones": (
        planned(own(stage="Failed", data=make.JANUARY), status={"specDigest": make.spec_digest(make.model())}),
        "Initial",
    ),
    "a failed run by hand is not repeated": (planned(make.run(stage="Failed")), None),
    "a failed run that was followed by a good one is not repeated": (
        planned(own("old", stage="Failed", created=900), make.run("by-hand", stage="Succeeded", created=100)),
        None,
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_run_is_opened(case: str) -> None:
    plan, cause = RUNS[case]
    assert opened(plan) == cause


GUARDS: dict[str, tuple[Plan, str]] = {
    "another run that has not ended": (drifted(make.run(stage="Training")), "RunActive"),
    "the cooldown": (drifted(make.run(stage="Succeeded", cause="Drift", created=HOUR)), "CooldownActive"),
    "a Dataset that is not there": (planned(dataset=None), "DatasetNotFound"),
    "data that nobody has looked at": (planned(dataset=make.dataset()), "Looking"),
    "data that were not looked at since the drift": (drifted(dataset=STALE), "Looking"),
    "data that were looked at with another spec": (
        planned(dataset={**FRESH, "spec": {**FRESH["spec"], "format": "CSV"}}),
        "Looking",
    ),
    "data that break an expectation": (planned(dataset=make.looked(valid=False)), "DataQualityBlocked"),
    "data that cannot be read": (planned(dataset=make.looked(readable=False)), "DataQualityBlocked"),
    "production values that are missing": (
        drifted(deployments=(make.drifting(CHAMPION, quality="False"),)),
        "DataQualityBlocked",
    ),
    "the champion's own data": (drifted(dataset=UNCHANGED), "DataUnchanged"),
    "data of a run that lost at the gate": (drifted(own(stage="Succeeded", data=make.FEBRUARY)), "DataUnchanged"),
    "data on which the same spec failed": (drifted(own(stage="Failed", data=make.FEBRUARY)), "LastRunFailed"),
    "data on which the first run failed": (planned(own(stage="Failed", data=make.FEBRUARY)), "LastRunFailed"),
    "mode Recommend": (drifted(retraining=modes("Recommend")), "Recommended"),
    "mode Observe": (drifted(retraining=modes("Observe")), "Observed"),
}


@pytest.mark.parametrize("case", GUARDS)
def test_a_run_is_held_back_by(case: str) -> None:
    plan, reason = GUARDS[case]
    assert (opened(plan), held(plan)) == (None, reason)
    assert (reason, plan.notices[-1].type) in {(notice.reason, "Normal") for notice in plan.notices}


IN_ORDER = [
    "RunActive",
    "CooldownActive",
    "Looking",
    "DataQualityBlocked",
    "DataUnchanged",
    "LastRunFailed",
    "Recommended",
]


@pytest.mark.parametrize("first", range(len(IN_ORDER)), ids=IN_ORDER)
def test_of_several_guards_the_first_is_told(first: int) -> None:
    """Each line is what its guard looks for, and all lines from the first one on hold at once."""
    holds = [reason in IN_ORDER[first:] for reason in IN_ORDER]
    active, cooldown, looking, quality, unchanged, failed, recommended = holds
    digest, long_ago = make.JANUARY if unchanged else make.FEBRUARY, 30 * HOUR
    runs = [own("failed", stage="Failed", cause="Drift", data=digest, created=long_ago)] if failed else []
    runs += [make.run("active", stage="Training")] if active else []
    runs += [make.run("last", stage="Succeeded", cause="Drift", created=HOUR)] if cooldown else []
    plan = drifted(
        *runs,
        dataset=make.looked(digest=digest, since=7200 if looking else 600, valid=not quality),
        retraining=modes("Recommend" if recommended else "Automatic"),
    )
    assert held(plan) == IN_ORDER[first]
