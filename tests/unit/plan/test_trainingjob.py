"""When a run begins, how far it is, and what becomes of it."""

from dataclasses import replace
from typing import Any

import pytest

from tests import make
from tests.unit.plan import worlds
from trimtab.api.conditions import ConditionType as Type
from trimtab.api.trainingjob import TrainingJob
from trimtab.api.wire import Run
from trimtab.plan import conditions, inputs, trainingjob
from trimtab.plan.inputs import Observed
from trimtab.plan.intent import Object, Plan
from trimtab.plan.jobs import RUN_FILE, JobView

RESOLVED: dict[str, Any] = {"model": make.model(), "dataset": make.looked(since=60)}
PUBLISHED = {
    "uri": "s3://models/late/x/manifest.json",
    "digest": make.digest(9),
    "format": "ONNX",
    "bytes": 10,
    "rows": 5,
    "dataDigest": make.JANUARY,
    "metrics": [{"name": "roc_auc", "value": 0.7}],
}


def observed(run: Object | None = None, **given: Any) -> Observed:
    """A run of a Model and a Dataset that are as they should be, unless something else is given."""
    nothing = {"validation": None, "config": None, "view": None, "version": None, "champion": None, "siblings": ()}
    return Observed(run=run or make.run(), defaults=make.DEFAULTS, **{**nothing, **RESOLVED, **given})


def plan(run: Object | None = None, now: float = make.NOW, **given: Any) -> Plan:
    return trainingjob.plan(observed(run, **given), now)


def config(run: Object | None = None, **given: Any) -> Object:
    """The ConfigMap that a run was resolved to."""
    seen = observed(run, **given)
    return make.config("run-inputs", inputs.resolve(seen, TrainingJob.model_validate(seen.run).spec).to_json())


def follow(view: JobView, run: Object | None = None, **given: Any) -> Plan:
    return plan(run, view=view, config=config(), **given)


def told(plan: Plan, kind: Type = Type.READY) -> tuple[str, str]:
    assert plan.status is not None
    entry = conditions.find(plan.status, kind)
    assert entry is not None
    return entry["status"], entry["reason"]


def stage(plan: Plan) -> str:
    assert plan.status is not None
    return str(plan.status["stage"])


def resolved(plan: Plan) -> Run:
    return Run.from_json(plan.children[0].obj["data"][RUN_FILE])


# ---------------------------------------------------------------- before it begins

HELD_OUT = {"data": {"datasetRef": {"name": "flights"}}, "estimator": {"name": "Ridge"}} | {
    "validation": {"type": "Dataset", "dataset": {"datasetRef": {"name": "held-out"}}}
}
ON_TWO = make.model(training=HELD_OUT)
WAITS: dict[str, tuple[Plan, str, tuple[str, str]]] = {
    "a Model": (plan(model=None), "Pending", ("False", "ModelNotFound")),
    "a Model before anything else": (plan(model=None, dataset=None), "Pending", ("False", "ModelNotFound")),
    "a store": (plan(model=make.model(store=None)), "Pending", ("False", "StoreMissing")),
    "a Dataset": (plan(dataset=None), "Pending", ("False", "DatasetNotFound")),
    "a look at the Dataset": (plan(dataset=make.dataset()), "Pending", ("False", "Looking")),
    "a look not much older than itself": (plan(dataset=make.looked(since=181)), "Pending", ("False", "Looking")),
    "a look at the Dataset as it is": (
        plan(dataset={**make.looked(since=60), "spec": make.dataset(format="CSV")["spec"]}),
        "Pending",
        ("False", "Looking"),
    ),
    "data that can be read": (
        plan(dataset=make.looked(since=60, readable=False)),
        "Pending",
        ("False", "DataUnreadable"),
    ),
    "data that hold what is expected": (
        plan(dataset=make.looked(since=60, valid=False)),
        "Pending",
        ("False", "DataInvalid"),
    ),
    "the Dataset that is held out": (plan(model=ON_TWO), "Pending", ("False", "DatasetNotFound")),
    "a look at the Dataset that is held out": (
        plan(model=ON_TWO, validation=make.dataset()),
        "Pending",
        ("False", "Looking"),
    ),
    "held-out data that hold what is expected": (
        plan(model=ON_TWO, validation=make.looked(since=60, valid=False)),
        "Pending",
        ("False", "DataInvalid"),
    ),
    "its user": (plan(make.run(suspend=True)), "Pending", ("True", "Suspended")),
}


