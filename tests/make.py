"""Builders of objects as the operator observes them; each call shows only what matters to its test.

Objects are plain dictionaries, as the API server would return them: with uid, generation and times. Keywords are members
of `spec` in the API's spelling. `NOW` is the time of all tests; `ago(60)` is a minute before it.
"""

import copy
import json
from typing import Any

from trimtab.api.meta import API_VERSION, Annotation
from trimtab.api.model import Model
from trimtab.plan import conditions, naming
from trimtab.plan import dataset as looking
from trimtab.plan import model as modelling
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Object
from trimtab.plan.jobs import RUN_FILE, JobView

NOW = 1_764_000_000.0
NAMESPACE = "team"
DEFAULTS = Defaults(server_image="trimtab-server:1", trainer_image="trimtab-trainer:1")
MODEL = "late"
DATASET = "flights"
JANUARY, FEBRUARY = (f"sha256:{digit * 64}" for digit in "12")
"""Digests of data."""


def ago(seconds: float) -> str:
    """RFC 3339 of a time before `NOW`."""
    return conditions.timestamp(NOW - seconds)


def digest(number: int) -> str:
    """The artifact's digest of version `number`."""
    return f"sha256:{number:064x}"


PUBLISHED = {
    "uri": "s3://models/late/x/manifest.json",
    "digest": digest(9),
    "format": "ONNX",
    "bytes": 10,
    "rows": 5,
    "dataDigest": JANUARY,
}
"""What publish says at least."""


def obj(
    kind: str,
    name: str,
    spec: Object,
    *,
    status: Object | None = None,
    uid: str | None = None,
    created: float = 3600,
    generation: int = 1,
    owner: Object | None = None,
    api_version: str = API_VERSION,
    **meta: Any,
) -> Object:
    """An object of any kind; `created` in seconds before `NOW`, `owner` the controller."""
    metadata = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": uid or f"uid-of-{kind}-{name}",
        "generation": generation,
        "resourceVersion": "1",
        "creationTimestamp": ago(created),
        **meta,
    }
    if owner is not None:
        metadata["ownerReferences"] = [naming.owner(owner)]
    built = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": _given(spec)}
    return built if status is None else {**built, "status": copy.deepcopy(status)}


def _given(spec: Object) -> Object:
    """A spec without the members that a test takes away by None."""
    return {key: copy.deepcopy(value) for key, value in spec.items() if value is not None}


def _parts(keywords: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and spec among the keywords of a builder."""
    ours = ("status", "uid", "created", "generation", "owner", "deletionTimestamp", "annotations", "labels")
    return (
        {key: value for key, value in keywords.items() if key in ours},
        {key: value for key, value in keywords.items() if key not in ours},
    )


def condition(kind: str, status: str, reason: str = "Made", message: str = "made up", *, since: float = 60) -> Object:
    """One condition, which has stood for `since` seconds."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": ago(since),
        "observedGeneration": 1,
    }


# ---------------------------------------------------------------- the five kinds


def dataset(name: str = DATASET, **keywords: Any) -> Object:
    """A Dataset that nobody has looked at, unless `status` says so."""
    meta, spec = _parts(keywords)
    return obj(
        "Dataset", name, {"source": {"uri": "pvc://flights/2013.parquet"}, "targetColumn": "late"} | spec, **meta
    )


def looked(
    given: Object | None = None, *, digest: str = JANUARY, since: float = 600, valid: bool = True, readable: bool = True
) -> Object:
    """The Dataset after a look that began `since` seconds ago."""
    seen = copy.deepcopy(given) if given is not None else dataset()
    word = ("True", "ExpectationsHold") if valid else ("False", "ExpectationsFailed")
    seen["status"] = {
        "observedGeneration": seen["metadata"]["generation"],
        "look": {"time": ago(since), "specDigest": looking.spec_digest(seen)},
        "conditions": [condition("Validated", *(word if readable else ("Unknown", "DataUnreadable")), since=since)],
    }
    if readable:
        seen["status"] |= {"digest": digest, "rows": 9, "columns": [], "failures": []}
    return seen


def model(name: str = MODEL, **keywords: Any) -> Object:
    """A Model with an estimator and a store."""
    meta, spec = _parts(keywords)
    minimal = {
        "task": "Classification",
        "training": {"data": {"datasetRef": {"name": DATASET}}, "estimator": {"name": "LogisticRegression"}},
        "store": {"uri": "s3://models/late"},
    }
    return obj("Model", name, minimal | spec, **meta)


def spec_digest(given: Object) -> str:
    """What a run of this Model is opened for."""
    return modelling.spec_digest(Model.model_validate(given).spec)


def run(
    name: str = "run",
    *,
    stage: str | None = None,
    cause: str | None = None,
    opened_by: Object | None = None,
    **more: Any,
) -> Object:
    """A TrainingJob; `opened_by` the Model as its retraining makes it, `stage` as its status says."""
    data_digest, ended, failure = more.pop("data", JANUARY), more.pop("ended", 60), more.pop("failure", None)
    meta, spec = _parts({"created": 120, **more})
    if stage is not None and "status" not in meta:
        meta["status"] = {"observedGeneration": 1, "stage": stage, "dataDigest": data_digest, "startTime": ago(100)}
        if stage in ("Succeeded", "Failed"):
            meta["status"]["completionTime"] = ago(ended)
        if stage == "Failed":
            meta["status"]["failure"] = failure or {
                "stage": "Training",
                "reason": "TrainingFailed",
                "message": "no luck",
            }
    if opened_by is not None:
        meta |= {"owner": opened_by, "annotations": {Annotation.INPUTS: spec_digest(opened_by)}}
        cause = cause or "Initial"
    wanted = {"modelRef": {"name": MODEL}} | ({"trigger": {"type": cause, "reason": "seen"}} if cause else {}) | spec
    return obj("TrainingJob", name, wanted, **meta)


