from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.drift import make
from trimtab.drift import counting, discoveries, elsewhere, references, shifts
from trimtab.drift.budget import Settings
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Reference
from trimtab.drift.shifts import Shift

HOURLY = Settings(make.HOUR, 90 * 86400)
X = make.number()
TILTED = tuple(np.linspace(1, 9, 20))


def judged(reference: Reference, counts: FeatureCounts, settings: Settings = HOURLY, **more: float) -> Shift:
    (shift,) = shifts.judge([(reference, counts)], 1, settings, **more)
    return shift


def moved(sigmas: float, rows: int, rng: np.random.Generator) -> FeatureCounts:
    """A standard normal column, binned at its quantiles, of which the mean has moved."""
    return counting.count(NORMAL, rng.normal(sigmas, size=rows))


NORMAL = replace(
    X,
    name="normal",
    edges=tuple(np.quantile(np.random.default_rng(5).normal(size=400_000), np.arange(1, 20) / 20).tolist()),
    low=-4.5,
    high=4.5,
)


def test_the_same_distribution_is_no_drift() -> None:
    shift = judged(X, make.shares(X, 1000))
    assert (shift.verdict, shift.severity, shift.psi, shift.rows) == ("InDistribution", None, 0.0, 1000)


def test_a_clear_shift_is_drift_with_size_and_threshold() -> None:
    shift = judged(X, make.shares(X, 1000, *TILTED))
    assert shift.verdict == "Drifting"
    assert shift.psi is not None
    assert shift.threshold is not None
    assert shift.psi > shift.threshold > 0.02


@pytest.mark.parametrize(("sigmas", "severity"), [(0.25, "Minor"), (0.4, "Moderate"), (0.8, "Major")])
def test_severity_follows_the_size(sigmas: float, severity: str) -> None:
    shift = judged(NORMAL, moved(sigmas, 20_000, np.random.default_rng(0)))
    assert (shift.verdict, shift.severity) == ("Drifting", severity)
    assert shift.psi == pytest.approx(sigmas**2, rel=0.15)


def test_a_shift_within_the_tolerated_is_none_however_many_rows() -> None:
    counts = moved(0.12, 2_000_000, np.random.default_rng(0))  # PSI 0.014
    assert judged(NORMAL, counts).verdict == "InDistribution"
    assert judged(NORMAL, counts, replace(HOURLY, sensitivity="High")).verdict == "Drifting"


def test_a_natural_tolerance_is_honoured() -> None:
    counts = moved(0.5, 5000, np.random.default_rng(0))
    assert judged(NORMAL, counts).verdict == "Drifting"
    assert judged(replace(NORMAL, tolerance=0.3), counts).verdict == "InDistribution"


def test_a_pattern_tolerated_as_psi_is_none_even_where_chi_squared_is_certain() -> None:
    rare = make.category(counts=(99_000, 500, 500))
    tripled = make.shares(rare, 1_000_000, 0.98, 0.015, 0.005)
    shift = judged(rare, tripled)
    assert shift.psi == pytest.approx(0.01 * np.log(3) + 0.01 * np.log(0.99 / 0.98), rel=0.01)
    assert shift.verdict == "InDistribution"
    assert shift.psi is not None
    assert shift.threshold is not None
    assert shift.psi <= shift.threshold


def test_rows_beyond_the_range_are_drift_and_are_told() -> None:
    shift = judged(X, FeatureCounts((0,) * 20, above=500))
    assert (shift.verdict, shift.severity, shift.outside, shift.rows) == ("Drifting", "Major", 1.0, 500)
    below = judged(X, FeatureCounts((0,) * 20, below=500))
    assert below.psi == pytest.approx(shift.psi)


def test_unseen_levels_count_with_the_rare_ones() -> None:
    reference = make.category(counts=(6000, 3000, 1000))
    rare = judged(reference, FeatureCounts((300, 150, 350)))
    unseen = judged(reference, FeatureCounts((300, 150, 0), unseen=350))
    assert rare.verdict == unseen.verdict == "Drifting"
    assert rare.psi == unseen.psi
    assert rare.outside == 0.0
    assert unseen.outside == pytest.approx(350 / 800)


def test_many_rare_levels_of_which_some_are_new_are_no_drift() -> None:
    rng = np.random.default_rng(0)
    zipf = 1 / np.arange(1, 2001) ** 1.2
    levels = rng.choice(2000, size=20_000, p=zipf / zipf.sum())
    reference = references.category("c", np.array([f"l{level}" for level in levels], object))
    for _ in range(50):
        window = np.array([f"l{level}" for level in rng.choice(2000, size=1000, p=zipf / zipf.sum())], object)
        shift = judged(reference, counting.count(reference, window), replace(HOURLY, sensitivity="High"))
        assert shift.verdict == "InDistribution"
        assert shift.outside == pytest.approx(shift.expected, abs=0.03)
        assert shift.outside > 0


