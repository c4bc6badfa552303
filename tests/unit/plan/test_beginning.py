"""What a run waits for, which run goes first, and what it is given once."""

from dataclasses import replace

import pytest

from tests import make
from tests.unit.plan.runs import config, observed, plan, resolved, stage, told
from trimtab.plan import trainingjob
from trimtab.plan.intent import Object, Plan

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
