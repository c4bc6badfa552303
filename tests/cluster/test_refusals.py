"""Every mistake that the schema can see, before a real API server: refused in words that help."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import OPERATOR, Kubectl, await_kinds, namespace
from tests.cluster.objects import DIGEST, LATE, Json, make
from trimtab.api.kinds import KINDS


@pytest.fixture(scope="module")
def kubectl(installed: None) -> Iterator[Kubectl]:
    """A namespace, and the operator's account, which may write all there is."""
    await_kinds()
    with namespace("refusals") as here:
        yield here.acting_as(OPERATOR)


DATA = {"uri": "pvc://flights/x.csv"}
CONTAINER = {"image": "example.com/train:1"}
ARTIFACT = {"uri": "s3://b/m.onnx", "digest": DIGEST, "format": "ONNX"}

REFUSED: list[tuple[str, Json, str]] = [
    # Dataset
    (
        "freshness without a time",
        make("Dataset", timeColumn=None),
        "expect.freshness needs timeColumn: name the column",
    ),
    ("time is target", make("Dataset", timeColumn="late"), "timeColumn and targetColumn must be two columns"),
    ("both selections", make("Dataset", features__include=["a"]), "give include or exclude, not both"),
    ("a way up", make("Dataset", source={"uri": "pvc://c/a/../../b"}), "uri must not contain .."),
    ("a way up at the end", make("Dataset", source={"uri": "pvc://c/a/.."}), "uri must not contain .."),
    ("a strange scheme", make("Dataset", source={"uri": "ftp://host/x"}), "spec.source.uri in body should match"),
    ("a password", make("Dataset", source={"uri": "https://u:p@host/x"}), "spec.source.uri in body should match"),
    ("endpoint of a claim", make("Dataset", source=DATA | {"endpoint": "http://h"}), "endpoint is for s3:// addresses"),
    ("region of a claim", make("Dataset", source=DATA | {"region": "eu"}), "region is for s3:// addresses"),
    (
        "CA of a claim",
        make("Dataset", source=DATA | {"caBundle": "-----BEGIN CERTIFICATE-----"}),
        "caBundle is for s3:// and",
    ),
    ("no CA", make("Dataset", source={"uri": "s3://b/x", "caBundle": "x"}), "must be certificates in PEM"),
    (
        "credentials of a claim",
        make("Dataset", source=DATA | {"credentials": {"secretRef": {"name": "s"}}}),
        "credentials are for s3://, gs:// and az:// addresses",
    ),
    ("min of a category", make("Dataset", expect__columns__1__min=1), "min and max need type: Number"),
    ("max without a type", make("Dataset", expect__columns__0__type=None), "min and max need type: Number"),
    ("min above max", make("Dataset", expect__columns__0__min=7000), "min must not be above max"),
    ("levels of a number", make("Dataset", expect__columns__1__type="Number"), "oneOf needs type: Category"),
    ("a column twice", make("Dataset", expect__columns__1__name="distance"), "Duplicate value"),
    ("age zero", make("Dataset", expect__freshness__maxAge="0s"), "must last from 1s to 3650d"),
    ("age of a fraction", make("Dataset", expect__freshness__maxAge="1.5h"), "should match"),
    ("share above one", make("Dataset", expect__columns__0__maxMissing="101%"), "should match"),
    ("share as a number", make("Dataset", expect__columns__0__maxMissing=0.01), "must be of type string"),
    ("an unknown format", make("Dataset", format="Excel"), 'supported values: "Parquet", "CSV", "JSONLines"'),
    (
        "cells of Parquet",
        make("Dataset", format="Parquet", csv={"missing": ["NA"]}),
        "csv is for format CSV: remove it",
    ),
    ("no missing cell", make("Dataset", csv={"missing": [""]}), "should be at least 1 chars long"),
    ("no target", make("Dataset", targetColumn=None), "spec.targetColumn: Required value"),
    # Model
    (
        "estimator and container",
        make("Model", training__container=CONTAINER),
        "give exactly one of estimator and container",
    ),
    ("neither", make("Model", training__estimator=None), "give exactly one of estimator and container"),
    (
        "refit of a container",
        make("Model", training__estimator=None, training__container=CONTAINER),
        "validation.refit needs an estimator",
    ),
    (
        "dataset missing",
        make("Model", training__validation={"type": "Dataset"}),
        "give dataset when type is Dataset, and only then",
    ),
    (
        "dataset with Time",
        make("Model", training__validation__dataset={"datasetRef": {"name": "x"}}),
        "give dataset when type is Dataset, and only then",
    ),
    (
        "fraction of a dataset",
        make(
            "Model",
            training__validation={"type": "Dataset", "fraction": "1%", "dataset": {"datasetRef": {"name": "x"}}},
        ),
        "fraction is for the types Time and Hash",
    ),
    ("nothing held out", make("Model", training__validation__fraction="0%"), "should match"),
    ("all held out", make("Model", training__validation__fraction="100%"), "should match"),
    ("a positive number", make("Model", task="Regression"), "training.target.positive is for task Classification"),
    ("bound without an end", make("Model", gates__0__bound__atLeast=None), "give exactly one of atLeast and atMost"),
    ("bound with two", make("Model", gates__0__bound__atMost=1), "give exactly one of atLeast and atMost"),
    ("gate without its member", make("Model", gates__0__bound=None), "give bound when type is Bound, and only then"),
    (
        "gate with another's member",
        make("Model", gates__0__champion={"metric": "brier", "notWorseBy": 0}),
        "give champion when type is Champion, and only then",
    ),
    ("a negative margin", make("Model", gates__1__champion__notWorseBy=-0.1), "should be greater than or equal to 0"),
    ("two gates of one name", make("Model", gates__1__name="quality"), "Duplicate value"),
    ("trigger without its member", make("Model", retraining__triggers__0__drift=None), "give drift when type is Drift"),
    (
        "two decisions",
        make("Model", promotion__approvals=[{"version": 1, "decision": "Approved"}] * 2),
        "Duplicate value",
    ),
    ("a metric twice", make("Model", metrics=["brier", "brier"]), "Duplicate value"),
    (
        "a reserved variable",
        make("TrainingJob", training__container__env__0__name="TRIMTAB_RUN"),
        "names that begin with TRIMTAB_ are set by Trimtab",
    ),
    (
        "toleration of nothing",
        make("Model", training__pod__tolerations=[{"value": "x"}]),
        "give a key unless operator is Exists",
    ),
    (
        "toleration of a value that exists",
        make("Model", training__pod__tolerations__0__value="x"),
        "give a key unless operator is Exists, and no value when it is",
    ),
    (
        "seconds without NoExecute",
        make("Model", training__pod__tolerations__0__effect="NoSchedule"),
        "tolerationSeconds is for the effect NoExecute",
    ),
    (
        "a label of ours",
        make("Model", training__pod__labels={"trimtab.dev/model": "x"}),
        "labels under trimtab.dev/",
    ),
    (
        "a label that our objects are found by",
        make("ModelDeployment", server__pod={"labels": {"app.kubernetes.io/managed-by": "x"}}),
        "are set by Trimtab: choose others",
    ),
    (
        "an annotation of ours",
        make("Dataset", pod={"annotations": {"trimtab.dev/inputs": "x"}}),
        "annotations under trimtab.dev/",
    ),
    ("a label that is none", make("Dataset", pod={"labels": {"team": "a b"}}), "should match"),
    (
        "pods on which nothing may differ",
        make(
            "ModelDeployment",
            server__pod={
                "topologySpreadConstraints": [
                    {"topologyKey": "kubernetes.io/hostname", "maxSkew": 0, "whenUnsatisfiable": "ScheduleAnyway"}
                ]
            },
        ),
        "should be greater than or equal to 1",
    ),
    ("a cooldown without end", make("Model", retraining__cooldown="366d"), "must last from 0s to 365d"),
    ("no time at all", make("Model", training__timeout="9s"), "must last from 10s to 365d"),
    (
        "a negative quantity",
        make("Model", training__resources__requests__cpu=-1),
        "should be greater than or equal to 0",
    ),
    ("no quantity", make("Model", training__resources__requests__cpu="many"), "should match"),
    ("a store that is read only", make("Model", store={"uri": "https://host/x"}), "should match"),
    ("no versions kept", make("Model", retention__versions=0), "should be greater than or equal to 1"),
    ("a seed too large", make("Model", training__seed=2**32), "should be less than or equal to 4294967295"),
    ("a name for a class", make("Model", training__estimator__name="os.system"), "should match"),
    # ModelVersion
    (
        "another's name",
        make("ModelVersion", "mine"),
        "a ModelVersion must be named <spec.modelRef.name>-<spec.version>",
    ),
    ("another number", make("ModelVersion", f"{LATE}-07"), "a ModelVersion must be named"),
    ("version zero", make("ModelVersion", f"{LATE}-0", version=0), "should be greater than or equal to 1"),
    ("a metric without value or reason", make("ModelVersion", metrics__0__value=None), "give the value, or the reason"),
    ("no digest", make("ModelVersion", artifact__digest="sha256:0"), "should match"),
    ("a folder", make("ModelVersion", artifact__uri="s3://models/late/"), "should match"),
    # ModelDeployment
    ("model and artifact", make("ModelDeployment", artifact=ARTIFACT), "give exactly one of modelRef and artifact"),
    ("neither of them", make("ModelDeployment", modelRef=None), "give exactly one of modelRef and artifact"),
    (
        "a pickle without consent",
        make("ModelDeployment", modelRef=None, artifact=ARTIFACT | {"format": "Joblib"}),
        "a Joblib file runs whatever code is in it: set allowPickle to true if you trust it",
    ),
    (
        "a custom artifact",
        make("ModelDeployment", modelRef=None, artifact=ARTIFACT | {"format": "Custom"}),
        "supported values",
    ),
    ("too short a window", make("ModelDeployment", monitoring__window="9s"), "must last from 10s to 7d"),
    ("too long a window", make("ModelDeployment", monitoring__window="7d1s"), "must last from 10s to 7d"),
    ("alarms all day", make("ModelDeployment", monitoring__falseAlarmEvery="23h59m59s"), "must last from 1d to 3650d"),
    ("too many replicas", make("ModelDeployment", replicas=1001), "should be less than or equal to 1000"),
    ("a boolean for a word", make("ModelDeployment", server__flavor=False), "must be of type string"),
    # names
    ("a long name", make("Dataset", "a" * 41), "metadata.name: Too long: may not be more than 40"),
    ("a longer name", make("TrainingJob", "a" * 53), "metadata.name: Too long: may not be more than 52"),
    ("a digit first", make("Model", "1a"), "metadata.name in body should match"),
    ("a dot", make("ModelDeployment", "a.b"), "metadata.name in body should match"),
]


