"""An operator that dies after any write, with or without having heard the reply, ends up where one that never dies does."""

from pathlib import Path

import pytest

from tests.cluster.kubectl import Kubectl, eventually, namespace
from tests.cluster.operation import Operation
from tests.cluster.proxy import Proxy
from tests.cluster.worlds import condition, is_so, world

DIGEST = "sha256:" + "0" * 64


def deployment(name: str, replicas: int = 0) -> dict[str, object]:
    artifact = {"uri": "pvc://models/model.onnx", "digest": DIGEST, "format": "ONNX"}
    return {
        "apiVersion": "trimtab.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name},
        "spec": {"artifact": artifact, "replicas": replicas, "server": {"env": [{"name": "A", "value": "1"}]}},
    }


def story(kubectl: Kubectl) -> None:
    """Two deployments are made, one is changed, and both settle."""
    for name in ("first", "second"):
        kubectl.do("apply", "-f", "-", given=deployment(name))
    eventually(lambda: all(is_so(kubectl, f"mdep/{name}", "Ready", "True") for name in ("first", "second")), within=60)
    changed = deployment("first")
    changed["spec"]["server"] = {"env": [{"name": "A", "value": "2"}]}  # type: ignore[index]
    kubectl.do("apply", "-f", "-", given=changed)
    eventually(lambda: _settled(kubectl, "first", "2"), within=60)


def _settled(kubectl: Kubectl, name: str, value: str) -> bool:
    children = kubectl.get("deployments", "-l", f"trimtab.dev/model-deployment={name}")["items"]
    env = [v for c in children for v in c["spec"]["template"]["spec"]["containers"][0]["env"] if v["name"] == "A"]
    meta = kubectl.get(f"mdep/{name}")["metadata"]
    entries = kubectl.get(f"mdep/{name}")["status"]["conditions"]
    ready = next(e for e in entries if e["type"] == "Ready")
    seen = ready["status"] == "True" and ready["observedGeneration"] == meta["generation"]
    return seen and [v["value"] for v in env] == [value]


