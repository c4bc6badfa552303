"""Whatever is observed, a plan is made, means the same twice, settles, and says only what a status may hold."""

import copy
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import make
from tests.unit.plan import observations, samples, schema, worlds
from trimtab.api.conditions import ABSENT_WHEN_FALSE, KINDS_OWN, ConditionType
from trimtab.api.kinds import KINDS
from trimtab.plan.intent import Object, Plan

WORD = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")
LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
LONGEST = {"TrainingJob": 52, "Service": 63, "Deployment": 63, "Job": 63, "ConfigMap": 253, "NetworkPolicy": 253}
PARENTS = {
    "Dataset": "dataset",
    "Model": "model",
    "TrainingJob": "run",
    "ModelVersion": "version",
    "ModelDeployment": "deployment",
}

for_every_kind = pytest.mark.parametrize("kind", list(worlds.PLANNERS))


@for_every_kind
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_observation_leads_to_a_sound_plan_that_settles(kind: str, data: st.DataObject) -> None:
    observed = data.draw(observations.ALL[kind])
    planner = worlds.PLANNERS[kind][0]
    before = copy.deepcopy(observed)
    first = planner(observed, make.NOW)
    assert observed == before, "a planner changes nothing that it is given"
    assert planner(before, make.NOW) == first, "the same observation leads to the same plan"
    sound(kind, getattr(observed, PARENTS[kind]), first)
    end, last = worlds.settled(kind, observed)
    sound(kind, getattr(end, PARENTS[kind]), last)
    assert planner(end, make.NOW + 0.01).status in (last.status, None), "no status creeps with the clock"


def sound(kind: str, parent: Object, plan: Plan) -> None:
    """What holds of every plan."""
    if plan.status is not None:
        _sound_status(kind, dict(plan.status))
    _sound_children(parent, plan)
    for notice in plan.notices:
        assert notice.type in ("Normal", "Warning")
        assert WORD.fullmatch(notice.reason)
        assert len(notice.reason) <= 128
    told = json.dumps([plan.status, [notice.message for notice in plan.notices]])
    assert samples.HIDDEN not in told, "what a user gave to a pod is told to nobody else"


def _sound_status(kind: str, status: dict[str, Any]) -> None:
    assert list(schema.faults(json.loads(json.dumps(status)), schema.of(kind, "status"), "status")) == []
    resource = next(row.resource for row in KINDS if row.kind == kind)
    resource.model_validate({"kind": kind, "metadata": {}, "spec": _some_spec(kind), "status": status})
    types = Counter(entry["type"] for entry in status["conditions"])
    own = {ConditionType.READY, *KINDS_OWN[kind]}
    assert own <= set(types) <= own | ABSENT_WHEN_FALSE
    assert set(types.values()) == {1}
    assert not set(types) >= ABSENT_WHEN_FALSE, "Reconciling and Stalled exclude each other"
    states = {entry["type"]: entry["status"] for entry in status["conditions"]}
    assert all(states[kind] == "True" for kind in ABSENT_WHEN_FALSE & set(states))
    assert (states["Ready"] == "True") == (not ABSENT_WHEN_FALSE & set(states))


def _some_spec(kind: str) -> Object:
    builders: dict[str, Callable[[], Object]] = {
        "Dataset": make.dataset,
        "Model": make.model,
        "TrainingJob": make.run,
        "ModelVersion": make.version,
        "ModelDeployment": make.deployment,
    }
    spec: Object = builders[kind]()["spec"]
    return spec


def _sound_children(parent: Object, plan: Plan) -> None:
    names = [(child.kind, child.name) for child in plan.children]
    assert len(set(names)) == len(names)
    for child in plan.children:
        meta = child.obj["metadata"]
        assert LABEL.fullmatch(child.name)
        assert len(child.name) <= LONGEST[child.kind]
        assert meta["namespace"] == parent["metadata"]["namespace"]
        owner = meta["ownerReferences"][0]
        assert (owner["uid"], owner["controller"]) == (parent["metadata"]["uid"], True)
        labels = [meta["labels"], child.obj.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})]
        for value in (value for group in labels for value in group.values()):
            assert VALUE.fullmatch(value)
            assert len(value) <= 63
        assert None not in list(_leaves(json.loads(json.dumps(child.obj, allow_nan=False))))
        for variables in _named(child.obj, "env"):
            assert max(Counter(variable["name"] for variable in variables).values(), default=1) == 1
        for mounts in _named(child.obj, "volumeMounts"):
            assert max(Counter(mount["mountPath"] for mount in mounts).values()) == 1
        for volumes in _named(child.obj, "volumes"):
            assert max(Counter(volume["name"] for volume in volumes).values()) == 1


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for child in value.values() for leaf in _leaves(child)]
    if isinstance(value, list):
        return [leaf for child in value for leaf in _leaves(child)]
    return [value]


def _named(value: Any, name: str) -> list[list[Any]]:
    """Every list of this name anywhere in an object."""
    if isinstance(value, dict):
        found = [list(child) for key, child in value.items() if key == name and isinstance(child, (list, tuple))]
        return found + [deeper for child in value.values() for deeper in _named(child, name)]
    if isinstance(value, (list, tuple)):
        return [deeper for child in value for deeper in _named(child, name)]
    return []
