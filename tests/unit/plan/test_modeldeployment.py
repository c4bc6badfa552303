"""Rollouts: which version serves, which comes next, and what the status says of both."""

from dataclasses import replace
from typing import Any

import pytest

from tests import make
from tests.unit.plan import worlds
from tests.unit.plan.rollouts import (
    ONE,
    TWO,
    changed,
    following,
    is_one,
    made,
    names,
    observed,
    of,
    plan,
    points_at,
    ready,
    serving,
    told,
)
from trimtab.api.conditions import ConditionType as Type
from trimtab.plan import conditions, rollout
from trimtab.plan.intent import Object
from trimtab.plan.modeldeployment import Observed
from trimtab.plan.serving import SELECTED

# ---------------------------------------------------------------- first rollout


def test_first_come_a_deployment_a_service_that_points_at_it_and_a_policy() -> None:
    first = plan(observed())
    assert [child.kind for child in first.children] == ["NetworkPolicy", "Service", "Deployment"]
    assert first.children[1].obj["spec"]["selector"] == {SELECTED: first.children[2].name}
    assert (first.status, first.again) == (None, 3.0), "the first word is the last where all goes well"
    slow = plan(made(observed(), ok=lambda _: False), make.NOW + 5)
    assert told(slow) == ("False", "RollingOut")
    assert told(slow, Type.AVAILABLE) == ("False", "ReplicasUnavailable")


def test_the_first_word_waits_three_seconds_for_pods_that_come_at_once() -> None:
    young = made(observed(), ok=lambda _: False)
    assert (plan(young, make.NOW + 2).status, plan(young, make.NOW + 2).again) == (None, 3.0)
    assert plan(young, make.NOW + 3).status is not None
    assert plan(young, make.NOW - 5).status is not None, "a clock that is behind silences nobody"
    assert told(plan(serving(make.deployment(created=2)))) == ("True", "Serving")


def test_when_all_pods_answer_it_serves() -> None:
    end = plan(serving())
    assert told(end) == ("True", "Serving")
    assert told(end, Type.AVAILABLE) == ("True", "ReplicasAvailable")
    assert told(end, Type.ROLLOUT_SUCCEEDED) == ("True", "RolledOut")
    assert end.status is not None
    assert end.status["versions"] == [make.served(ONE)]
    assert end.status["address"] == {"url": "http://late.team.svc"}
    assert (end.status["replicas"], end.status["serverImage"], end.again) == (1, "trimtab-server:1", None)


def test_a_settled_deployment_is_told_of_once() -> None:
    starting = made(observed(), ok=lambda _: False)
    assert plan(starting).notices == ()
    starting = worlds.after("ModelDeployment", starting, plan(starting))
    assert [(n.reason, n.message) for n in plan(made(starting)).notices] == [("RolledOut", "late-1 serves")]
    assert plan(serving()).notices == ()


def test_a_version_that_does_not_answer_yet_has_no_weight() -> None:
    status = plan(made(observed(), ok=lambda _: False), make.NOW + 5).status
    assert status is not None
    assert [entry["weight"] for entry in status["versions"]] == [{"requested": 100, "effective": 0}]


# ---------------------------------------------------------------- the champion changes


def test_the_service_turns_only_when_all_new_pods_answer_and_the_old_go_only_after_it_was_seen_turned() -> None:
    seen = following(serving(), TWO)
    seen = made(seen, ok=is_one)
    assert (names(seen), points_at(seen)) == (["v1", "v2"], "v1")
    seen = replace(seen, children=tuple(ready(child, replicas=None if is_one(child) else 0) for child in seen.children))
    assert (points_at(worlds.after("ModelDeployment", seen, plan(seen)))) == "v1", "no pod of the new one answers"
    seen = replace(seen, children=tuple(ready(child) for child in seen.children))
    turning = plan(seen)
    assert (turning.children[1].obj["spec"]["selector"][SELECTED][:7], turning.unwanted) == ("late-v2", ())
    seen = worlds.after("ModelDeployment", seen, turning)
    assert (names(seen), points_at(seen)) == (["v1", "v2"], "v2")
    after = plan(seen)
    assert [gone.name[:7] for gone in after.unwanted] == ["late-v1"]
    assert names(worlds.after("ModelDeployment", seen, after)) == ["v2"]