def version(number: int = 1, *, made_here: bool = True, **keywords: Any) -> Object:
    """A ModelVersion made by a run on January's data, or brought by a user."""
    on, name = keywords.pop("data", JANUARY), keywords.pop("model", MODEL)
    verdicts, file_format = keywords.pop("verdicts", {}), keywords.pop("format", "ONNX")
    meta, spec = _parts(keywords)
    minimal: Object = {
        "modelRef": {"name": name},
        "version": number,
        "artifact": {
            "uri": f"s3://models/late/{number}/manifest.json",
            "digest": digest(number),
            "format": file_format,
        },
        "gates": [{"name": gate, "verdict": verdict, "message": "so it is"} for gate, verdict in verdicts.items()],
    }
    if made_here:
        minimal["lineage"] = {
            "trainingJob": {"name": f"run-{number}", "uid": f"uid-of-TrainingJob-run-{number}"},
            "dataset": {"name": DATASET, "digest": on},
        }
    return obj("ModelVersion", f"{name}-{number}", minimal | spec, **meta)


def identity(given: Object) -> Object:
    """A version as statuses name it."""
    spec = given["spec"]
    return {"version": spec["version"], "name": given["metadata"]["name"], "digest": spec["artifact"]["digest"]}


def deployment(name: str = MODEL, **keywords: Any) -> Object:
    """A ModelDeployment that follows the champion, with one replica."""
    meta, spec = _parts(keywords)
    minimal = {} if "artifact" in spec else {"modelRef": {"name": MODEL}}
    return obj("ModelDeployment", name, minimal | {"replicas": 1} | spec, **meta)


def drifting(
    on: Object, name: str = MODEL, *, severity: str = "Moderate", since: float = 1800, quality: str = "True"
) -> Object:
    """A ModelDeployment whose traffic to this version drifts since so many seconds."""
    status = {
        "observedGeneration": 1,
        "versions": [served(on)],
        "drift": {"verdict": "Drifting", "severity": severity, "reason": "FeatureDrift", "features": []},
        "conditions": [
            condition("InDistribution", "False", "FeatureDrift", since=since),
            condition("DataQuality", quality, "ValuesValid", "half of 'temp' is missing", since=since),
        ],
    }
    return deployment(name, status=status)


def served(given: Object, role: str = "Stable") -> Object:
    """A version as a deployment's status lists it."""
    share = 100 if role == "Stable" else 0
    return {**identity(given), "role": role, "weight": {"requested": share, "effective": share}}


# ---------------------------------------------------------------- what the cluster makes


def running(name: str) -> Object:
    """Status of a container that runs."""
    return {"name": name, "image": "i:1", "state": {"running": {"startedAt": ago(30)}}}


def waiting(name: str, reason: str = "PodInitializing", message: str = "", **last: Object) -> Object:
    """Status of a container that waits; `last` is how it ended before."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": name, "image": "i:1", "state": state, **({"lastState": last} if last else {})}


def ended(name: str, code: int = 0, message: str = "", reason: str = "") -> Object:
    """Status of a container that ended."""
    word = reason or ("Completed" if code == 0 else "Error")
    return {
        "name": name,
        "image": "i:1",
        "state": {"terminated": {"exitCode": code, "message": message, "reason": word}},
    }


def pod(
    name: str = "pod",
    *,
    init: tuple[Object, ...] = (),
    main: tuple[Object, ...] = (),
    phase: str = "Running",
    ready: bool | None = None,
    created: float = 50,
    reason: str | None = None,
    unscheduled: str | None = None,
    **meta: Any,
) -> Object:
    """A pod with the statuses of its containers."""
    status: Object = {"phase": phase, "podIP": "10.0.0.9", "conditions": []}
    if init:
        status["initContainerStatuses"] = list(init)
    if main:
        status["containerStatuses"] = list(main)
    if ready is not None:
        status["conditions"].append({"type": "Ready", "status": str(ready)})
    if unscheduled is not None:
        told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unscheduled}
        status["conditions"].append(told)
    if reason is not None:
        status["reason"] = reason
    return obj("Pod", name, {}, status=status, created=created, api_version="v1", **meta)


def view(
    name: str = "job",
    *pods: Object,
    end: str | None = None,
    since: float = 40,
    message: str = "",
    created: float = 50,
    suspend: bool = False,
    inputs: str = "",
    **status: Any,
) -> JobView:
    """A Job and its pods; `end` is Complete or Failed, `since` how many seconds ago."""
    told: Object = {"active": 0 if end else 1, **status}
    if end is not None:
        told["conditions"] = [{"type": end, "status": "True", "lastTransitionTime": ago(since), "message": message}]
    job = obj("Job", name, {"suspend": suspend}, status=told, created=created, annotations={Annotation.INPUTS: inputs})
    return JobView({**job, "apiVersion": "batch/v1"}, pods)


def config(name: str, content: str, **meta: Any) -> Object:
    """A ConfigMap with a `run.json`."""
    built = obj("ConfigMap", name, {}, api_version="v1", **meta)
    del built["spec"]
    return {**built, "data": {RUN_FILE: content}}


def report(step: str, **members: Any) -> str:
    """The termination message of one of our steps."""
    return json.dumps({"schema": 1, "step": step, **members})
