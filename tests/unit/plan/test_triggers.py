"""When a Model opens a run, and why it does not."""

from typing import Any

import pytest

from tests import make
from tests.unit.plan import worlds
from trimtab.api.meta import Annotation
from trimtab.plan import model
from trimtab.plan.intent import Object, Plan

HOUR = 3600.0
DRIFT: Object = {"triggers": [{"name": "drift", "type": "Drift", "drift": {"severity": "Moderate"}}], "cooldown": "24h"}
CHAMPION = make.version(1)
DRIFTING = (make.drifting(CHAMPION, since=1800),)
FRESH = make.looked(digest=make.FEBRUARY, since=600)
"""Other data than the champion's, looked at after the drift was seen."""


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


BEFORE = {"specDigest": make.spec_digest(make.model(training={"data": {"datasetRef": {"name": "flights"}}, "seed": 9}))}
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


UNCHANGED = make.looked(digest=make.JANUARY, since=600)
STALE = make.looked(digest=make.FEBRUARY, since=7200)
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


def test_the_cooldown_ends_to_the_second() -> None:
    last = make.run(stage="Succeeded", cause="Drift", created=24 * HOUR)
    dataset = make.looked(digest=make.FEBRUARY, since=600)
    early = drifted(last, dataset=dataset, now=make.NOW - 1)
    assert held(early) == "CooldownActive"
    assert early.again == 1.0
    assert early.status is not None
    assert early.status["suppressed"]["message"].endswith(f"the cooldown lasts until {make.ago(0)}")
    assert opened(drifted(last, dataset=dataset, now=make.NOW)) == "Drift"


def test_the_cooldown_outlives_the_run_that_began_it() -> None:
    remembered = {
        "specDigest": make.spec_digest(make.model()),
        "lastTrigger": {"type": "Drift", "time": make.ago(HOUR), "trainingJob": "gone"},
    }
    assert held(drifted(status=remembered)) == "CooldownActive"


def test_a_cooldown_of_nothing_holds_nothing_back() -> None:
    last = make.run(stage="Succeeded", cause="Drift", created=1)
    assert opened(drifted(last, retraining={**DRIFT, "cooldown": "0s"})) == "Drift"


def test_neither_the_first_run_nor_a_changed_spec_starts_or_minds_a_cooldown() -> None:
    first = own(stage="Succeeded", cause="Initial", created=HOUR)
    assert opened(drifted(first)) == "Drift"
    last = make.run(stage="Succeeded", cause="Drift", created=HOUR, opened_by=make.model(task="Regression"))
    assert opened(drifted(last, status=BEFORE)) == "SpecChanged"


def test_a_trigger_has_the_data_looked_at_before_anything_is_said_of_them() -> None:
    plan = drifted(dataset=STALE)
    assert plan.status is not None
    assert plan.status["lookRequestTime"] == make.ago(0)


def test_a_look_that_was_asked_for_is_not_asked_for_again() -> None:
    asked = {"specDigest": make.spec_digest(make.model()), "lookRequestTime": make.ago(60)}
    plan = drifted(dataset=STALE, status=asked)
    assert plan.status is not None
    assert plan.status["lookRequestTime"] == make.ago(60)


def test_unchanged_data_are_looked_at_again_an_hour_after_the_last_look_and_not_before() -> None:
    long_ago = (make.drifting(CHAMPION, since=3 * HOUR),)
    early = drifted(dataset=make.looked(digest=make.JANUARY, since=HOUR - 100), deployments=long_ago)
    assert early.status is not None
    assert "lookRequestTime" not in early.status
    assert early.again == 100.0
    due = drifted(dataset=make.looked(digest=make.JANUARY, since=HOUR), deployments=long_ago)
    assert due.status is not None
    assert due.status["lookRequestTime"] == make.ago(0)


