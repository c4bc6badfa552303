"""The drift series of Prometheus: what was judged last of what serves, and nothing of what is gone."""

import re
from dataclasses import replace
from typing import cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests import make
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.controller.cache import Cache
from trimtab.controller.client import Client
from trimtab.controller.monitor import Monitor
from trimtab.controller.poll import Poller
from trimtab.controller.resources import WATCHED
from trimtab.controller.series import Budget, DriftCollector
from trimtab.controller.slim import references, slim
from trimtab.controller.watches import FAULTS, Watch
from trimtab.drift.budget import Settings
from trimtab.drift.quality import Fault, Quality, Share
from trimtab.drift.shifts import Shift
from trimtab.drift.verdicts import Verdict
from trimtab.plan.intent import Object
from trimtab.plan.judgement import Judgement

DEPLOYMENT = make.deployment(status={"versions": [make.served(make.version(7))]})
SHIFTS = (
    Shift("temp", "Drifting", 24, 900, "Major", psi=0.31, threshold=0.034),
    Shift("wind\n", "InDistribution", 24, 900, psi=0.001, threshold=0.034),
    Shift("id", "Unknown", 24, 900, reason="Constant"),
)
SCORE = Shift("score", "Drifting", 1, 900, "Minor", psi=0.05, threshold=0.04)
DRIFTING = Verdict("Drifting", "FeatureDrift", "Major", 24, 900, 0, SHIFTS, None, SCORE, "", ())
FAULTY = Quality(
    "Faulty", (Fault("temp", "Missing", 0.4, 0.0, 6, 900),), "", (Share("temp", 0.5, 0.0), Share("id", 0.0, 0.02))
)


def watch(verdict: Verdict | None = DRIFTING, quality: Quality | None = None, *, number: int = 7) -> Watch:
    found = Watch(DEPLOYMENT, f"late-v{number}-0", make.digest(number), Settings(3600, 86_400), judged_at=make.NOW)
    found.judgement = Judgement(found.digest, 3600.0, verdict, quality)
    return found


def exported(collector: DriftCollector) -> dict[str, float]:
    """Every sample by its name and labels, without those that all share and without errors that there were none of."""
    registry = CollectorRegistry()
    registry.register(collector)
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    samples = {}
    for line in lines:
        name, _, value = line.rpartition(" ")
        assert 'deployment="late"' in name
        assert 'namespace="team"' in name
        short = re.sub(r'(deployment="late"|namespace="team"),', "", name).removeprefix("trimtab_")
        if float(value) or not short.startswith("drift_snapshot_errors"):
            samples[short] = float(value)
    return samples


def series(*given: Watch, features: int = 100) -> dict[str, float]:
    return exported(DriftCollector(lambda: [(DEPLOYMENT, one) for one in given], Budget(features)))


def test_features_and_score_have_their_index_their_bound_and_their_verdict() -> None:
    assert series(watch()) == {
        'feature_drift_psi{feature="temp",version="7"}': 0.31,
        'feature_drift_psi{feature="wind\\n",version="7"}': 0.001,
        'feature_drift_psi_threshold{feature="temp",version="7"}': 0.034,
        'feature_drift_psi_threshold{feature="wind\\n",version="7"}': 0.034,
        'feature_drifted{feature="temp",version="7"}': 1,
        'feature_drifted{feature="wind\\n",version="7"}': 0,
        'prediction_drift_psi{output="score",version="7"}': 0.05,
        'prediction_drift_psi_threshold{output="score",version="7"}': 0.04,
        'prediction_drifted{output="score",version="7"}': 1,
        'monitored_features{version="7"}': 3,
        'drifted_features{version="7"}': 1,
        'omitted_features{version="7"}': 0,
        'drift_window_rows{version="7"}': 900,
        'drift_window_seconds{version="7"}': 3600,
        'drifting{version="7"}': 1,
        'drift_severity{version="7"}': 3,
        'drift_last_evaluation_timestamp_seconds{version="7"}': make.NOW,
        'drift_pod_resets_total{version="7"}': 0,
    }


def test_no_more_features_have_series_than_the_budget_allows_and_the_rest_is_counted() -> None:
    drifting = tuple(Shift(f"f{i}", "Drifting", 1, 900, "Minor", psi=0.1, threshold=0.05) for i in range(200))
    shares = tuple(Share(f"f{i}", 0.0, 0.0) for i in range(200))
    given = watch(replace(DRIFTING, features=drifting, score=None), Quality("Sound", (), "", shares))
    found = series(given, features=100)
    named = {match[1] for name in found if (match := re.search(r'feature="(\w+)"', name))}
    assert named == {f"f{i}" for i in range(100)}
    assert len([name for name in found if "feature=" in name]) == 6 * 100
    assert found['omitted_features{version="7"}'] == 100
    assert found['drifted_features{version="7"}'] == found['monitored_features{version="7"}'] == 200
    assert not [name for name in series(given, features=0) if "feature=" in name]


