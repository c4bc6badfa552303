"""What the drift benchmark makes of answers: thresholds at an equal rate, delays with misses, columns, budgets, rows, picture."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.bench.drift import outcomes, picture, results, streams, traces
from tests.bench.drift.methods import DETECTORS, METHODS, OURS, SAME_RATE
from tests.bench.drift.outcomes import Quiet
from tests.bench.drift.rounds import Found, Truth
from tests.bench.drift.traces import MISSED, Alarm, Trace

EVERY = {stream.key: stream for stream in streams.table()}
ENDS = (100, 200, 300, 400)


def scored(*highest: float | None) -> Trace:
    return Trace(("x0", "x1"), ENDS, 1.0, scores=tuple((score, 0.0) for score in highest))


def fires(*settings: tuple[Alarm, ...]) -> Trace:
    return Trace(("x0", "x1"), ENDS, 0, fired=settings)


def test_an_answer_becomes_a_trace() -> None:
    answer: dict[str, Any] = {
        "columns": ["x0", "x1"],
        "detectors": {
            "scores": {"bar": 1.0, "scores": [[0.5, None], [1.5, 0.2]]},
            "fires": {"settings": ["1"], "default": 0, "fired": [[[150, 1], [160, None]]]},
        },
    }
    by_score, firing = (traces.trace(answer, name, ENDS) for name in ("scores", "fires"))
    assert by_score.alarms(by_score.default) == (Alarm(200, "x0"),)
    assert firing.alarms(0) == (Alarm(150, "x1"), Alarm(160, None))
    assert firing.windows(0) == {1}


def test_an_alarm_on_the_last_row_of_a_window_is_of_that_window() -> None:
    assert fires((Alarm(200, None), Alarm(201, None))).windows(0) == {1, 2}


@pytest.mark.parametrize(("share", "alarmed"), [(0.0, 0), (0.25, 1), (0.5, 2)])
def test_a_threshold_leaves_no_more_alarms_than_ours_had(share: float, alarmed: int) -> None:
    trace = scored(0.1, 3.0, 2.0, None)
    assert len(trace.windows(traces.calibrated([trace], share))) == alarmed


def test_the_loosest_setting_that_is_quiet_enough_is_taken_and_none_when_there_is_none() -> None:
    noisy, quiet = (Alarm(100, None), Alarm(200, None)), (Alarm(100, None),)
    assert traces.calibrated([fires(noisy, quiet, ())], 0.25) == 1
    assert traces.calibrated([fires(noisy, quiet)], 0.0) is None
    assert fires(noisy, quiet).alarms(None) == ()


def test_a_delay_counts_from_the_change_and_a_miss_is_later_than_all() -> None:
    alarms = (Alarm(100, None), Alarm(230, None))
    assert traces.delay(alarms, 100) == 130
    assert traces.delay((), 100) == MISSED
    assert traces.quantile([500.0, MISSED, 500.0], 0.5) == 500
    assert traces.quantile([500.0, MISSED, 500.0], 0.9) == MISSED


def test_columns_are_counted_window_by_window_behind_the_change() -> None:
    trace = Trace(("x0", "x1"), ENDS, 1.0, scores=((9.0, 9.0), (0.0, 0.0), (1.0, 1.0), (1.0, 0.0)))
    found = traces.named(trace, 1.0, 2, ("x0",))
    assert (found.right, found.wrong, found.missed) == (2, 1, 0)
    assert (found.precision, found.recall) == (2 / 3, 1.0)


def judged() -> tuple[outcomes.Outcome, outcomes.Outcome]:
    """Ours is quiet and sees the change in the second window behind it; Evidently alarms always at its default, and at an equal
    rate sees the change at once."""
    twin, stream = EVERY["ladder/numbers"], EVERY["ladder/mean-0.5"]
    found = Found()
    found.failed = {twin.key: {}, stream.key: {"whylogs": "why not"}}
    found.truths = {twin.key: [Truth(list(ENDS), None, ())], stream.key: [Truth(list(ENDS), 2, ("x0",))]}
    found.traces = {
        twin.key: {OURS: [fires((), ())], "Evidently": [scored(2.0, 2.0, 2.0, 3.0)]},
        stream.key: {
            OURS: [fires((Alarm(300, "x0"),), (Alarm(400, "x0"),))],
            "Evidently": [scored(2.0, 2.0, 9.0, 9.0)],
        },
    }
    found.traces[twin.key][OURS] = [Trace(("x0", "x1"), ENDS, 1, fired=((), ()))]
    found.traces[stream.key][OURS] = [Trace(("x0", "x1"), ENDS, 1, fired=((Alarm(300, "x0"),), (Alarm(400, "x0"),)))]
    return outcomes.outcome(twin, found), outcomes.outcome(stream, found)


def test_peers_are_judged_at_our_rate_and_at_their_defaults() -> None:
    twin, stream = judged()
    assert twin.quiet["Evidently"] == Quiet(4, 1, 4)
    assert twin.quiet[OURS] == Quiet(0, 0, 4)
    assert stream.default[OURS].median == 200
    assert stream.equal[SAME_RATE].median == 100
    assert stream.equal["Evidently"].median == 100
    assert not results.first(stream)


def test_a_row_has_the_ratio_to_the_best_peer_and_a_stream_on_which_ours_is_later_is_said_to_be() -> None:
    made = results.rows(
        judged(), {OURS: {"record": 1.0, "evaluate": 0.5}, "whylogs": {"record": 30.0, "evaluate": 9.0}}
    )
    delay = next(row for row in made if row["metric"] == "rows to the alarm, median")
    assert (delay["ours"], delay["bestPeer"], delay["ratio"]) == (200, "Evidently", 0.5)
    record = next(row for row in made if row["metric"] == "recording one row of 20 columns")
    assert (record["ratio"], record["goal"]) == (30.0, 2.0)
    assert "later" in results.line(judged()[1])
    assert "failed: whylogs" in results.line(judged()[1])
    assert "any peer that judges windows" in results.summary(made)


@pytest.mark.parametrize(("begun", "of", "kept"), [(0, 100, True), (3, 2000, True), (30, 2000, False)])
def test_a_budget_is_broken_when_chance_does_not_explain_the_alarms(begun: int, of: int, kept: bool) -> None:
    assert results.within(Quiet(begun, begun, of)) is kept


def test_every_detector_of_the_table_is_some_methods() -> None:
    assert set(results.SHOWN) - {SAME_RATE} <= set(DETECTORS)
    assert set(picture.COLOURS) - {SAME_RATE} <= set(DETECTORS)
    assert all((method.asked("ladder/mean-0.5", False) or True) for method in METHODS)


def test_the_picture_is_well_formed_and_needs_nothing_else() -> None:
    twin, stream = judged()
    other = outcomes.Outcome(EVERY["ladder/mean-1"], {}, stream.default, stream.equal, {})
    drawn = picture.svg([twin, stream, other])
    assert drawn is not None
    assert "mean, σ" in "".join(ET.fromstring(drawn).itertext())
    assert "href" not in drawn
    assert picture.svg([twin]) is None