def test_a_rollout_of_a_new_champion_leaves_ready_true() -> None:
    seen = made(following(serving(), TWO), ok=is_one)
    found = plan(seen)
    assert (told(found), told(found, Type.ROLLOUT_SUCCEEDED)) == (("True", "Serving"), ("Unknown", "RollingOut"))
    assert found.status is not None
    assert [entry["role"] for entry in found.status["versions"]] == ["Stable", "Candidate"]
    assert [entry["weight"]["effective"] for entry in found.status["versions"]] == [100, 0]


def test_two_of_three_pods_are_not_enough_to_turn() -> None:
    seen = made(following(serving(make.deployment(replicas=3)), TWO), ok=is_one)
    seen = replace(seen, children=tuple(ready(child, replicas=3 if is_one(child) else 2) for child in seen.children))
    assert points_at(worlds.after("ModelDeployment", seen, plan(seen))) == "v1"


def test_a_champion_that_changes_again_during_a_rollout_takes_the_place_of_the_candidate() -> None:
    three = make.version(3)
    seen = made(replace(following(serving(), TWO), versions=(ONE, TWO, three)), ok=is_one)
    seen = made(following(seen, three), ok=is_one)
    assert (names(seen), points_at(seen)) == (["v1", "v3"], "v1")


def test_a_champion_that_changes_back_leaves_what_serves_untouched() -> None:
    before = serving()
    seen = made(following(before, TWO), ok=is_one)
    seen = made(following(seen, ONE), passes=2)
    assert names(seen) == ["v1"]
    assert of(1, seen)["spec"] == of(1, before)["spec"]


def test_autoscalers_are_told_of_the_pods_that_serve_and_of_no_candidates() -> None:
    seen = serving(make.deployment(replicas=2))
    for now in (seen, made(following(seen, TWO), ok=is_one)):
        status = plan(now).status
        assert status is not None
        assert status["selector"] == f"{SELECTED}={of(1, now)['metadata']['name']}"
        assert (status["replicas"], status["readyReplicas"]) == (2, 2)


# ---------------------------------------------------------------- pods that are away


def away(seen: Observed, available: int, *pods: Object) -> Observed:
    """Only so many pods of what serves answer."""
    (child,) = seen.children
    counts = {**child["status"], "readyReplicas": available, "availableReplicas": available}
    return replace(seen, children=({**child, "status": counts},), pods={child["metadata"]["uid"]: pods})


def test_a_pod_that_is_away_is_no_rollout() -> None:
    found = plan(away(serving(make.deployment(replicas=2)), 1))
    assert (told(found), told(found, Type.ROLLOUT_SUCCEEDED)) == (("True", "Serving"), ("True", "RolledOut"))
    assert told(found, Type.AVAILABLE) == ("True", "ReplicasAvailable")


def test_why_a_pod_is_away_is_told_while_others_answer() -> None:
    killed = make.waiting("server", "CrashLoopBackOff", "", **make.ended("server", 137, "", "OOMKilled")["state"])
    found = plan(away(serving(make.deployment(replicas=2)), 1, make.pod(main=(killed,))))
    assert found.status is not None
    available = conditions.find(found.status, Type.AVAILABLE)
    assert available is not None
    assert available["message"].startswith("replicas answer requests, though not all of them: OutOfMemory: ")


def test_with_all_pods_away_the_rollout_stays_and_nothing_answers() -> None:
    found = plan(away(serving(make.deployment(replicas=2)), 0))
    assert told(found, Type.ROLLOUT_SUCCEEDED) == ("True", "RolledOut")
    assert (told(found), told(found, Type.AVAILABLE)) == (
        ("False", "ReplicasUnavailable"),
        ("False", "ReplicasUnavailable"),
    )


