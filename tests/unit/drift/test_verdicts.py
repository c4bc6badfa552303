import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from tests.unit.drift import make
from trimtab.drift import counting, references, verdicts, windows
from trimtab.drift.budget import Settings
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Profile, Reference
from trimtab.drift.windows import Source

HOURLY = Settings(make.HOUR, 90 * 86400)
X, Y = make.number("x"), make.number("y")
C = make.category("predictions")
SCORE = make.number("score", bins=10)
PROFILE = make.profile(X, Y, predictions=C, score=SCORE)
TILT = tuple(np.linspace(1, 9, 20))


def spread(
    rows: int, x: tuple[float, ...] = (), y: tuple[float, ...] = (), c: tuple[float, ...] = ()
) -> dict[str, FeatureCounts]:
    return {
        "x": make.shares(X, rows, *x),
        "y": make.shares(Y, rows, *y),
        "predictions": make.shares(C, rows, *c),
        "score": make.shares(SCORE, rows),
    }


def window(scale: int, rows: int, **shapes: tuple[float, ...]) -> windows.Window:
    counts = spread(rows, **shapes)
    return make.window(
        {"x": counts["x"], "y": counts["y"]}, scale, predictions=counts["predictions"], score=counts["score"]
    )


def test_without_a_shift_it_says_over_how_many_rows_and_how_long() -> None:
    verdict = verdicts.judge(PROFILE, {1: window(1, 200), 24: window(24, 4800)}, HOURLY)
    assert (verdict.verdict, verdict.reason, verdict.severity) == ("InDistribution", "NoDrift", None)
    assert (verdict.scale, verdict.rows) == (24, 4800)
    assert verdict.message == "No drift in 4 columns over 4,800 rows in 1d."


def test_drift_names_the_feature_its_size_the_threshold_and_the_rows() -> None:
    verdict = verdicts.judge(PROFILE, {1: window(1, 1000, y=TILT)}, HOURLY)
    assert (verdict.verdict, verdict.reason, verdict.scale, verdict.rows) == ("Drifting", "FeatureDrift", 1, 1000)
    x, y = verdict.features
    assert (x.verdict, y.verdict, verdict.severity) == ("InDistribution", "Drifting", y.severity)
    assert y.psi is not None
    assert f"'y': PSI {y.psi:.3f}, threshold {y.threshold:.3f}, over 1,000 rows in 1h" in verdict.message
    assert "'x'" not in verdict.message


def test_drift_of_the_predictions_alone_is_told_apart() -> None:
    verdict = verdicts.judge(PROFILE, {1: window(1, 1000, c=(1, 1, 1, 0))}, HOURLY)
    assert (verdict.verdict, verdict.reason) == ("Drifting", "PredictionDrift")
    assert verdict.predictions is not None
    assert verdict.predictions.verdict == "Drifting"
    assert all(shift.verdict == "InDistribution" for shift in verdict.features)
    assert "Drift in the predictions: PSI" in verdict.message


def test_a_feature_called_like_an_output_is_not_mistaken_for_it() -> None:
    feature = replace(X, name="predictions")
    profile = make.profile(feature, predictions=C)
    seen = make.window({"predictions": make.shares(X, 500, *TILT)}, predictions=make.shares(C, 500))
    verdict = verdicts.judge(profile, {1: seen}, HOURLY)
    assert verdict.features[0].verdict == "Drifting"
    assert verdict.predictions is not None
    assert verdict.predictions.verdict == "InDistribution"
    assert "Drift in 'predictions':" in verdict.message


def test_few_rows_by_night_do_not_silence_the_day() -> None:
    verdict = verdicts.judge(PROFILE, {1: window(1, 30), 24: window(24, 5000, x=TILT)}, HOURLY)
    assert (verdict.verdict, verdict.scale, verdict.rows) == ("Drifting", 24, 5000)
    calm = verdicts.judge(PROFILE, {1: window(1, 30), 24: window(24, 5000)}, HOURLY)
    assert (calm.verdict, calm.scale) == ("InDistribution", 24)


def test_values_that_are_missing_are_no_want_of_rows() -> None:
    counts = replace(counting.zero(X), missing=1000)
    verdict = verdicts.judge(make.profile(X), {1: make.window({"x": counts})}, HOURLY)
    assert (verdict.verdict, verdict.reason) == ("Unknown", "TooFewRows")
    assert verdict.message == "Too few values to judge: 'x' (its values are missing), over 1,000 rows in 1h."


def test_a_constant_that_becomes_another_one_is_drift_of_the_feature() -> None:
    constant = references.number("k", np.full(20_000, 7.0))
    counts = counting.count(constant, np.full(1000, 8.0))
    verdict = verdicts.judge(make.profile(constant), {1: make.window({"k": counts})}, HOURLY)
    assert (verdict.verdict, verdict.reason, verdict.severity) == ("Drifting", "FeatureDrift", "Major")
    assert "100.0% of 'k' lies beyond what the reference has seen." in verdict.message


