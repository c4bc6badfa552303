"""What becomes of a plan whose writes are refused: the answers of an API server that a real one gives only in a race."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from tests import make
from trimtab.api.reasons import CommonReason
from trimtab.controller.apply import Applier
from trimtab.controller.cache import Cache
from trimtab.controller.client import ApiError, Client
from trimtab.controller.recorder import Recorder
from trimtab.controller.resources import WATCHED, Resource
from trimtab.controller.slim import references, slim
from trimtab.plan import naming, serving
from trimtab.plan.intent import Child, NewVersion, Object, Patch, Plan, Unwanted

PARENT = make.deployment(status={"observedGeneration": 1, "conditions": []})
SERVICE = serving.service(PARENT, "late-v1-0")


class Answers:
    """Objects by kind and name, and one answer to every write, or to those of one kind: an error, or what was written."""

    def __init__(self, *objects: Object, error: ApiError | None = None, refuses: str | None = None) -> None:
        self.objects = {(given["kind"], given["metadata"]["name"]): given for given in objects}
        self.error, self.refuses, self.writes = error, refuses, list[str]()

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        return copy.deepcopy(self.objects.get((resource.kind, name)))

    async def listed(self, resource: Resource, namespace: str) -> AsyncIterator[Object]:
        for (kind, _), given in self.objects.items():
            if kind == resource.kind:
                yield copy.deepcopy(given)

    async def apply(
        self, resource: Resource, obj: Object, *, field_manager: str, subresource: str | None = None
    ) -> Object:
        return self._written("apply", obj)

    async def create(self, resource: Resource, obj: Object, *, field_manager: str) -> Object:
        if (obj["kind"], obj["metadata"].get("name")) in self.objects:
            raise ApiError(409, "AlreadyExists", "it exists")
        return self._written("create", obj)

    async def merge(
        self, resource: Resource, namespace: str, name: str, patch: Object, *, field_manager: str
    ) -> Object:
        return self._written("merge", {"kind": resource.kind, "metadata": {"name": name, **patch["metadata"]}})

    async def delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        self.writes.append(f"delete {resource.kind}/{name}")

    def _written(self, verb: str, obj: Object) -> Object:
        self.writes.append(f"{verb} {obj['kind']}/{obj['metadata']['name']}")
        if self.error is not None and self.refuses in (None, obj["kind"]):
            raise self.error
        written: Object = json.loads(json.dumps(obj))
        written["metadata"].setdefault("uid", f"uid-of-{obj['kind']}-{obj['metadata']['name']}")
        written["metadata"]["resourceVersion"] = str(100 + len(self.writes))
        self.objects[obj["kind"], obj["metadata"]["name"]] = written
        return written


class Scene:
    """An Applier before such a server, with a cache that knows the parent and what else is given."""

    def __init__(self, server: Answers, *known: Object) -> None:
        self.server, self.rung = server, list[Any]()
        self.cache = Cache(WATCHED, slim, references)
        for given in (PARENT, *known):
            self.cache.put(given)
        client = cast(Client, server)
        self.applier = Applier(client, self.cache, Recorder(client, "test"), self.rung.append)

    def apply(self, plan: Plan, now: float = make.NOW, parent: Object = PARENT) -> float | None:
        return asyncio.run(self.applier.apply(parent, plan, now))

    def told(self) -> list[tuple[str, str]]:
        """Conditions that are True or False in the status that was written."""
        status = self.server.objects["ModelDeployment", "late"]["status"]
        return [(entry["type"], entry["reason"]) for entry in status["conditions"]]


def have(uid: str = "uid-of-Service-late", **changes: Any) -> Object:
    """The Service as it is, changed by somebody."""
    meta = {**SERVICE["metadata"], "uid": uid, "resourceVersion": "7"}
    return {**SERVICE, "metadata": meta, "spec": {**SERVICE["spec"], "selector": {"theirs": "x"}}, **changes}


def intent(child: Object = SERVICE) -> Plan:
    return Plan(children=(Child(child),), status={"observedGeneration": 1, "conditions": []})


def test_what_is_settled_is_not_written() -> None:
    scene = Scene(Answers())
    scene.apply(intent())
    writes = list(scene.server.writes)
    assert writes == ["apply Service/late"]
    scene.apply(intent())
    assert scene.server.writes == writes


def test_a_child_whose_name_nobody_else_has_is_written_without_a_look() -> None:
    policy = serving.network_policy(PARENT, make.DEFAULTS)
    looks = list[str]()

    class Looked(Answers):
        async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
            looks.append(name)
            return await super().get(resource, namespace, name)

    scene = Scene(Looked())
    scene.apply(Plan(children=(Child(policy, private=True), Child(SERVICE))))
    assert looks == ["late"]
    assert sorted(scene.server.writes) == [f"apply NetworkPolicy/{policy['metadata']['name']}", "apply Service/late"]


def test_an_edited_child_is_applied_with_its_uid() -> None:
    scene = Scene(Answers(have()), have())
    scene.apply(intent())
    assert scene.server.objects["Service", "late"]["metadata"]["uid"] == "uid-of-Service-late"
    assert scene.server.objects["Service", "late"]["spec"]["selector"] == SERVICE["spec"]["selector"]


@pytest.mark.parametrize("status", [404, 409])
def test_a_child_that_is_gone_is_forgotten_and_looked_at_again(status: int) -> None:
    scene = Scene(Answers(error=ApiError(status, "Conflict", "gone")), have())
    with pytest.raises(ApiError):
        scene.apply(intent())
    assert scene.cache.get("Service", "team", "late") is None


@pytest.mark.parametrize("status", [409, 422])
def test_a_child_that_another_one_replaced_is_forgotten_too(status: int) -> None:
    scene = Scene(Answers(have("another"), error=ApiError(status, "Invalid", "uid")), have())
    with pytest.raises(ApiError):
        scene.apply(intent())
    assert scene.cache.by_uid("uid-of-Service-late") is None


def test_a_conflict_that_passes_costs_no_memory_of_the_child() -> None:
    """Else its tombstone would keep every later word of it out, and the Deployment would be invisible for good."""
    scene = Scene(Answers(have(), error=ApiError(409, "Conflict", "try again")), have())
    with pytest.raises(ApiError):
        scene.apply(intent())
    assert scene.cache.get("Service", "team", "late") is not None


@pytest.mark.parametrize("status", [401, 408, 429, 500, 503])
def test_what_is_the_servers_own_trouble_is_tried_again(status: int) -> None:
    scene = Scene(Answers(error=ApiError(status, "Unknown", "later")))
    with pytest.raises(ApiError):
        scene.apply(intent())


@pytest.mark.parametrize("status", [400, 403, 422])
def test_what_the_server_refuses_is_told_in_its_words(status: int) -> None:
    scene = Scene(
        Answers(have(), error=ApiError(status, "Forbidden", "exceeded quota: none"), refuses="Service"), have()
    )
    assert scene.apply(intent()) == 60.0
    assert ("Stalled", str(CommonReason.CHILD_REFUSED)) in scene.told()
    assert "exceeded quota: none" in str(scene.server.objects["ModelDeployment", "late"]["status"])


def owned_by(parent: Object | None) -> Object:
    """A Service of the child's name with this controller."""
    owners = [naming.owner(parent)] if parent is not None else []
    return have(metadata={**SERVICE["metadata"], "uid": "x", "ownerReferences": owners})


