import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.drift import make
from trimtab.drift import archive, counting, vectors, windows
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.vectors import Counted
from trimtab.drift.windows import Ledger, Source

X = make.number("x", bins=2, rows=200)
C = make.category("c", counts=(60, 40))
PROFILE = make.profile(X, C, predictions=C)
A, B = Source("pod-a", "1"), Source("pod-b", "1")
SECOND_BOOT = Source("pod-a", "2")


def some(units: int) -> Counted:
    """Counts in which bins differ from one another, so that a mix-up shows."""
    x = FeatureCounts((units, 2 * units), below=units, missing=units)
    c = FeatureCounts((units, 3 * units), unseen=units)
    return Counted(5 * units, {"x": x, "c": c}, c)


def begun(at: float = 0.0) -> Ledger:
    return windows.begin(PROFILE, make.HOUR, at)


def fed(ledger: Ledger, source: Source, seq: int, counted: Counted, at: float) -> Ledger:
    ledger, problem = windows.absorb(ledger, source, seq, counted, at)
    assert problem is None
    return ledger


def rows(ledger: Ledger) -> int:
    """All rows the ledger holds, each once."""
    return int(ledger.open[0] + sum(counts[0] for counts in ledger.blocks.values()))


def test_a_new_source_adds_all_it_counted() -> None:
    ledger = fed(begun(), A, 7, some(3), at=10)
    assert vectors.unpack(ledger.layout, ledger.open) == some(3)


def test_a_known_source_adds_what_is_new() -> None:
    ledger = fed(fed(begun(), A, 1, some(3), 10), A, 2, some(5), 20)
    assert vectors.unpack(ledger.layout, ledger.open) == some(5)


@pytest.mark.parametrize("seq", [2, 1], ids=["came twice", "came late"])
def test_the_same_or_an_older_snapshot_changes_nothing(seq: int) -> None:
    ledger = fed(begun(), A, 2, some(5), 10)
    assert fed(ledger, A, seq, some(4), 20) is ledger


def test_a_restarted_process_counts_from_zero() -> None:
    ledger = fed(fed(begun(), A, 9, some(5), 10), SECOND_BOOT, 1, some(2), 20)
    assert rows(ledger) == some(7).rows


def test_counts_that_go_down_are_refused_and_counted() -> None:
    ledger = fed(begun(), A, 1, some(5), 10)
    after, problem = windows.absorb(ledger, A, 2, some(4), 20)
    assert problem is not None
    assert problem.reason == "CountsWentDown"
    assert "pod-a" in problem.message
    assert (rows(after), after.problems) == (rows(ledger), 1)
    assert rows(fed(after, A, 3, some(6), 30)) == some(6).rows


@pytest.mark.parametrize(
    "odd",
    [
        Counted(1, {"x": FeatureCounts((1, 0))}, FeatureCounts((1, 0))),
        Counted(1, {"x": FeatureCounts((1, 0)), "c": FeatureCounts((1, 0))}, None),
        Counted(1, {"x": FeatureCounts((1, 0, 0)), "c": FeatureCounts((1, 0))}, FeatureCounts((1, 0))),
        Counted(1, {"x": FeatureCounts((1, 0)), "c": FeatureCounts((-1, 0))}, FeatureCounts((1, 0))),
        Counted(2**70, {"x": FeatureCounts((1, 0)), "c": FeatureCounts((1, 0))}, FeatureCounts((1, 0))),
        Counted(1, {**some(1).features, "y": FeatureCounts((1,))}, some(1).predictions),
    ],
    ids=["feature lacks", "predictions lack", "other bins", "negative", "huge", "feature too many"],
)
def test_what_does_not_fit_the_profile_is_refused_and_counted(odd: Counted) -> None:
    after, problem = windows.absorb(begun(), A, 1, odd, 10)
    assert problem is not None
    assert problem.reason == "DoesNotFit"
    assert (rows(after), after.problems, after.sources) == (0, 1, {})


def test_windows_are_aligned_to_the_epoch_and_hold_what_was_polled_in_them() -> None:
    ledger = fed(begun(at=3599.9), A, 1, some(1), 3599.9)
    ledger = fed(ledger, A, 2, some(3), 3600.0)
    ledger = fed(ledger, A, 3, some(6), 7199.9)
    ledger = windows.close(ledger, 7200.0)
    held = {i: vectors.unpack(ledger.layout, counts) for i, counts in ledger.base.items()}
    assert held == {0: some(1), 1: some(5)}