def test_missing_and_invalid_rows_stay_out_of_the_test() -> None:
    counts = make.shares(X, 1000)
    spoiled = replace(counts, missing=5000, invalid=5000)
    assert judged(X, spoiled) == judged(X, counts)


@pytest.mark.parametrize("rows", [0, 1, 99])
def test_too_few_rows_are_unknown_and_say_how_many_are_missing(rows: int) -> None:
    shift = judged(X, make.shares(X, rows))
    assert (shift.verdict, shift.reason, shift.wanted, shift.psi) == ("Unknown", "TooFewRows", 100 - rows, None)


@pytest.mark.parametrize("rows", [0, 1, 99])
def test_rows_enough_without_values_are_no_want_of_rows(rows: int) -> None:
    gone, spoiled = replace(make.shares(X, rows), missing=1000), replace(make.shares(X, rows), invalid=1000)
    assert [(judged(X, counts).reason, judged(X, counts).wanted) for counts in (gone, spoiled)] == [
        ("Missing", 100 - rows)
    ] * 2
    assert judged(X, replace(make.shares(X, rows), missing=100 - rows - 1)).reason == "TooFewRows"


# ---------------------------------------------------------------- what cannot be compared bin by bin

CONSTANT = references.number("k", np.full(20_000, 7.0))
ONE_CLASS = references.category("c", np.full(20_000, "yes", object))
NEARLY = replace(X, edges=(0.5,), counts=(19_996, 4))
USERS = np.random.default_rng(1).integers(0, 15_000, 20_000)
IDS = references.category("id", np.array([f"u{user}" for user in USERS], object))


def becomes(reference: Reference, *values: object) -> Shift:
    """What becomes of a column of 1,000 rows that hold these values in turn."""
    rows = [values[i % len(values)] for i in range(1000)]
    given = np.array(rows, object if reference.kind == "Category" else float)
    return judged(reference, counting.count(reference, given))


@pytest.mark.parametrize(
    "found",
    [
        becomes(CONSTANT, 8.0),
        becomes(CONSTANT, *[7.0] * 9, -3.0),
        becomes(ONE_CLASS, "no"),
        becomes(NEARLY, 0.7),
        becomes(IDS, *[f"v{i}" for i in range(1000)]),
    ],
    ids=["another constant", "a tenth of the rows", "another level", "a value that was rare", "other names for all"],
)
def test_a_column_whose_rows_lie_elsewhere_than_nearly_all_of_the_reference_drifts(found: Shift) -> None:
    assert (found.verdict, found.severity, found.reason) == ("Drifting", "Major", None)
    assert found.psi is not None
    assert found.threshold is not None
    assert found.psi > found.threshold > 0.02


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (becomes(CONSTANT, 7.0), "Constant"),
        (becomes(CONSTANT, *[7.0] * 199, 8.0), "Constant"),
        (becomes(ONE_CLASS, "yes"), "Constant"),
        (becomes(NEARLY, 0.2), "Constant"),
        (becomes(IDS, *[f"u{7 * i}" for i in range(1000)]), "Scattered"),
        (becomes(IDS, *[f"v{i}" for i in range(99)], IDS.known[0]), "Scattered"),
    ],
    ids=["the same", "one in 200", "the same level", "the usual value", "the same names", "nearly all names are new"],
)
def test_a_column_that_stays_where_it_was_is_unknown_and_says_why(found: Shift, reason: str) -> None:
    assert (found.verdict, found.reason) == ("Unknown", reason)


def test_too_few_rows_say_nothing_of_where_they_lie() -> None:
    counts = counting.count(CONSTANT, np.full(99, 8.0))
    assert judged(CONSTANT, counts).verdict == "Unknown"


@given(st.integers(100, 100_000), st.integers(200, 100_000), st.floats(0, 1), st.integers(1, 200))
def test_the_fewest_rows_that_count_are_the_fewest(n: int, m: int, expected: float, columns: int) -> None:
    bar = discoveries.bar(1e-4, 1, columns)
    least = elsewhere.least(n, m, expected, bar)
    assert least is None or 0 < least <= n
    if least is not None:
        assert least / n > expected, "a share as in the reference never counts"
        before, there = (elsewhere.size(hits, n, m, expected) for hits in (least - 1, least))
        assert there >= before