@pytest.mark.parametrize("case", WAITS)
def test_a_run_waits_for(case: str) -> None:
    found, where, ready = WAITS[case]
    assert (stage(found), told(found), found.children, found.version) == (where, ready, (), None)


def test_a_look_a_minute_older_than_the_run_precedes_it() -> None:
    assert [child.kind for child in plan(dataset=make.looked(since=180)).children] == ["ConfigMap", "Job"]


def test_without_a_store_of_its_own_a_model_has_the_operators_claim() -> None:
    settings = replace(make.DEFAULTS, store_claim="models")
    seen = replace(observed(model=make.model(store=None)), defaults=settings)
    run = resolved(trainingjob.plan(seen, make.NOW))
    assert run.job is not None
    assert run.job.store.uri == "pvc://models/models"


BEGUN = make.run("begun", stage="Training", created=60)
QUEUE: dict[str, tuple[tuple[Object, ...], str | None]] = {
    "alone": ((), None),
    "a run that began goes first, though it is younger": ((BEGUN,), "begun"),
    "a run that was created earlier goes first": ((make.run("earlier", created=121),), "earlier"),
    "of two created at once the first by name goes first": ((make.run("a-run", created=120),), "a-run"),
    "a run that was created later waits": ((make.run("later", created=119),), None),
    "a run that ended holds nobody up": ((make.run("ended", stage="Succeeded", created=999),), None),
    "a suspended run that has not begun holds nobody up": ((make.run("s", suspend=True, created=999),), None),
    "a run whose data are missing holds nobody up": (
        (make.run("w", created=999, status={"conditions": [make.condition("Ready", "False", "DatasetNotFound")]}),),
        None,
    ),
    "a run that is queued itself goes first": (
        (make.run("q", created=999, status={"conditions": [make.condition("Ready", "False", "Queued")]}),),
        "q",
    ),
    "itself is not in its own way": ((make.run(),), None),
    "the one that began goes before the one created first": ((make.run("earlier", created=121), BEGUN), "begun"),
}


@pytest.mark.parametrize("case", QUEUE)
def test_one_run_at_a_time(case: str) -> None:
    siblings, first = QUEUE[case]
    found = plan(siblings=siblings)
    if first is None:
        assert [child.kind for child in found.children] == ["ConfigMap", "Job"]
    else:
        assert (stage(found), told(found), found.children) == ("Queued", ("False", "Queued"), ())
        assert found.status is not None
        assert f"TrainingJob {first} " in str(found.status["conditions"])


def test_whoever_is_asked_the_same_one_goes_first() -> None:
    """Of three runs that wait, one begins, in whatever order the others are listed."""
    runs = [make.run(name, created=created) for name, created in (("b", 50), ("a", 50), ("c", 40))]
    begins = [run["metadata"]["name"] for run in runs if plan(run, siblings=tuple(reversed(runs))).children]
    assert begins == ["a"]


# ---------------------------------------------------------------- what it is given


def test_a_run_is_resolved_once_and_what_changes_then_does_not_reach_it() -> None:
    first = plan()
    changed = make.model(training={"data": {"datasetRef": {"name": "flights"}}, "estimator": {"name": "Other"}})
    again = plan(config=config(), model=changed, dataset=None)
    assert again.children == first.children
    gone = plan(config=config(), model=None)
    assert gone.children == first.children


