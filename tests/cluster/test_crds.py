"""The CustomResourceDefinitions before a real API server: accepted, defaulting, pruning, shown."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import OPERATOR, PLURALS, Kubectl, await_kinds, namespace
from tests.cluster.objects import DIGEST, LATE, SPECS, Json, make, plural
from trimtab.api.kinds import KINDS


@pytest.fixture(scope="module")
def kubectl(installed: None) -> Iterator[Kubectl]:
    """A namespace, and the operator's account, which may write all there is."""
    await_kinds()
    with namespace("crds") as here:
        yield here.acting_as(OPERATOR)


def created(kubectl: Kubectl, body: Json) -> Json:
    kubectl.do("create", "-f", "-", given=body)
    return kubectl.get(plural(body["kind"]), body["metadata"]["name"])


def test_the_server_takes_every_definition_and_has_nothing_to_say_against_it(kubectl: Kubectl) -> None:
    for name in PLURALS:
        conditions = kubectl.get("crd", f"{name}.trimtab.dev")["status"]["conditions"]
        states = {condition["type"]: condition["status"] for condition in conditions}
        assert states == {"NamesAccepted": "True", "Established": "True"}


@pytest.mark.parametrize("kind", SPECS)
def test_a_complete_object_is_taken_and_kept_as_it_was_written(kubectl: Kubectl, kind: str) -> None:
    body = make(
        kind,
        f"{LATE}-70" if kind == "ModelVersion" else "complete",
        **({"version": 70} if kind == "ModelVersion" else {}),
    )
    kept = created(kubectl, body)
    assert contains(kept["spec"], body["spec"])
    assert kept["status"] == {"observedGeneration": -1}


def contains(whole: Json, part: Json) -> bool:
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


def test_unknown_fields_are_pruned_and_parameters_kept(kubectl: Kubectl) -> None:
    parameters = {"max_depth": None, "ccp_alpha": 0, "class_weight": {"0": 1, "1": {"x": [1, "a", None]}}}
    body = make("Model", "pruned", bogus=1, training__bogus={"a": 1}, training__estimator__params=parameters)
    kubectl.do("create", "--validate=false", "-f", "-", given=body)
    spec = kubectl.get("models", "pruned")["spec"]
    assert "bogus" not in spec
    assert "bogus" not in spec["training"]
    assert spec["training"]["estimator"]["params"] == parameters
    assert 'unknown field "spec.bogus"' in kubectl.refusal("create", "--validate=strict", "-f", "-", given=body)


def test_a_status_that_a_user_writes_is_dropped(kubectl: Kubectl) -> None:
    body = make("Dataset", "boaster") | {"status": {"observedGeneration": 7, "digest": DIGEST}}
    assert created(kubectl, body)["status"] == {"observedGeneration": -1}


def test_the_server_fills_in_what_applies(kubectl: Kubectl) -> None:
    body = make("Model", "defaults")
    body["spec"] = {
        "task": "Regression",
        "training": {"data": {"datasetRef": {"name": "d"}}, "estimator": {"name": "Ridge"}},
        "retraining": {"triggers": [{"name": "drift", "type": "Drift", "drift": {}}]},
    }
    spec = created(kubectl, body)["spec"]
    assert spec["training"]["validation"] == {"type": "Hash"}
    assert (spec["training"]["timeout"], spec["training"]["retries"], spec["training"]["seed"]) == ("24h", 2, 0)
    assert spec["promotion"] == {"mode": "Automatic"}
    assert spec["retraining"]["cooldown"] == "24h"
    assert spec["retraining"]["triggers"] == body["spec"]["retraining"]["triggers"], "an item of a list stays as it is"
    assert spec["retention"] == {"versions": 10, "runs": {"succeeded": 3, "failed": 3}, "onDelete": "Retain"}
    assert "gates" not in spec


NUMBERS = """
apiVersion: trimtab.dev/v1alpha1
kind: Model
metadata: {name: numbers}
spec:
  task: Classification
  training:
    data: {datasetRef: {name: flights}}
    estimator: {name: Ridge, params: {alpha: 1.0, tol: 1e-3, max_iter: 1000}}
  gates:
    - {name: whole, type: Bound, bound: {metric: roc_auc, atLeast: 1.0}}
    - {name: trailing, type: Bound, bound: {metric: roc_auc, atLeast: 0.70}}
    - {name: scientific, type: Bound, bound: {metric: brier, atMost: 1e-3}}
    - {name: margin, type: Champion, champion: {metric: roc_auc, notWorseBy: 0.0}}
"""


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client side", "server side"])
def test_a_number_is_the_same_however_often_it_is_applied(kubectl: Kubectl, how: tuple[str, ...]) -> None:
    name = "numbers-server" if how else "numbers-client"
    text = NUMBERS.replace("name: numbers", f"name: {name}")
    for _ in range(3):
        kubectl.do("apply", *how, "-f", "-", given=text)
    assert kubectl.get("models", name)["metadata"]["generation"] == 1
    assert kubectl.do("diff", *how, "-f", "-", given=text) == ""


