"""How long a Model waits: cooldowns, looks at the data, and what it remembers of runs that are gone."""

import pytest

from tests import make
from tests.unit.plan import worlds
from tests.unit.plan.wishes import (
    BEFORE,
    CHAMPION,
    DRIFT,
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
from trimtab.api.meta import Annotation
from trimtab.plan import model
from trimtab.plan.intent import Object


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
