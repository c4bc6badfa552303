"""What a Model removes by itself, and what it never does."""

from typing import Any

import pytest

from tests import make
from tests.unit.plan import worlds
from trimtab.plan import model
from trimtab.plan.intent import Object

V = make.version


def removed(
    *versions: Object,
    deployments: tuple[Object, ...] = (),
    runs: tuple[Object, ...] = (),
    live: bool = True,
    **spec: Any,
) -> list[str]:
    """Names of what goes, as decided on what the API server says now."""
    parent = make.model(uid="m", **{"retention": {"versions": 1}, **spec})
    seen = model.Observed(parent, versions, runs, deployments, make.looked(), make.DEFAULTS, live=live)
    return sorted(gone.name for gone in model.plan(seen, make.NOW).unwanted)


def ended(name: str, stage: str, created: float) -> Object:
    return make.run(name, stage=stage, created=created, owner=make.model(uid="m"))


SERVED = make.deployment(status={"versions": [make.served(V(1))]})
FALLBACK = make.deployment(status={"versions": [make.served(V(3)), make.served(V(1), "Previous")]})
CASES: dict[str, tuple[list[str], list[str]]] = {
    "the newest ones stay": (removed(V(1), V(2), V(3)), ["late-1", "late-2"]),
    "no more than are allowed is nothing to remove": (removed(V(1), V(2), retention={"versions": 2}), []),
    "the champion stays": (removed(V(1), V(2, verdicts={"q": "Failed"}), V(3, verdicts={"q": "Failed"})), ["late-2"]),
    "the pinned version stays": (removed(V(1), V(2), V(3), champion={"version": 2}), ["late-1"]),
    "a version that serves stays": (removed(V(1), V(2), V(3), deployments=(SERVED,)), ["late-2"]),
    "the fallback of one that serves stays": (removed(V(1), V(2), V(3), deployments=(FALLBACK,)), ["late-2"]),
    "a version that a deployment asks for stays": (
        removed(V(1), V(2), V(3), deployments=(make.deployment(modelRef={"name": "late", "version": 2}),)),
        ["late-1"],
    ),
    "versions that a user brought stay and do not count": (
        removed(V(1, made_here=False), V(2), V(3, made_here=False), V(4)),
        ["late-2"],
    ),
    "the highest number stays, whoever made it": (removed(V(1), V(2), V(9, made_here=False)), ["late-1"]),
    "what the cache says removes nothing": (removed(V(1), V(2), V(3), live=False), []),
    "of ended runs the newest stay, well or not": (
        removed(
            runs=(
                ended("s1", "Succeeded", 500),
                ended("s2", "Succeeded", 400),
                ended("f1", "Failed", 300),
                ended("f2", "Failed", 200),
            ),
            retention={"runs": {"succeeded": 1, "failed": 0}},
        ),
        ["f1", "f2", "s1"],
    ),
    "a run that has not ended stays": (
        removed(runs=(ended("r", "Training", 500),), retention={"runs": {"succeeded": 0, "failed": 0}}),
        [],
    ),
    "a run that a person created stays": (
        removed(runs=(make.run("by-hand", stage="Failed"),), retention={"runs": {"failed": 0}}),
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_goes(case: str) -> None:
    gone, expected = CASES[case]
    assert gone == expected


def test_only_what_would_remove_something_is_read_live() -> None:
    many = (V(1), V(2), V(3))
    seen = model.Observed(make.model(), many[:2], (), (), None, make.DEFAULTS)
    assert not model.needs_live(seen)
    seen = model.Observed(make.model(retention={"versions": 1}), many, (), (), None, make.DEFAULTS)
    assert model.needs_live(seen)
    end, _ = worlds.settled("Model", seen)
    assert [version["metadata"]["name"] for version in end.versions] == ["late-3"]


def test_the_very_object_is_removed_and_told() -> None:
    seen = model.Observed(
        make.model(retention={"versions": 1}), (V(1, uid="x-1"), V(2)), (), (), None, make.DEFAULTS, live=True
    )
    plan = model.plan(seen, make.NOW)
    assert [(gone.kind, gone.name, gone.uid) for gone in plan.unwanted] == [("ModelVersion", "late-1", "x-1")]
    assert ("VersionRemoved", "ModelVersion late-1 is removed by retention") in {
        (n.reason, n.message) for n in plan.notices
    }
