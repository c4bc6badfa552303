"""A Model's champion, its status, and who owns its versions."""

from typing import Any

import pytest

from tests import make
from tests.unit.plan import worlds
from trimtab.api.conditions import ConditionType as Type
from trimtab.plan import conditions, model
from trimtab.plan.intent import Object, Plan

V = make.version


def observed(parent: Object | None = None, *versions: Object, **given: Any) -> model.Observed:
    nothing: dict[str, Any] = {"runs": (), "deployments": (), "dataset": make.looked()}
    return model.Observed(
        model=parent or make.model(), versions=versions, defaults=make.DEFAULTS, **{**nothing, **given}
    )


def plan(parent: Object | None = None, *versions: Object, **given: Any) -> Plan:
    return model.plan(observed(parent, *versions, **given), make.NOW)


def told(found: Plan, kind: Type) -> tuple[str, str]:
    assert found.status is not None
    entry = conditions.find(found.status, kind)
    assert entry is not None
    return entry["status"], entry["reason"]


def champion(found: Plan) -> int | None:
    assert found.status is not None
    number: int | None = found.status.get("champion", {}).get("version")
    return number


def was(number: int, **spec: Any) -> Object:
    """A Model whose champion was this version."""
    return make.model(status={"champion": make.identity(V(number))}, **spec)


CHAMPIONS: dict[str, tuple[Plan, int | None, tuple[str, str], tuple[str, str]]] = {
    "a new version": (plan(was(1), V(1), V(2)), 2, ("True", "Promoted"), ("True", "NoGates")),
    "a version that failed its gates": (
        plan(was(1), V(1), V(2, verdicts={"q": "Failed"})),
        1,
        ("True", "Promoted"),
        ("False", "GatesFailed"),
    ),
    "a pin that names no version": (
        plan(was(1, champion={"version": 9}), V(1), V(2)),
        1,
        ("False", "PinNotFound"),
        ("False", "PinNotFound"),
    ),
    "a pin that names no version, and no champion before": (
        plan(make.model(champion={"version": 9}), V(1)),
        None,
        ("False", "PinNotFound"),
        ("False", "PinNotFound"),
    ),
    "a suspended Model": (plan(was(1, suspend=True), V(1), V(2)), 1, ("True", "Suspended"), ("Unknown", "Suspended")),
    "a suspended Model whose champion is the newest": (
        plan(was(2, suspend=True), V(1), V(2)),
        2,
        ("True", "Suspended"),
        ("True", "NoGates"),
    ),
    "a suspended Model that never had one": (
        plan(make.model(suspend=True), V(1)),
        None,
        ("True", "Suspended"),
        ("Unknown", "Suspended"),
    ),
    "a champion that was deleted": (plan(was(2), V(1)), 1, ("True", "Promoted"), ("True", "NoGates")),
    "a champion that was quarantined": (
        plan(was(2), V(1), V(2, status={"quarantined": {"reason": "LoadFailed"}})),
        1,
        ("True", "Promoted"),
        ("False", "VersionQuarantined"),
    ),
    "no version": (plan(), None, ("True", "NoVersion"), ("Unknown", "NoVersion")),
}


@pytest.mark.parametrize("case", CHAMPIONS)
def test_the_champion_with(case: str) -> None:
    found, number, ready, promoted = CHAMPIONS[case]
    assert (champion(found), told(found, Type.READY), told(found, Type.PROMOTION_SUCCEEDED)) == (
        number,
        ready,
        promoted,
    )


NOT_READY: dict[str, tuple[Plan, tuple[str, str], Type]] = {
    "without a Dataset it waits": (plan(dataset=None), ("False", "DatasetNotFound"), Type.RECONCILING),
    "without a store it is stalled": (plan(make.model(store=None)), ("False", "StoreMissing"), Type.STALLED),
}


@pytest.mark.parametrize("case", NOT_READY)
def test_what_keeps_the_spec_from_being_in_force(case: str) -> None:
    found, ready, abnormal = NOT_READY[case]
    assert (told(found, Type.READY), told(found, abnormal)[0], found.children) == (ready, "True", ())