def test_windows_without_rows_take_no_room() -> None:
    ledger = windows.close(fed(begun(), A, 1, some(1), 0), 20 * make.HOUR)
    assert set(ledger.base) == {0}
    assert ledger.current == 20
    assert not windows.has_rows(ledger)
    assert windows.at_scale(ledger, 1).counted.rows == 0
    assert windows.at_scale(ledger, 24).counted == some(1)


def test_a_window_is_closed_once_however_often_it_is_asked() -> None:
    ledger = windows.close(fed(begun(), A, 1, some(1), 0), make.HOUR)
    assert windows.close(ledger, make.HOUR) is ledger
    assert windows.close(ledger, 1.5 * make.HOUR) is ledger


def hourly(hours: int, start: int = 0) -> Ledger:
    """Hour i brings i + 1 units of rows; all windows are closed."""
    ledger = begun(at=start * make.HOUR)
    total = 0
    for hour in range(start, start + hours):
        total += hour + 1
        ledger = fed(ledger, A, hour + 1, some(total), hour * make.HOUR)
    return windows.close(ledger, (start + hours) * make.HOUR)


@pytest.mark.parametrize("hours", [1, 5, 6, 23, 24, 25, 26, 27, 167, 168, 169, 200, 400])
def test_scales_are_sums_of_the_windows_before_they_are_due(hours: int) -> None:
    ledger = hourly(hours)
    for scale, stride in ((1, 1), (6, 1), (24, 3), (168, 24)):
        end = hours // stride * stride
        window = windows.at_scale(ledger, scale)
        assert window.last == end - 1
        expected = sum(hour + 1 for hour in range(max(0, end - scale), end))
        assert window.counted == some(expected), scale


def test_a_longer_scale_stays_as_it_is_until_it_is_due() -> None:
    seen = [windows.at_scale(hourly(hours), 24).counted.rows for hours in range(30, 37)]
    assert seen[0] == seen[1] == seen[2] != seen[3] == seen[4] == seen[5] != seen[6]


def test_old_windows_and_blocks_go() -> None:
    ledger = hourly(1000)
    assert set(ledger.base) == set(range(974, 1000))
    assert set(ledger.blocks) == set(range(28, 42))


def test_a_clock_that_steps_back_closes_no_window_twice() -> None:
    ledger = hourly(10)
    back = fed(ledger, A, 99, some(100), 10 * make.HOUR - 5)
    assert back.base == ledger.base
    assert windows.close(back, 10 * make.HOUR + 5).current == 10
    assert rows(windows.close(back, 11 * make.HOUR)) == some(100).rows


def test_a_clock_that_jumped_far_ahead_and_back_loses_no_row_and_windows_go_on() -> None:
    ledger = windows.close(fed(hourly(30), A, 99, some(500), 40 * make.HOUR), 41 * make.HOUR)
    back = windows.close(ledger, 32 * make.HOUR)
    assert back.current == 32
    assert rows(back) == rows(ledger) == some(500).rows
    assert sum(int(counts[0]) for counts in back.base.values()) == sum(int(c[0]) for c in ledger.base.values())
    assert windows.close(back, 33 * make.HOUR).current == 33


def test_another_window_length_drops_windows_and_counts_nothing_twice() -> None:
    ledger = windows.resized(hourly(10), 600, 10 * make.HOUR)
    assert (ledger.base, ledger.blocks, rows(ledger)) == ({}, {}, 0)
    assert rows(fed(ledger, A, 99, some(56), 10 * make.HOUR)) == some(1).rows


def test_a_pod_that_is_gone_is_forgotten_after_a_while_and_not_before() -> None:
    ledger = fed(fed(begun(), A, 1, some(5), 0), B, 1, some(7), 0)
    soon = windows.close(ledger, 2 * make.HOUR)
    assert windows.forget(soon, {"pod-b"}) is soon
    later = windows.forget(windows.close(ledger, 3 * make.HOUR), {"pod-b"})
    assert set(later.sources) == {B}
    assert rows(later) == some(12).rows


def test_a_pod_that_exists_is_never_forgotten_however_long_it_is_silent() -> None:
    ledger = windows.close(fed(begun(), A, 1, some(5), 0), 900 * make.HOUR)
    ledger = windows.forget(ledger, {"pod-a"})
    assert rows(fed(ledger, A, 2, some(6), 900 * make.HOUR)) == some(1).rows


def test_an_earlier_boot_of_a_pod_is_forgotten_after_a_while() -> None:
    ledger = fed(fed(begun(), A, 1, some(5), 0), SECOND_BOOT, 1, some(2), make.HOUR)
    assert set(windows.forget(windows.close(ledger, 2 * make.HOUR), {"pod-a"}).sources) == {A, SECOND_BOOT}
    assert set(windows.forget(windows.close(ledger, 9 * make.HOUR), {"pod-a"}).sources) == {SECOND_BOOT}


