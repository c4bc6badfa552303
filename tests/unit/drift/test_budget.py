from dataclasses import replace

import pytest

from tests.unit.drift import make
from trimtab.drift import budget
from trimtab.drift.budget import STRIDES, Settings

HOURLY = Settings(make.HOUR, 90 * 86400)


def test_levels_of_all_scales_add_up_to_one_false_alarm_in_the_stated_time() -> None:
    windows = HOURLY.false_alarm_every_seconds / HOURLY.window_seconds
    expected = sum(budget.level(HOURLY, scale) * windows / stride for scale, stride in STRIDES.items())
    assert expected == pytest.approx(1.0)


def test_no_level_exceeds_five_per_cent() -> None:
    daily = Settings(86400, 7 * 86400)
    assert budget.level(daily, 168) == 0.05


@pytest.mark.parametrize(("sensitivity", "delta"), [("High", 0.005), ("Medium", 0.02), ("Low", 0.05)])
def test_presets(sensitivity: budget.Sensitivity, delta: float) -> None:
    assert budget.tolerated(make.number(), replace(HOURLY, sensitivity=sensitivity)) == delta


def test_the_larger_of_preset_and_natural_tolerance_counts() -> None:
    assert budget.tolerated(make.number(tolerance=0.3), HOURLY) == 0.3
    assert budget.tolerated(make.number(tolerance=0.01), HOURLY) == 0.02


def test_a_small_reference_tolerates_more() -> None:
    high = replace(HOURLY, sensitivity="High")
    assert budget.tolerated(make.number(rows=4980), high) == 0.01
    assert budget.tolerated(make.number(rows=5000), high) == 0.005
