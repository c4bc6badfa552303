"""The loop: what is heard rings whom it concerns, and a pass makes nothing for what is going."""

import asyncio
from typing import Any, cast

import pytest

from tests import make
from trimtab.api.conditions import ConditionType as Type
from trimtab.controller.apply import Applier
from trimtab.controller.cache import Cache
from trimtab.controller.client import Client
from trimtab.controller.loop import Loop
from trimtab.controller.observe import World
from trimtab.controller.resources import WATCHED
from trimtab.controller.settings import Settings
from trimtab.controller.slim import references, slim
from trimtab.plan import conditions
from trimtab.plan.intent import Object, Plan

MODEL = make.model()
ONE, TWO = make.version(1, status={"usedBy": [{"kind": "ModelDeployment", "name": "asks"}]}), make.version(2)
SERVES = make.deployment(status={"versions": [make.served(TWO)]})
SERVICE = make.obj("Service", "late", {}, owner=SERVES, api_version="v1")


class Applied(list[tuple[Object, Plan]]):
    """Keeps what was to be applied."""

    async def apply(self, parent: Object, plan: Plan, now: float) -> float | None:
        self.append((parent, plan))
        return plan.again


def loop(*objects: Object) -> tuple[Loop, Applied]:
    cache, applied = Cache(WATCHED, slim, references), Applied()
    for given in objects:
        cache.put(given)
    world = World(cache, cast(Client, None), make.DEFAULTS, lambda _: None)
    return Loop(world, cast(Applier, applied), Settings(), ()), applied


def waiting(given: Loop) -> set[str]:
    return {f"{kind}/{name}" for kind, _, name in given.queue._dirty}


def newer(given: Object, **changes: Any) -> Object:
    return {**given, **changes, "metadata": {**given["metadata"], "resourceVersion": "2"}}


def test_what_is_known_already_rings_nobody() -> None:
    seen, _ = loop(MODEL, ONE, TWO, SERVES)
    seen.heard("MODIFIED", MODEL)
    assert waiting(seen) == set()
    seen.heard(None, MODEL)
    assert waiting(seen) == set()


def test_a_deletion_rings_those_who_cared() -> None:
    seen, _ = loop(MODEL, ONE, TWO, SERVES)
    seen.heard("DELETED", newer(TWO))
    assert waiting(seen) == {"ModelVersion/late-2", "Model/late", "ModelDeployment/late"}


def test_a_change_rings_those_who_were_referred_to_before_too() -> None:
    pinned = make.deployment("asks", modelRef={"name": "late", "version": 1})
    seen, _ = loop(pinned, ONE, TWO)
    seen.heard("MODIFIED", newer(pinned, spec={"modelRef": {"name": "other-model", "version": 3}}))
    assert waiting(seen) == {
        "ModelDeployment/asks",
        "Model/late",
        "ModelVersion/late-1",
        "Model/other-model",
        "ModelVersion/other-model-3",
    }


def test_a_child_that_somebody_deleted_rings_its_owner() -> None:
    seen, _ = loop(MODEL, SERVES, SERVICE)
    seen.heard("DELETED", SERVICE)
    assert waiting(seen) == {"ModelDeployment/late"}


# ---------------------------------------------------------------- a pass


def passed(given: Object, *others: Object) -> tuple[str, Applied]:
    """The result of one pass over an object, and what was applied."""
    seen, applied = loop(given, *others)
    key = given["kind"], given["metadata"]["namespace"], given["metadata"]["name"]
    return asyncio.run(seen._pass(key)), applied


def test_a_pass_observes_plans_and_applies() -> None:
    result, applied = passed(make.version(1, made_here=False), MODEL)
    assert result == "success"
    ((parent, plan),) = applied
    assert (parent["metadata"]["name"], plan.status is not None) == ("late-1", True)


@pytest.mark.parametrize(
    "given", [MODEL, make.dataset(), SERVES, make.run(), ONE], ids=lambda given: str(given["kind"])
)
def test_nothing_is_made_for_what_is_being_deleted(given: Object) -> None:
    going = {**given, "metadata": {**given["metadata"], "deletionTimestamp": make.ago(1)}}
    assert passed(going) == ("success", [])


def test_nothing_is_made_for_what_is_gone() -> None:
    seen, applied = loop()
    assert asyncio.run(seen._pass(("Model", "team", "late"))) == "success"
    assert applied == []


def test_an_object_that_this_release_cannot_read_is_left_alone_and_says_so() -> None:
    result, applied = passed(make.deployment(replicas="many"))
    assert result == "success"
    ((_, plan),) = applied
    assert (plan.children, plan.unwanted) == ((), ())
    assert plan.status is not None
    ready = conditions.find(plan.status, Type.READY)
    assert ready is not None
    assert (ready["reason"], ready["message"].split(":")[0]) == ("InvalidSpec", "spec.replicas")


def test_an_object_that_wants_another_look_gets_one() -> None:
    result, _ = passed(make.deployment())
    assert result == "requeue_after"
