"""Durations, shares and quantities: what is read, what is refused, and what CEL is told."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils import quantity as kubernetes

from trimtab.api import quantities
from trimtab.api.quantities import PART, QUANTITY, SHARE, lasting, parse_duration, parse_quantity, parse_share


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("90s", 90),
        ("5m", 300),
        ("24h", 86_400),
        ("90d", 7_776_000),
        ("1d12h30m15s", 131_415),
        ("1h1h", 7_200),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "1", "h", "1.5h", "500ms", "-1h", "+1h", "1 h", "1h\n", "1w", "123456s", "1s1s1s1s1s", "١h", "1H"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration: write whole numbers"):
        parse_duration(text)


@given(st.from_regex(QUANTITY.strip("^$"), fullmatch=True))
def test_a_quantity_is_the_number_that_the_api_servers_own_reader_finds(text: str) -> None:
    assert float(parse_quantity(text)) == pytest.approx(float(kubernetes.parse_quantity(text)), rel=1e-12)


@pytest.mark.parametrize("text", ["", "much", "-1", "1 Gi", "1Ki2", "0x1"])
def test_anything_else_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        parse_quantity(text)


@given(st.lists(st.tuples(st.integers(0, 99_999), st.sampled_from("dhms")), min_size=1, max_size=4))
def test_every_duration_that_can_be_written_is_read(parts: list[tuple[int, str]]) -> None:
    weights = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    text = "".join(f"{number}{unit}" for number, unit in parts)
    assert parse_duration(text) == sum(number * weights[unit] for number, unit in parts)


@pytest.mark.parametrize(
    ("text", "share"),
    [("0%", 0.0), ("20%", 0.2), ("0.5%", 0.005), ("1.1%", 0.011), ("100%", 1.0), ("100.00%", 1.0), ("05%", 0.05)],
)
def test_a_share_is_read_as_a_number_up_to_one(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize(
    "text", ["", "20", "0.2", "%", "101%", "100.1%", "-1%", "1e1%", "20 %", "20%\n", "1.00000%", "NaN%"]
)
def test_anything_else_is_no_share(text: str) -> None:
    with pytest.raises(ValueError, match="is no share: write a number from 0 to 100"):
        parse_share(text)


@given(st.integers(0, 1_000_000))
def test_shares_are_exact_to_the_last_decimal(parts_per_million: int) -> None:
    text = f"{parts_per_million // 10_000}.{parts_per_million % 10_000:04d}%"
    assert parse_share(text) == parts_per_million / 1_000_000


@given(st.from_regex(PART, fullmatch=True))
def test_a_part_leaves_something_on_both_sides(text: str) -> None:
    assert re.fullmatch(SHARE, text)
    assert 0 < parse_share(text) < 1


@pytest.mark.parametrize("text", ["0%", "0.0%", "0.0000%", "100%", "100.0%"])
def test_all_or_nothing_is_no_part(text: str) -> None:
    assert re.fullmatch(SHARE, text)
    assert not re.fullmatch(PART, text)


@pytest.mark.parametrize("text", ["1", "500m", "0.5", ".5", "2Gi", "1e3", "1E-2", "10M", "0"])
def test_quantities_of_kubernetes_are_taken(text: str) -> None:
    assert re.fullmatch(QUANTITY, text)


@pytest.mark.parametrize("text", ["-1", "1gb", "1 Gi", "GiB", "", "1e999", "Inf"])
def test_other_quantities_are_not(text: str) -> None:
    assert not re.fullmatch(QUANTITY, text)


def test_the_bounds_of_a_duration_are_told_in_seconds_and_in_words() -> None:
    rule = lasting("10s", "7d")
    assert "10 <= seconds && seconds <= 604800" in rule.cel
    assert rule.message == "must last from 10s to 7d"


def test_the_examples_in_the_docstrings_are_true() -> None:
    assert doctest.testmod(quantities).failed == 0
