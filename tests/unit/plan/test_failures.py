"""Why a run failed: what its status and its Event say, from what the pods left behind."""

from dataclasses import replace
from typing import Any

import pytest

from tests import make
from trimtab.api.conditions import ConditionType as Type
from trimtab.api.trainingjob import TrainingJob
from trimtab.plan import conditions, inputs, trainingjob
from trimtab.plan.inputs import Observed
from trimtab.plan.intent import Object, Plan
from trimtab.plan.jobs import JobView

STEPS = ("fetch", "train", "evaluate", "publish")


def run(view: JobView) -> Plan:
    """The plan of a run whose Job failed."""
    seen = Observed(
        run=make.run(),
        model=make.model(),
        dataset=make.looked(since=60),
        validation=None,
        config=None,
        view=view,
        version=None,
        champion=None,
        siblings=(),
        defaults=make.DEFAULTS,
    )
    spec = TrainingJob.model_validate(seen.run).spec
    config = make.config("run-inputs", inputs.resolve(seen, spec).to_json())
    return trainingjob.plan(replace(seen, config=config), make.NOW)


def failed(step: str, code: int = 1, message: str = "", reason: str = "", **pod: Any) -> JobView:
    """A Job of which this step ended badly."""
    before = [make.ended(name) for name in STEPS[: STEPS.index(step)]]
    steps = (*before, make.ended(step, code, message, reason))
    return make.view(
        "job", make.pod(init=steps[:3], main=steps[3:], phase="Failed", **pod), end="Failed", failed=1, active=0
    )


def said(plan: Plan) -> tuple[str, str, str, str]:
    """Reason of the condition, and stage, reason and message of the failure."""
    assert plan.status is not None
    entry = conditions.find(plan.status, Type.SUCCEEDED)
    assert entry is not None
    assert entry["status"] == "False"
    failure: Object = plan.status["failure"]
    return entry["reason"], failure["stage"], failure["reason"], failure["message"]


