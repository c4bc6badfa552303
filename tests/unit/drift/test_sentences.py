from typing import get_args, get_type_hints

import pytest

from trimtab.drift import sentences
from trimtab.drift.shifts import Shift


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (10, "10s"),
        (90, "1m30s"),
        (3600, "1h"),
        (86400, "1d"),
        (90000, "25h"),
        (0, "0s"),
        (0.25, "0.25s"),
        (1209600, "14d"),
    ],
)
def test_durations_read_as_users_write_them(seconds: float, said: str) -> None:
    assert sentences.span(seconds) == said


@pytest.mark.parametrize("name", ["a\x1b[31m", "\u202eevil", "x\r\ny", "\ud800"])
def test_names_that_would_garble_a_terminal_are_escaped(name: str) -> None:
    assert sentences.shown(name).isprintable()
    assert sentences.shown(name).isascii()


def test_long_names_are_cut_and_ordinary_ones_are_not() -> None:
    assert sentences.shown("größe_in_cm") == "größe_in_cm"
    assert len(sentences.shown("x" * 1000)) == 60


def test_every_reason_why_a_column_is_unknown_has_its_words() -> None:
    reasons = {reason for part in get_args(get_type_hints(Shift)["reason"]) for reason in get_args(part)}
    assert reasons == set(sentences.WHY)