def test_a_run_overrides_its_model() -> None:
    own = {"data": {"datasetRef": {"name": "flights"}}, "estimator": {"name": "Ridge"}, "seed": 5}
    run = resolved(plan(make.run(training=own, gates=[], store={"uri": "pvc://mine"})))
    assert run.job is not None
    assert run.job.training.estimator is not None
    assert (run.job.training.estimator.name, run.job.training.seed) == ("Ridge", 5)
    assert (run.job.gates, run.job.store.uri) == ((), "pvc://mine")


def test_an_empty_list_of_gates_is_none_and_no_list_is_the_models() -> None:
    gates = [{"name": "q", "type": "Bound", "bound": {"metric": "brier", "atMost": 0.3}}]
    models, none = plan(model=make.model(gates=gates)), plan(make.run(gates=[]), model=make.model(gates=gates))
    assert [len(run.job.gates) for run in (resolved(models), resolved(none)) if run.job] == [1, 0]


def test_the_champion_comes_by_its_digest_and_its_twins_time() -> None:
    champion = make.version(7)
    champion["spec"]["lineage"]["twinTrainedUntil"] = "2013-01-25T00:00:00Z"
    run = resolved(plan(champion=champion))
    assert run.job is not None
    assert run.job.champion is not None
    told = run.job.champion
    assert (told.version, told.name, told.digest) == (7, "late-7", make.digest(7))
    assert (told.location.uri, told.twin_trained_until) == ("s3://models/late/7/manifest.json", "2013-01-25T00:00:00Z")


def test_metrics_are_those_the_model_names() -> None:
    run = resolved(plan(model=make.model(metrics=["log_loss"])))
    assert run.job is not None
    assert run.job.metrics == ("log_loss",)


def test_a_run_expects_the_data_that_were_looked_at() -> None:
    run = resolved(plan(dataset=make.looked(since=60, digest=make.FEBRUARY)))
    assert run.job is not None
    assert run.job.expected_digest == make.FEBRUARY


def test_the_inputs_are_there_before_the_job() -> None:
    assert [(child.kind, child.once) for child in plan().children] == [("ConfigMap", True), ("Job", True)]


@pytest.mark.parametrize("content", ['{"schema": 1, "name"', '{"schema": 2}', "[]"])
def test_inputs_that_cannot_be_read_any_more_begin_nothing_and_are_named(content: str) -> None:
    found = plan(config=make.config("run-inputs", content))
    assert (told(found), found.children) == (("False", "InvalidSpec"), ())
    assert "ConfigMap run-inputs" in str(found.status)


# ---------------------------------------------------------------- while it runs


def at(*ended: str, now: str | None = None, phase: str = "Running") -> JobView:
    """A run whose first steps ended and whose next one runs."""
    steps = [make.ended(step) for step in ended]
    steps += [make.running(now)] if now else []
    steps += [make.waiting(step) for step in ("fetch", "train", "evaluate", "publish")[len(steps) :]]
    return make.view("job", make.pod(init=tuple(steps[:3]), main=tuple(steps[3:]), phase=phase))


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


def test_a_running_run_is_suspended_through_its_job_and_resumed_again() -> None:
    run = make.run(suspend=True)
    found = follow(at(now="fetch"), run)
    assert [(patch.kind, patch.body) for patch in found.patches] == [("Job", {"spec": {"suspend": True}})]
    assert (told(found), stage(found)) == (("True", "Suspended"), "Pending")
    assert follow(make.view("job", suspend=True), run).patches == ()
    resumed = follow(make.view("job", suspend=True))
    assert [patch.body for patch in resumed.patches] == [{"spec": {"suspend": False}}]


def test_a_run_that_ended_is_not_suspended() -> None:
    found = follow(well(), make.run(suspend=True))
    assert (found.patches, found.version is not None) == ((), True)


# ---------------------------------------------------------------- a good end


def well(message: str | None = None, since: float = 40) -> JobView:
    said = make.report("publish", published=PUBLISHED) if message is None else message
    steps = tuple(make.ended(step) for step in ("fetch", "train", "evaluate"))
    pod = make.pod(init=steps, main=(make.ended("publish", 0, said),), phase="Succeeded")
    return make.view("job", pod, end="Complete", since=since)


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
