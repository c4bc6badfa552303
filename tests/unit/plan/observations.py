"""Strategies for all that a planner may observe: specs that the CRD accepts, children and pods in any state, statuses of
anybody's making. Names are few, so that what refers to one another often meets."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests import make
from tests.unit.plan import specs
from trimtab.api.meta import Annotation
from trimtab.api.modeldeployment import ModelDeployment
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.api.trainingjob import TrainingJob
from trimtab.drift.quality import Fault, Quality
from trimtab.drift.shifts import Severity, Shift
from trimtab.drift.shifts import Verdict as Word
from trimtab.drift.verdicts import Reason, Verdict
from trimtab.plan import dataset, inputs, model, modeldeployment, modelversion, rollout, serving, trainingjob
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Object
from trimtab.plan.jobs import JobView
from trimtab.plan.judgement import Judgement

AGES = st.sampled_from([0, 1, 10, 40, 61, 400, 4000, 100_000, -30])
"""Seconds before now; a clock may be behind."""
SELDOM, MOSTLY = st.sampled_from([False] * 8 + [True]), st.sampled_from([True] * 8 + [False])
CLAIM = Defaults("s:2", "t:2", store_claim="models", operator_namespace="ops")
DEFAULTS = st.sampled_from([CLAIM, CLAIM, make.DEFAULTS])


@st.composite
def objects(draw: st.DrawFn, /, kind: str, name: str, **meta: Any) -> Object:
    """One object of ours in any state."""
    spec, status = draw(specs.specs(kind)), draw(specs.statuses(kind))
    generation = draw(st.sampled_from([1, 2]))
    if draw(MOSTLY):
        spec.pop("suspend", None)
    return make.obj(kind, name, spec, status=status, created=draw(AGES), generation=generation, **meta)


# ---------------------------------------------------------------- pods and Jobs

LOOK = {"digest": make.FEBRUARY, "rows": 5, "bytes": 9, "columns": [{"name": "a b", "type": "Number"}]}
PUBLISHED = {
    "uri": "s3://models/late/x/manifest.json",
    "digest": make.digest(9),
    "format": "ONNX",
    "bytes": 10,
    "rows": 5,
    "dataDigest": make.JANUARY,
}
MESSAGES = st.sampled_from(
    [
        "",
        "Traceback (most recent call last):\n\x1b[31mValueError\x00: no",
        "[" * 4000,
        '{"reason": "LoadFailed", "message": "\\ud800 is no text"}',
        '{"reason": "DigestMismatch", "message": "other bytes"}',
        '{"reason": "two words", "message": {}}',
        '{"schema": 99, "step": "fetch"}',
        make.report("fetch", look=LOOK),
        make.report("fetch", look={**LOOK, "columns": [], "packed": "no base64"}),
        make.report("fetch", reason="NotFound", message="nothing lies there" * 300, logTail="\x00tail" * 2000),
        make.report("train", reason="not a word!", message="x" * 5000),
        make.report("evaluate", reason="ModelUnusable", message="it does not load"),
        make.report("publish", published=PUBLISHED),
    ]
)
REASONS = st.sampled_from(["OOMKilled", "Error", "Completed", "ContainerStatusUnknown", ""])
WAITS = st.sampled_from(
    ["PodInitializing", "ContainerCreating", "ImagePullBackOff", "CreateContainerConfigError", "CrashLoopBackOff"]
)


@st.composite
def containers(draw: st.DrawFn, name: str) -> Object:
    """Status of a container in any state."""
    dead = make.ended(name, draw(st.sampled_from([0, 1, 3, 137])), draw(MESSAGES), draw(REASONS))
    match draw(st.sampled_from(["none", "waiting", "running", "ended", "again"])):
        case "none":
            return {"name": name, "image": "i:1"}
        case "waiting":
            return make.waiting(name, draw(WAITS), "because")
        case "running":
            return make.running(name)
        case "again":
            return make.waiting(name, "CrashLoopBackOff", "back-off", **dead["state"])
    return dead


@st.composite
def pods(draw: st.DrawFn, name: str, init: tuple[str, ...], main: tuple[str, ...]) -> Object:
    """A pod in any state, or one without a status."""
    built = make.pod(
        name,
        init=tuple(draw(containers(step)) for step in init if draw(st.booleans())),
        main=tuple(draw(containers(step)) for step in main if draw(st.booleans())),
        phase=draw(st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"])),
        ready=draw(st.sampled_from([None, True, False])),
        reason=draw(st.sampled_from([None, None, "DeadlineExceeded", "Evicted"])),
        unscheduled=draw(st.sampled_from([None, None, "0/1 nodes are available"])),
        created=draw(AGES),
    )
    if draw(SELDOM):
        built["metadata"]["deletionTimestamp"] = make.ago(5)
    return {**built, "status": {}} if draw(SELDOM) else built


@st.composite
def job_views(draw: st.DrawFn, name: str, containers_: tuple[str, ...], inputs_: str = "") -> JobView:
    """A Job in any state, with up to two pods."""
    *init, main = containers_
    if draw(st.booleans()):
        return _well_ended(name, init, main, inputs_, since=draw(AGES))
    count = draw(st.sampled_from([0, 1, 1, 2]))
    seen = make.view(
        name,
        *[draw(pods(f"{name}-{number}", tuple(init), (main,))) for number in range(count)],
        end=draw(st.sampled_from([None, None, "Complete", "Failed", "FailureTarget", "Suspended"])),
        since=draw(AGES),
        message="BackoffLimitExceeded",
        created=draw(AGES),
        suspend=draw(st.booleans()),
        inputs=inputs_,
        failed=draw(st.sampled_from([0, 1, 3])),
    )
    if draw(SELDOM):
        return JobView({**seen.job, "status": {}}, seen.pods)
    return seen


def _well_ended(name: str, init: list[str], main: str, inputs_: str, since: float) -> JobView:
    """A Job whose last step left its result."""
    said = make.report(main, look=LOOK) if main == "fetch" else make.report(main, published=PUBLISHED)
    done = make.pod(
        name, init=tuple(make.ended(step) for step in init), main=(make.ended(main, 0, said),), phase="Succeeded"
    )
    return make.view(name, done, end="Complete", since=since, inputs=inputs_, created=since + 30)


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
        format=draw(st.sampled_from(["ONNX", "ONNX", "Skops", "Joblib", "Custom"])),
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
                "reason": draw(st.sampled_from(["DataChanged", "Odd"])),
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


SHIFTS = st.builds(
    Shift,
    st.sampled_from(["temp", "arr. delay ✈", "a" * 256, "b", "c"]),
    st.sampled_from(["Drifting", "InDistribution", "Unknown"]),
    st.just(1),
    st.just(100),
    st.sampled_from(["Minor", "Major", None]),
    psi=st.sampled_from([None, 0.0, 0.31]),
    threshold=st.sampled_from([None, 0.034]),
)


WORDS: list[tuple[Word, Reason]] = [
    ("Drifting", "FeatureDrift"),
    ("Drifting", "PredictionDrift"),
    ("InDistribution", "NoDrift"),
    ("Unknown", "TooFewRows"),
    ("Unknown", "NothingToJudge"),
]


@st.composite
def judgements(draw: st.DrawFn) -> Judgement:
    """Anything the monitor may say."""
    digest, window = (
        draw(st.sampled_from([make.digest(1), make.digest(2)])),
        draw(st.sampled_from([10.0, 3600.0, 100_001.0])),
    )
    if draw(st.booleans()):
        return Judgement(digest, window, reason=draw(st.sampled_from([Why.NO_REFERENCE, Why.SNAPSHOTS_MISSING])))
    word, reason = draw(st.sampled_from(WORDS))
    shifts = tuple(draw(st.lists(SHIFTS, max_size=3, unique_by=lambda shift: shift.name)))
    many = tuple(Shift(f"f{number}", "Drifting", 1, 9, "Minor", psi=0.5, threshold=0.1) for number in range(15))
    severity: Severity | None = "Major" if word == "Drifting" else None
    features = shifts if draw(MOSTLY) else many
    scale = draw(st.sampled_from([1, 168]))
    verdict = Verdict(word, reason, severity, scale, 500, 3, features, None, None, "as told" * 900, ())
    fault = Fault("arr. delay ✈", draw(st.sampled_from(["Missing", "Frozen"])), 0.5, 0.1, 1, 9)
    quality = draw(st.sampled_from([None, Quality("Sound", (), "fine"), Quality("Faulty", (fault,), "'x': bad")]))
    return Judgement(digest, window, verdict, quality)


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