def test_pods_of_a_changed_spec_are_a_rollout_again() -> None:
    seen = changed(serving(make.deployment(replicas=2)), replicas=2, server={"env": [{"name": "A", "value": "1"}]})
    for _ in range(2):
        assert told(plan(seen), Type.ROLLOUT_SUCCEEDED) == ("Unknown", "RollingOut")
        seen = worlds.after("ModelDeployment", seen, plan(seen))
    assert told(plan(away(seen, 1)), Type.ROLLOUT_SUCCEEDED) == ("Unknown", "RollingOut")


# ---------------------------------------------------------------- scale, suspension, images


def test_scaled_to_zero_it_is_as_asked_and_answers_nothing() -> None:
    end = plan(serving(make.deployment(replicas=0)))
    assert (told(end), told(end, Type.AVAILABLE)) == (("True", "ScaledToZero"), ("False", "ScaledToZero"))


def test_a_changed_scale_is_not_in_force_before_the_pods_are_there() -> None:
    seen = changed(serving(), replicas=3)
    assert told(plan(seen)) == ("False", "RollingOut")
    seen = worlds.after("ModelDeployment", seen, plan(seen))
    assert (of(1, seen)["spec"]["replicas"], told(plan(seen))) == (3, ("False", "RollingOut"))
    assert told(plan(made(seen))) == ("True", "Serving")


def test_what_serves_is_scaled_while_another_version_is_on_its_way() -> None:
    seen = made(following(serving(), TWO), ok=is_one)
    found = plan(changed(seen, replicas=5))
    assert [(patch.kind, patch.name[:7], patch.body) for patch in found.patches] == [
        ("Deployment", "late-v1", {"spec": {"replicas": 5}})
    ]
    assert found.children[2].obj["spec"]["replicas"] == 5


def test_a_changed_pod_is_not_in_force_before_it_was_applied_and_came_up() -> None:
    """Not even for the one pass between the user's change and the write that follows from it."""
    seen = changed(serving(), server={"env": [{"name": "A", "value": "1"}]})
    assert told(plan(seen)) == ("False", "RollingOut")
    seen = worlds.after("ModelDeployment", seen, plan(seen))
    assert told(plan(seen)) == ("False", "RollingOut")
    assert told(plan(made(seen))) == ("True", "Serving")


def test_suspended_nothing_changes_and_the_status_goes_on() -> None:
    seen = changed(serving(), suspend=True, replicas=9)
    found = plan(following(seen, TWO))
    assert (found.children, found.unwanted, found.patches) == ((), (), ())
    assert (told(found), told(found, Type.AVAILABLE)) == (("True", "Suspended"), ("True", "ReplicasAvailable"))


def server_image(seen: Observed) -> str | None:
    return rollout.image_of(of(1, seen))


def test_an_upgrade_of_the_operator_restarts_no_model() -> None:
    seen = serving()
    newer = replace(make.DEFAULTS, server_image="trimtab-server:2", trainer_image="trimtab-trainer:2")
    end, last = worlds.settled("ModelDeployment", replace(seen, defaults=newer))
    assert end.children == seen.children
    assert last.status is not None
    assert last.status["serverImage"] == "trimtab-server:1"
    two = made(following(end, TWO), passes=4)
    assert rollout.image_of(of(2, two)) == "trimtab-server:2", "the next version gets the new one"


def test_an_image_that_somebody_else_wrote_is_set_back() -> None:
    seen = serving()
    child = of(1, seen)
    child["spec"]["template"]["spec"]["containers"][0]["image"] = "theirs:1"
    assert server_image(worlds.after("ModelDeployment", seen, plan(seen))) == "trimtab-server:1"