@pytest.mark.parametrize(
    ("body", "words"), [pytest.param(*row[1:], id=f"{row[1]['kind']}: {row[0]}") for row in REFUSED]
)
def test_a_mistake_is_refused_in_words_that_help(kubectl: Kubectl, body: Json, words: str) -> None:
    assert words in kubectl.refusal("create", "--dry-run=server", "-f", "-", given=body)


def test_every_rule_that_an_object_can_break_at_birth_is_in_the_table() -> None:
    tried = " ".join(words for _, _, words in REFUSED)
    for row in KINDS:
        for message in messages(row.resource.model_json_schema(by_alias=True)):
            assert "cannot be changed" in message or message[:23] in tried, message


def messages(node: Json) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (rule["message"] for rule in node.get("x-kubernetes-validations", []))
        for child in node.values():
            yield from messages(child)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Dataset", {"source": {"uri": "https://host/x.csv"}}),
        ("Dataset", {"expect": {"rows": {"min": 0}}}),
        ("Model", {"training__validation": {"type": "Dataset", "dataset": {"datasetRef": {"name": "x"}}}}),
        (
            "Model",
            {"training__estimator": None, "training__container": CONTAINER, "training__validation": {"type": "Hash"}},
        ),
        ("Model", {"training__pod__tolerations": [{"operator": "Exists"}]}),
        ("Model", {"gates__0__bound": {"metric": "brier", "atMost": 0}}),
        ("Model", {"retraining__cooldown": "0s"}),
        ("ModelDeployment", {"modelRef": None, "artifact": ARTIFACT | {"format": "Joblib", "allowPickle": True}}),
        ("ModelDeployment", {"replicas": 0}),
        ("ModelDeployment", {"monitoring__window": "6d23h59m60s"}),
    ],
)
def test_what_is_right_at_the_edge_is_taken(kubectl: Kubectl, kind: str, change: Json) -> None:
    kubectl.do("create", "--dry-run=server", "-f", "-", given=make(kind, **change))


