import json
from typing import Any

import numpy as np
import pytest

from tests.unit.drift import make
from trimtab.drift import archive, vectors, windows
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Profile
from trimtab.drift.windows import Ledger, Source

SMALL = make.profile(make.number("x"), make.category("c"))


def busy(profile: Profile, hours: int, pods: int = 1, rows: int = 1000) -> Ledger:
    """Traffic like the reference with the noise of chance, so that it packs no better than real counts. It comes every
    hour of the last two days, and twice a day before."""
    rng = np.random.default_rng(0)
    ledger = windows.begin(profile, make.HOUR, 0)
    sums = {pod: np.zeros(vectors.empty(ledger.layout).size, np.int64) for pod in range(pods)}
    for hour in (*range(0, hours - 48, 12), *range(max(0, hours - 48), hours)):
        for pod, total in sums.items():
            features = {f.name: _drawn(rng, np.array(f.counts) / sum(f.counts), rows) for f in profile.features}
            total += vectors.pack(ledger.layout, make.counted(features))
            source = Source(f"0c9f7a52-5d3b-4b8e-9d55-{pod:012}", "b" * 32)
            counted = vectors.unpack(ledger.layout, total)
            ledger, problem = windows.absorb(ledger, source, hour, counted, hour * make.HOUR)
            assert problem is None
    return windows.close(ledger, hours * make.HOUR)


def _drawn(rng: np.random.Generator, shares: np.ndarray, rows: int) -> FeatureCounts:
    return FeatureCounts(tuple(rng.multinomial(rows, shares).tolist()))


def through_json(ledger: Ledger, limit: int = archive.LIMIT) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(json.dumps(archive.dump(ledger, limit), allow_nan=False))
    return stored


def test_what_is_written_is_read_back_the_same() -> None:
    ledger = busy(SMALL, hours=60, pods=2)
    back = archive.load(through_json(ledger), SMALL)
    assert archive.dump(back) == archive.dump(ledger)
    assert windows.by_scale(back) == windows.by_scale(ledger)


def test_rows_of_the_open_window_are_written_too() -> None:
    counted = make.counted({"x": FeatureCounts((5,) + (0,) * 19), "c": FeatureCounts((5, 0, 0, 0))})
    ledger, _ = windows.absorb(busy(SMALL, hours=3), Source("p", "b"), 1, counted, 3 * make.HOUR)
    back = archive.load(through_json(ledger), SMALL)
    assert back.open.tolist() == ledger.open.tolist()


def test_twenty_features_and_ten_pods_take_under_fifty_kilobytes() -> None:
    profile = make.profile(*(make.number(f"x{i}") for i in range(20)))
    stored = through_json(busy(profile, hours=14 * 24, pods=10, rows=200))
    assert len(json.dumps(stored)) < 50_000
    assert stored["left"] == ""


def test_two_hundred_features_fit_whole() -> None:
    profile = make.profile(*(make.number(f"x{i}") for i in range(200)))
    stored = through_json(busy(profile, hours=14 * 24, pods=2))
    assert len(json.dumps(stored)) < archive.LIMIT
    assert (len(stored["base"]), len(stored["blocks"]), stored["left"]) == (26, 14, "")


def test_beyond_the_limit_the_oldest_base_windows_go_and_it_says_so() -> None:
    ledger = busy(SMALL, hours=60)
    whole = len(json.dumps(archive.dump(ledger)))
    stored = through_json(ledger, limit=whole - 500)
    assert len(json.dumps(stored)) <= whole - 500
    assert 0 < len(stored["base"]) < 26
    assert "59" in stored["base"]
    assert "34" not in stored["base"]
    assert f"oldest {26 - len(stored['base'])} of 26 base windows" in stored["left"]
    assert windows.at_scale(archive.load(stored, SMALL), 168) == windows.at_scale(ledger, 168)


def test_pods_stored_without_their_counts_are_counted_late_rather_than_twice() -> None:
    ledger = busy(SMALL, hours=60, pods=2)
    stored = through_json(ledger, limit=1000)
    assert stored["base"] == {}
    assert "counts of 2 pods" in stored["left"]
    back = archive.load(stored, SMALL)
    source = next(iter(back.sources))
    read = ledger.sources[source].counts
    assert read is not None
    for seq, more, new in ((100, 3, 0), (101, 5, 2)):
        counted = vectors.unpack(ledger.layout, read + more)
        back, problem = windows.absorb(back, source, seq, counted, 60 * make.HOUR)
        assert problem is None
        assert set(back.open.tolist()) == {new}


def test_counts_of_another_profile_are_refused() -> None:
    stored = through_json(busy(SMALL, hours=2))
    with pytest.raises(ValueError, match="another profile"):
        archive.load(stored, make.profile(make.number("x", bins=10), make.category("c")))


def test_a_newer_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="schema 2"):
        archive.load({**through_json(busy(SMALL, hours=2)), "schema": 2}, SMALL)


@pytest.mark.parametrize(
    "change",
    [
        {"open": "not base64!"},
        {"open": "AAAA"},
        {"open": vectors.encode(np.zeros(3, np.int64))},
        {"open": vectors.encode(np.zeros(300_000, np.int64))},
        {"open": None},
        {"base": []},
        {"base": {"one": ""}},
        {"sources": [{}]},
        {"current": "soon"},
        {"seconds": 0},
        {"seconds": "NaN"},
    ],
    ids=str,
)
def test_damage_is_told_and_never_half_read(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"stored|invalid literal"):
        archive.load({**through_json(busy(SMALL, hours=2)), **change}, SMALL)


@pytest.mark.parametrize("stored", [None, [], "text", {}])
def test_what_is_no_ledger_is_refused(stored: Any) -> None:
    with pytest.raises(ValueError, match="damaged"):
        archive.load(stored, SMALL)