@pytest.fixture(scope="module")
def undisturbed(installed: None, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The end of the story when nothing goes wrong."""
    with namespace("calm") as kubectl, Operation(tmp_path_factory.mktemp("calm"), kubectl.namespace):
        story(kubectl)
        return world(kubectl)


@pytest.mark.parametrize("reply", [True, False], ids=["reply kept", "reply lost"])
@pytest.mark.parametrize("every", [1, 2, 3])
def test_an_operator_that_dies_after_every_nth_write_ends_in_the_same_world(
    every: int, reply: bool, undisturbed: list[str], space: Kubectl, folder: Path
) -> None:
    with Proxy(every, reply=reply) as proxy, Operation(folder, space.namespace, proxy) as operation:
        story(space)
        assert world(space) == undisturbed
        assert proxy.deaths >= 2
        assert operation.starts > proxy.deaths


def test_after_a_restart_with_everything_settled_nothing_is_written(space: Kubectl, folder: Path) -> None:
    with Proxy() as proxy, Operation(folder, space.namespace, proxy) as operation:
        story(space)
        before = len(proxy.writes)
        operation.kill()
        eventually(lambda: operation.log.count("watching") == 2, within=30)
        # A change to a third object is worked on after the first look at the other two.
        space.do("apply", "-f", "-", given=deployment("third"))
        eventually(lambda: is_so(space, "mdep/third", "Ready", "True"), within=30)
        assert [write for write in proxy.writes[before:] if "third" not in write] == []


def test_a_child_of_somebody_else_is_left_alone_and_named(space: Kubectl, folder: Path) -> None:
    stranger = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "taken"},
        "spec": {"selector": {"app": "theirs"}, "ports": [{"port": 80}]},
    }
    space.do("create", "-f", "-", given=stranger)
    with Operation(folder, space.namespace):
        space.do("apply", "-f", "-", given=deployment("taken"))
        eventually(lambda: is_so(space, "mdep/taken", "Stalled", "True", "NameTaken"), within=30)
        assert space.get("service/taken")["spec"]["selector"] == {"app": "theirs"}
        found = condition(space, "mdep/taken", "Ready")
        assert found is not None
        assert "Service taken exists and belongs to nobody Trimtab knows" in found[2]


def test_a_deployment_made_again_under_its_name_waits_for_the_old_children_to_go(space: Kubectl, folder: Path) -> None:
    with Operation(folder, space.namespace):
        space.do("apply", "-f", "-", given=deployment("again"))
        eventually(lambda: is_so(space, "mdep/again", "Ready", "True"), within=30)
        old = space.get("service/again")["metadata"]["uid"]
        space.do("delete", "mdep/again", "--cascade=background", "--wait=false")
        eventually(lambda: space.run("get", "mdep/again").returncode != 0, within=30)
        space.do("apply", "-f", "-", given=deployment("again"))
        eventually(lambda: is_so(space, "mdep/again", "Ready", "True"), within=60)
        assert space.get("service/again")["metadata"]["uid"] != old


def test_a_foreground_deletion_takes_the_children_and_brings_none_back(space: Kubectl, folder: Path) -> None:
    with Operation(folder, space.namespace):
        space.do("apply", "-f", "-", given=deployment("gone"))
        eventually(lambda: is_so(space, "mdep/gone", "Ready", "True"), within=30)
        space.do("delete", "mdep/gone", "--cascade=foreground", "--timeout=30s")
        kinds = "deployments,services,networkpolicies"
        assert space.get(kinds, "-l", "trimtab.dev/model-deployment=gone")["items"] == []


def test_an_edited_child_is_repaired_and_a_deleted_one_made_again(space: Kubectl, folder: Path) -> None:
    with Operation(folder, space.namespace):
        space.do("apply", "-f", "-", given=deployment("mended"))
        eventually(lambda: is_so(space, "mdep/mended", "Ready", "True"), within=30)
        space.do("patch", "service/mended", "--type=merge", "-p", '{"spec": {"selector": {"trimtab.dev/serving": "x"}}}')
        eventually(lambda: space.get("service/mended")["spec"]["selector"]["trimtab.dev/serving"] != "x", within=30)
        space.do("delete", "service/mended")
        eventually(lambda: space.run("get", "service/mended").returncode == 0, within=30)


def test_somebody_who_keeps_changing_a_child_back_is_named_and_not_fought(space: Kubectl, folder: Path) -> None:
    with Operation(folder, space.namespace):
        space.do("apply", "-f", "-", given=deployment("fought"))
        eventually(lambda: is_so(space, "mdep/fought", "Ready", "True"), within=30)

        def meddle() -> bool:
            patch = '{"spec": {"selector": {"trimtab.dev/serving": "theirs"}}}'
            space.do("patch", "service/fought", "--type=merge", "-p", patch, "--field-manager=meddler")
            return is_so(space, "mdep/fought", "Stalled", "True", "WritesContested")

        eventually(meddle, within=60)
        found = condition(space, "mdep/fought", "Ready")
        assert found is not None
        assert "meddler" in found[2]


def test_a_refused_child_is_told_in_the_servers_words(space: Kubectl, folder: Path) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"services": "0"}}}
    space.do("create", "-f", "-", given=quota)
    eventually(lambda: "services" in space.get("resourcequota/none").get("status", {}).get("hard", {}), within=30)
    with Operation(folder, space.namespace):
        space.do("apply", "-f", "-", given=deployment("full"))
        eventually(lambda: is_so(space, "mdep/full", "Stalled", "True", "ChildRefused"), within=30)
        found = condition(space, "mdep/full", "Ready")
        assert found is not None
        assert "exceeded quota: none" in found[2]


def test_specs_and_foreign_metadata_of_the_users_objects_are_never_written(space: Kubectl, folder: Path) -> None:
    with Operation(folder, space.namespace):
        space.do("apply", "-f", "-", given=deployment("theirs"))
        eventually(lambda: is_so(space, "mdep/theirs", "Ready", "True"), within=30)
        found = space.get("mdep/theirs", "--show-managed-fields")
        ours = [entry for entry in found["metadata"]["managedFields"] if entry["manager"] == "trimtab"]
        assert ours
        assert {entry.get("subresource") for entry in ours} == {"status"}
        assert "finalizers" not in found["metadata"]