def test_the_scale_subresource_reads_and_writes_replicas(kubectl: Kubectl) -> None:
    created(kubectl, make("ModelDeployment", "scaled"))
    assert kubectl.get("mdep", "scaled")["spec"]["replicas"] == 1
    kubectl.do("scale", "mdep/scaled", "--replicas=3")
    assert kubectl.get("mdep", "scaled")["spec"]["replicas"] == 3
    status = '{"status":{"observedGeneration":2,"replicas":2,"selector":"a=b"}}'
    kubectl.do("patch", "mdep/scaled", "--subresource=status", "--type=merge", "-p", status)
    path = f"/apis/trimtab.dev/v1alpha1/namespaces/{kubectl.namespace}/modeldeployments/scaled/scale"
    scale = json.loads(kubectl.do("get", "--raw", path))
    assert scale["spec"] == {"replicas": 3}
    assert scale["status"] == {"replicas": 2, "selector": "a=b"}


def test_a_user_who_leaves_replicas_out_takes_nothing_from_who_scales(kubectl: Kubectl) -> None:
    body = make("ModelDeployment", "shared")
    kubectl.do("apply", "--server-side", "-f", "-", given=body)
    kubectl.do("scale", "mdep/shared", "--replicas=5")
    kubectl.do("apply", "--server-side", "-f", "-", given=body)
    assert kubectl.get("mdep", "shared")["spec"]["replicas"] == 5


@pytest.mark.parametrize("kind", ["TrainingJob", "ModelVersion", "ModelDeployment"])
def test_objects_are_found_by_their_model(kubectl: Kubectl, kind: str) -> None:
    name = "other-7" if kind == "ModelVersion" else "other"
    created(kubectl, make(kind, name, modelRef={"name": "other"}))
    found = kubectl.get(plural(kind), "--field-selector", "spec.modelRef.name=other")["items"]
    assert [item["metadata"]["name"] for item in found] == [name]


def test_all_kinds_show_in_one_category_and_under_short_names(kubectl: Kubectl) -> None:
    listed = kubectl.do("api-resources", "--api-group=trimtab.dev", "--categories=mlops", "--no-headers")
    assert {line.split()[1] for line in listed.splitlines()} == {row.short_name for row in KINDS}


CONDITIONS = [
    {
        "type": kind,
        "status": "True",
        "reason": "ExpectationsFailed",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    for kind in ("Ready", "Verified")
]
STATUSES: dict[str, Json] = {
    "Dataset": {"rows": 27004},
    "Model": {
        "champion": {"version": 7, "name": f"{LATE}-7", "digest": DIGEST},
        "latest": {"version": 10, "name": f"{LATE}-10", "digest": DIGEST},
    },
    "TrainingJob": {"stage": "Evaluating"},
    "ModelVersion": {},
    "ModelDeployment": {
        "versions": [
            {"version": 6, "digest": DIGEST, "role": "Previous", "weight": {"requested": 0, "effective": 0}},
            {"version": 7, "digest": DIGEST, "role": "Stable", "weight": {"requested": 100, "effective": 100}},
        ],
        "drift": {"verdict": "InDistribution"},
    },
}
SHOWN = {
    "Dataset": ["ROWS", "27004"],
    "Model": ["CHAMPION", "LATEST", "7", "10"],
    "TrainingJob": ["STAGE", "Evaluating"],
    "ModelVersion": ["FORMAT", "VERIFIED", "ONNX", "True"],
    "ModelDeployment": ["VERSION", "DRIFT", "7", "InDistribution"],
}


@pytest.mark.parametrize("kind", SPECS)
def test_a_line_of_kubectl_get_says_what_matters_in_a_hundred_columns(kubectl: Kubectl, kind: str) -> None:
    name = "a" * 32 + "-700" if kind == "ModelVersion" else "a" * 36
    change = {"modelRef": {"name": "a" * 32}, "version": 700} if kind == "ModelVersion" else {}
    created(kubectl, make(kind, name, **change))
    status = {"observedGeneration": 1, "conditions": CONDITIONS, **STATUSES[kind]}
    kubectl.do(
        "patch", plural(kind), name, "--subresource=status", "--type=merge", f"--patch={json.dumps({'status': status})}"
    )
    head, line = kubectl.do("get", plural(kind), name).splitlines()
    assert head.split()[:3] == ["NAME", "READY", "REASON"]
    assert head.split()[-1] == "AGE"
    assert line.split()[1:3] == ["True", "ExpectationsFailed"]
    assert set(SHOWN[kind]) <= {*head.split(), *line.split()}
    assert len(line) <= 100


def test_a_status_of_the_full_size_is_taken(kubectl: Kubectl) -> None:
    created(kubectl, make("Dataset", "broken"))
    failure = {"column": "é" * 256, "rule": "maxMissing", "share": "12.5%", "rows": 2**53 - 1, "message": "x" * 4096}
    status = {"observedGeneration": 1, "failures": [failure] * 100}
    patch = json.dumps({"status": status})
    kubectl.do("patch", "dset/broken", "--subresource=status", "--type=merge", "--patch-file=/dev/stdin", given=patch)
    assert len(kubectl.get("dset", "broken")["status"]["failures"]) == 100


def test_explain_knows_every_field(kubectl: Kubectl) -> None:
    text = kubectl.do("explain", "modeldeployment.spec.monitoring.falseAlarmEvery")
    assert "How often a false alarm is acceptable" in text
    assert "<string>" in text
