"""Our side of the drift benchmark, as it is run: a process that is shown samples, and asked over its standard input."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.bench.drift import rounds, samples, synthetic, traces
from tests.bench.drift.methods import METHODS, OURS, QUALITY
from tests.bench.drift.processes import BrokenMethodError, Process
from tests.bench.drift.samples import Sample

SIZES = (500,) * 12


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    with rounds.processes([METHODS[0]], tmp_path) as (started,):
        yield started


def sample(change: synthetic.Change, draw: synthetic.Draw = synthetic.normal) -> Sample:
    rng = np.random.default_rng(0)
    still = synthetic.independent(rng, {"x0": draw, "k": synthetic.levels(5)}, 5000, SIZES)
    return synthetic.changed(rng, still, 4, 3, change, ("x0",))


def windows(process: Process, shown: Sample, detector: str, folder: Path) -> set[int]:
    path = samples.save(shown, folder / "sample.npz")
    answer = process.ask({"sample": str(path), "windows": None, "only": None})
    found = traces.trace(answer, detector, shown.ends)
    assert {alarm.column for alarm in found.alarms(found.default)} <= {"x0"}
    return found.windows(found.default)


def test_a_shift_is_told_from_the_window_it_begins_with(process: Process, tmp_path: Path) -> None:
    assert windows(process, sample(synthetic.mean(1.0)), OURS, tmp_path) == {3, 4, 5, 6, 7}


def test_missing_values_are_a_matter_of_quality(process: Process, tmp_path: Path) -> None:
    shown = sample(synthetic.missing(0.3), synthetic.gaps)
    assert windows(process, shown, QUALITY, tmp_path) == {3, 4, 5, 6, 7}
    assert windows(process, shown, OURS, tmp_path) == set()


def test_a_sample_that_cannot_be_read_is_told_and_the_next_one_is_answered(process: Process, tmp_path: Path) -> None:
    with pytest.raises(BrokenMethodError, match="FileNotFoundError"):
        process.ask({"sample": str(tmp_path / "none.npz"), "windows": None, "only": None})
    assert windows(process, sample(synthetic.mean(1.0)), OURS, tmp_path)
