"""What verdicts on the traffic mean for the status, and that its figures stay while the verdict does."""

from dataclasses import replace
from typing import Any

import pytest

from tests import make
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.drift.quality import Fault, Quality
from trimtab.drift.shifts import Shift
from trimtab.drift.verdicts import Verdict
from trimtab.plan import conditions, judgement
from trimtab.plan.intent import Object
from trimtab.plan.judgement import Judgement

DIGEST = make.digest(1)
VERSIONS = [make.served(make.version(1))]
UNTOLD: Object = {"versions": VERSIONS}


def shift(name: str, psi: float = 0.31, verdict: str = "Drifting") -> Shift:
    return Shift(name, verdict, 24, 900, "Major", psi=psi, threshold=0.034)  # type: ignore[arg-type]


def drifting(*shifts: Shift, rows: int = 900, severity: Any = "Major", message: str = "temp: PSI 0.310") -> Judgement:
    found = Verdict(
        "Drifting", "FeatureDrift", severity, 24, rows, 0, shifts or (shift("temp"),), None, None, message, ()
    )
    return Judgement(DIGEST, 3600.0, found, Quality("Sound", (), "fine"))


def calm(rows: int = 500) -> Judgement:
    found = Verdict("InDistribution", "NoDrift", None, 6, rows, 0, (), None, None, f"No drift over {rows} rows.", ())
    return Judgement(DIGEST, 3600.0, found, Quality("Sound", (), "fine"))


def unknown(wanted: int) -> Judgement:
    found = Verdict("Unknown", "TooFewRows", None, 1, 3, wanted, (), None, None, f"{wanted} more are needed", ())
    return Judgement(DIGEST, 3600.0, found, Quality("Unknown", (), ""))


def told(judged: Judgement | None, old: Object = UNTOLD, digest: str | None = DIGEST) -> Object:
    """The status with the verdict in it."""
    drift, findings = judgement.drift(judged, digest, old)
    merged = conditions.merge(old.get("conditions", ()), findings, generation=1, now=make.NOW)
    return {**old, "drift": drift, "conditions": merged}


def word(status: Object, kind: str = "InDistribution") -> tuple[str, str]:
    entry = next(entry for entry in status["conditions"] if entry["type"] == kind)
    return entry["status"], entry["reason"]


