"""How far a run is, what stands in its way, and what becomes of it."""

import copy

import pytest

from tests import make
from tests.unit.plan import worlds
from tests.unit.plan.runs import at, config, follow, observed, plan, stage, told, well
from trimtab.api.conditions import ConditionType as Type
from trimtab.api.meta import Annotation
from trimtab.plan import conditions, trainingjob
from trimtab.plan.intent import Object
from trimtab.plan.jobs import JobView

STAGES: dict[str, tuple[JobView, str]] = {
    "no pod yet": (make.view("job", created=5), "Pending"),
    "a pod without statuses": (make.view("job", make.pod(phase="Pending")), "Fetching"),
    "fetch runs": (at(now="fetch"), "Fetching"),
    "train comes next": (at("fetch"), "Training"),
    "train runs": (at("fetch", now="train"), "Training"),
    "evaluate runs": (at("fetch", "train", now="evaluate"), "Evaluating"),
    "publish runs": (at("fetch", "train", "evaluate", now="publish"), "Publishing"),
    "a sidecar of the cluster's is no step": (
        make.view("job", make.pod(init=(make.running("mesh"), make.ended("fetch"), make.running("train")))),
        "Training",
    ),
    "the newest of two pods counts": (
        make.view(
            "job",
            make.pod("old", init=(make.ended("fetch"), make.ended("train", 1)), phase="Failed", created=90),
            make.pod("new", init=(make.running("fetch"),), created=10),
            failed=1,
        ),
        "Fetching",
    ),
}


@pytest.mark.parametrize("case", STAGES)
def test_the_stage_is_that_of_the_containers(case: str) -> None:
    view, where = STAGES[case]
    found = follow(view)
    assert (stage(found), told(found), told(found, Type.SUCCEEDED)) == (
        where,
        ("True", "Accepted"),
        ("Unknown", "Running"),
    )


def test_attempts_are_those_that_began() -> None:
    found = follow(make.view("job", make.pod(init=(make.running("fetch"),)), failed=2, active=1))
    assert found.status is not None
    assert found.status["attempts"] == 3