READY: dict[str, Plan] = {
    "a failed run": plan(None, V(1), runs=(make.run(stage="Failed"),)),
    "a failed gate": plan(None, V(1), V(2, verdicts={"q": "Failed"})),
    "drift": plan(None, V(1), deployments=(make.drifting(V(1)),)),
    "bad data": plan(dataset=make.looked(valid=False)),
}


@pytest.mark.parametrize("case", READY)
def test_what_happens_to_runs_versions_and_traffic_leaves_ready_true(case: str) -> None:
    assert told(READY[case], Type.READY)[0] == "True"


TRAINED: dict[str, tuple[Plan, tuple[str, str]]] = {
    "no run": (plan(), ("Unknown", "NoRun")),
    "a run under way": (plan(runs=(make.run(stage="Training"),)), ("Unknown", "Running")),
    "the newest run that ended well": (
        plan(runs=(make.run("old", stage="Failed", created=900), make.run("new", stage="Succeeded", created=5))),
        ("True", "VersionPublished"),
    ),
    "the newest run that failed": (
        plan(runs=(make.run("old", stage="Succeeded", created=900), make.run("new", stage="Failed", created=5))),
        ("False", "RunFailed"),
    ),
}


@pytest.mark.parametrize("case", TRAINED)
def test_trained_tells_of(case: str) -> None:
    found, expected = TRAINED[case]
    assert told(found, Type.TRAINED) == expected


@pytest.mark.parametrize(("status", "reason"), [("True", "VersionPublished"), ("False", "RunFailed")])
def test_a_run_that_retention_removed_had_its_end(status: str, reason: str) -> None:
    before = {
        "lastTrigger": {"type": "Initial", "trainingJob": "gone", "time": make.ago(500)},
        "conditions": [make.condition("Trained", status, reason, "TrainingJob gone ended")],
    }
    old = make.run("older", stage="Failed", created=900)
    assert told(plan(make.model(status=before), V(1), runs=(old,)), Type.TRAINED) == (status, reason)
    new = make.run("newer", stage="Training", created=100)
    assert told(plan(make.model(status=before), V(1), runs=(old, new)), Type.TRAINED) == ("Unknown", "Running")


def owners(seen: model.Observed) -> list[Any]:
    end, _ = worlds.settled("Model", seen)
    return [version["metadata"].get("ownerReferences") for version in end.versions]


def test_versions_get_an_owner_only_where_they_shall_go_with_the_model_and_lose_it_again() -> None:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}
    delete, retain = make.model(retention={"onDelete": "Delete"}), make.model()
    owned = model.plan(observed(delete, V(1, created=5)), make.NOW).patches[0]
    (reference,) = owned.body["metadata"]["ownerReferences"]
    assert (owned.kind, owned.name, reference["uid"], reference["controller"]) == (
        "ModelVersion",
        "late-1",
        "uid-of-Model-late",
        False,
    )
    both = {**V(1), "metadata": {**V(1)["metadata"], "ownerReferences": [other, reference]}}
    assert owners(observed(delete, both)) == [[other, reference]]
    assert owners(observed(retain, both)) == [[other]]
    assert model.plan(observed(retain, both), make.NOW).patches[0].body == {"metadata": {"ownerReferences": [other]}}
    alone = {**V(1), "metadata": {**V(1)["metadata"], "ownerReferences": [reference]}}
    assert model.plan(observed(retain, alone), make.NOW).patches[0].body == {"metadata": {"ownerReferences": None}}
    assert owners(observed(retain, alone)) == [None]


def test_the_latest_is_the_highest_number_whatever_became_of_it() -> None:
    found = plan(was(9), V(9), V(10, verdicts={"q": "Failed"}))
    assert found.status is not None
    assert found.status["latest"]["version"] == 10


def test_a_new_champion_is_told_once() -> None:
    seen = observed(was(1), V(1), V(2))
    first = model.plan(seen, make.NOW)
    assert ("Promoted", "version 2 is champion") in {(notice.reason, notice.message) for notice in first.notices}
    assert worlds.settled("Model", seen)[1].notices == ()