def test_a_changed_flavor_changes_the_image() -> None:
    seen = changed(serving(), server={"flavor": "Sklearn"})
    assert server_image(worlds.after("ModelDeployment", seen, plan(seen))) == "trimtab-trainer:1"


@pytest.mark.parametrize(
    ("file_format", "image"),
    [("ONNX", "trimtab-server:1"), *((each, "trimtab-trainer:1") for each in ("Skops", "XGBoost", "LightGBM"))],
)
def test_flavor_auto_follows_the_format(file_format: str, image: str) -> None:
    seen = made(observed(versions=(make.version(1, format=file_format),)))
    assert server_image(seen) == image


ARTIFACT = {"uri": "s3://b/model.onnx", "digest": make.digest(50), "format": "ONNX"}


def test_an_artifact_becomes_a_model_and_an_artifact_again() -> None:
    seen = made(observed(make.deployment(artifact=ARTIFACT)), passes=3)
    (own,) = [child["metadata"]["name"] for child in seen.children]
    assert own.count("-") == 1
    status = plan(seen).status
    assert status is not None
    assert status["versions"] == [
        {"digest": make.digest(50), "role": "Stable", "weight": {"requested": 100, "effective": 100}}
    ]
    seen = made(changed(worlds.settled("ModelDeployment", seen)[0]), passes=4)
    assert names(seen) == ["v1"]
    seen = made(changed(worlds.settled("ModelDeployment", seen)[0], artifact=ARTIFACT), passes=4)
    assert [child["metadata"]["name"] for child in seen.children] == [own]


def test_another_artifact_is_a_rollout_and_is_not_in_force_before_it_serves() -> None:
    seen = worlds.settled("ModelDeployment", made(observed(make.deployment(artifact=ARTIFACT)), passes=3))[0]
    seen = changed(seen, artifact={**ARTIFACT, "digest": make.digest(51)})
    found = plan(seen)
    assert (told(found), told(found, Type.AVAILABLE)) == (("False", "RollingOut"), ("True", "ReplicasAvailable"))


def test_of_two_versions_with_one_digest_the_one_that_was_rolled_out_is_told() -> None:
    twin = make.version(2)
    twin["spec"]["artifact"] = ONE["spec"]["artifact"]
    seen = made(observed(versions=(twin, ONE)), passes=3)
    status = plan(seen).status
    assert status is not None
    assert [entry["name"] for entry in status["versions"]] == ["late-1"]


def test_counts_go_with_the_deployment_whose_pods_counted() -> None:
    seen = serving()
    name = of(1, seen)["metadata"]["name"]
    seen = replace(seen, configs=(make.config(f"{name}-counts", "{}"), make.config("late-v0-0-counts", "{}")))
    assert [(gone.kind, gone.name) for gone in plan(seen).unwanted] == [("ConfigMap", "late-v0-0-counts")]


# ---------------------------------------------------------------- what pods may see


def test_only_the_init_container_holds_credentials_and_nobody_a_token() -> None:
    given = make.version(1)
    given["spec"]["artifact"]["credentials"] = {"secretRef": {"name": "s3"}}
    pod = plan(observed(versions=(given,))).children[2].obj["spec"]["template"]["spec"]
    fetch, server = pod["initContainers"][0], pod["containers"][0]
    assert fetch["envFrom"] == [{"prefix": "STORE_", "secretRef": {"name": "s3"}}]
    assert "envFrom" not in server
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    model = next(mount for mount in server["volumeMounts"] if mount["mountPath"] == "/trimtab/model")
    assert model["readOnly"] is True


def template(**server: Any) -> Object:
    """The pods of version 1 as they shall be."""
    seen = observed(make.deployment(server=server))
    found: Object = plan(seen).children[2].obj["spec"]["template"]
    return found


