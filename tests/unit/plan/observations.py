"""Strategies for all that a planner may observe: specs that the CRD accepts, children and pods in any state, statuses of
anybody's making. Names are few, so that what refers to one another often meets."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests import make
from tests.unit.plan import specs
from tests.unit.plan.judgements import judgements
from tests.unit.plan.occurrences import AGES, CLAIM, DEFAULTS, MOSTLY, SELDOM, job_views, pods
from trimtab.api.meta import Annotation
from trimtab.api.modeldeployment import ModelDeployment
from trimtab.api.trainingjob import TrainingJob
from trimtab.plan import dataset, inputs, model, modeldeployment, modelversion, rollout, serving, trainingjob
from trimtab.plan.intent import Object


@st.composite
def objects(draw: st.DrawFn, /, kind: str, name: str, **meta: Any) -> Object:
    """One object of ours in any state."""
    spec, status = draw(specs.specs(kind)), draw(specs.statuses(kind))
    generation = draw(st.sampled_from([1, 2]))
    if draw(MOSTLY):
        spec.pop("suspend", None)
    return make.obj(kind, name, spec, status=status, created=draw(AGES), generation=generation, **meta)


# ---------------------------------------------------------------- one observation a kind


def _asked(draw: st.DrawFn) -> tuple[str, ...]:
    return tuple(make.ago(age) for age in draw(st.lists(AGES, max_size=2)))


@st.composite
def datasets(draw: st.DrawFn) -> dataset.Observed:
    given = draw(_usable(make.DATASET))
    current = dataset.spec_digest(given)
    if given.get("status", {}).get("look") and draw(st.booleans()):
        given["status"]["look"]["specDigest"] = current
    made_for = st.sampled_from([current, current, "0ld", ""])
    names = draw(st.lists(st.sampled_from(["flights-look-1", "flights-look-2"]), unique=True))
    configs = draw(st.lists(st.sampled_from(["flights-look-1", "flights-look-3"]), unique=True))
    return dataset.Observed(
        dataset=given,
        looks=tuple(draw(job_views(name, ("fetch",), draw(made_for))) for name in names),
        configs=tuple(make.config(name, "{}") for name in configs),
        asked=_asked(draw),
        defaults=draw(DEFAULTS),
    )


@st.composite
def _usable(draw: st.DrawFn, name: str) -> Object:
    """A Dataset that is often of use."""
    given = draw(objects("Dataset", name))
    if draw(st.booleans()):
        return make.looked(
            given,
            digest=draw(st.sampled_from([make.JANUARY, make.FEBRUARY])),
            since=draw(AGES),
            valid=draw(st.sampled_from([True, True, False])),
            readable=draw(st.sampled_from([True, True, False])),
        )
    return given


VERDICTS = st.dictionaries(
    st.sampled_from(["quality", "no-worse", "0"]),
    st.sampled_from(["Passed", "Passed", "Failed", "Inconclusive"]),
    max_size=2,
)
DATA = st.sampled_from([make.JANUARY, make.FEBRUARY])


@st.composite
def _version(draw: st.DrawFn, number: int) -> Object:
    """A version of the Model; every fourth one as anybody may have brought it."""
    if draw(SELDOM):
        brought: Object = draw(objects("ModelVersion", f"{make.MODEL}-{number}"))
        brought["spec"]["version"] = number
        return brought
    held = {"reason": "LoadFailed", "time": make.ago(9)}
    return make.version(
        number,
        data=draw(DATA),
        verdicts=draw(VERDICTS),
        format=draw(st.sampled_from(["ONNX", "ONNX", "Skops", "Joblib", "XGBoost", "LightGBM", "Custom"])),
        status=draw(st.sampled_from([None, None, {"quarantined": held}, {"usedBy": []}])),
    )


@st.composite
def _versions(draw: st.DrawFn, most: int = 3) -> tuple[Object, ...]:
    numbers = draw(
        st.lists(
            st.sampled_from([1, 2, 3, 2_147_483_647]),
            min_size=draw(st.sampled_from([0, 1, 1])),
            max_size=most,
            unique=True,
        )
    )
    return tuple(draw(_version(number)) for number in numbers)


STAGES = st.sampled_from([None, "Pending", "Queued", "Training", "Succeeded", "Succeeded", "Failed", "Failed"])
CAUSES = st.sampled_from(["Initial", "SpecChanged", "Drift", "Manual"])


@st.composite
def _runs(draw: st.DrawFn, of: Object) -> tuple[Object, ...]:
    found = []
    for name in draw(st.lists(st.sampled_from(["r1", "r2", "r3", "r4"]), max_size=4, unique=True)):
        run = make.run(
            name,
            stage=draw(STAGES),
            cause=draw(CAUSES),
            data=draw(DATA),
            created=draw(AGES),
            opened_by=of if draw(st.booleans()) else None,
            failure={
                "stage": "Fetching",
                "reason": draw(st.sampled_from(["DataChanged", "Odd", "Unreachable"])),
                "message": "no " * 1300,
            },
        )
        if draw(SELDOM) and "annotations" in run["metadata"]:
            run["metadata"]["annotations"][Annotation.INPUTS] = "0ld"
        found.append(run)
    return tuple(found)


@st.composite
def _deployments(draw: st.DrawFn, versions: tuple[Object, ...]) -> tuple[Object, ...]:
    found = []
    for name in draw(st.sampled_from([[], ["one"], ["one", "two"]])):
        if bool(versions) and draw(st.booleans()):
            severity, quality = (
                draw(st.sampled_from(["Minor", "Moderate", "Major"])),
                draw(st.sampled_from(["True", "False"])),
            )
            on = draw(st.sampled_from(versions))
            found.append(make.drifting(on, name, severity=severity, since=draw(AGES), quality=quality))
        else:
            status, asked = draw(specs.statuses("ModelDeployment")), draw(st.sampled_from([{}, {"version": 2}]))
            found.append(make.deployment(name, status=status, modelRef={"name": make.MODEL, **asked}))
    return tuple(found)


@st.composite
def models(draw: st.DrawFn) -> model.Observed:
    given = draw(objects("Model", make.MODEL))
    versions = draw(_versions())
    if bool(versions) and draw(st.booleans()):
        given["status"] = {**(given.get("status") or {}), "champion": make.identity(draw(st.sampled_from(versions)))}
    seen = model.Observed(
        model=given,
        versions=versions,
        runs=draw(_runs(given)),
        deployments=draw(_deployments(versions)),
        dataset=draw(_usable(make.DATASET)) if draw(MOSTLY) else None,
        defaults=draw(DEFAULTS),
    )
    return replace(seen, live=model.needs_live(seen))


@st.composite
def training_jobs(draw: st.DrawFn) -> trainingjob.Observed:
    run = draw(objects("TrainingJob", "run"))
    if draw(MOSTLY):
        run["status"] = {"observedGeneration": 1, "stage": "Training", "startTime": make.ago(99)}
    parent = draw(objects("Model", make.MODEL)) if draw(MOSTLY) else None
    steps = ("fetch", "train", "evaluate", "publish")
    seen = trainingjob.Observed(
        run=run,
        model=parent,
        dataset=draw(_usable(make.DATASET)) if draw(MOSTLY) else None,
        validation=draw(st.none() | _usable("held-out")),
        config=None,
        view=draw(st.none() | job_views("run-job", steps)),
        version=draw(_version(1)) if draw(SELDOM) else None,
        champion=draw(st.none() | _version(2)),
        siblings=draw(_runs(parent or make.model())),
        defaults=draw(DEFAULTS),
    )
    return replace(seen, config=_config(draw, seen))


def _config(draw: st.DrawFn, seen: trainingjob.Observed) -> Object | None:
    """What the run was resolved to, as it is, damaged, or not there."""
    match draw(st.sampled_from(["none", "whole", "whole", "damaged", "empty", "newer"])):
        case "whole":
            usable = make.looked()
            given = replace(seen, model=seen.model or make.model(), dataset=usable, validation=usable, defaults=CLAIM)
            spec = TrainingJob.model_validate(seen.run).spec
            return make.config("run-inputs", inputs.resolve(given, spec).to_json())
        case "damaged":
            return make.config("run-inputs", '{"schema": 1, "name"')
        case "newer":
            return make.config("run-inputs", '{"schema": 2}')
        case "empty":
            return {**make.config("run-inputs", ""), "data": {"other": "x"}}
    return None


@st.composite
def model_versions(draw: st.DrawFn) -> modelversion.Observed:
    version = draw(objects("ModelVersion", f"{make.MODEL}-1"))
    users = draw(_deployments((version,)))
    many = tuple(
        make.deployment(f"many-{number}", modelRef={"name": make.MODEL, "version": 1}) for number in range(120)
    )
    return modelversion.Observed(
        version=version,
        model=draw(st.none() | objects("Model", make.MODEL)),
        deployments=users if draw(MOSTLY) else many,
    )


@st.composite
def model_deployments(draw: st.DrawFn) -> modeldeployment.Observed:
    given = draw(objects("ModelDeployment", make.MODEL))
    parent = draw(objects("Model", make.MODEL)) if draw(MOSTLY) else None
    versions = draw(_versions())
    if versions and "modelRef" in given["spec"] and draw(MOSTLY):
        number = draw(st.sampled_from(versions))["spec"]["version"]
        given["spec"]["modelRef"] = {"name": make.MODEL, **draw(st.sampled_from([{}, {"version": number}]))}
    if parent is not None and bool(versions) and draw(MOSTLY):
        parent["status"] = {**(parent.get("status") or {}), "champion": make.identity(draw(st.sampled_from(versions)))}
    children = draw(_children(given, versions))
    names = [child["metadata"]["name"] for child in children]
    service = None
    if bool(names) and draw(MOSTLY):
        target = draw(st.sampled_from([*names, *names, "nowhere"]))
        service = {**serving.service(given, target), "metadata": make.obj("Service", make.MODEL, {})["metadata"]}
    counts = [f"{name}-counts" for name in (*names[:1], "gone")]
    return modeldeployment.Observed(
        deployment=given,
        model=parent,
        versions=versions,
        children=children,
        service=service,
        pods={
            child["metadata"]["uid"]: tuple(
                draw(pods(f"{name}-{number}", ("fetch",), ("server",)))
                for number in range(draw(st.sampled_from([0, 1, 2])))
            )
            for name, child in zip(names, children, strict=True)
        },
        judged=draw(judgements()) if draw(MOSTLY) else None,
        defaults=draw(DEFAULTS),
        configs=tuple(make.config(name, "{}") for name in counts[: draw(st.integers(0, 2))]),
    )


@st.composite
def _children(draw: st.DrawFn, /, parent: Object, versions: tuple[Object, ...]) -> tuple[Object, ...]:
    """Deployments of versions there are, of versions there were, and one that somebody edited."""
    spec = ModelDeployment.model_validate(parent).spec
    targets = [serving.of_version(version, allow_pickle=True) for version in versions]
    targets += [serving.of_artifact(parent["spec"]["artifact"])] if "artifact" in parent["spec"] else []
    targets += [serving.of_version(make.version(4), allow_pickle=False)]
    found = []
    for target in draw(
        st.lists(st.sampled_from(targets), max_size=3, unique_by=lambda target: (target.version, target.digest))
    ):
        replicas = draw(st.sampled_from([0, 1, 3]))
        built = serving.deployment(parent, spec, target, replicas, draw(st.sampled_from(["trimtab-server:1", "old:0"])))
        built["metadata"] |= {"uid": f"uid-of-{built['metadata']['name']}", "generation": 2}
        if draw(st.booleans()):
            built["metadata"]["annotations"] |= {rollout.FLAVOR: "Slim", rollout.IMAGE: "old:0", rollout.TEMPLATE: "x"}
        ready = draw(st.sampled_from([0, replicas]))
        built["status"] = {
            "observedGeneration": draw(st.sampled_from([1, 2])),
            "replicas": replicas,
            "updatedReplicas": draw(st.sampled_from([0, replicas])),
            "readyReplicas": ready,
            "availableReplicas": ready,
        }
        match draw(st.sampled_from(["whole", "whole", "new", "edited", "refused"])):
            case "new":
                built["status"] = {}
            case "edited":
                built["spec"]["template"]["spec"]["containers"][0]["name"] = "theirs"
            case "refused":
                told = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
                built["status"]["conditions"] = [told]
        found.append(json.loads(json.dumps(built)))
    return tuple(found)


ALL: dict[str, SearchStrategy[Any]] = {
    "Dataset": datasets(),
    "Model": models(),
    "TrainingJob": training_jobs(),
    "ModelVersion": model_versions(),
    "ModelDeployment": model_deployments(),
}
"""What each planner may observe."""
