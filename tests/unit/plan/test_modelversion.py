"""Whether a version was seen whole, who uses it, and when it is its own fault that it cannot serve."""

from typing import Any

import pytest

from tests import make
from tests.unit.plan import worlds
from trimtab.api.conditions import ConditionType as Type
from trimtab.plan import conditions, modelversion
from trimtab.plan.intent import Object, Plan

BROUGHT = make.version(1, made_here=False)


def plan(version: Object | None = None, *deployments: Object, model: Object | None = None) -> Plan:
    return modelversion.plan(modelversion.Observed(version or make.version(1), model, deployments), make.NOW)


def told(plan: Plan, kind: Type) -> tuple[str, str]:
    assert plan.status is not None
    entry = conditions.find(plan.status, kind)
    assert entry is not None
    return entry["status"], entry["reason"]


def serves(name: str = "one", **status: Any) -> Object:
    return make.deployment(name, status={"versions": [make.served(make.version(1))], "readyReplicas": 1, **status})


def rejects(reason: str, number: int = 1) -> Object:
    entry = {"digest": make.digest(number), "reason": reason, "message": "other bytes"}
    return make.deployment("one", status={"rejected": [entry]})


VERIFIED: dict[str, tuple[Plan, tuple[str, str]]] = {
    "one that a run of ours made": (plan(), ("True", "Published")),
    "one that was brought and never served": (plan(BROUGHT), ("Unknown", "NotLoadedYet")),
    "one that was brought and serves": (plan(BROUGHT, serves()), ("True", "Loaded")),
    "one that was brought and whose pods do not answer": (
        plan(BROUGHT, serves(readyReplicas=0)),
        ("Unknown", "NotLoadedYet"),
    ),
    "one that was brought and served once": (
        plan({**BROUGHT, "status": {"conditions": [make.condition("Verified", "True", "Loaded")]}}),
        ("True", "Loaded"),
    ),
    "one with a wrong digest": (plan(make.version(1), rejects("DigestMismatch")), ("False", "DigestMismatch")),
    "one that does not load": (plan(make.version(1), rejects("LoadFailed")), ("False", "LoadFailed")),
    "another one's fault": (plan(make.version(1), rejects("LoadFailed", 2)), ("True", "Published")),
    "a deployment's own trouble": (plan(make.version(1), rejects("ArtifactUnreadable")), ("True", "Published")),
}


@pytest.mark.parametrize("case", VERIFIED)
def test_verified_says_of(case: str) -> None:
    found, expected = VERIFIED[case]
    assert told(found, Type.VERIFIED) == expected


def test_a_version_at_fault_itself_is_quarantined_for_good() -> None:
    seen = modelversion.Observed(make.version(1), None, (rejects("DigestMismatch"),))
    first = modelversion.plan(seen, make.NOW)
    assert first.status is not None
    assert first.status["quarantined"] == {
        "reason": "DigestMismatch",
        "time": make.ago(0),
        "message": "ModelDeployment one: other bytes",
    }
    assert (told(first, Type.READY), [notice.reason for notice in first.notices]) == (
        ("False", "Quarantined"),
        ["Quarantined"],
    )
    after = worlds.after("ModelVersion", seen, first)
    later = modelversion.plan(modelversion.Observed(after.version, None, ()), make.NOW + 9999)
    assert (later.status, later.notices) == (first.status, ())


def users(found: Plan) -> list[tuple[str, str]]:
    assert found.status is not None
    return [(user["kind"], user["name"]) for user in found.status.get("usedBy", ())]


USERS: dict[str, tuple[Plan, list[tuple[str, str]]]] = {
    "nobody": (plan(), []),
    "its Model, as champion": (
        plan(model=make.model(status={"champion": make.identity(make.version(1))})),
        [("Model", "late")],
    ),
    "its Model, as its pin": (plan(model=make.model(champion={"version": 1})), [("Model", "late")]),
    "a Model of another champion": (plan(model=make.model(status={"champion": make.identity(make.version(2))})), []),
    "a Model that is being deleted": (
        plan(model=make.model(champion={"version": 1}, deletionTimestamp=make.ago(1))),
        [],
    ),
    "a deployment that serves it": (plan(None, serves()), [("ModelDeployment", "one")]),
    "a deployment that keeps it as its fallback": (
        plan(None, make.deployment(status={"versions": [make.served(make.version(1), "Previous")]})),
        [("ModelDeployment", "late")],
    ),
    "a deployment that asks for it": (
        plan(None, make.deployment(modelRef={"name": "late", "version": 1})),
        [("ModelDeployment", "late")],
    ),
    "a deployment that is being deleted": (
        plan(None, make.deployment(modelRef={"name": "late", "version": 1}, deletionTimestamp=make.ago(1))),
        [],
    ),
    "several, sorted": (
        plan(None, serves("two"), serves("one"), model=make.model(champion={"version": 1})),
        [("Model", "late"), ("ModelDeployment", "one"), ("ModelDeployment", "two")],
    ),
}


@pytest.mark.parametrize("case", USERS)
def test_a_version_is_used_by(case: str) -> None:
    found, expected = USERS[case]
    assert users(found) == expected


def test_of_many_users_a_hundred_are_named() -> None:
    assert len(users(plan(None, *[serves(f"d{number}") for number in range(150)]))) == 100