STRANGERS: dict[str, tuple[Object, str, float]] = {
    "nobody": (owned_by(None), "NameTaken", 300.0),
    "another object": (owned_by(make.model()), "NameTaken", 300.0),
    "its namesake that was deleted": (owned_by(make.deployment(uid="old")), "OldObjectLeaving", 2.0),
}


@pytest.mark.parametrize("whose", STRANGERS)
def test_a_child_of_somebody_else_is_left_alone_told_and_not_remembered(whose: str) -> None:
    given, reason, again = STRANGERS[whose]
    scene = Scene(Answers(given))
    assert scene.apply(intent()) == again
    assert scene.server.writes == ["apply ModelDeployment/late"]
    assert reason in {told for _, told in scene.told()}
    assert scene.cache.get("Service", "team", "late") is None, "its deletion would not be heard"


def test_five_identical_rewrites_in_ten_minutes_are_enough() -> None:
    scene = Scene(Answers(have(), have()))
    for number in range(6):
        edited = have(
            metadata={**SERVICE["metadata"], "uid": "uid-of-Service-late", "resourceVersion": str(1000 + number)}
        )
        edited["metadata"]["managedFields"] = [{"manager": "meddler"}, {"manager": "trimtab"}]
        scene.server.objects["Service", "late"] = edited
        scene.cache.put(edited)
        again = scene.apply(intent(), make.NOW + number)
    assert scene.server.writes.count("apply Service/late") == 5
    assert again == 600.0
    assert ("Stalled", "WritesContested") in scene.told()
    assert "field managers beside trimtab: meddler." in str(scene.server.objects["ModelDeployment", "late"]["status"])