REPORT = make.report("fetch", reason="NotFound", message="nothing lies at s3://b/x")
CASES: dict[str, tuple[JobView, tuple[str, str, str, str]]] = {
    "a step's own words": (
        failed("fetch", 3, REPORT),
        ("DataUnreadable", "Fetching", "NotFound", "nothing lies at s3://b/x"),
    ),
    "a word that the conditions know by another": (
        failed("evaluate", 3, make.report("evaluate", reason="PickleNotAllowed", message="joblib")),
        ("PickleRefused", "Evaluating", "PickleNotAllowed", "joblib"),
    ),
    "a word that the conditions know": (
        failed("fetch", 3, make.report("fetch", reason="DataChanged", message="other data")),
        ("DataChanged", "Fetching", "DataChanged", "other data"),
    ),
    "expectations that broke meanwhile": (
        failed("fetch", 3, make.report("fetch", reason="ExpectationsFailed", message="5 rows")),
        ("DataInvalid", "Fetching", "ExpectationsFailed", "5 rows"),
    ),
    "no model": (
        failed("evaluate", 3, make.report("evaluate", reason="NoModelWritten", message="no file")),
        ("NoModel", "Evaluating", "NoModelWritten", "no file"),
    ),
    "the end of a log": (
        failed("train", 1, "ValueError: no"),
        ("TrainingFailed", "Training", "TrainingFailed", "train ended with exit code 1"),
    ),
    "exit code 3 of a user's image": (
        failed("train", 3, "no use"),
        ("NotRetriable", "Training", "NotRetriable", "train ended with exit code 3"),
    ),
    "memory of train": (
        failed("train", 137, "", "OOMKilled"),
        (
            "OutOfMemory",
            "Training",
            "OutOfMemory",
            "train used more memory than its limit and was ended: raise training.resources.limits.memory",
        ),
    ),
    "memory of fetch": (
        failed("fetch", 137, "", "OOMKilled"),
        (
            "OutOfMemory",
            "Fetching",
            "OutOfMemory",
            "fetch used more memory than its limit and was ended: raise training.resources.limits.memory",
        ),
    ),
    "the store": (
        failed("publish", 1, ""),
        ("PublishFailed", "Publishing", "PublishFailed", "publish ended with exit code 1"),
    ),
    "a container that was ended from outside": (
        failed("train", 137),
        ("TrainingFailed", "Training", "TrainingFailed", "train ended with exit code 137"),
    ),
    "a pod that is gone": (
        make.view("job", end="Failed", message="Job has reached the specified backoff limit", failed=3, active=0),
        ("RetriesSpent", "Pending", "RetriesSpent", "Job has reached the specified backoff limit"),
    ),
    "a Job that says nothing": (
        make.view("job", end="Failed", active=0),
        ("RetriesSpent", "Pending", "RetriesSpent", "the Job failed and left no pod to read"),
    ),
    "a report whose reason is no word": (
        failed("train", 1, make.report("train", reason="not a word", message="x")),
        ("TrainingFailed", "Training", "TrainingFailed", "train ended with exit code 1"),
    ),
    "text that is nested too deeply to be JSON": (
        failed("train", 1, "[" * 4000),
        ("TrainingFailed", "Training", "TrainingFailed", "train ended with exit code 1"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_failure_tells_of(case: str) -> None:
    view, expected = CASES[case]
    found = run(view)
    assert said(found) == expected
    assert found.status is not None
    assert (found.status["stage"], found.status["completionTime"]) == ("Failed", make.ago(40))
    assert found.status["dataDigest"] == make.JANUARY
    assert [(notice.type, notice.reason) for notice in found.notices] == [("Warning", expected[2])]


def test_a_deadline_is_told_with_the_time_and_the_step_it_ended() -> None:
    steps = (make.ended("fetch"), make.running("train"))
    pod = make.pod(init=steps, phase="Failed", reason="DeadlineExceeded")
    found = run(make.view("job", pod, end="Failed", failed=1, active=0))
    assert said(found) == (
        "TimedOut",
        "Training",
        "TimedOut",
        "the attempt took longer than training.timeout (24h): raise it, or train on less",
    )


def test_the_newest_attempt_is_the_one_that_is_told() -> None:
    old = make.pod("old", init=(make.ended("fetch", 1, "old"),), phase="Failed", created=900)
    new = make.pod("new", init=(make.ended("fetch"), make.ended("train", 1, "new")), phase="Failed", created=100)
    found = run(make.view("job", old, new, end="Failed", failed=2, active=0))
    assert said(found)[3] == "train ended with exit code 1 (attempt 2)"
    assert found.status is not None
    assert (found.status["attempts"], found.status["failure"]["logTail"]) == (2, "new")


def test_a_pod_whose_last_word_comes_after_its_jobs_is_waited_for() -> None:
    found = run(make.view("job", make.pod(init=(make.running("fetch"),)), end="Failed", since=3, failed=1, active=0))
    assert found.status is not None
    assert ("failure" in found.status, found.again) == (False, 5.0)


TAILS = {
    "colours": ("\x1b[31mred\x1b[0m", "[31mred[0m"),
    "nothing but control characters": ("\x00\x01", None),
    "much text": ("x" * 9000, "x" * 1500),
    "lines": ("one\ntwo\ttabs", "one\ntwo\ttabs"),
    "marks that turn text round": ("a\u202eb", "ab"),
}


@pytest.mark.parametrize("case", TAILS)
def test_the_end_of_a_log_is_valid_bounded_and_harmless(case: str) -> None:
    text, tail = TAILS[case]
    found = run(failed("train", 1, text))
    assert found.status is not None
    assert found.status["failure"].get("logTail") == tail


def test_a_report_carries_the_end_of_its_log() -> None:
    found = run(failed("train", 1, make.report("train", reason="FitRefused", message="no", logTail="last words")))
    assert found.status is not None
    assert found.status["failure"]["logTail"] == "last words"


def test_a_user_who_writes_a_report_of_his_own_cannot_publish() -> None:
    forged = make.report("publish", published={"uri": "s3://evil", "digest": make.digest(6), "format": "Joblib"})
    pod = make.pod(
        init=(make.ended("fetch"), make.ended("train", 0, forged)), main=(make.ended("publish"),), phase="Succeeded"
    )
    found = run(make.view("job", pod, end="Complete"))
    assert found.version is None
    assert said(found)[0] == "JobGone"


def test_a_message_of_any_length_fits() -> None:
    found = run(failed("train", 1, make.report("train", reason="FitRefused", message="x" * 9000)))
    reason, stage, word, message = said(found)
    assert (reason, stage, word, len(message)) == ("TrainingFailed", "Training", "FitRefused", 2000)