def test_many_deployments_share_the_budget() -> None:
    names = ("a", "b", "c", "d")
    shifts = tuple(Shift(name, "InDistribution", 1, 900, psi=0.0, threshold=0.05) for name in names)
    given = replace(DRIFTING, verdict="InDistribution", reason="NoDrift", severity=None, features=shifts)
    deployments = [make.deployment(name) for name in ("one", "two", "three")]
    for total, expected in ((12, 4), (11, 2), (5, 1), (2, 0)):
        collector = DriftCollector(lambda: [(obj, watch(given)) for obj in deployments], Budget(each=4, total=total))
        samples = [sample for family in collector.collect() for sample in family.samples]
        told = [sample.labels["deployment"] for sample in samples if sample.name == "trimtab_feature_drifted"]
        assert [told.count(name) for name in ("one", "two", "three")] == [expected] * 3
        omitted = [sample.value for sample in samples if sample.name == "trimtab_omitted_features"]
        assert omitted == [4 - expected] * 3


def test_unknown_is_neither_zero_nor_one_and_says_why() -> None:
    unknown = replace(DRIFTING, verdict="Unknown", reason="TooFewRows", severity=None, features=(), score=None)
    found = series(watch(unknown, Quality("Unknown", (), "")))
    assert not [name for name in found if name.startswith(("drifting", "drift_severity", "data_quality"))]
    assert found['drift_unknown{reason="TooFewRows",version="7"}'] == 1
    nothing = replace(unknown, reason="NothingToJudge")
    assert series(watch(nothing))['drift_unknown{reason="NoReference",version="7"}'] == 1


@pytest.mark.parametrize("reason", [Why.NO_REFERENCE, Why.SNAPSHOTS_MISSING])
def test_without_a_verdict_the_reason_is_exported(reason: Why) -> None:
    found = watch()
    found.judgement = Judgement(found.digest, 3600.0, reason=reason, message="so it is")
    found.faults["NoAnswer"] = 3
    found.resets = 2
    assert series(found) == {
        f'drift_unknown{{reason="{reason}",version="7"}}': 1,
        'drift_window_seconds{version="7"}': 3600,
        'drift_snapshot_errors_total{reason="NoAnswer",version="7"}': 3,
        'drift_pod_resets_total{version="7"}': 2,
    }


def test_errors_are_counted_from_zero_so_that_the_first_is_seen() -> None:
    registry = CollectorRegistry()
    registry.register(DriftCollector(lambda: [(DEPLOYMENT, watch())], Budget()))
    text = generate_latest(registry).decode()
    assert len(FAULTS) == len(set(FAULTS)) == 9
    for fault in FAULTS:
        labels = f'deployment="late",namespace="team",reason="{fault}",version="7"'
        assert f"trimtab_drift_snapshot_errors_total{{{labels}}} 0.0\n" in text


def test_quality_is_told_once_it_is_known() -> None:
    found = series(watch(quality=FAULTY))
    assert found['data_quality_faulty{version="7"}'] == 1
    assert {name: value for name, value in found.items() if name.startswith("feature_quality")} == {
        'feature_quality_ratio{check="missing",feature="temp",version="7"}': 0.5,
        'feature_quality_ratio{check="invalid",feature="temp",version="7"}': 0.0,
        'feature_quality_ratio{check="missing",feature="id",version="7"}': 0.0,
        'feature_quality_ratio{check="invalid",feature="id",version="7"}': 0.02,
    }
    faulty = {name: value for name, value in found.items() if name.startswith("feature_faulty")}
    assert faulty == {'feature_faulty{feature="temp",version="7"}': 1, 'feature_faulty{feature="id",version="7"}': 0}
    assert series(watch(quality=Quality("Sound", (), "")))['data_quality_faulty{version="7"}'] == 0


def test_an_artifact_of_the_users_own_is_named_by_its_digest() -> None:
    found = watch()
    found.digest = "sha256:0123456789abcdef"
    assert 'drifting{version="0123456789ab"}' in series(found)


# ---------------------------------------------------------------- what serves now

OLD, NEW = make.version(7), make.version(8)


def serving(*versions: Object, resource_version: str) -> Object:
    found = make.deployment(status={"versions": list(versions)})
    found["metadata"]["resourceVersion"] = resource_version
    return found


def versions_of(given: Monitor) -> set[str]:
    """The versions that have a verdict among the series."""
    found = exported(DriftCollector(given.serving, Budget()))
    return {match[1] for name in found if (match := re.fullmatch(r'drifting\{version="(\w+)"\}', name))}


def test_what_does_not_serve_any_more_has_no_series() -> None:
    """A rollout turns from one version to the other at once; a deployment that goes takes all its series along."""
    cache = Cache(WATCHED, slim, references)
    monitor = Monitor(cache, cast(Client, None), cast(Poller, None), lambda key: None)
    uid = DEPLOYMENT["metadata"]["uid"]
    assert versions_of(monitor) == set()
    cache.put(serving(make.served(OLD), resource_version="1"))
    monitor._watches[uid, make.digest(7)] = watch()
    assert versions_of(monitor) == {"7"}
    cache.put(serving(make.served(OLD), make.served(NEW, "Candidate"), resource_version="2"))
    monitor._watches[uid, make.digest(8)] = watch(number=8)
    assert versions_of(monitor) == {"7"}, "the candidate gets no requests yet"
    cache.put(serving(make.served(NEW), make.served(OLD, "Previous"), resource_version="3"))
    assert versions_of(monitor) == {"8"}, "by its number, though its watch has not seen it serve"
    cache.drop(serving(resource_version="4"))
    assert versions_of(monitor) == set()
    assert exported(DriftCollector(monitor.serving, Budget())) == {}
