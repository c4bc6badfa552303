"""What is known of the traffic to one version: kept, stored, and gone on with by the next leader."""

import json
from typing import Any, cast

import pytest

from tests import make
from tests.unit.drift import make as drift
from trimtab.api.modeldeployment import Monitoring
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.controller import watches
from trimtab.controller.cache import Cache
from trimtab.controller.client import Client
from trimtab.controller.monitor import Monitor
from trimtab.controller.poll import Poller
from trimtab.controller.resources import WATCHED
from trimtab.controller.slim import references, slim
from trimtab.controller.watches import Watch
from trimtab.drift import vectors
from trimtab.drift.windows import Source
from trimtab.plan import budgets, serving
from trimtab.plan.intent import Object

HOUR = 3600.0
TEMP = drift.number("temp")
PROFILE = drift.profile(TEMP, drift.category("carrier"))
POD = Source("pod-1", "boot-1")
START = HOUR * 490_000


def watch(monitoring: Object | None = None, *, begun: bool = True) -> Watch:
    settings = budgets.stated(Monitoring.model_validate(monitoring or {"window": "1h"}), PROFILE)
    found = Watch(make.deployment(), "late-v1-0", make.digest(1), settings)
    if begun:
        found.profile = PROFILE
        watches.restore(found, None, START)
    return found


def counts(rows: int) -> Any:
    return drift.counted({"temp": drift.shares(TEMP, rows), "carrier": drift.shares(drift.category("carrier"), rows)})


def counted(given: Watch) -> int:
    """Rows in the closed base windows."""
    assert given.ledger is not None
    return sum(vectors.unpack(given.ledger.layout, counts).rows for counts in given.ledger.base.values())


