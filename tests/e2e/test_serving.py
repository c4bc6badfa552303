"""A model of one's own behind a Service: given a file and its digest, the user gets answers over HTTP."""

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

from tests.cluster.kubectl import Kubectl, eventually, namespace
from tests.e2e.shop import Space, deployment

ROWS = {"inputs": [{"name": "X", "datatype": "FP32", "shape": [2, 3], "data": [9, 0, 0, -9, 0, 0]}]}


def classifier(flip: bool = False) -> bytes:
    """A model that says 1 where the first of three numbers is positive, or the other way round."""
    rows = np.random.default_rng(0).normal(size=(200, 3))
    labels = (rows[:, 0] > 0) != flip
    fitted = LogisticRegression().fit(rows, labels.astype(int))
    return bytes(to_onnx(fitted, rows[:1], options={"zipmap": False}).SerializeToString())


def test_a_file_and_its_digest_become_answers(space: Space) -> None:
    space.apply(deployment("mine", artifact=space.artifact(classifier())))
    eventually(lambda: space.serves("mine"), within=60)
    status, answer = space.ask("mine", ROWS)
    assert status == 200
    assert next(out["data"] for out in answer["outputs"] if out["name"] == "predict") == [1, 0]
    assert space.status("mdep/mine")["address"]["url"] == f"http://mine.{space.name}.svc"
    eventually(lambda: space.is_so("mdep/mine", "InDistribution", "Unknown", "NoReference"), within=60)


def test_two_deployments_of_one_name_in_two_namespaces_are_strangers(space: Space) -> None:
    with namespace("other") as kubectl:
        other = Space(kubectl, space.bucket, space.unique)
        other.apply(space.bucket.secret(), deployment("twin", artifact=space.artifact(classifier(flip=True))))
        space.apply(deployment("twin", artifact=space.artifact(classifier())))
        for each in (space, other):
            eventually(lambda each=each: each.serves("twin"), within=60)  # type: ignore[misc]
        first, second = (each.ask("twin", ROWS)[1]["outputs"][0]["data"] for each in (space, other))
        assert (first, second) == ([1, 0], [0, 1])


def test_a_wrong_digest_never_serves_and_says_so(space: Space) -> None:
    wrong = space.artifact(classifier(), digest="sha256:" + "1" * 64)
    space.apply(deployment("wrong", artifact=wrong))
    eventually(lambda: space.is_so("mdep/wrong", "Stalled", "True", "DigestMismatch"), within=60)
    assert space.is_so("mdep/wrong", "Available", "False")
    rejected = space.status("mdep/wrong")["rejected"]
    assert [(entry["reason"], entry["digest"]) for entry in rejected] == [("DigestMismatch", wrong["digest"])]


def test_a_bad_successor_leaves_what_serves_alone(space: Space) -> None:
    space.apply(deployment("kept", artifact=space.artifact(classifier())))
    eventually(lambda: space.serves("kept"), within=60)
    space.apply(deployment("kept", artifact=space.artifact(b"not a model")))
    eventually(lambda: space.is_so("mdep/kept", "RolloutSucceeded", "False", "VersionRejected"), within=60)
    assert space.ask("kept", ROWS)[0] == 200
    deployments = space.kubectl.get("deployments", "-l", "trimtab.dev/model-deployment=kept")["items"]
    assert len(deployments) == 1


def test_scale_reads_and_writes_replicas_as_autoscalers_do(space: Space) -> None:
    space.apply(deployment("scaled", artifact=space.artifact(classifier())))
    eventually(lambda: space.serves("scaled"), within=60)
    space.kubectl.do("scale", "mdep/scaled", "--replicas=2")
    eventually(lambda: space.status("mdep/scaled").get("readyReplicas") == 2, within=60)
    space.kubectl.do("scale", "mdep/scaled", "--replicas=0")
    eventually(lambda: space.is_so("mdep/scaled", "Available", "False", "ScaledToZero"), within=60)
    assert space.is_so("mdep/scaled", "Ready", "True")


@pytest.mark.parametrize(
    ("secret", "uri", "reason", "words"),
    [
        ("absent", "model.onnx", "ChildNotStarting", 'secret "absent" not found'),
        ("s3", "nowhere/model.onnx", "ArtifactUnreadable", "NotFound"),
    ],
    ids=["missing Secret", "nothing at the URI"],
)
def test_an_artifact_that_cannot_be_had_is_told_within_a_minute(
    space: Space, secret: str, uri: str, reason: str, words: str
) -> None:
    place = space.bucket.place(f"{space.unique}/{uri}")
    artifact = {**place, "digest": "sha256:" + "2" * 64, "format": "ONNX", "credentials": {"secretRef": {"name": secret}}}
    space.apply(deployment("lost", artifact=artifact))
    eventually(lambda: space.is_so("mdep/lost", "Stalled", "True", reason), within=60)
    found = space.condition("mdep/lost", "Ready")
    assert found is not None
    assert words in found[2]


def test_kubectl_tells_the_story_without_tools_of_ours(space: Space) -> None:
    space.apply(deployment("told", artifact=space.artifact(classifier())))
    eventually(lambda: space.serves("told"), within=60)
    table = space.kubectl.do("get", "mlops").splitlines()
    assert table[0].split() == ["NAME", "READY", "REASON", "VERSION", "DRIFT", "AGE"]
    assert len(table[0]) <= 100
    described = space.kubectl.do("describe", "mdep/told")
    assert "the wanted version answers requests" in described
    assert "RolledOut" in described
    explained = Kubectl().do("explain", "modeldeployment.spec.monitoring.falseAlarmEvery")
    assert "How often a false alarm is acceptable" in " ".join(explained.split())
