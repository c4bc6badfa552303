"""Streams of the drift benchmark: what is drawn is what the titles say, and the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest

from tests.bench.drift import annotated, corruptions, samples, streams, synthetic
from tests.bench.drift.peers import protocol
from tests.bench.drift.samples import Sample
from tests.bench.drift.streams import Stream

EVERY = {stream.key: stream for stream in streams.table()}
DRAWN = [EVERY[f"{key}"] for key in ("ladder/mean-0.3", "ladder/appear-0.03", "joint/score", "season/daily-0.5")]
N, M = 500, 10_000


def test_keys_are_unique_and_every_family_comes_first() -> None:
    keys = [stream.key for stream in streams.table()]
    assert len(set(keys)) == len(keys)
    for stream in streams.table():
        assert keys.index(stream.family) <= keys.index(stream.key)
        assert EVERY[stream.family].null


def after(sample: Sample, name: str = "x0") -> np.ndarray:
    assert sample.change is not None
    return sample.rows[name][sum(sample.sizes[: sample.history + sample.change]) :]


@pytest.mark.parametrize("stream", DRAWN, ids=lambda stream: stream.key)
def test_a_stream_is_the_same_for_the_same_seed_and_changes_where_it_says(stream: Stream) -> None:
    one, same, other = stream.sample(1, 0), stream.sample(1, 0), stream.sample(1, 1)
    assert all(np.array_equal(one.rows[n], same.rows[n], equal_nan=one.rows[n].dtype.kind == "f") for n in one.rows)
    assert not np.array_equal(one.rows["x0"], other.rows["x0"])
    assert len(one.rows["x0"]) == sum(one.sizes)
    assert one.change is not None
    assert one.ends[-1] == sum(one.sizes[one.history :])
    assert set(one.drifted) <= set(one.rows)


def test_the_mean_moves_by_what_the_title_says_and_by_nothing_before() -> None:
    sample = EVERY["ladder/mean-0.5"].sample(1, 0)
    moved = after(sample)
    assert abs(moved.mean() - 0.5) < 5 / np.sqrt(moved.size)
    assert abs(sample.rows["x0"][: -moved.size].mean()) < 5 / np.sqrt(sample.rows["x0"].size - moved.size)
    assert abs(after(sample, "x1").mean()) < 5 / np.sqrt(moved.size)


def test_correlations_turn_round_and_no_column_changes() -> None:
    sample = EVERY["joint/columns"].sample(1, 0)
    moved = after(sample)
    assert np.corrcoef(moved, after(sample, "x1"))[0, 1] < -0.6
    assert np.corrcoef(sample.reference["x0"], sample.reference["x1"])[0, 1] > 0.6
    assert abs(moved.mean()) < 5 / np.sqrt(moved.size)
    assert abs(moved.std() - 1) < 5 / np.sqrt(2 * moved.size)


def test_a_level_vanishes_another_appears_and_values_go_missing() -> None:
    gone = EVERY["ladder/vanish-7"].sample(1, 0)
    assert "L4" in gone.reference["x0"]
    assert "L4" not in after(gone)
    new = after(EVERY["ladder/appear-0.1"].sample(1, 0))
    assert 0.08 < (new == "new").mean() < 0.12
    lost = after(EVERY["ladder/missing-0.2"].sample(1, 0))
    assert 0.18 < np.isnan(lost).mean() < 0.24


def test_a_gradual_shift_is_half_way_in_the_middle_and_a_recurring_one_goes_away() -> None:
    rng = np.random.default_rng(0)
    still = {"x0": np.zeros(4000)}
    synthetic.gradual(0.5, 2000)(rng, still, np.arange(4000))
    assert still["x0"][[0, 1000, 2000, 3999]].tolist() == [0.0, 0.25, 0.5, 0.5]
    still = {"x0": np.zeros(4000)}
    synthetic.recurring(1.0, 1000)(rng, still, np.arange(4000))
    assert still["x0"][[0, 999, 1000, 2000, 3000]].tolist() == [1.0, 1.0, 0.0, 1.0, 0.0]


def test_bursts_have_the_over_dispersion_that_they_are_named_for() -> None:
    sample = synthetic.bursts(np.random.default_rng(0), 1, M, (N,) * 400, rho=0.01)
    hits = (sample.rows["x0"].reshape(400, N) == "L0").sum(axis=1)
    share = hits.mean() / N
    phi = hits.var() / (N * share * (1 - share))
    assert 0.7 * 5.99 < phi < 1.3 * 5.99  # 1 + rho (n - 1)


def test_traffic_swings_tenfold_and_parts_of_a_reference_add_up() -> None:
    sizes = synthetic.swings(48, 100, 1000)
    assert (min(sizes), max(sizes)) == (100, 1000)
    assert sum(synthetic.spread_over(M, 480)) == M


@pytest.mark.parametrize("kind", corruptions.KINDS["digits"])
def test_a_corruption_touches_only_rows_behind_the_change(kind: str) -> None:
    sizes = (200,) * 6
    broken, plain = (
        corruptions.corrupted(np.random.default_rng(0), "digits", each, 0.5, 500, sizes, 0, 3) for each in (kind, None)
    )
    same = [np.array_equal(broken.rows[n][:600], plain.rows[n][:600]) for n in broken.rows]
    assert all(same)
    assert any(not np.array_equal(broken.rows[n][600:], plain.rows[n][600:]) for n in broken.rows)


def test_a_method_reads_the_sample_that_was_written(tmp_path: Path) -> None:
    sample = EVERY["ladder/appear-0.1"].sample(1, 0)
    read = protocol.read(str(samples.save(sample, tmp_path / "sample.npz")))
    assert read.columns == list(sample.reference)
    assert [len(window["x0"]) for window in read.shown()] == list(sample.sizes[sample.history :])
    last = list(read.windows())[-1]["x0"]
    assert last.tolist() == sample.rows["x0"][-N:].tolist()
    first = read.first(3)
    assert (len(first.sizes), len(first.rows["x0"])) == (sample.history + 3, N * (sample.history + 3))


def test_a_p_value_scores_one_at_its_level_and_stays_finite() -> None:
    assert protocol.of_p(0.05, 0.05) == pytest.approx(1.0)
    assert protocol.of_p(0.01, 0.05) > 1 > protocol.of_p(0.5, 0.05)
    assert np.isfinite(protocol.of_p(0.0, 0.05))


def test_marks_count_when_half_of_the_annotators_agree() -> None:
    assert annotated.agreement([[60, 200], [63, 205], [300], []]) == [60, 200]
