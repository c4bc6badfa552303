"""What cannot serve: it is told, given up or tried again, and what served serves on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests import make
from tests.unit.plan import worlds
from tests.unit.plan.rollouts import (
    MISMATCH,
    ONE,
    TWO,
    UNREADABLE,
    broken,
    champion,
    changed,
    following,
    is_one,
    made,
    names,
    observed,
    of,
    plan,
    points_at,
    serving,
    told,
)
from trimtab.api.conditions import ConditionType as Type
from trimtab.plan.modeldeployment import Observed

REFUSED: dict[str, tuple[Observed, tuple[str, str]]] = {
    "a Model that is not there": (observed(model=None), ("False", "ModelNotFound")),
    "a Model without a champion": (observed(model=champion(None)), ("False", "NoChampion")),
    "a version that is not there": (
        observed(make.deployment(modelRef={"name": "late", "version": 9})),
        ("False", "VersionNotFound"),
    ),
    "a version that is quarantined": (
        observed(
            make.deployment(modelRef={"name": "late", "version": 1}),
            versions=(make.version(1, status={"quarantined": {"reason": "LoadFailed"}}),),
        ),
        ("False", "VersionQuarantined"),
    ),
    "a version for a server of the user's own": (
        observed(versions=(make.version(1, format="Custom"),)),
        ("False", "InvalidSpec"),
    ),
    "a joblib file that was brought": (
        observed(versions=(make.version(1, made_here=False, format="Joblib"),)),
        ("False", "PickleRefused"),
    ),
    "XGBoost on the slim server": (
        observed(make.deployment(server={"flavor": "Slim"}), versions=(make.version(1, format="XGBoost"),)),
        ("False", "InvalidSpec"),
    ),
    "skops on the slim server": (
        observed(make.deployment(server={"flavor": "Slim"}), versions=(make.version(1, format="Skops"),)),
        ("False", "InvalidSpec"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_is_made_for(case: str) -> None:
    seen, expected = REFUSED[case]
    found = plan(seen)
    assert (told(found), found.children, found.unwanted) == (expected, (), ())
    assert told(found, Type.ROLLOUT_SUCCEEDED) == ("Unknown", expected[1])


def test_a_joblib_file_that_a_run_of_ours_published_was_allowed_then() -> None:
    assert plan(observed(versions=(make.version(1, format="Joblib"),))).children


def test_a_joblib_file_that_was_brought_needs_the_models_word() -> None:
    training = {**make.model()["spec"]["training"], "allowPickle": True}
    allowed = make.model(training=training, status={"champion": make.identity(ONE)})
    seen = observed(model=allowed, versions=(make.version(1, made_here=False, format="Joblib"),))
    assert '"allowPickle":true' in str(plan(seen).children[2].obj).replace("'", '"')


@pytest.mark.parametrize("gone", ["the Model", "the champion", "the version"])
def test_what_serves_goes_on_and_stays_ready_without(gone: str) -> None:
    seen = serving()
    changes: dict[str, dict[str, Any]] = {
        "the Model": {"model": None},
        "the champion": {"model": champion(None)},
        "the version": {"versions": ()},
    }
    found = plan(replace(seen, **changes[gone]))
    assert (told(found), found.children, found.unwanted) == (("True", "Serving"), (), ())
    assert found.status is not None
    assert [entry["digest"] for entry in found.status["versions"]] == [make.digest(1)]


def test_a_pinned_version_that_was_deleted_while_it_served_is_missed_and_serves_on() -> None:
    seen = serving(make.deployment(modelRef={"name": "late", "version": 1}))
    found = plan(replace(seen, versions=(TWO,)))
    assert (told(found), told(found, Type.AVAILABLE)) == (("False", "VersionNotFound"), ("True", "ReplicasAvailable"))
    assert found.unwanted == ()


def test_a_pinned_version_minds_no_champion() -> None:
    seen = serving(make.deployment(modelRef={"name": "late", "version": 1}))
    assert worlds.settled("ModelDeployment", following(seen, TWO))[0].children == seen.children


@pytest.mark.parametrize("message", [MISMATCH, '{"reason": "LoadFailed", "message": "no graph"}'])
def test_a_version_that_no_waiting_heals_is_rejected_and_what_served_serves_on(message: str) -> None:
    seen = broken(made(following(serving(), TWO), ok=is_one), 2, message)
    end, last = worlds.settled("ModelDeployment", seen)
    assert (names(end), points_at(end)) == (["v1"], "v1")
    assert (told(last), told(last, Type.ROLLOUT_SUCCEEDED)) == (("True", "Serving"), ("False", "VersionRejected"))
    rejected = end.deployment["status"]["rejected"]
    assert [(entry["version"], entry["digest"]) for entry in rejected] == [(2, make.digest(2))]


def test_a_rejection_is_told_once() -> None:
    seen = broken(made(following(serving(), TWO), ok=is_one), 2, MISMATCH)
    first = plan(seen)
    assert [(n.type, n.reason, n.message) for n in first.notices] == [("Warning", "DigestMismatch", "other bytes")]
    assert plan(worlds.after("ModelDeployment", seen, first)).notices == ()


def test_a_rejected_version_is_not_tried_again_and_another_digest_under_its_number_is() -> None:
    seen = broken(made(following(serving(), TWO), ok=is_one), 2, MISMATCH)
    end, _ = worlds.settled("ModelDeployment", seen)
    assert names(made(end, passes=3)) == ["v1"]
    again = make.version(2)
    again["spec"]["artifact"]["digest"] = make.digest(77)
    end = made(replace(following(end, again), versions=(ONE, again)), passes=4)
    assert (names(end), points_at(end)) == (["v2"], "v2")


def test_what_serves_is_scaled_while_a_candidate_is_rejected() -> None:
    seen = broken(made(following(serving(), TWO), ok=is_one), 2, MISMATCH)
    end, _ = worlds.settled("ModelDeployment", seen)
    end, _ = worlds.settled("ModelDeployment", changed(end, replicas=4))
    assert of(1, end)["spec"]["replicas"] == 4


def test_alone_a_broken_version_goes_on_being_tried_and_is_told() -> None:
    seen = broken(made(observed(), ok=lambda _: False), 1, MISMATCH)
    end, last = worlds.settled("ModelDeployment", seen)
    assert (names(end), told(last)) == (["v1"], ("False", "DigestMismatch"))
    assert [entry["version"] for entry in end.deployment["status"]["rejected"]] == [1]
    healed = worlds.settled("ModelDeployment", replace(made(end), pods={}))[1]
    assert told(healed) == ("True", "Serving")
    assert healed.status is not None
    assert "rejected" not in healed.status


TROUBLE: dict[str, tuple[Callable[[Observed], Observed], tuple[str, str]]] = {
    "a store that does not answer": (lambda seen: broken(seen, 1, UNREADABLE), ("False", "ArtifactUnreadable")),
    "a server that ends": (
        lambda seen: broken(seen, 1, "Segmentation fault", "server"),
        ("False", "ReplicasUnavailable"),
    ),
    "an image that cannot be pulled": (
        lambda seen: replace(
            seen, pods={of(1, seen)["metadata"]["uid"]: (make.pod(init=(make.waiting("fetch", "ErrImagePull"),)),)}
        ),
        ("False", "ChildNotStarting"),
    ),
    "a quota": (
        lambda seen: replace(
            seen,
            children=tuple(
                {**child, "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "quota"}]}}
                for child in seen.children
            ),
        ),
        ("False", "ChildRefused"),
    ),
}


@pytest.mark.parametrize("case", TROUBLE)
def test_what_may_heal_is_told_and_not_rejected(case: str) -> None:
    trouble, expected = TROUBLE[case]
    found = plan(trouble(made(observed(), ok=lambda _: False)))
    assert (told(found), told(found, Type.ROLLOUT_SUCCEEDED)) == (expected, ("False", expected[1]))
    assert found.status is not None
    assert "rejected" not in found.status
    assert found.again == 30.0


def test_a_container_that_ran_out_of_memory_says_which_limit_to_raise() -> None:
    killed = make.waiting("server", "CrashLoopBackOff", "", **make.ended("server", 137, "", "OOMKilled")["state"])
    seen = made(observed(), ok=lambda _: False)
    seen = replace(seen, pods={of(1, seen)["metadata"]["uid"]: (make.pod(main=(killed,)),)})
    status = plan(seen, make.NOW + 5).status
    assert status is not None
    assert "raise server.resources.limits.memory" in str(status["conditions"])


def test_a_pod_that_was_evicted_says_why() -> None:
    pod = make.pod(phase="Failed", reason="Evicted")
    pod["status"]["message"] = "Pod ephemeral local storage usage exceeds the total limit of containers 10Gi."
    seen = made(observed(), ok=lambda _: False)
    seen = replace(seen, pods={of(1, seen)["metadata"]["uid"]: (pod,)})
    status = plan(seen, make.NOW + 5).status
    assert status is not None
    assert "exceeds the total limit of containers 10Gi: raise server.resources.limits" in str(status["conditions"])


def test_a_pod_in_the_place_of_an_evicted_one_is_heard_first() -> None:
    evicted = make.pod("a", phase="Failed", reason="Evicted")
    seen = made(observed(), ok=lambda _: False)
    blocked = make.pod("b", init=(make.waiting("fetch", "ImagePullBackOff", "no such host"),), phase="Pending")
    seen = replace(seen, pods={of(1, seen)["metadata"]["uid"]: (evicted, blocked)})
    assert told(plan(seen, make.NOW + 5)) == ("False", "ChildNotStarting")


def test_pods_that_answer_or_are_leaving_are_no_trouble() -> None:
    seen = serving()
    uid = of(1, seen)["metadata"]["uid"]
    dead = make.ended("fetch", 1, MISMATCH)
    leaving = make.pod("leaving", init=(dead,), deletionTimestamp=make.ago(1))
    again = make.pod(
        "again", main=({**make.running("server"), "lastState": make.ended("server", 137)["state"]},), ready=True
    )
    assert told(plan(replace(seen, pods={uid: (leaving, again)}))) == ("True", "Serving")


def test_at_most_fifty_rejections_are_remembered_and_the_newest_stay() -> None:
    old = [{"digest": make.digest(number), "reason": "LoadFailed"} for number in range(100, 150)]
    seen = made(observed(), ok=lambda _: False)
    seen = replace(seen, deployment={**seen.deployment, "status": {"observedGeneration": 1, "rejected": old}})
    found = plan(broken(seen, 1, MISMATCH))
    assert found.status is not None
    assert len(found.status["rejected"]) == 50
    assert (found.status["rejected"][0], found.status["rejected"][-1]["version"]) == (old[1], 1)
