"""What is planned for a spec in a few situations, as text: what two specs do not differ in, they do not differ in at all."""

import json
from collections.abc import Callable
from typing import Any

from tests import make
from trimtab.api.modeldeployment import ModelDeployment
from trimtab.controller.slim import references
from trimtab.drift.profile import NumberReference, Profile
from trimtab.plan import budgets, dataset, model, modeldeployment, modelversion, trainingjob
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Object, Plan
from trimtab.plan.jobs import JobView

CLAIM = Defaults("s:1", "t:1", store_claim="models")


def _said(*plans: Plan) -> str:
    return json.dumps(
        [
            [
                [child.obj for child in plan.children],
                [vars_of(gone) for gone in (*plan.unwanted, *plan.patches)],
                plan.status,
                [(notice.reason, notice.message) for notice in plan.notices],
            ]
            for plan in plans
        ],
        sort_keys=True,
    )


def vars_of(entry: Any) -> list[Any]:
    return [getattr(entry, name) for name in type(entry).__slots__]


def of_dataset(spec: Object) -> str:
    return _said(dataset.plan(dataset.Observed(make.dataset(**spec), (), (), (), make.DEFAULTS), make.NOW))


def _job(run: Object, parent: Object | None, champion: Object | None = None, view: JobView | None = None) -> Plan:
    seen = trainingjob.Observed(
        run=run,
        model=parent,
        dataset=make.looked(make.dataset(), since=60),
        validation=make.looked(since=60),
        config=None,
        view=view,
        version=None,
        champion=champion,
        siblings=(make.run("sibling", created=9, stage="Training"),) if view else (),
        defaults=CLAIM,
    )
    return trainingjob.plan(seen, make.NOW)


def of_training_job(spec: Object) -> str:
    run = make.run(**spec)
    plans = [
        _job(run, make.model()),
        _job(run, make.model(), view=make.view("job", make.pod(init=(make.running("fetch"),)))),
    ]
    return _said(*plans) + json.dumps(list(references(run))) + _cause(run)


def _cause(run: Object) -> str:
    """What the Model makes of a run that somebody created."""
    parent = make.model(retraining={"triggers": [{"name": "d", "type": "Drift", "drift": {}}]})
    failed = {
        **run,
        "status": {"stage": "Failed", "dataDigest": make.FEBRUARY},
        "metadata": make.run(opened_by=parent)["metadata"],
    }
    return _said(*[_model(parent, runs=(failed,), digest=digest) for digest in (make.JANUARY, make.FEBRUARY)])


def _model(parent: Object, digest: str = make.FEBRUARY, **given: Any) -> Plan:
    nothing: dict[str, Any] = {
        "versions": (make.version(1),),
        "runs": (),
        "deployments": (make.drifting(make.version(1)),),
    }
    seen = model.Observed(
        model=parent, dataset=make.looked(digest=digest), defaults=CLAIM, live=True, **{**nothing, **given}
    )
    return model.plan(seen, make.NOW)


def of_model(spec: Object) -> str:
    """A first run and what it is given, drift of each severity, gates of each verdict, and retention."""
    parent = make.model(**spec)
    known = {"specDigest": make.spec_digest(parent), "champion": make.identity(make.version(1))}
    served = make.model(**spec, status=known)
    brought = make.version(2, made_here=False, format="Joblib")
    twelve = tuple(make.version(number) for number in range(1, 13))
    ended = tuple(
        make.run(f"{stage}-{number}".lower(), stage=stage, owner=parent, created=100 + number)
        for stage in ("Succeeded", "Failed")
        for number in range(5)
    )
    last = make.run("last", stage="Succeeded", cause="Drift", created=86_400)
    plans = [
        _model(parent, versions=(), deployments=()),
        _job(make.run(), parent),
        _job(make.run(), parent, view=make.view("job", end="Failed", message="no", since=90)),
        *[
            _model(served, deployments=(make.drifting(make.version(1), severity=s),))
            for s in ("Minor", "Moderate", "Major")
        ],
        _model(served, runs=(last,)),
        *[
            _model(served, versions=(make.version(1), make.version(number, verdicts={"c": verdict})))
            for verdict in ("Passed", "Failed", "Inconclusive")
            for number in (6, 7, 8)
        ],
        _model(served, versions=twelve, deployments=()),
        _model(served, runs=ended),
    ]
    deploys = make.deployment(modelRef={"name": "late", "version": 2})
    return _said(*plans) + _serve(deploys, parent, brought) + json.dumps(list(references(parent)))


def of_model_version(spec: Object) -> str:
    """As champion, as what is served, as what a run is compared with, and by itself."""
    version = make.version(7)
    version["spec"] = spec
    plain = make.version(1)
    user = make.deployment(
        modelRef={"name": "late", "version": 7}, status={"readyReplicas": 1, "versions": [make.served(make.version(7))]}
    )
    parent = make.model(status={"champion": make.identity(version)})
    job = _job(make.run(), parent, champion=version)
    succeeded = trainingjob.plan(
        trainingjob.Observed(make.run(), parent, None, None, None, None, version, None, (), CLAIM),
        make.NOW,
    )
    return (
        _said(
            job,
            succeeded,
            modelversion.plan(modelversion.Observed(version, parent, (user,)), make.NOW),
            *[_model(parent, versions=(plain, version), digest=digest) for digest in (make.JANUARY, make.FEBRUARY)],
        )
        + _serve(make.deployment(), parent, version)
        + json.dumps(list(references(version)))
    )


def _serve(deployment: Object, parent: Object, *versions: Object) -> str:
    seen = modeldeployment.Observed(deployment, parent, versions, (), None, {}, None, make.DEFAULTS)
    return _said(modeldeployment.plan(seen, make.NOW))


PROFILE = Profile(
    9,
    tuple(
        NumberReference(name, (), (9,), 0.0, 1.0, 0, 0.0, "")
        for name in ("a", "a, changed", "distance", "distance, changed")
    ),
    None,
    None,
)


def of_model_deployment(spec: Object) -> str:
    deployment = make.deployment(**{"modelRef": None, **spec})
    parent = make.model(status={"champion": make.identity(make.version(7))})
    settings = budgets.stated(ModelDeployment.model_validate(deployment).spec.monitoring, PROFILE)
    told = [settings.window_seconds, settings.false_alarm_every_seconds, settings.sensitivity, sorted(settings.exclude)]
    served = _serve(deployment, parent, make.version(6, format="Skops"), make.version(7))
    return served + json.dumps(told) + json.dumps(list(references(deployment)))


EFFECTS: dict[str, Callable[[Object], str]] = {
    "Dataset": of_dataset,
    "Model": of_model,
    "TrainingJob": of_training_job,
    "ModelVersion": of_model_version,
    "ModelDeployment": of_model_deployment,
}