SETTINGS = {
    "the defaults": ({}, (3600.0, 90 * 86_400.0, "Medium", set())),
    "what is stated": (
        {"window": "90s", "falseAlarmEvery": "7d", "sensitivity": "High"},
        (90.0, 7 * 86_400.0, "High", set()),
    ),
    "features to leave out": ({"features": {"exclude": ["temp"]}}, (3600.0, 90 * 86_400.0, "Medium", {"temp"})),
    "features to take": ({"features": {"include": ["temp"]}}, (3600.0, 90 * 86_400.0, "Medium", {"carrier"})),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_the_settings_are(case: str) -> None:
    given, expected = SETTINGS[case]
    found = budgets.stated(Monitoring.model_validate(given), PROFILE)
    assert (found.window_seconds, found.false_alarm_every_seconds, found.sensitivity, set(found.exclude)) == expected


def test_features_to_take_are_known_with_the_profile_only() -> None:
    monitoring = Monitoring.model_validate({"features": {"include": ["temp"]}})
    assert budgets.stated(monitoring, None).exclude == frozenset()


@pytest.mark.parametrize(("window", "seconds"), [("10s", 2.0), ("30s", 5.0), ("1h", 15.0)])
def test_a_pod_is_asked_six_times_a_window_from_two_to_fifteen_seconds(window: str, seconds: float) -> None:
    assert watch({"window": window}).interval == seconds


def test_a_window_is_worth_storing_once_it_closed_with_rows_in_it() -> None:
    found = watch()
    assert not watches.take(found, POD, 1, counts(100), START + 10)
    assert found.saved
    assert watches.take(found, POD, 2, counts(150), START + HOUR)
    assert not found.saved
    found.saved = True
    assert not watches.closing(found, START + HOUR + 1)
    assert watches.closing(found, START + 2 * HOUR), "the rows of the second hour"
    found.saved = True
    assert not watches.closing(found, START + 3 * HOUR), "an hour without rows follows from the clock"
    assert found.judged_at == START + 3 * HOUR


def test_the_next_leader_goes_on_where_the_last_one_stopped() -> None:
    first = watch()
    watches.take(first, POD, 1, counts(100), START + 10)
    watches.take(first, POD, 2, counts(150), START + HOUR + 10)
    stored = json.loads(json.dumps(watches.state(first)))
    assert (stored["metadata"]["name"], stored["metadata"]["ownerReferences"][0]["kind"]) == (
        "late-v1-0-counts",
        "ModelDeployment",
    )
    second = watch(begun=False)
    second.profile = PROFILE
    watches.restore(second, stored, START + HOUR + 20)
    assert (second.faults, second.resets) == ({}, 0)
    watches.take(second, POD, 3, counts(180), START + 2 * HOUR + 1)
    assert counted(second) == 150, "what was stored, and nothing of it twice"
    watches.closing(second, START + 3 * HOUR)
    assert counted(second) == 180


def test_another_window_begins_anew_and_counts_nothing_twice() -> None:
    first = watch()
    watches.take(first, POD, 1, counts(100), START + 10)
    watches.closing(first, START + HOUR)
    second = watch({"window": "30m"}, begun=False)
    second.profile = PROFILE
    watches.restore(second, watches.state(first), START + HOUR)
    assert counted(second) == 0
    watches.take(second, POD, 2, counts(130), START + HOUR + 60)
    watches.closing(second, START + 2 * HOUR)
    assert counted(second) == 30


BROKEN = {
    "no JSON": "{",
    "no ledger": "[]",
    "a newer schema": '{"schema": 99}',
    "nothing": None,
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_begun_anew_and_said(case: str) -> None:
    found = watch(begun=False)
    found.profile = PROFILE
    data = {} if BROKEN[case] is None else {serving.LEDGER: BROKEN[case]}
    watches.restore(found, {"data": data}, START)
    assert found.ledger is not None
    assert found.faults == ({} if case == "nothing" else {"WindowsUnreadable": 1})
    watches.take(found, POD, 1, counts(5), START + 1)
    watches.closing(found, START + HOUR)
    assert counted(found) == 5


def test_counts_that_go_down_are_refused_and_told() -> None:
    found = watch()
    watches.take(found, POD, 1, counts(100), START + 10)
    watches.take(found, POD, 2, counts(50), START + 20)
    assert found.faults == {"CountsWentDown": 1}


def test_a_server_that_was_started_again_is_counted_once() -> None:
    found = watch()
    for source, seq in ((POD, 1), (POD, 2), (Source("pod-2", "boot-1"), 1)):
        watches.take(found, source, seq, counts(100), START + 10)
    assert found.resets == 0
    for seq in (1, 2):
        watches.take(found, Source("pod-1", "boot-2"), seq, counts(10), START + 20)
    assert (found.resets, found.faults) == (1, {})


def test_of_what_goes_wrong_again_and_again_the_first_is_logged_and_all_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = watch()
    for fault in ("NoAnswer", "NoAnswer", "Unreadable"):
        watches.failed(found, fault, f"pod 10.0.0.1: {fault}")
    assert found.faults == {"NoAnswer": 2, "Unreadable": 1}
    assert [record.getMessage() for record in caplog.records] == [
        f"ModelDeployment team/late, late-v1-0: {fault}: pod 10.0.0.1: {fault}" for fault in ("NoAnswer", "Unreadable")
    ]


def test_silence_is_told_until_something_was_judged() -> None:
    found = watch(begun=False)
    watches.unheard(found, "pod 10.0.0.1: timeout")
    silent = found.judgement
    assert silent is not None
    assert (silent.reason, silent.verdict) == (Why.SNAPSHOTS_MISSING, None)
    watches.unheard(found, "pod 10.0.0.1: timeout")
    assert found.judgement is silent, "the same again is no news"
    heard = watch()
    watches.judge(heard, START)
    verdict = heard.judgement
    watches.unheard(heard, "pod 10.0.0.1: timeout")
    assert heard.judgement is verdict


def test_no_reference_is_told_once() -> None:
    found = watch(begun=False)
    watches.without_profile(found)
    told = found.judgement
    assert told is not None
    assert told.reason is Why.NO_REFERENCE
    watches.without_profile(found)
    assert found.judgement is told


def test_a_pod_that_is_gone_is_forgotten_in_time() -> None:
    found = watch()
    watches.take(found, POD, 1, counts(5), START)
    watches.closing(found, START + 5 * HOUR)
    watches.prune(found, {"pod-1"})
    assert found.ledger is not None
    assert set(found.ledger.sources) == {POD}
    watches.prune(found, set())
    assert found.ledger is not None
    assert set(found.ledger.sources) == set()


# ---------------------------------------------------------------- when the monitor asks whom

DEPLOYMENT = make.deployment(status={"versions": [make.served(make.version(1))]})
CHILD = make.obj("Deployment", "late-v1-0", {}, owner=DEPLOYMENT, api_version="apps/v1")
REPLICAS = make.obj("ReplicaSet", "late-v1-0-x", {}, owner=CHILD, api_version="apps/v1")


def pod(name: str, **more: Any) -> Object:
    return make.pod(name, main=(make.running("server"),), owner=REPLICAS, **more)


def due(given: Watch, *pods: Object, now: float = START) -> list[str] | None:
    seen = Cache(WATCHED, slim, references)
    for known in (DEPLOYMENT, CHILD, REPLICAS, *pods):
        seen.put(known)
    asked = Monitor(seen, cast(Client, None), cast(Poller, None), lambda key: None)._due(given, CHILD, now)
    return None if asked is None else [one.uid.removeprefix("uid-of-Pod-") for one in asked]


def test_pods_are_asked_once_an_interval_and_ending_ones_at_once() -> None:
    found, ending = watch(), pod("ending", deletionTimestamp=make.ago(1))
    assert due(found, pod("a"), pod("b"), ending) == ["a", "b", "ending"]
    assert due(found, pod("a"), pod("b"), ending, now=START + 1) == ["ending"]
    assert due(found, pod("a"), now=START + 1) is None
    assert due(found, pod("a"), now=START + 15) == ["a"]


def test_a_pod_whose_server_does_not_run_yet_is_not_asked() -> None:
    fetching = make.pod("new", init=(make.running("fetch"),), main=(make.waiting("server"),), owner=REPLICAS)
    assert due(watch(), fetching) is None


def test_a_window_that_ends_without_any_pod_is_closed_and_told() -> None:
    found = watch()
    watches.take(found, POD, 1, counts(9), START + 1)
    assert due(found, now=START + 20) is None
    assert due(found, now=START + HOUR) == []
    assert not found.saved
    assert counted(found) == 9