def test_pods_are_spread_over_nodes_unless_the_user_says_otherwise() -> None:
    by_default = template()["spec"]["topologySpreadConstraints"]
    name = plan(observed()).children[2].name
    assert by_default == [
        {
            "topologyKey": "kubernetes.io/hostname",
            "maxSkew": 1,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {SELECTED: name}},
        }
    ]
    zones = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}
    asked = template(pod={"topologySpreadConstraints": [zones]})["spec"]["topologySpreadConstraints"]
    assert [(spread["topologyKey"], spread["maxSkew"]) for spread in asked] == [(zones["topologyKey"], 2)]
    assert "topologySpreadConstraints" not in template(pod={"topologySpreadConstraints": []})["spec"]


def test_labels_and_annotations_of_the_users_reach_the_pods_and_never_take_the_place_of_ours() -> None:
    found = template(pod={"labels": {"team": "a", SELECTED: "x"}, "annotations": {"example.com/a": "b"}})["metadata"]
    assert (found["labels"]["team"], found["annotations"]["example.com/a"]) == ("a", "b")
    assert found["labels"][SELECTED].startswith("late-v1-")
    assert "sidecar.istio.io/inject" not in found["labels"], "servers may be in a mesh"


def test_the_fetch_before_the_server_has_its_resources_too_but_no_devices() -> None:
    found = template(resources={"limits": {"memory": "4Gi", "nvidia.com/gpu": 1}})["spec"]
    assert found["initContainers"][0]["resources"]["limits"] == {"memory": "4Gi"}
    assert found["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {volume["emptyDir"]["sizeLimit"] for volume in found["volumes"] if "emptyDir" in volume} == {"10Gi"}


def test_a_variable_of_the_users_stands_once_and_wins() -> None:
    seen = observed(make.deployment(server={"env": [{"name": "HOME", "value": "/x"}, {"name": "A", "value": "1"}]}))
    env = plan(seen).children[2].obj["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [variable["value"] for variable in env if variable["name"] == "HOME"] == ["/x"]


def test_counts_are_for_the_operator_only() -> None:
    policy = plan(observed()).children[0].obj["spec"]
    assert [(rule["ports"][0]["port"], "from" in rule) for rule in policy["ingress"]] == [(8080, False), (8082, True)]


def test_grpc_has_a_port_of_its_own_everywhere_or_nowhere() -> None:
    for server, expected in (({}, []), ({"grpc": True}, [8081])):
        policy, service, deployment = (c.obj["spec"] for c in plan(observed(make.deployment(server=server))).children)
        container = deployment["template"]["spec"]["containers"][0]
        named = [port for port in service["ports"] if port["name"] == "grpc"]
        assert [port["port"] for port in named] == expected
        assert [(port["targetPort"], port["appProtocol"]) for port in named] == [("grpc", "kubernetes.io/h2c")] * len(expected)
        assert [port["containerPort"] for port in container["ports"] if port["name"] == "grpc"] == expected
        assert [int(each["value"]) for each in container["env"] if each["name"] == "TRIMTAB_GRPC_PORT"] == expected
        assert [p["port"] for rule in policy["ingress"] if "from" not in rule for p in rule["ports"]] == [8080, *expected]


def test_grpc_turned_on_changes_the_pods_and_no_name() -> None:
    seen = changed(serving(), server={"grpc": True})
    before, after = plan(serving()).children, plan(seen).children
    assert [child.obj["metadata"]["name"] for child in before] == [child.obj["metadata"]["name"] for child in after]
    assert before[2].obj["spec"]["template"] != after[2].obj["spec"]["template"]


def test_at_most_sixteen_versions_are_told_and_what_serves_is_among_them() -> None:
    seen = serving()
    (child,) = seen.children
    more = [
        {**child, "metadata": {**child["metadata"], "name": f"a-{number}", "uid": f"u{number}"}} for number in range(20)
    ]
    status = plan(replace(seen, children=(*more, child))).status
    assert status is not None
    assert [entry["role"] for entry in status["versions"]] == ["Stable", *["Previous"] * 15]
