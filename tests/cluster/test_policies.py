"""The admission policies before a real API server: what is guarded, for whom, and that nothing gets stuck."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.cluster.kubectl import OPERATOR, PLURALS, ROOT, Kubectl, await_kinds, eventually, namespace
from tests.cluster.objects import DIGEST, LATE, Json, make, plural
from trimtab.api.kinds import KINDS

PERSON = "jane"
VERSION = f"{LATE}-7"
SOMEBODY_USES_IT = {
    "observedGeneration": 1,
    "usedBy": [{"kind": "Model", "name": LATE}, {"kind": "ModelDeployment", "name": "front"}],
}


def policies() -> list[Json]:
    """The policies as they are shipped."""
    folder = ROOT / "manifests" / "policies"
    names = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    items = [item for name in names for item in yaml.safe_load_all((folder / name).read_text())]
    return [item for item in items if item["kind"] == "ValidatingAdmissionPolicy"]


@pytest.fixture
def kubectl(installed: None) -> Iterator[Kubectl]:
    """A namespace in which the policies are in force and a version is in use."""
    await_kinds()
    with namespace("policies") as here:
        person, operator = here.acting_as(PERSON), here.acting_as(OPERATOR)
        forged = make("ModelVersion", "probe-1", modelRef={"name": "probe"}, version=1)
        eventually(lambda: refused(person, "create", "-f", "-", given=forged))
        created_as(operator, make("ModelVersion"))
        eventually(lambda: refused(person, "patch", *status_of("mdlv", VERSION, {})))
        operator.do("patch", *status_of("mdlv", VERSION, SOMEBODY_USES_IT))
        eventually(lambda: refused(person, "delete", "mdlv", VERSION))
        yield here


def refused(somebody: Kubectl, *arguments: str, given: Json = None) -> bool:
    """Whether the server would refuse a command."""
    return somebody.run(*arguments, "--dry-run=server", given=given).returncode != 0


def created_as(somebody: Kubectl, body: Json) -> None:
    somebody.do("create", "-f", "-", given=body)


def status_of(kind: str, name: str, status: Json) -> list[str]:
    body = {"status": {"observedGeneration": 1, **status}}
    return [kind, name, "--subresource=status", "--type=merge", "-p", json.dumps(body)]


def own_version(version: int, **claims: Json) -> Json:
    """A version as a user brings it."""
    body = make("ModelVersion", f"{LATE}-{version}", version=version, metrics=None)
    body["spec"] |= claims
    return body


@pytest.mark.parametrize("name", [policy["metadata"]["name"] for policy in policies()])
def test_the_server_finds_no_fault_with_the_expressions(kubectl: Kubectl, name: str) -> None:
    def seen() -> Json:
        return kubectl.get("validatingadmissionpolicy", name)

    eventually(lambda: seen().get("status", {}).get("observedGeneration") == seen()["metadata"]["generation"])
    assert seen()["spec"]["failurePolicy"] == "Fail"
    assert seen()["status"].get("typeChecking", {}).get("expressionWarnings", []) == []


def test_a_person_cannot_delete_a_version_in_use_and_is_told_by_whom(kubectl: Kubectl) -> None:
    words = kubectl.acting_as(PERSON).refusal("delete", "mdlv", VERSION)
    assert f"the version is in use by Model/{LATE}, ModelDeployment/front: point them at another version first" in words
    words = kubectl.acting_as(PERSON).refusal("delete", "mdlv", "--all")
    assert "the version is in use by" in words
    assert kubectl.get("mdlv", VERSION)["metadata"]["name"] == VERSION


def test_a_version_that_nobody_uses_can_be_deleted(kubectl: Kubectl) -> None:
    person = kubectl.acting_as(PERSON)
    created_as(person, own_version(8))
    person.do("delete", "mdlv", f"{LATE}-8")
    kubectl.acting_as(OPERATOR).do("patch", *status_of("mdlv", VERSION, {"usedBy": []}))
    person.do("delete", "mdlv", VERSION)


def test_the_operator_can_delete_a_version_in_use(kubectl: Kubectl) -> None:
    kubectl.acting_as(OPERATOR).do("delete", "mdlv", VERSION)


def test_the_garbage_collector_can_delete_a_version_in_use(kubectl: Kubectl) -> None:
    kubectl.do("create", "configmap", "owner")
    uid = kubectl.get("configmap", "owner")["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    kubectl.do(
        "patch", "mdlv", VERSION, "--type=merge", "-p", json.dumps({"metadata": {"ownerReferences": [reference]}})
    )
    kubectl.do("delete", "configmap", "owner")
    eventually(lambda: kubectl.run("get", "mdlv", VERSION).returncode != 0, within=60)


def test_a_namespace_can_be_deleted_with_versions_in_use(kubectl: Kubectl) -> None:
    kubectl.acting_as(PERSON).do("delete", "namespace", kubectl.namespace, "--wait=false")
    eventually(lambda: kubectl.run("get", "namespace", kubectl.namespace).returncode != 0, within=60)
    kubectl.do("create", "namespace", kubectl.namespace)  # for the fixture to delete


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"lineage": {}}, "lineage"),
        ({"lineage": {"trainingJob": {"name": "run", "uid": "1"}}}, "lineage"),
        ({"metrics": [{"name": "roc_auc", "value": 1.0}]}, "metrics"),
        ({"gates": [{"name": "g", "verdict": "Passed", "message": ""}], "lineage": {"seed": 1}}, "lineage, gates"),
    ],
)
def test_a_person_cannot_say_where_a_version_comes_from_or_how_good_it_is(
    kubectl: Kubectl, claims: Json, named: str
) -> None:
    words = kubectl.acting_as(PERSON).refusal("create", "-f", "-", given=own_version(9, **claims))
    assert f"only the operator writes {named}: leave it out of a version of your own" in words
    created_as(kubectl.acting_as(OPERATOR), own_version(9, **claims))


def test_a_person_can_bring_and_label_a_version(kubectl: Kubectl) -> None:
    person = kubectl.acting_as(PERSON)
    created_as(person, own_version(9, metrics=[], gates=[], profile={"digest": DIGEST}))
    person.do("label", "mdlv", f"{LATE}-9", "team=a")
    person.do("label", "mdlv", VERSION, "team=a")  # made by the operator, metrics and all


@pytest.mark.parametrize("kind", [row.kind for row in KINDS])
def test_only_the_operator_writes_a_status(kubectl: Kubectl, kind: str) -> None:
    name = VERSION if kind == "ModelVersion" else "mine"
    if kind != "ModelVersion":
        created_as(kubectl.acting_as(PERSON), make(kind, name))
    for user in (PERSON, "system:serviceaccount:default:trimtab-operator"):
        words = kubectl.acting_as(user).refusal("patch", *status_of(plural(kind), name, {}))
        assert "only the operator writes status: change spec, and status will follow" in words
    kubectl.acting_as(OPERATOR).do("patch", *status_of(plural(kind), name, {}))


def test_a_person_can_scale_and_edit(kubectl: Kubectl) -> None:
    person = kubectl.acting_as(PERSON)
    created_as(person, make("ModelDeployment"))
    person.do("scale", f"mdep/{LATE}", "--replicas=2")
    person.do("patch", f"mdep/{LATE}", "--type=merge", "-p", '{"spec":{"suspend":true}}')


def test_every_kind_is_guarded() -> None:
    rules = [rule for policy in policies() for rule in policy["spec"]["matchConstraints"]["resourceRules"]]
    guarded = {resource for rule in rules for resource in rule["resources"]}
    assert guarded == {f"{name}/status" for name in PLURALS} | {"modelversions"}


def test_the_operators_account_stands_in_one_place_per_policy() -> None:
    for policy in policies():
        assert json.dumps(policy).count("trimtab-operator") == 1
        assert policy["spec"]["variables"][0] == {"name": "operators", "expression": f"['{OPERATOR}']"}