def patched(kubectl: Kubectl, target: str, patch: str) -> str:
    return kubectl.refusal("patch", target, "--type=json", "-p", patch)


@pytest.mark.parametrize(
    ("patch", "member"),
    [
        ('[{"op":"replace","path":"/spec/modelRef/name","value":"other"}]', "modelRef"),
        ('[{"op":"replace","path":"/spec/training/seed","value":1}]', "training"),
        ('[{"op":"remove","path":"/spec/training"}]', "training"),
        ('[{"op":"add","path":"/spec/training/target","value":{"positive":"1"}}]', "training"),
        ('[{"op":"add","path":"/spec/gates","value":[]}]', "gates"),
        ('[{"op":"add","path":"/spec/store","value":{"uri":"s3://b/x"}}]', "store"),
        ('[{"op":"remove","path":"/spec/trigger"}]', "trigger"),
        ('[{"op":"replace","path":"/spec/training/estimator/params/alpha","value":2}]', "training"),
        (
            '[{"op":"move","from":"/spec/training/estimator/params/alpha","path":"/spec/training/estimator/params/beta"}]',
            "training",
        ),
        (
            '[{"op":"move","from":"/spec/training/estimator/params/weight/0","path":"/spec/training/estimator/params/weight/1"}]',
            "training",
        ),
    ],
)
def test_a_training_job_cannot_be_changed(kubectl: Kubectl, patch: str, member: str) -> None:
    estimator = {"name": "Ridge", "params": {"alpha": 1, "weight": {"0": 1}}}
    body = make("TrainingJob", "fixed", training__container=None, training__estimator=estimator)
    kubectl.do("apply", "-f", "-", given=body)
    expected = f"{member} cannot be changed once created: create another TrainingJob"
    assert expected in patched(kubectl, "tjob/fixed", patch)


