"""The drift series of Prometheus: what was judged last of what serves, and nothing of what is gone."""

import re
from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest

from tests import make
from trimtab.controller.series import DriftCollector
from trimtab.controller.watches import Watch
from trimtab.drift.budget import Settings
from trimtab.drift.quality import Quality
from trimtab.drift.shifts import Shift
from trimtab.drift.verdicts import Verdict
from trimtab.plan.judgement import Judgement

DEPLOYMENT = make.deployment(status={"versions": [make.served(make.version(7))]})
SHIFTS = (
    Shift("temp", "Drifting", 24, 900, "Major", psi=0.31, threshold=0.034),
    Shift("wind\n", "InDistribution", 24, 900, psi=0.001, threshold=0.034),
    Shift("id", "Unknown", 24, 900, reason="Constant"),
)
DRIFTING = Verdict("Drifting", "FeatureDrift", "Major", 24, 900, 0, SHIFTS, None, None, "", ())


def watch(verdict: Verdict | None = DRIFTING, quality: Quality | None = None) -> Watch:
    found = Watch(DEPLOYMENT, "late-v7-0", make.digest(7), Settings(3600, 86_400), judged_at=make.NOW)
    found.judgement = Judgement(found.digest, 3600.0, verdict, quality)
    return found


def series(*given: Watch) -> dict[str, float]:
    """Every sample by its name and labels, without those that all share."""
    registry = CollectorRegistry()
    registry.register(DriftCollector(lambda: given))
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    samples = {}
    for line in lines:
        name, _, value = line.rpartition(" ")
        assert 'deployment="late"' in name
        assert 'namespace="team"' in name
        samples[re.sub(r'(deployment="late"|namespace="team"),', "", name).removeprefix("trimtab_")] = float(value)
    return samples


def test_each_feature_has_its_index_its_bound_and_its_verdict() -> None:
    assert series(watch()) == {
        'feature_drift_psi{feature="temp",version="7"}': 0.31,
        'feature_drift_psi{feature="wind\\n",version="7"}': 0.001,
        'feature_drift_psi_threshold{feature="temp",version="7"}': 0.034,
        'feature_drift_psi_threshold{feature="wind\\n",version="7"}': 0.034,
        'feature_drifted{feature="temp",version="7"}': 1,
        'feature_drifted{feature="wind\\n",version="7"}': 0,
        'drift_window_rows{version="7"}': 900,
        'drift_window_seconds{version="7"}': 3600,
        'drifting{version="7"}': 1,
        'drift_last_evaluation_timestamp_seconds{version="7"}': make.NOW,
        'drift_snapshot_problems{version="7"}': 0,
    }


def test_unknown_is_neither_zero_nor_one() -> None:
    unknown = replace(DRIFTING, verdict="Unknown", reason="TooFewRows", features=())
    found = series(watch(unknown, Quality("Unknown", (), "")))
    assert not [name for name in found if name.startswith(("drifting", "data_quality"))]


def test_quality_is_told_once_it_is_known() -> None:
    assert series(watch(quality=Quality("Faulty", (), "")))['data_quality_faulty{version="7"}'] == 1
    assert series(watch(quality=Quality("Sound", (), "")))['data_quality_faulty{version="7"}'] == 0


def test_what_was_never_judged_or_is_gone_has_no_series() -> None:
    assert series() == series(watch(None)) == {}


def test_an_artifact_of_the_users_own_is_named_by_its_digest() -> None:
    found = watch()
    found.digest = "sha256:0123456789abcdef"
    assert 'drifting{version="0123456789ab"}' in series(found)