BLOCKS: dict[str, tuple[JobView, str, str]] = {
    "an image that cannot be pulled": (
        make.view("job", make.pod(init=(make.waiting("train", "ImagePullBackOff", "no such host"),), phase="Pending")),
        "ChildNotStarting",
        "the image 'i:1' of container train cannot be pulled: no such host",
    ),
    "a Secret that is missing": (
        make.view(
            "job",
            make.pod(
                init=(make.waiting("fetch", "CreateContainerConfigError", 'secret "s3" not found'),), phase="Pending"
            ),
        ),
        "ChildNotStarting",
        'container fetch cannot be created: secret "s3" not found',
    ),
    "a pod that fits on no node": (
        make.view("job", make.pod(phase="Pending", unscheduled="0/1 nodes are available: 1 Insufficient memory.")),
        "ChildNotStarting",
        "1 Insufficient memory",
    ),
    "a claim that is missing": (
        make.view("job", make.pod(phase="Pending", unscheduled='persistentvolumeclaim "x" not found')),
        "ChildNotStarting",
        'persistentvolumeclaim "x" not found',
    ),
    "a quota that forbids pods": (make.view("job", created=15), "ChildRefused", "has no pod"),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_a_run_that_does_not_start_says_why(case: str) -> None:
    view, reason, words = BLOCKS[case]
    found = follow(view)
    assert (told(found), found.again) == (("False", reason), 30.0)
    assert found.status is not None
    ready = conditions.find(found.status, Type.READY)
    assert ready is not None
    assert words in ready["message"]


def test_a_job_without_a_pod_is_given_a_moment() -> None:
    assert told(follow(make.view("job", created=14))) == ("True", "Accepted")


def test_a_job_that_was_just_resumed_is_given_a_moment_too() -> None:
    resumed = make.view("job", created=9999, startTime=make.ago(3), active=0)
    assert told(follow(resumed)) == ("True", "Accepted")
    assert told(follow(make.view("job", created=9999, end="Suspended", active=0))) == ("True", "Accepted")


# ---------------------------------------------------------------- suspension


SUSPENDED = str(Annotation.SUSPENDED)


def suspended(view: JobView, *, here: bool) -> JobView:
    """The Job once it was suspended, by Trimtab or by another controller."""
    job = copy.deepcopy(dict(view.job))
    job["spec"]["suspend"] = True
    job["metadata"]["annotations"] = {**job["metadata"]["annotations"], **({SUSPENDED: "true"} if here else {})}
    return JobView(job, ())


def test_a_running_run_is_suspended_through_its_job_and_resumed_again() -> None:
    run = make.run(suspend=True)
    found = follow(at(now="fetch"), run)
    assert [(patch.kind, patch.body) for patch in found.patches] == [
        ("Job", {"metadata": {"annotations": {SUSPENDED: "true"}}, "spec": {"suspend": True}})
    ]
    assert (told(found), stage(found)) == (("True", "Suspended"), "Pending")
    stopped = suspended(at(now="fetch"), here=True)
    assert follow(stopped, run).patches == ()
    resumed = follow(stopped)
    assert [patch.body for patch in resumed.patches] == [
        {"metadata": {"annotations": {SUSPENDED: None}}, "spec": {"suspend": False}}
    ]
    assert told(resumed) == ("True", "Accepted")


def test_a_job_that_another_controller_suspended_is_left_to_it_and_told() -> None:
    found = follow(suspended(make.view("job", created=9999), here=False))
    assert (found.patches, told(found), stage(found)) == ((), ("False", "JobSuspended"), "Queued")
    assert found.status is not None
    assert conditions.find(found.status, Type.RECONCILING) is not None, "there is nothing for the user to mend"
    assert follow(suspended(make.view("job"), here=False), make.run(suspend=True)).patches == ()


def test_a_mark_that_another_controller_left_behind_by_resuming_goes() -> None:
    """Else the next time that one suspends the Job, it would look like ours."""
    job = copy.deepcopy(dict(suspended(make.view("job"), here=True).job))
    job["spec"]["suspend"] = False
    assert [patch.body["metadata"] for patch in follow(JobView(job, ())).patches] == [
        {"annotations": {SUSPENDED: None}}
    ]
    assert follow(make.view("job")).patches == ()


# ---------------------------------------------------------------- nodes that are lost, and nodes without room


def ending(since: float, phase: str = "Running") -> JobView:
    """A run whose pod should have ended so many seconds ago."""
    pod = make.pod("x", init=(make.running("fetch"),), phase=phase, deletionTimestamp=make.ago(since))
    return make.view("job", {**pod, "spec": {"nodeName": "node-7"}})


def test_a_pod_that_does_not_end_is_told_five_minutes_after_its_grace_and_looked_at_then() -> None:
    early, late = follow(ending(200)), follow(ending(300))
    assert (told(early), early.again) == (("True", "Accepted"), 100.0)
    assert (told(late), late.again) == (("False", "NodeLost"), 30.0)
    assert late.status is not None
    stalled = conditions.find(late.status, Type.STALLED)
    assert stalled is not None
    assert stalled["message"] == (
        f"the run does not go on: pod x should have ended by {make.ago(300)}, and its node node-7 does not answer: "
        "delete the Node, or the pod by force"
    )
    assert told(follow(ending(9999, phase="Failed"))) == ("True", "Accepted"), "it has ended and only lingers"


LOW = "The node was low on resource: memory."


def evicted(number: int, *, own: bool = False, message: str = LOW) -> Object:
    pod = make.pod(f"p{number}", init=(make.ended("fetch"), make.running("train")), phase="Failed", reason="Evicted")
    pod["metadata"]["creationTimestamp"] = make.ago(900 - number)
    pod["status"]["message"] = message
    pod["status"]["conditions"] = [] if own else [{"type": "DisruptionTarget", "status": "True"}]
    return pod


def test_a_run_ends_when_five_of_its_pods_were_evicted() -> None:
    """A disruption costs no retry, so its Job would go on for ever."""
    now = make.pod("now", init=(make.running("fetch"),), created=5)
    going = make.view("job", *[evicted(number) for number in range(4)], now)
    assert (stage(follow(going)), follow(going).patches) == ("Fetching", ())
    found = follow(make.view("job", *[evicted(number) for number in range(5)], now))
    assert (stage(found), told(found, Type.SUCCEEDED)) == ("Failed", ("False", "Evicted"))
    assert [patch.body["spec"] for patch in found.patches] == [{"suspend": True}]
    assert found.status is not None
    message = found.status["failure"]["message"]
    assert message.startswith(f"5 pods were evicted by their nodes, the last one with: {LOW.rstrip('.')}")
    assert "training.resources.requests" in message


def test_a_pod_evicted_for_what_it_wrote_itself_says_which_limit_to_raise() -> None:
    said = "Pod ephemeral local storage usage exceeds the total limit of containers 10Gi."
    found = follow(make.view("job", evicted(1, own=True, message=said), end="Failed"))
    assert found.status is not None
    failure = found.status["failure"]
    assert (failure["reason"], failure["stage"]) == ("StorageExceeded", "Training")
    assert (
        failure["message"]
        == f"the pod was evicted: {said.rstrip('.')}: raise training.resources.limits.ephemeral-storage"
    )


def test_a_run_that_ended_is_not_suspended() -> None:
    found = follow(well(), make.run(suspend=True))
    assert (found.patches, found.version is not None) == ((), True)


# ---------------------------------------------------------------- a good end


def test_what_was_published_becomes_a_version_and_then_the_run_has_succeeded() -> None:
    seen = observed(view=well(), config=config())
    first = trainingjob.plan(seen, make.NOW)
    assert first.version is not None
    assert (first.version.model, first.version.run_uid) == ("late", "uid-of-TrainingJob-run")
    assert first.version.spec["lineage"]["dataset"] == {"name": "flights", "digest": make.JANUARY}
    assert (stage(first), first.again) == ("Publishing", 0.0)
    end, last = worlds.settled("TrainingJob", seen)
    status = end.run["status"]
    assert (status["stage"], status["modelVersionRef"], status["dataDigest"]) == (
        "Succeeded",
        {"name": "late-1"},
        make.JANUARY,
    )
    assert (status["completionTime"], status["metrics"]) == (make.ago(40), [{"name": "roc_auc", "value": 0.7}])
    assert told(last, Type.SUCCEEDED) == ("True", "Published")


def test_a_version_carries_how_its_store_is_reached_and_no_owner() -> None:
    store = {"uri": "s3://m", "endpoint": "http://10.0.0.1:7070", "credentials": {"secretRef": {"name": "s3"}}}
    new = follow(well(), model=make.model(store=store)).version
    assert new is not None
    assert "owner" not in new.spec
    assert new.owner is None
    new = plan(view=well(), config=config(model=make.model(store=store))).version
    assert new is not None
    assert new.spec["artifact"]["endpoint"] == "http://10.0.0.1:7070"
    assert new.spec["artifact"]["credentials"] == {"secretRef": {"name": "s3"}}


def test_a_version_goes_with_its_model_where_the_model_says_so() -> None:
    new = follow(well(), model=make.model(retention={"onDelete": "Delete"})).version
    assert new is not None
    assert new.owner is not None
    assert (new.owner["uid"], new.owner["controller"]) == ("uid-of-Model-late", False)


def test_a_run_without_status_whose_version_exists_has_succeeded() -> None:
    found = plan(version=make.version(3), model=None, dataset=None)
    assert (stage(found), told(found, Type.SUCCEEDED), found.children) == ("Succeeded", ("True", "Published"), ())


@pytest.mark.parametrize("where", ["Succeeded", "Failed"])
def test_a_run_that_ended_never_runs_again(where: str) -> None:
    run = make.run(stage=where, generation=2)
    gone = plan(run, view=None, config=None)
    assert (gone.children, gone.version, stage(gone)) == ((), None, where)
    assert gone.status is not None
    assert gone.status["observedGeneration"] == 2
    assert plan(run, view=well(), config=config()).version is None


def test_the_last_word_of_a_pod_may_come_after_its_jobs() -> None:
    steps = tuple(make.ended(step) for step in ("fetch", "train", "evaluate"))
    running = make.pod(init=steps, main=(make.running("publish"),))
    late = make.view("job", running, end="Complete", since=2)
    assert (stage(follow(late)), follow(late).again) == ("Publishing", 5.0)
    assert stage(plan(view=late, config=config(), now=make.NOW + 28)) == "Failed"


LOST: dict[str, tuple[JobView, Object | None]] = {
    "the pod is gone": (make.view("job", end="Complete", since=40), config()),
    "the message was lost": (well("no report"), config()),
    "the inputs are gone": (well(), None),
    "the inputs are damaged": (well(), make.config("run-inputs", "{")),
}


@pytest.mark.parametrize("case", LOST)
def test_a_result_that_is_lost_ends_the_run_and_says_what_to_do(case: str) -> None:
    view, given = LOST[case]
    found = plan(view=view, config=given)
    assert (stage(found), told(found, Type.SUCCEEDED), found.version) == ("Failed", ("False", "JobGone"), None)
    assert found.status is not None
    assert "create another TrainingJob" in found.status["failure"]["message"]


def test_a_run_whose_job_vanished_before_it_ended_begins_again_with_what_it_was_given() -> None:
    run = make.run(status={"observedGeneration": 1, "stage": "Training", "startTime": make.ago(90)})
    found = plan(run, config=config(), model=None, dataset=None)
    assert [child.kind for child in found.children] == ["ConfigMap", "Job"]
    assert found.status is not None
    assert found.status["startTime"] == make.ago(90)