WORDS: dict[str, tuple[Judgement | None, str, tuple[str, str], tuple[str, str]]] = {
    "nothing is known": (None, "Unknown", ("Unknown", "TooFewRows"), ("Unknown", "TooFewRows")),
    "drift": (drifting(), "Drifting", ("False", "FeatureDrift"), ("True", "ValuesValid")),
    "no drift": (calm(), "InDistribution", ("True", "NoDrift"), ("True", "ValuesValid")),
    "too few rows": (unknown(9), "Unknown", ("Unknown", "TooFewRows"), ("Unknown", "TooFewRows")),
    "no reference": (
        Judgement(DIGEST, 60.0, reason=Why.NO_REFERENCE, message="there is none"),
        "Unknown",
        ("Unknown", "NoReference"),
        ("Unknown", "TooFewRows"),
    ),
    "a judgement of another version": (
        replace(drifting(), digest=make.digest(2)),
        "Unknown",
        ("Unknown", "TooFewRows"),
        ("Unknown", "TooFewRows"),
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_the_status_tells_of(case: str) -> None:
    judged, verdict, distribution, quality = WORDS[case]
    status = told(judged)
    assert (status["drift"]["verdict"], word(status), word(status, "DataQuality")) == (verdict, distribution, quality)


def test_drift_names_scale_rows_and_the_worst_features_first() -> None:
    status = told(drifting(shift("mild", 0.05), shift("temp", 0.4), shift("calm", 0.0, "InDistribution")))
    assert status["drift"] == {
        "verdict": "Drifting",
        "reason": "FeatureDrift",
        "severity": "Major",
        "scale": "1d",
        "rows": 900,
        "features": [
            {"name": "temp", "severity": "Major", "shift": 0.4, "tolerated": 0.034},
            {"name": "mild", "severity": "Major", "shift": 0.05, "tolerated": 0.034},
        ],
    }


def test_at_most_ten_features_are_listed() -> None:
    status = told(drifting(*[shift(f"f{number}", number / 100) for number in range(1, 30)]))
    assert [feature["name"] for feature in status["drift"]["features"]] == [
        f"f{number}" for number in range(29, 19, -1)
    ]


SAME: dict[str, tuple[Judgement, Judgement]] = {
    "drift of the same features": (drifting(), drifting(shift("temp", 0.9), rows=5000, message="temp: PSI 0.900")),
    "no drift over more rows": (calm(500), calm(7000)),
    "fewer rows missing": (unknown(90), unknown(7)),
    "more features than are shown, in another order": (
        drifting(*[shift(f"f{number}", number / 100) for number in range(30)]),
        drifting(*[shift(f"f{number}", (40 - number) / 100) for number in range(30)]),
    ),
    "silence that another pod explains": (
        Judgement(DIGEST, 60.0, reason=Why.SNAPSHOTS_MISSING, message="pod 10.0.0.1 does not answer"),
        Judgement(DIGEST, 60.0, reason=Why.SNAPSHOTS_MISSING, message="pod 10.0.0.2 does not answer"),
    ),
}
NEWS: dict[str, tuple[Judgement, Judgement]] = {
    "another feature": (drifting(), drifting(shift("temp"), shift("wind"))),
    "a feature fewer": (drifting(shift("temp"), shift("wind")), drifting()),
    "another severity": (drifting(), drifting(severity="Minor")),
    "another verdict": (drifting(), calm()),
    "a feature that no longer drifts among many": (
        drifting(*[shift(f"f{number}", number / 100) for number in range(30)]),
        drifting(*[shift(f"f{number}", number / 100) for number in range(29)]),
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_figures_stay_while_the_verdict_stays(case: str) -> None:
    first, second = SAME[case]
    assert told(second, told(first)) == told(first)


@pytest.mark.parametrize("case", NEWS)
def test_figures_are_new_when_the_situation_is(case: str) -> None:
    first, second = NEWS[case]
    assert told(second, told(first))["drift"] == told(second)["drift"] != told(first)["drift"]


@pytest.mark.parametrize("judged", [drifting(), calm(), unknown(5)], ids=["drift", "none", "unknown"])
def test_an_operator_that_just_started_leaves_the_verdict_as_it_stands(judged: Judgement) -> None:
    status = told(judged)
    assert told(None, status) == status


def test_the_verdict_on_another_version_does_not_stand() -> None:
    status = told(drifting())
    assert told(None, status, digest=make.digest(2))["drift"] == {"verdict": "Unknown", "reason": "TooFewRows"}
    assert told(None, status, digest=None)["drift"]["verdict"] == "Unknown"


def faulty(*faults: Fault, message: str) -> Judgement:
    return replace(calm(), quality=Quality("Faulty", faults, message))


def fault(column: str, kind: Any = "Missing", share: float = 0.5) -> Fault:
    return Fault(column, kind, share, 0.01, 1, 100)


FAULTS = {"Missing": "ValuesMissing", "Invalid": "ValuesInvalid", "Vanished": "ColumnVanished", "Frozen": "FeedFrozen"}


@pytest.mark.parametrize("kind", FAULTS)
def test_the_worst_fault_is_the_reason(kind: str) -> None:
    status = told(faulty(fault("a", "Missing", 0.1), fault("b", kind, 0.9), message="'b': 90% bad"))
    assert word(status, "DataQuality") == ("False", FAULTS[kind])


def test_the_figures_of_faults_stay_while_the_columns_stay() -> None:
    first = told(faulty(fault("temp"), message="'temp': 50.0% missing"))
    second = told(faulty(fault("temp"), message="'temp': 61.0% missing"), first)
    assert second == first
    third = told(faulty(fault("temp"), fault("wind"), message="'temp': 61.0% missing; 'wind': 50.0% missing"), first)
    assert "'wind'" in str(third["conditions"])


def test_a_column_with_a_long_name_is_recognised_by_what_is_shown_of_it() -> None:
    name = "x" * 200
    first = told(faulty(fault(name), message=f"'{'x' * 59}…': 50.0% missing"))
    assert told(faulty(fault(name), message=f"'{'x' * 59}…': 61.0% missing"), first) == first