@pytest.mark.parametrize("dataset", [make.looked(valid=False, since=HOUR), make.looked(readable=False, since=HOUR)])
def test_bad_data_that_hold_a_run_back_are_looked_at_again_hourly(dataset: Object) -> None:
    plan = planned(dataset=dataset)
    assert plan.status is not None
    assert plan.status["lookRequestTime"] == make.ago(0)


def test_unchanged_data_start_no_cooldown_and_other_data_open_the_run_at_once() -> None:
    unchanged = drifted(dataset=UNCHANGED)
    assert unchanged.status is not None
    assert "lastTrigger" not in unchanged.status
    assert opened(drifted(dataset=FRESH, status=dict(unchanged.status))) == "Drift"


def test_data_that_changed_under_a_run_are_looked_at_at_once() -> None:
    failure = {"stage": "Fetching", "reason": "DataChanged", "message": "other data"}
    failed = own(stage="Failed", data=make.FEBRUARY, ended=60, failure=failure)
    plan = planned(failed, dataset=make.looked(digest=make.FEBRUARY, since=600))
    assert held(plan) == "LastRunFailed"
    assert plan.status is not None
    assert plan.status["lookRequestTime"] == make.ago(0)
    looked_since = planned(failed, dataset=make.looked(digest=make.FEBRUARY, since=30))
    assert looked_since.status is not None
    assert "lookRequestTime" not in looked_since.status


def test_a_failed_run_that_retention_removed_is_remembered() -> None:
    remembered = {
        "specDigest": make.spec_digest(make.model()),
        "lastTrigger": {
            "type": "Initial",
            "time": make.ago(500),
            "trainingJob": "gone",
            "specDigest": make.spec_digest(make.model()),
            "dataDigest": make.FEBRUARY,
        },
        "conditions": [make.condition("Trained", "False", "RunFailed", "TrainingJob gone failed: no luck")],
    }
    plan = planned(status=remembered, retention={"runs": {"failed": 0}})
    assert (opened(plan), held(plan)) == (None, "LastRunFailed")
    assert opened(planned(status=remembered, dataset=make.looked(digest=make.JANUARY))) == "Initial"


def test_a_run_that_was_deleted_before_it_ended_is_opened_again() -> None:
    remembered = {
        "lastTrigger": {"type": "Initial", "time": make.ago(500), "trainingJob": "gone"},
        "conditions": [make.condition("Trained", "Unknown", "Running")],
    }
    assert opened(planned(status=remembered)) == "Initial"


def test_the_run_says_what_it_was_opened_for() -> None:
    run = drifted().children[0].obj
    assert run["metadata"]["annotations"] == {
        Annotation.INPUTS: make.spec_digest(make.model()),
        Annotation.TRIGGER: "drift",
    }
    assert run["spec"]["modelRef"] == {"name": "late"}
    assert run["metadata"]["ownerReferences"][0]["uid"] == "uid-of-Model-late"


def test_the_status_remembers_the_run_and_the_event_tells_it_once() -> None:
    seen = model.Observed(make.model(), (), (), (), FRESH, make.DEFAULTS)
    plan = model.plan(seen, make.NOW)
    assert plan.status is not None
    last = plan.status["lastTrigger"]
    assert (last["type"], last["dataDigest"], last["time"]) == ("Initial", make.FEBRUARY, make.ago(0))
    assert [notice.reason for notice in plan.notices] == ["Initial"]
    end, later = worlds.settled("Model", seen)
    assert later.notices == ()
    assert end.model["status"]["lastTrigger"] == last


def test_a_run_that_is_held_back_keeps_the_time_since_when() -> None:
    plan = drifted(retraining=modes("Observe"))
    assert plan.status is not None
    later = drifted(retraining=modes("Observe"), status=dict(plan.status), now=make.NOW + 500)
    assert later.status is not None
    assert later.status["suppressed"]["since"] == plan.status["suppressed"]["since"] == make.ago(0)
    assert later.notices == ()