def test_too_few_rows_at_every_scale_are_unknown() -> None:
    verdict = verdicts.judge(PROFILE, {1: window(1, 3), 6: window(6, 20), 24: window(24, 64)}, HOURLY)
    assert (verdict.verdict, verdict.reason, verdict.rows, verdict.wanted) == ("Unknown", "TooFewRows", 64, 36)
    assert verdict.message == "Too few rows to judge: 64 in 1d, 36 more are needed."
    assert verdict.severity is None


def test_no_rows_at_all_are_unknown() -> None:
    ledger = windows.begin(PROFILE, make.HOUR, 0)
    verdict = verdicts.judge(PROFILE, windows.by_scale(ledger), HOURLY)
    assert (verdict.verdict, verdict.reason, verdict.wanted) == ("Unknown", "TooFewRows", 100)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ((), "no column that is watched"),
        ((replace(X, edges=(), counts=(900,)),), "'x' (hardly more than one value in the reference)"),
    ],
)
def test_a_profile_with_nothing_to_judge_is_unknown_and_says_why(features: tuple[Reference, ...], said: str) -> None:
    profile = Profile(900, features, None, None)
    seen = make.window({f.name: FeatureCounts((900,)) for f in features})
    verdict = verdicts.judge(profile, {1: seen}, HOURLY)
    assert (verdict.verdict, verdict.reason) == ("Unknown", "NothingToJudge")
    assert said in verdict.message


def test_one_column_that_cannot_be_judged_is_named_beside_the_verdict() -> None:
    dead = replace(X, name="dead", edges=(), counts=(20_000,))
    seen = make.window({"y": make.shares(Y, 500), "dead": FeatureCounts((500,))})
    verdict = verdicts.judge(make.profile(Y, dead), {1: seen}, HOURLY)
    assert verdict.verdict == "InDistribution"
    assert verdict.message == (
        "No drift in 1 column over 500 rows in 1h. Not judged: 'dead' (hardly more than one value in the reference)."
    )


def test_excluded_features_are_not_judged() -> None:
    settings = replace(HOURLY, exclude=frozenset({"y", "not there"}))
    verdict = verdicts.judge(PROFILE, {1: window(1, 1000, y=TILT)}, settings)
    assert verdict.verdict == "InDistribution"
    assert [shift.name for shift in verdict.features] == ["x"]


def test_of_several_scales_the_most_severe_is_told_and_then_the_newest() -> None:
    mild = tuple(np.linspace(1, 1.9, 20))
    verdict = verdicts.judge(PROFILE, {1: window(1, 3000, x=mild), 24: window(24, 9000, x=TILT)}, HOURLY)
    assert verdict.features[0].scale == 24
    same = verdicts.judge(PROFILE, {1: window(1, 3000, x=TILT), 24: window(24, 9000, x=TILT)}, HOURLY)
    assert same.features[0].scale == 1
    assert [scale.scale for scale in same.scales] == [1, 24]


def test_rows_beyond_the_reference_have_a_sentence_of_their_own() -> None:
    beyond = make.window({"x": FeatureCounts((0,) * 20, above=990, below=10), "y": make.shares(Y, 1000)})
    verdict = verdicts.judge(make.profile(X, Y), {1: beyond}, HOURLY)
    assert verdict.message.endswith("100.0% of 'x' lies beyond what the reference has seen.")


def test_hostile_and_many_names_leave_a_message_short_and_printable() -> None:
    names = [f"a\n\x00{i}" + "x" * 500 for i in range(40)]
    features = tuple(replace(X, name=name) for name in names)
    seen = make.window({name: make.shares(X, 1000, *TILT) for name in names})
    message = verdicts.judge(make.profile(*features), {1: seen}, HOURLY).message
    assert message.isprintable()
    assert "and 35 more" in message
    assert len(message) < 1000


def test_a_verdict_is_strict_json_and_the_same_for_the_same_input() -> None:
    seen = {scale: window(scale, 1000, x=TILT) for scale in (1, 6)}
    verdict = verdicts.judge(PROFILE, seen, HOURLY)
    assert verdict == verdicts.judge(PROFILE, seen, HOURLY)
    json.dumps(asdict(verdict), allow_nan=False)


def test_a_long_scale_keeps_its_verdict_between_the_windows_at_which_it_is_due() -> None:
    profile = make.profile(X)
    ledger = windows.begin(profile, make.HOUR, 0)
    drifted_at: list[set[int]] = []
    for hour in range(60):
        shape = TILT if 24 <= hour < 48 else ()
        counted = make.counted({"x": make.shares(X, 40, *shape)})  # too few for one hour, enough for six
        ledger, _ = windows.absorb(ledger, Source(str(hour), "b"), 1, counted, hour * make.HOUR)
        ledger = windows.close(ledger, (hour + 1) * make.HOUR)
        verdict = verdicts.judge(profile, windows.by_scale(ledger), HOURLY)
        drifted_at.append({s.scale for s in verdict.scales if s.features[0].verdict == "Drifting"})
    daily = [24 in scales for scales in drifted_at]
    changes = [hour + 1 for hour in range(1, 60) if daily[hour] != daily[hour - 1]]
    assert changes
    assert all(closed % 3 == 0 for closed in changes)
    assert 168 not in drifted_at[46]
    assert 168 in drifted_at[47] & drifted_at[58]