def test_five_identical_patches_in_ten_minutes_are_enough() -> None:
    """Another controller that takes each of them back, as a queue might, begins no war."""
    scene = Scene(Answers(have(), have()))
    scene.cache.put(have())
    patch = Patch("Service", "team", "late", "uid-of-Service-late", {"spec": {"suspend": True}})
    plan = Plan(patches=(patch,), status={"observedGeneration": 1, "conditions": []})
    answers = [scene.apply(plan, make.NOW + number) for number in range(6)]
    assert scene.server.writes.count("merge Service/late") == 5
    assert answers == [None] * 5 + [600.0]
    assert ("Stalled", "WritesContested") in scene.told()
    other = Patch("Service", "team", "late", "uid-of-Service-late", {"spec": {"suspend": False}})
    scene.apply(Plan(patches=(other,)), make.NOW + 6)
    scene.apply(plan, make.NOW + 600)
    assert scene.server.writes.count("merge Service/late") == 7


def test_a_patch_of_what_is_gone_is_no_war() -> None:
    scene = Scene(Answers(error=ApiError(409, "Conflict", "uid")))
    patch = Patch("Service", "team", "late", "uid-of-Service-late", {"spec": {"suspend": True}})
    assert [scene.apply(Plan(patches=(patch,)), make.NOW + number) for number in range(9)] == [None] * 9


def test_a_child_made_once_is_never_written_again() -> None:
    scene = Scene(Answers(have()), have())
    scene.apply(Plan(children=(Child(SERVICE, once=True),)))
    assert scene.server.writes == []


def test_nothing_follows_an_input_that_was_refused() -> None:
    taken = make.config("job", "{}")
    job = {**SERVICE, "kind": "Job", "apiVersion": "batch/v1"}
    config = {**SERVICE, "kind": "ConfigMap", "apiVersion": "v1", "metadata": {**SERVICE["metadata"], "name": "job"}}
    scene = Scene(Answers(taken))
    scene.apply(Plan(children=(Child(config, once=True), Child(job, once=True)), status={"conditions": []}))
    assert scene.server.writes == ["apply ModelDeployment/late"]


def test_a_status_that_meets_a_conflict_is_tried_again_and_one_without_an_object_is_not() -> None:
    status = Plan(status={"observedGeneration": 9, "conditions": []})
    with pytest.raises(ApiError):
        Scene(Answers(error=ApiError(409, "Conflict", "later"))).apply(status)
    assert Scene(Answers(error=ApiError(404, "NotFound", "gone"))).apply(status) is None


def test_a_status_that_says_the_same_is_not_written() -> None:
    scene = Scene(Answers())
    scene.apply(Plan(status=dict(PARENT["status"])))
    assert scene.server.writes == []


def test_what_shall_go_goes_by_its_uid() -> None:
    scene = Scene(Answers())
    scene.apply(Plan(unwanted=(Unwanted("Job", "team", "old", "u"),)))
    assert scene.server.writes == ["delete Job/old"]


# ---------------------------------------------------------------- numbers of versions

RUN = {"trainingJob": {"name": "run", "uid": "the-run"}}


def new(uid: str = "the-run") -> Plan:
    return Plan(version=NewVersion("late", "team", uid, {"lineage": RUN}))


def test_a_version_gets_the_number_after_the_highest_of_its_model() -> None:
    scene = Scene(Answers(make.version(2), make.version(9), make.version(70, model="other")))
    scene.apply(new())
    assert scene.server.writes == ["create ModelVersion/late-10"]
    assert ("ModelVersion", "team", "late-10") in scene.rung, "whose echo from the watch is no news"


def test_a_number_that_somebody_took_in_between_is_left_to_him() -> None:
    taken = make.version(2)
    taken["spec"]["modelRef"]["name"] = "misnamed"
    scene = Scene(Answers(make.version(1), taken))
    scene.apply(new())
    assert scene.server.writes == ["create ModelVersion/late-3"]


def test_a_run_gets_one_version_however_often_it_is_asked_for() -> None:
    scene = Scene(Answers(make.version(4, lineage=RUN)))
    scene.apply(new())
    assert scene.server.writes == []
    assert scene.cache.get("ModelVersion", "team", "late-4") is not None
