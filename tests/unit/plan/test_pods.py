"""What reaches a pod: resources, environment, placement, and in a training run who sees what."""

from typing import Any

import pytest

from tests import make
from trimtab.api.pods import EnvVar, PodSettings, Resources
from trimtab.plan import pods, trainingjob
from trimtab.plan.intent import Object

ROOM: dict[str, dict[str, str]] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}}
ASKED: dict[str, tuple[Object | None, Object]] = {
    "nothing": (None, ROOM),
    "nothing in particular": ({}, ROOM),
    "more memory set aside is allowed, too": (
        {"requests": {"memory": "8Gi"}},
        {"requests": {"cpu": "100m", "memory": "8Gi"}, "limits": {"memory": "8Gi"}},
    ),
    "less memory set aside lowers no limit": (
        {"requests": {"memory": "64Mi"}},
        {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "2Gi"}},
    ),
    "more room on the disk": (
        {"limits": {"ephemeral-storage": "100Gi"}},
        {**ROOM, "limits": {"memory": "2Gi", "ephemeral-storage": "100Gi"}},
    ),
    "more room on the disk that is set aside": (
        {"requests": {"ephemeral-storage": "20Gi"}},
        {
            "requests": {**ROOM["requests"], "ephemeral-storage": "20Gi"},
            "limits": {"memory": "2Gi"},
        },
    ),
    "a smaller limit lowers what is set aside": (
        {"limits": {"memory": "64Mi", "cpu": "50m"}},
        {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "50m", "memory": "64Mi"}},
    ),
    "both are as asked": (
        {"requests": {"cpu": 2, "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
        {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
    ),
    "a device comes along": (
        {"limits": {"nvidia.com/gpu": 1}},
        {**ROOM, "limits": {"memory": "2Gi", "nvidia.com/gpu": "1"}},
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_resources(case: str) -> None:
    asked, expected = ASKED[case]
    given = Resources.model_validate(asked) if asked is not None else None
    assert pods.resources(given, ROOM["requests"], ROOM["limits"]) == expected


def test_a_variable_stands_once_and_the_users_value_wins() -> None:
    asked = [EnvVar(name="HOME", value="/x"), EnvVar(name="B", value=""), EnvVar(name="A", value="1")]
    assert pods.environment(asked, {"HOME": "/tmp", "TRIMTAB_RUN": "r"}) == [
        {"name": "TRIMTAB_RUN", "value": "r"},
        {"name": "HOME", "value": "/x"},
        {"name": "B", "value": ""},
        {"name": "A", "value": "1"},
    ]


def test_placement_is_what_was_said_and_nothing_else() -> None:
    assert pods.placement(None) == pods.placement(PodSettings()) == {}
    said = {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "priorityClassName": "high",
        "serviceAccountName": "trainer",
        "imagePullSecrets": [{"name": "registry"}],
    }
    assert pods.placement(PodSettings.model_validate(said)) == said


@pytest.mark.parametrize(
    ("uri", "claim"), [("pvc://c", "c"), ("pvc://c/a/b", "c"), ("s3://pvc/x", None), ("https://h/pvc://x", None)]
)
def test_only_an_address_in_a_claim_names_one(uri: str, claim: str | None) -> None:
    assert pods.claim_of(uri) == claim


# ---------------------------------------------------------------- who sees what in a training run

DATA = make.dataset(source={"uri": "s3://data/x.csv", "credentials": {"secretRef": {"name": "data"}}})
HELD = make.dataset("held-out", source={"uri": "s3://held/x.csv", "credentials": {"secretRef": {"name": "held"}}})
STORE = {"uri": "s3://models", "credentials": {"secretRef": {"name": "store"}}}


def steps(store: Object = STORE, champion: Object | None = None, **training: Any) -> dict[str, Object]:
    """The containers of a training run by name."""
    job = _job(store, champion, training)
    pod = job["spec"]["template"]["spec"]
    return {container["name"]: container for container in (*pod["initContainers"], *pod["containers"])}


def _job(store: Object, champion: Object | None, training: Object) -> Object:
    held = {"type": "Dataset", "dataset": {"datasetRef": {"name": "held-out"}}}
    body = {"data": {"datasetRef": {"name": "flights"}}, "validation": held, "estimator": {"name": "Ridge"}, **training}
    given = {key: value for key, value in body.items() if value is not None}
    seen = trainingjob.Observed(
        run=make.run(),
        model=make.model(training=given, store=store),
        dataset=make.looked(DATA, since=60),
        validation=make.looked(HELD, since=60),
        config=None,
        view=None,
        version=None,
        champion=champion,
        siblings=(),
        defaults=make.DEFAULTS,
    )
    return trainingjob.plan(seen, make.NOW).children[1].obj


SEES = {
    "fetch": (["DATA_", "VALIDATION_", "STORE_"], ["data", "heldout", "champion"]),
    "train": ([], ["data:ro", "model"]),
    "evaluate": ([], ["data:ro", "heldout:ro", "champion:ro", "model"]),
    "publish": (["STORE_"], ["model:ro"]),
}


@pytest.mark.parametrize("step", SEES)
@pytest.mark.parametrize("container", [None, {"image": "theirs:1"}], ids=["our image", "any image"])
def test_a_step_sees(step: str, container: Object | None) -> None:
    prefixes, folders = SEES[step]
    found = steps(container=container, estimator=None if container else {"name": "Ridge"})[step]
    assert [secret["prefix"] for secret in found.get("envFrom", ())] == prefixes
    mounts = [mount for mount in found["volumeMounts"] if mount["mountPath"] not in ("/tmp", "/trimtab/config")]
    told = [mount["mountPath"].removeprefix("/trimtab/") + (":ro" if mount.get("readOnly") else "") for mount in mounts]
    assert told == folders


def test_code_of_a_users_runs_in_train_only() -> None:
    theirs = {"image": "theirs:1", "command": ["c"], "args": ["a"], "env": [{"name": "A", "value": "1"}]}
    found = steps(container=theirs, estimator=None)
    assert {name: container["image"] for name, container in found.items()} == {
        "fetch": "trimtab-trainer:1",
        "train": "theirs:1",
        "evaluate": "trimtab-trainer:1",
        "publish": "trimtab-trainer:1",
    }
    assert (found["train"]["command"], found["train"]["args"]) == (["c"], ["a"])
    assert {"name": "A", "value": "1"} in found["train"]["env"]
    assert found["train"]["securityContext"]["readOnlyRootFilesystem"] is False
    assert all(found[name]["securityContext"]["readOnlyRootFilesystem"] for name in ("fetch", "evaluate", "publish"))


def test_every_pod_is_restricted_and_has_no_token() -> None:
    pod = _job(STORE, None, {})["spec"]["template"]["spec"]
    assert (pod["automountServiceAccountToken"], pod["securityContext"]["runAsNonRoot"]) == (False, True)
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
        assert {"name": "HOME", "value": "/tmp"} in container["env"]


def test_a_claim_is_mounted_once_and_writable_only_where_the_store_is_written() -> None:
    found = steps(store={"uri": "pvc://models/late"}, champion=champion_in("pvc://models/old/manifest.json"))
    paths = [mount["mountPath"] for mount in found["fetch"]["volumeMounts"]]
    assert paths.count("/trimtab/claims/models") == 1
    by_step = {
        name: [mount.get("readOnly", False) for mount in container["volumeMounts"] if "claims" in mount["mountPath"]]
        for name, container in found.items()
    }
    assert by_step == {"fetch": [True], "train": [], "evaluate": [], "publish": [False]}


def champion_in(uri: str) -> Object:
    version = make.version(1)
    version["spec"]["artifact"]["uri"] = uri
    return version


def test_a_champion_in_another_claim_than_the_store_can_be_fetched() -> None:
    found = steps(champion=champion_in("pvc://elsewhere/old/manifest.json"))
    assert [mount["mountPath"] for mount in found["fetch"]["volumeMounts"] if "claims" in mount["mountPath"]] == [
        "/trimtab/claims/elsewhere"
    ]


def test_the_deadline_is_the_pods_and_a_disruption_costs_no_retry() -> None:
    spec = _job(STORE, None, {"timeout": "90s", "retries": 4})["spec"]
    assert (spec["backoffLimit"], spec["template"]["spec"]["activeDeadlineSeconds"]) == (4, 90)
    assert "activeDeadlineSeconds" not in spec
    assert [rule["action"] for rule in spec["podFailurePolicy"]["rules"]] == ["Ignore", "FailJob"]
    assert spec["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"] == [3]


# ---------------------------------------------------------------- what the user may say of a run's pod


def test_every_step_has_the_resources_of_training_and_devices_go_where_something_is_computed() -> None:
    asked = {"requests": {"cpu": "4"}, "limits": {"memory": "8Gi", "ephemeral-storage": "50Gi", "nvidia.com/gpu": 1}}
    found = {name: step["resources"] for name, step in steps(resources=asked).items()}
    assert {name: given["limits"]["memory"] for name, given in found.items()} == dict.fromkeys(SEES, "8Gi")
    assert {name: given["requests"]["cpu"] for name, given in found.items()} == dict.fromkeys(SEES, "4")
    assert [name for name, given in found.items() if "nvidia.com/gpu" in given["limits"]] == ["train", "evaluate"]


def test_a_limit_range_below_our_own_values_can_be_obeyed() -> None:
    most = {
        "requests": {"cpu": "50m", "ephemeral-storage": "1Gi", "memory": "128Mi"},
        "limits": {"ephemeral-storage": "1Gi", "memory": "512Mi"},
    }
    assert {name: step["resources"] for name, step in steps(resources=most).items()} == dict.fromkeys(SEES, most)


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        (None, "10Gi"),
        ({"limits": {"ephemeral-storage": "50Gi"}}, "50Gi"),
        ({"requests": {"ephemeral-storage": "20Gi"}}, "20Gi"),
    ],
)
def test_each_folder_is_bounded_and_the_bound_is_the_users_to_raise(asked: Object | None, limit: str) -> None:
    pod = _job(STORE, None, {"resources": asked})["spec"]["template"]["spec"]
    assert {volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if "emptyDir" in volume} == {limit}


def test_a_job_asks_for_no_storage_unless_the_user_does() -> None:
    """A queue whose quota does not name a resource admits no Job that asks for it, be it for nothing of it."""
    assert "ephemeral-storage" not in str([step["resources"] for step in steps().values()])


def test_a_users_own_image_is_pulled_as_kubernetes_does_and_ours_when_it_is_not_there() -> None:
    found = steps(container={"image": "theirs:latest"}, estimator=None)
    assert {name: step.get("imagePullPolicy") for name, step in found.items()} == {
        "fetch": "IfNotPresent",
        "train": None,
        "evaluate": "IfNotPresent",
        "publish": "IfNotPresent",
    }


def test_the_pod_of_a_job_is_in_no_mesh_unless_the_user_says_so() -> None:
    meta = _job(STORE, None, {})["spec"]["template"]["metadata"]
    assert meta["labels"]["sidecar.istio.io/inject"] == "false"
    assert meta["annotations"] == {"linkerd.io/inject": "disabled"}
    asked = {"labels": {"sidecar.istio.io/inject": "true"}, "annotations": {"linkerd.io/inject": "enabled"}}
    meta = _job(STORE, None, {"pod": asked})["spec"]["template"]["metadata"]
    assert (meta["labels"]["sidecar.istio.io/inject"], meta["annotations"]) == ("true", asked["annotations"])


def test_labels_and_annotations_of_the_users_are_on_job_and_pod_and_never_in_the_place_of_ours() -> None:
    queue = {"kueue.x-k8s.io/queue-name": "team-a"}
    asked = {
        "labels": {**queue, "app.kubernetes.io/managed-by": "me", "trimtab.dev/training-job": "another"},
        "annotations": {"example.com/note": "x", "trimtab.dev/inputs": "another"},
    }
    job = _job(STORE, None, {"pod": asked})
    for meta in (job["metadata"], job["spec"]["template"]["metadata"]):
        assert queue.items() <= meta["labels"].items()
        assert (meta["labels"]["app.kubernetes.io/managed-by"], meta["labels"]["trimtab.dev/training-job"]) == (
            "trimtab",
            "run",
        )
        assert meta["annotations"]["example.com/note"] == "x"
    assert job["metadata"]["annotations"]["trimtab.dev/inputs"] == job["metadata"]["name"]
