"""How long a Model waits: cooldowns, looks at the data, and what it remembers of runs that are gone."""

from typing import Any

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
from trimtab.api.conditions import ConditionType
from trimtab.api.meta import Annotation
from trimtab.api.reasons import TrainingJobReason
from trimtab.plan import conditions, model, patience
from trimtab.plan.intent import Object
from trimtab.training import failures


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


# ---------------------------------------------------------------- failures that pass by themselves

DAY = 24 * HOUR
OUTAGE = {"stage": "Publishing", "reason": "Unreachable", "message": "s3://models cannot be reached"}


def down(name: str, ended: float, reason: str = "Unreachable", **more: Any) -> Object:
    """A run for the spec as it is, on February's data, that failed so many seconds ago."""
    failure = {**OUTAGE, "reason": reason}
    return own(name, stage="Failed", data=make.FEBRUARY, ended=ended, created=ended + 60, failure=failure, **more)


def fresh(now: float = make.NOW) -> Object:
    """February's data, looked at just before `now`."""
    return make.looked(digest=make.FEBRUARY, since=make.NOW - now + 5)


@pytest.mark.parametrize("reason", sorted(patience.PASSING))
def test_a_failure_that_passes_by_itself_holds_the_next_run_back_for_an_hour(reason: str) -> None:
    early, due = planned(down("r", 3599, reason)), planned(down("r", 3600, reason))
    assert (opened(early), held(early), early.again) == (None, "LastRunFailed", 1.0)
    assert (opened(due), held(due)) == ("Initial", None)


@pytest.mark.parametrize("reason", ["EstimatorUnknown", "DataInvalid", "TrainingFailed", "TimedOut", "OutOfMemory"])
def test_a_failure_that_would_repeat_holds_the_next_run_back_for_good(reason: str) -> None:
    plan = planned(down("r", 90 * DAY, reason), dataset=fresh())
    assert (opened(plan), held(plan)) == (None, "LastRunFailed")
    assert plan.status is not None
    assert "another run is opened" not in str(plan.status)


def test_words_of_failures_that_pass_are_words_that_a_run_may_give() -> None:
    words = {reason.value for reason in TrainingJobReason} | {reason.value for reason in failures.Reason}
    assert set() < patience.PASSING < words


@pytest.mark.parametrize(("number", "hours"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (7, 24), (40, 24)])
def test_each_failure_in_a_row_doubles_the_wait_up_to_a_day(number: int, hours: int) -> None:
    runs = [down(f"r{back}", hours * HOUR - 1 + back * DAY) for back in range(number)]
    assert held(planned(*runs, dataset=fresh())) == "LastRunFailed"
    assert opened(planned(*runs, dataset=fresh(make.NOW + 1), now=make.NOW + 1)) == "Initial"


def test_the_row_begins_anew_after_a_run_that_ended_otherwise() -> None:
    other = own("other", stage="Failed", data=make.JANUARY, created=2 * DAY, ended=2 * DAY - 60, failure=OUTAGE)
    before = [down("r3", 3 * DAY), down("r4", 4 * DAY)]
    assert opened(planned(down("r1", HOUR), other, *before, dataset=fresh())) == "Initial"


def test_the_row_is_remembered_while_retention_removes_its_runs() -> None:
    """One day after the other without a store, and no failed run is kept."""
    now, status, waits = make.NOW, make.model().get("status"), list[float]()
    for _ in range(7):
        plan = planned(status=status, dataset=fresh(now), now=now)
        assert opened(plan) == "Initial"
        assert plan.status is not None
        run = down(plan.children[0].name, make.NOW - now - 60)
        ended = planned(run, status=dict(plan.status), dataset=fresh(now), now=now + 60)
        assert ended.status is not None
        status, ended_at = dict(ended.status), now + 60
        gone = planned(status=status, dataset=fresh(now), now=ended_at + 1)
        assert held(gone) == "LastRunFailed"
        wait = next(hours for hours in range(1, 48) if opens(status, ended_at + hours * HOUR))
        waits, now = [*waits, wait], ended_at + wait * HOUR
    assert waits == [1, 2, 4, 8, 16, 24, 24]


def opens(status: Object, now: float) -> bool:
    return opened(planned(status=status, dataset=fresh(now), now=now)) is not None


def test_a_run_that_follows_one_that_is_gone_has_a_name_of_its_own() -> None:
    """And so stands in the status as the last one, with its own time."""
    first = planned(dataset=fresh())
    assert first.status is not None
    name = first.children[0].name
    failed = planned(down(name, 60), status=dict(first.status), dataset=fresh())
    assert failed.status is not None
    later = make.NOW + 2 * HOUR
    again = planned(status=dict(failed.status), dataset=fresh(later), now=later)
    assert again.status is not None
    assert again.children[0].name != name
    assert again.status["lastTrigger"]["time"] == conditions.timestamp(later)
    assert [notice.reason for notice in again.notices] == ["Initial"]


def test_a_spec_whose_failed_run_is_gone_is_wanted_again_once_its_time_has_come() -> None:
    remembered = {
        "specDigest": make.spec_digest(make.model()),
        "lastTrigger": {
            "type": "SpecChanged",
            "time": make.ago(DAY),
            "trainingJob": "gone",
            "specDigest": make.spec_digest(make.model()),
            "dataDigest": make.FEBRUARY,
            "failure": {"reason": "Unreachable", "time": make.ago(HOUR)},
        },
        "conditions": [make.condition("Trained", "False", "RunFailed", "TrainingJob gone failed: no luck")],
    }
    assert held(planned(versions=(CHAMPION,), status=remembered, now=make.NOW - 1)) == "LastRunFailed"
    assert opened(planned(versions=(CHAMPION,), status=remembered)) == "SpecChanged"


def test_the_conditions_tell_when_another_run_is_opened() -> None:
    plan = planned(down("r", 600))
    assert plan.status is not None
    when = f"another run is opened at {conditions.timestamp(make.NOW + 3000)}"
    trained = conditions.find(plan.status, ConditionType.TRAINED)
    assert trained is not None
    assert trained["message"] == f"TrainingJob r failed; {when}: s3://models cannot be reached"
    assert when in plan.status["suppressed"]["message"]


def test_other_data_need_not_wait() -> None:
    failed = down("r", 60)
    assert opened(planned(failed, dataset=make.looked(digest=make.JANUARY, since=5))) == "Initial"


def test_drift_waits_too_and_nothing_is_promised_that_a_mode_forbids() -> None:
    failed = down("r", 600, cause="Drift")
    kept = {**DRIFT, "cooldown": "0s"}
    plan = drifted(failed, retraining=kept)
    assert (opened(plan), held(plan)) == (None, "LastRunFailed")
    assert opened(drifted(down("r", HOUR, cause="Drift"), retraining=kept)) == "Drift"
    recommended = drifted(failed, retraining={**kept, "mode": "Recommend"})
    assert recommended.status is not None
    assert "another run is opened" not in str(recommended.status)
