"""What the cache keeps of an object, and what it refers to."""

from typing import Any

import pytest

from tests import make
from trimtab.controller.slim import datasets, references, slim
from trimtab.plan.intent import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def whole(kind: str, **content: Any) -> Object:
    meta = {
        "name": "x",
        "namespace": "team",
        "uid": "u",
        "resourceVersion": "7",
        "labels": {"app.kubernetes.io/component": content.pop("component", "serving")},
        "annotations": {LAST_APPLIED: "{}" * 500, "deployment.kubernetes.io/revision": "1", "trimtab.dev/inputs": "x"},
        "ownerReferences": [{"uid": "o", "controller": True}],
        "managedFields": [{"manager": "trimtab"}] * 50,
    }
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **content}


SPEC, STATUS = {"a": 1}, {"b": 2}
POD = {
    "phase": "Running",
    "podIP": "10.0.0.1",
    "conditions": [],
    "containerStatuses": [],
    "hostIP": "10.0.0.9",
    "qosClass": "x",
}
KEPT: dict[str, tuple[Object, Object]] = {
    "all of our own kinds": (whole("Model", spec=SPEC, status=STATUS), {"spec": SPEC, "status": STATUS}),
    "all of a Deployment": (whole("Deployment", spec=SPEC, status=STATUS), {"spec": SPEC, "status": STATUS}),
    "of a Pod how it fares": (
        whole("Pod", spec={"containers": []}, status=POD),
        {"status": {key: POD[key] for key in ("phase", "podIP", "conditions", "containerStatuses")}},
    ),
    "of a Pod on which node it is": (
        whole("Pod", spec={"nodeName": "n", "containers": []}),
        {"spec": {"nodeName": "n"}, "status": {}},
    ),
    "of a Pod that nobody has seen nothing": (whole("Pod", spec={}), {"status": {}}),
    "of a ReplicaSet that it is there": (whole("ReplicaSet", spec=SPEC, status=STATUS), {}),
    "of a Job whether it is suspended, and its status": (
        whole("Job", spec={"suspend": True, "template": {}}, status=STATUS),
        {"spec": {"suspend": True}, "status": STATUS},
    ),
    "the data of a ConfigMap": (whole("ConfigMap", data={"run.json": "{}"}), {"data": {"run.json": "{}"}}),
    "of a ConfigMap with counts that it is there": (
        whole("ConfigMap", component="counts", data={"ledger.json": "x" * 9999}),
        {},
    ),
    "what is meant of a Service": (whole("Service", spec=SPEC, status=STATUS), {"spec": SPEC}),
    "what is meant of a NetworkPolicy": (whole("NetworkPolicy", spec=SPEC), {"spec": SPEC}),
}


@pytest.mark.parametrize("case", KEPT)
def test_kept_is(case: str) -> None:
    given, content = KEPT[case]
    kept = slim(given)
    assert {key: value for key, value in kept.items() if key not in ("apiVersion", "kind", "metadata")} == content
    assert "managedFields" not in kept["metadata"]
    assert LAST_APPLIED not in str(kept)
    assert kept["metadata"]["ownerReferences"] == given["metadata"]["ownerReferences"]


def test_what_changes_with_every_write_is_not_kept() -> None:
    assert "resourceVersion" not in slim(whole("Model"))["metadata"]


def test_annotations_of_our_own_stay_but_where_nobody_reads_them() -> None:
    assert slim(whole("Deployment"))["metadata"]["annotations"] == {"trimtab.dev/inputs": "x"}
    assert "annotations" not in slim(whole("Pod"))["metadata"]


def test_what_is_slim_stays_as_it_is() -> None:
    for given, _ in KEPT.values():
        assert slim(slim(given)) == slim(given)


def test_nothing_that_planners_read_of_ours_is_lost() -> None:
    for given in (make.model(), make.version(1), make.deployment(), make.run(), make.looked()):
        del given["metadata"]["resourceVersion"]
        assert slim(given) == given


TRAINING = {"data": {"datasetRef": {"name": "d"}}, "validation": {"dataset": {"datasetRef": {"name": "v"}}}}
REFERENCES: dict[str, tuple[Object, list[str]]] = {
    "a Model refers to its Datasets": (make.model(training=TRAINING), ["Dataset/team/d", "Dataset/team/v"]),
    "a run refers to its Model": (make.run(), ["Model/team/late"]),
    "a run with a body of its own refers to its Datasets too": (
        make.run(training=TRAINING),
        ["Model/team/late", "Dataset/team/d", "Dataset/team/v"],
    ),
    "a version refers to its Model": (make.version(1), ["Model/team/late"]),
    "a deployment refers to its Model": (make.deployment(), ["Model/team/late"]),
    "a deployment of an artifact refers to nothing": (make.deployment(artifact={"uri": "s3://b/x"}), []),
    "a Dataset refers to nothing": (make.dataset(), []),
}


@pytest.mark.parametrize("case", REFERENCES)
def test_reference(case: str) -> None:
    given, expected = REFERENCES[case]
    assert list(references(given)) == expected


def test_the_data_come_before_what_is_held_out() -> None:
    assert datasets({"training": TRAINING}) == ["d", "v"]
    assert datasets({}) == []