def test_a_training_job_can_be_suspended(kubectl: Kubectl) -> None:
    kubectl.do("create", "-f", "-", given=make("TrainingJob", "paused"))
    kubectl.do("patch", "tjob/paused", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    kubectl.do("patch", "tjob/paused", "--type=merge", "-p", '{"spec":{"suspend":null}}')
    assert kubectl.get("tjob", "paused")["spec"]["suspend"] is False


@pytest.mark.parametrize(
    "patch",
    [
        '[{"op":"replace","path":"/spec/artifact/format","value":"Skops"}]',
        '[{"op":"add","path":"/spec/artifact/bytes","value":1}]',
        '[{"op":"add","path":"/spec/profile","value":{"digest":"' + DIGEST + '"}}]',
        '[{"op":"remove","path":"/spec/signature"}]',
        '[{"op":"remove","path":"/spec/metrics/0"}]',
    ],
)
def test_a_version_cannot_be_changed(kubectl: Kubectl, patch: str) -> None:
    kubectl.do("apply", "-f", "-", given=make("ModelVersion"))
    expected = "the spec of a ModelVersion cannot be changed: create the next version instead"
    assert expected in patched(kubectl, f"mdlv/{LATE}-7", patch)


def test_a_version_can_be_labelled(kubectl: Kubectl) -> None:
    kubectl.do("apply", "-f", "-", given=make("ModelVersion"))
    kubectl.do("label", "mdlv", f"{LATE}-7", "team=a", "--overwrite")
