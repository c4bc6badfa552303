"""A training run that is as it should be, to be changed by a test, and what its plans say."""

from typing import Any

from tests import make
from trimtab.api.conditions import ConditionType as Type
from trimtab.api.trainingjob import TrainingJob
from trimtab.api.wire.runs import Run
from trimtab.plan import conditions, inputs, trainingjob
from trimtab.plan.inputs import Observed
from trimtab.plan.intent import Object, Plan
from trimtab.plan.jobs import RUN_FILE, JobView

RESOLVED: dict[str, Any] = {"model": make.model(), "dataset": make.looked(since=60)}
PUBLISHED = {**make.PUBLISHED, "metrics": [{"name": "roc_auc", "value": 0.7}]}


def observed(run: Object | None = None, **given: Any) -> Observed:
    """A run of a Model and a Dataset that are as they should be, unless something else is given."""
    nothing = {"validation": None, "config": None, "view": None, "version": None, "champion": None, "siblings": ()}
    return Observed(run=run or make.run(), defaults=make.DEFAULTS, **{**nothing, **RESOLVED, **given})


def plan(run: Object | None = None, now: float = make.NOW, **given: Any) -> Plan:
    return trainingjob.plan(observed(run, **given), now)


def config(run: Object | None = None, **given: Any) -> Object:
    """The ConfigMap that a run was resolved to."""
    seen = observed(run, **given)
    return make.config("run-inputs", inputs.resolve(seen, TrainingJob.model_validate(seen.run).spec).to_json())


def follow(view: JobView, run: Object | None = None, **given: Any) -> Plan:
    return plan(run, view=view, config=config(), **given)


def told(plan: Plan, kind: Type = Type.READY) -> tuple[str, str]:
    assert plan.status is not None
    entry = conditions.find(plan.status, kind)
    assert entry is not None
    return entry["status"], entry["reason"]


def stage(plan: Plan) -> str:
    assert plan.status is not None
    return str(plan.status["stage"])


def resolved(plan: Plan) -> Run:
    return Run.from_json(plan.children[0].obj["data"][RUN_FILE])


def at(*ended: str, now: str | None = None, phase: str = "Running") -> JobView:
    """A run whose first steps ended and whose next one runs."""
    steps = [make.ended(step) for step in ended]
    steps += [make.running(now)] if now else []
    steps += [make.waiting(step) for step in ("fetch", "train", "evaluate", "publish")[len(steps) :]]
    return make.view("job", make.pod(init=tuple(steps[:3]), main=tuple(steps[3:]), phase=phase))


def well(message: str | None = None, since: float = 40) -> JobView:
    said = make.report("publish", published=PUBLISHED) if message is None else message
    steps = tuple(make.ended(step) for step in ("fetch", "train", "evaluate"))
    pod = make.pod(init=steps, main=(make.ended("publish", 0, said),), phase="Succeeded")
    return make.view("job", pod, end="Complete", since=since)
