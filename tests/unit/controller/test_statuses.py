"""The series of conditions and retraining: what statuses say now, and nothing of what is gone."""

import asyncio
import re
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from tests import make
from tests.unit.controller.test_loop import loop
from trimtab.controller.cache import name_of
from trimtab.controller.statuses import StatusCollector
from trimtab.plan import conditions
from trimtab.plan.intent import Object

START = make.NOW - 100


def exported(given: StatusCollector) -> dict[str, float]:
    """Every sample by its name and labels, without the namespace that all share."""
    registry = CollectorRegistry()
    registry.register(given)
    found = {}
    for line in generate_latest(registry).decode().splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            assert 'namespace="team"' in name
            found[re.sub(r',?namespace="team"', "", name).removeprefix("trimtab_")] = float(value)
    return found


def noted(*given: Object) -> StatusCollector:
    collector = StatusCollector(START)
    for obj in given:
        collector.note(obj)
    return collector


def model(*, opened: float | None = None, run: str = "run-1", cause: str = "Drift", **status: Any) -> Object:
    """A Model whose last run was opened so many seconds before `NOW`."""
    if opened is not None:
        status["lastTrigger"] = {"type": cause, "time": make.ago(opened), "trainingJob": run}
    return make.model(status=status, retraining={"cooldown": "6h"})


def opened(given: StatusCollector) -> dict[str, float]:
    found = exported(given).items()
    return {match[1]: n for name, n in found if (match := re.search(r'triggers_total{.*reason="(\w+)"', name)) and n}


def test_each_condition_of_what_users_write_has_one_series() -> None:
    status = {
        "conditions": [make.condition("Ready", "False", "Stalled"), make.condition("Stalled", "True", "NameTaken")]
    }
    found = exported(noted(make.dataset(status=status), make.version(1, status=status), make.run(status=status)))
    assert found == {
        'condition{kind="Dataset",name="flights",reason="Stalled",status="False",type="Ready"}': 1,
        'condition{kind="Dataset",name="flights",reason="NameTaken",status="True",type="Stalled"}': 1,
    }


def test_a_condition_that_changed_has_no_series_of_what_it_was() -> None:
    collector = noted(make.dataset(status={"conditions": [make.condition("Validated", "True", "ExpectationsHold")]}))
    collector.note(make.dataset(status={"conditions": [make.condition("Validated", "False", "ExpectationsFailed")]}))
    assert [name for name in exported(collector) if "Validated" in name] == [
        'condition{kind="Dataset",name="flights",reason="ExpectationsFailed",status="False",type="Validated"}'
    ]


def test_versions_of_a_deployment_have_their_role_and_those_without_a_number_their_digest() -> None:
    both = [make.served(make.version(2)), make.served(make.version(1), "Previous")]
    assert exported(noted(make.deployment(status={"versions": both}))) == {
        'deployment_version_info{deployment="late",model="late",role="Stable",version="2"}': 1,
        'deployment_version_info{deployment="late",model="late",role="Previous",version="1"}': 1,
    }
    own = {"digest": f"sha256:0123456789ab{'0' * 52}", "role": "Stable", "weight": {"requested": 100, "effective": 100}}
    given = make.deployment(artifact={"uri": "pvc://x/m.onnx"}, status={"versions": [own, own]})
    assert list(exported(noted(given))) == [
        'deployment_version_info{deployment="late",model="",role="Stable",version="0123456789ab"}'
    ]


def test_a_model_says_its_champion_and_when_it_trains_again() -> None:
    suppressed = {"reason": "CooldownActive", "since": make.ago(9)}
    found = exported(noted(model(opened=1000, champion={"name": "late-3", "version": 3}, suppressed=suppressed)))
    last = conditions.instant(make.ago(1000))
    assert found == {
        'model_champion_version{model="late"}': 3,
        'retrain_suppressed{model="late",reason="CooldownActive"}': 1,
        'retrain_last_timestamp_seconds{model="late"}': last,
        'retrain_next_allowed_timestamp_seconds{model="late"}': last + 6 * 3600,
        **{f'retrain_triggers_total{{model="late",reason="{why}"}}': 0 for why in ("Initial", "SpecChanged", "Drift")},
    }


def test_runs_are_counted_once_and_those_of_an_earlier_process_not_at_all() -> None:
    collector = noted(model(opened=200))
    assert opened(collector) == {}
    for _ in range(2):
        collector.note(model(opened=50, run="run-2"))
    assert opened(collector) == {"Drift": 1}
    collector.note(model(opened=10, run="run-3", cause="SpecChanged"))
    assert opened(collector) == {"Drift": 1, "SpecChanged": 1}
    assert opened(noted(model(opened=20, cause="Initial"))) == {"Initial": 1}, (
        "opened in the pass that first saw the Model"
    )


def test_the_cooldown_is_that_of_the_last_run_by_drift() -> None:
    collector = noted(model(opened=50))
    collector.note(model(opened=10, run="run-2", cause="SpecChanged"))
    allowed = exported(collector)['retrain_next_allowed_timestamp_seconds{model="late"}']
    assert allowed == conditions.instant(make.ago(50)) + 6 * 3600


def test_a_spec_that_this_release_cannot_read_takes_nothing_else_along() -> None:
    odd = model(opened=50, champion={"name": "late-3", "version": 3})
    odd["spec"]["retraining"]["cooldown"] = "soon"
    found = exported(noted(odd))
    assert found['model_champion_version{model="late"}'] == 3
    assert not [name for name in found if "next_allowed" in name]


def test_what_is_gone_has_no_series() -> None:
    collector = noted(model(opened=50), make.deployment(status={"versions": [make.served(make.version(2))]}))
    for given in (make.model(), make.deployment()):
        collector.forget(name_of(given))
    assert exported(collector) == {}


def test_a_pass_notes_what_is_there_and_forgets_what_is_gone() -> None:
    given = make.deployment(status={"conditions": [make.condition("Ready", "True", "Serving")]})
    seen, _ = loop(given, make.version(1, status={"conditions": [make.condition("Ready", "True")]}))
    asyncio.run(seen._pass(name_of(given)))
    asyncio.run(seen._pass(name_of(make.version(1))))
    assert [re.findall('kind="(\\w+)"', name) for name in exported(seen.statuses)] == [["ModelDeployment"]]
    seen.heard("DELETED", given)
    asyncio.run(seen._pass(name_of(given)))
    assert exported(seen.statuses) == {}
