"""Names of children: golden, since another name would make a second child of what exists already.

Whoever finds a line of this table changed has changed what a name is made of, and must not.
"""

from typing import Any

import pytest

from tests import make
from trimtab.plan import dataset, model, modeldeployment, trainingjob
from trimtab.plan.intent import Object, Plan

UID = "6f1f8a5e-0d43-4c0b-8d0e-3b0f5a0c9a11"
OTHER = "00000000-0000-4000-8000-000000000000"
OLD = f"sha256:{'0' * 64}"
ARTIFACT = {"uri": "s3://b/model.onnx", "digest": make.digest(50), "format": "ONNX"}


def look(uid: str = UID, asked: tuple[str, ...] = (), seen: bool = False, **spec: Any) -> Plan:
    given = make.dataset(uid=uid, **spec)
    given = make.looked(given, since=600) if seen else given
    return dataset.plan(dataset.Observed(given, (), (), asked, make.DEFAULTS), make.NOW)


def run(cause: str, *runs: Object, digest: str = make.FEBRUARY, uid: str = UID) -> Plan:
    retraining = {"triggers": [{"name": "drift", "type": "Drift", "drift": {}}]}
    version, drift = make.version(1), cause == "Drift"
    parent = make.model(uid=uid, retraining=retraining, status={"specDigest": OLD} if cause == "SpecChanged" else {})
    seen = model.Observed(
        model=parent,
        versions=(version,) if cause != "Initial" else (),
        runs=runs,
        deployments=(make.drifting(version),) if drift else (),
        dataset=make.looked(digest=digest),
        defaults=make.DEFAULTS,
    )
    return model.plan(seen, make.NOW)


def job(name: str = "run", uid: str = UID) -> Plan:
    seen = trainingjob.Observed(
        run=make.run(name, uid=uid),
        model=make.model(),
        dataset=make.looked(since=60),
        validation=None,
        config=None,
        view=None,
        version=None,
        champion=None,
        siblings=(),
        defaults=make.DEFAULTS,
    )
    return trainingjob.plan(seen, make.NOW)


def serve(version: Object | None, uid: str = UID, **spec: Any) -> Plan:
    seen = modeldeployment.Observed(
        deployment=make.deployment(uid=uid, **spec),
        model=make.model(status={"champion": make.identity(version)} if version else {}),
        versions=(version,) if version else (),
        children=(),
        service=None,
        pods={},
        judged=None,
        defaults=make.DEFAULTS,
    )
    return modeldeployment.plan(seen, make.NOW)


PLANS: dict[str, Plan] = {
    "a first look": look(),
    "a first look at a Dataset made again": look(OTHER),
    "a look with another spec": look(format="CSV"),
    "a look that was asked for": look(asked=(make.ago(5),), seen=True),
    "a look that was asked for later": look(asked=(make.ago(4),), seen=True),
    "a first run": run("Initial"),
    "a first run of a Model made again": run("Initial", uid=OTHER),
    "a first run on other data": run("Initial", digest=make.digest(5)),
    "a run for a changed spec": run("SpecChanged"),
    "a run for drift": run("Drift"),
    "a run for drift after another run": run(
        "Drift", make.run("late-0", opened_by=make.model(), stage="Succeeded", created=10**6)
    ),
    "a run's Job": job(),
    "another run's Job": job("late-2"),
    "the Job of a run made again": job(uid=OTHER),
    "version 1": serve(make.version(1)),
    "version 1 in a deployment made again": serve(make.version(1), OTHER),
    "version 10": serve(make.version(10)),
    "an artifact of the user's own": serve(None, artifact=ARTIFACT),
}
GOLDEN: dict[str, list[str]] = {
    "a first look": ["ConfigMap/flights-look-0482fb4f", "Job/flights-look-0482fb4f"],
    "a first look at a Dataset made again": ["ConfigMap/flights-look-8326ef0c", "Job/flights-look-8326ef0c"],
    "a look with another spec": ["ConfigMap/flights-look-07d5b581", "Job/flights-look-07d5b581"],
    "a look that was asked for": ["ConfigMap/flights-look-bf2c369a", "Job/flights-look-bf2c369a"],
    "a look that was asked for later": ["ConfigMap/flights-look-e3058216", "Job/flights-look-e3058216"],
    "a first run": ["TrainingJob/late-3766e29c"],
    "a first run of a Model made again": ["TrainingJob/late-4d1ec1e6"],
    "a first run on other data": ["TrainingJob/late-6f03846d"],
    "a run for a changed spec": ["TrainingJob/late-a5e9cb66"],
    "a run for drift": ["TrainingJob/late-bc7ba2b0"],
    "a run for drift after another run": ["TrainingJob/late-a8177289"],
    "a run's Job": ["ConfigMap/run-13fcabe8", "Job/run-13fcabe8"],
    "another run's Job": ["ConfigMap/late-2-13fcabe8", "Job/late-2-13fcabe8"],
    "the Job of a run made again": ["ConfigMap/run-6149b3f7", "Job/run-6149b3f7"],
    "version 1": ["NetworkPolicy/late-13fcabe8", "Service/late", "Deployment/late-v1-b1fc267e"],
    "version 1 in a deployment made again": [
        "NetworkPolicy/late-6149b3f7",
        "Service/late",
        "Deployment/late-v1-2bb6df7f",
    ],
    "version 10": ["NetworkPolicy/late-13fcabe8", "Service/late", "Deployment/late-v10-ac4c74f7"],
    "an artifact of the user's own": ["NetworkPolicy/late-13fcabe8", "Service/late", "Deployment/late-8668e322"],
}


@pytest.mark.parametrize("case", PLANS)
def test_names_never_change(case: str) -> None:
    assert [f"{child.kind}/{child.name}" for child in PLANS[case].children] == GOLDEN[case]


def test_different_inputs_have_different_names() -> None:
    names = [tuple(child.name for child in plan.children) for plan in PLANS.values()]
    assert len(set(names)) == len(names)