def test_short_windows_keep_sources_for_ten_minutes() -> None:
    ledger = fed(windows.begin(PROFILE, 10, 0), A, 1, some(5), 0)
    assert A in windows.forget(windows.close(ledger, 600), set()).sources
    assert A not in windows.forget(windows.close(ledger, 620), set()).sources


Action = tuple[Any, ...]
PODS = st.sampled_from(["a", "b", "c"])
ACTION = st.one_of(
    st.tuples(st.just("serve"), PODS, st.integers(0, 50)),
    st.tuples(st.just("snapshot"), PODS),
    st.tuples(st.just("poll"), PODS),
    st.tuples(st.just("deliver"), st.integers(0, 30)),
    st.tuples(st.just("restart"), PODS),
    st.tuples(st.just("wait"), st.floats(0, 2.5 * make.HOUR)),
    st.tuples(st.just("close")),
    st.tuples(st.just("write")),
    st.tuples(st.just("kill operator")),
)


@dataclass
class World:
    """Pods that count, snapshots under way, an operator that polls, and what one process that saw all would have."""

    now: float = 1000 * make.HOUR
    seq: int = 0
    boots: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    truth: int = 0
    sent: list[tuple[Source, int, Counted]] = field(default_factory=list)
    last: list[tuple[Source, int, Counted]] = field(default_factory=list)
    ledger: Ledger = field(default_factory=lambda: begun(1000 * make.HOUR))
    stored: str = field(default_factory=lambda: json.dumps(archive.dump(begun(1000 * make.HOUR))))

    def snapshot(self, pod: str) -> tuple[Source, int, Counted]:
        self.seq += 1
        return Source(pod, str(self.boots[pod])), self.seq, some(self.counted[pod])

    def deliver(self, snapshot: tuple[Source, int, Counted]) -> None:
        self.ledger = fed(self.ledger, *snapshot, self.now)

    def act(self, action: Action) -> None:
        match action:
            case ("serve", pod, units):
                self.counted[pod] += units
                self.truth += units
            case ("snapshot", pod):
                self.sent.append(self.snapshot(pod))
            case ("poll", pod):
                self.deliver(self.snapshot(pod))
            case ("deliver", number) if self.sent:  # in any order, again and again, or never
                self.deliver(self.sent[number % len(self.sent)])
            case ("restart", pod):
                self.last.append(self.snapshot(pod))
                self.boots[pod] += 1
                self.counted[pod] = 0
            case ("wait", seconds):
                self.now += seconds
            case ("close",):
                self.ledger = windows.close(self.ledger, self.now)
            case ("write",):
                self.stored = json.dumps(archive.dump(self.ledger), allow_nan=False)
            case ("kill operator",):
                self.ledger = archive.load(json.loads(self.stored), PROFILE)


@given(st.lists(ACTION, max_size=25))
def test_any_history_adds_up_to_what_one_process_that_saw_all_rows_has(history: list[Action]) -> None:
    world = World()
    for action in history:
        world.act(action)
    for snapshot in (*world.last, *(world.snapshot(pod) for pod in "abc")):
        world.deliver(snapshot)
    ledger = world.ledger
    total = np.sum([ledger.open, *ledger.blocks.values()], axis=0)
    assert vectors.unpack(ledger.layout, total) == some(world.truth)
    assert ledger.problems == 0


@given(st.lists(st.tuples(st.floats(0, 60 * make.HOUR), st.integers(0, 9)), max_size=20))
def test_rows_are_kept_whatever_the_clock_does(polls: list[tuple[float, int]]) -> None:
    ledger, total = begun(30 * make.HOUR), 0
    for seq, (at, units) in enumerate(polls):
        total += units
        ledger = fed(ledger, A, seq, some(total), at)
        assert rows(ledger) == some(total).rows
        assert all(number < ledger.current for number in ledger.base)


def test_counts_in_equal_out_for_a_real_column() -> None:
    values = np.random.default_rng(0).uniform(-0.1, 1.1, size=1000)
    profile = make.profile(X)
    ledger = windows.begin(profile, 60, 0)
    for pod, part in enumerate(np.array_split(values, 7)):
        found = make.counted({"x": counting.count(X, part)})
        ledger = fed(ledger, Source(str(pod), "1"), 1, found, at=10 * pod)
    ledger = windows.close(ledger, 120)
    assert windows.at_scale(ledger, 6).counted.features["x"] == counting.count(X, values)