def test_without_a_shift_no_constant_column_alarms_in_its_budget() -> None:
    """20 columns that are new in one row of 20,000 each, for 2,000 windows: none of 40,000 tests counts."""
    rng = np.random.default_rng(0)
    hits = rng.binomial(1000, 1 / 20_000, 40_000)
    least = elsewhere.least(1000, 20_000, 1 / 20_000, discoveries.bar(1e-4, 1, 20))
    assert least is not None
    assert int((hits >= least).sum()) == 0


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (replace(X, edges=(), counts=(0,), low=None, high=None, missing=500), "NoValues"),
        (replace(X, edges=(), counts=(500,)), "Constant"),
        (make.category(counts=(500, 0)), "Constant"),
        (make.category(counts=(500,)), "Constant"),
        (make.category(counts=(5000, 4)), "Constant"),
    ],
)
def test_what_cannot_be_judged_is_unknown_alone_and_costs_the_others_nothing(reference: Reference, reason: str) -> None:
    others = [(replace(X, name=str(i)), moved(0.1 * i, 400, np.random.default_rng(i))) for i in range(5)]
    dead = FeatureCounts((700,) + (0,) * (len(reference.counts) - 1))
    *alive, last = shifts.judge([*others, (reference, dead)], 1, HOURLY)
    assert (last.verdict, last.reason, last.psi, last.wanted) == ("Unknown", reason, None, 0)
    assert tuple(alive) == shifts.judge(others, 1, HOURLY)


def test_no_columns_give_no_shifts() -> None:
    assert shifts.judge([], 1, HOURLY) == ()


ROWS = st.lists(st.integers(0, 400), min_size=20, max_size=20).map(tuple)


@given(st.lists(ROWS, min_size=1, max_size=6), st.integers(0, 500), st.sampled_from([1, 6, 24, 168]))
def test_psi_is_above_the_threshold_exactly_where_it_says_drift(
    windows: list[tuple[int, ...]], above: int, scale: int
) -> None:
    columns = [(replace(X, name=str(i)), FeatureCounts(bins, above=above)) for i, bins in enumerate(windows)]
    for shift in shifts.judge(columns, scale, HOURLY):
        if shift.verdict != "Unknown":
            assert shift.psi is not None
            assert shift.threshold is not None
            assert (shift.psi > shift.threshold) == (shift.verdict == "Drifting")
            assert (shift.severity is not None) == (shift.verdict == "Drifting")


@given(ROWS.filter(lambda bins: sum(bins) >= 300), st.permutations(range(20)))
def test_the_order_of_levels_does_not_matter(bins: tuple[int, ...], order: list[int]) -> None:
    even = make.category(counts=(1000,) * 21)
    one = judged(even, FeatureCounts((*bins, 20)))
    other = judged(even, FeatureCounts((*(bins[i] for i in order), 20)))
    assert one.verdict == other.verdict
    assert one.psi == pytest.approx(other.psi)


def test_longer_scales_may_use_more_of_the_budget() -> None:
    counts = make.shares(X, 1000, *np.linspace(1, 1.9, 20))
    thresholds = [shifts.judge([(X, counts)], scale, HOURLY)[0].threshold or 0 for scale in (1, 6, 24, 168)]
    assert thresholds[0] == thresholds[1] > thresholds[2] > thresholds[3]


def test_one_feature_among_many_needs_a_larger_shift() -> None:
    still = [(replace(X, name=str(i)), make.shares(X, 1000)) for i in range(50)]
    counts = make.shares(X, 1000, *np.linspace(1, 1.9, 20))
    *_, among = shifts.judge([*still, (X, counts)], 1, HOURLY)
    assert (among.threshold or 0) > (judged(X, counts).threshold or 0)


def test_over_dispersion_raises_every_threshold() -> None:
    counts = make.shares(X, 1000, *TILTED)
    thresholds = [judged(X, counts, phi=phi).threshold or 0 for phi in (1.0, 2.0, 5.0)]
    assert thresholds == sorted(thresholds)
    assert judged(X, counts, phi=5.0).verdict == "InDistribution"


def test_what_a_reference_can_show_grows_with_it() -> None:
    found = [shifts.detectable(make.number(rows=rows), HOURLY, 20) or 0 for rows in (500, 2000, 20_000)]
    assert found == sorted(found, reverse=True)
    assert shifts.detectable(replace(X, edges=(), counts=(500,)), HOURLY, 20) is None


def test_false_alarms_stay_below_the_level_when_the_reference_is_a_sample_too() -> None:
    rng = np.random.default_rng(3)
    loose = Settings(make.HOUR, 5 * make.HOUR, "High")  # level 0.05 for all columns of a window together
    even = np.full(10, 0.1)
    alarms, trials = 0, 300
    for _ in range(trials):
        bases = rng.multinomial(20_000, even, size=5)
        columns = [
            (
                replace(make.number(str(i), bins=10), counts=tuple(base.tolist())),
                FeatureCounts(tuple(rng.multinomial(200, even).tolist())),
            )
            for i, base in enumerate(bases)
        ]
        alarms += any(shift.verdict == "Drifting" for shift in shifts.judge(columns, 1, loose))
    assert alarms / trials <= 0.05


def test_a_shift_of_half_a_standard_deviation_is_seen_in_three_hundred_rows() -> None:
    rng = np.random.default_rng(4)
    seen = [judged(NORMAL, moved(0.5, 300, rng)).verdict == "Drifting" for _ in range(100)]
    assert np.mean(seen) > 0.8
