from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from tests.unit.drift import make
from trimtab.drift import profile
from trimtab.drift.profile import NumberReference, Profile

GOOD = make.number("x", bins=4, rows=400)
TEXT = make.category("c")


def test_what_references_build_has_no_faults() -> None:
    assert profile.faults(make.profile(GOOD, TEXT, predictions=TEXT, score=GOOD)) == ()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (replace(GOOD, counts=(1, 2)), "4 bins follow from its edges, 2 counts"),
        (replace(GOOD, edges=(0.5, 0.5, 0.75)), "ascending"),
        (replace(GOOD, edges=(0.1, 0.5, float("nan"))), "finite"),
        (replace(GOOD, counts=(1, 2, 3, -4)), "negative"),
        (replace(GOOD, missing=-1), "negative"),
        (replace(GOOD, low=None), "both"),
        (replace(GOOD, low=2.0), "low not above high"),
        (replace(GOOD, tolerance=float("inf")), "tolerance"),
        (replace(TEXT, counts=(1,)), "3 levels need 4 counts, 1 are given"),
        (replace(TEXT, known=tuple(map(str, range(1001)))), "1001 known"),
        (replace(TEXT, known=("level 0",)), "distinct"),
        (replace(TEXT, levels=("", "a", "b")), "not empty"),
    ],
)
def test_a_reference_that_cannot_be_is_named_with_its_fault(bad: profile.Reference, said: str) -> None:
    found = profile.faults(make.profile(bad))
    assert any(said in fault and bad.name in fault for fault in found)


def test_a_name_twice_and_too_many_features_are_faults() -> None:
    assert profile.faults(make.profile(GOOD, GOOD)) == ("'x' is there more than once",)
    crowd: list[NumberReference] = [replace(GOOD, name=str(i)) for i in range(201)]
    assert "201 features" in profile.faults(make.profile(*crowd))[0]


def test_a_profile_passes_through_json_unchanged() -> None:
    adapter = TypeAdapter(Profile)
    whole = make.profile(replace(GOOD, edges=(0.1, 1 / 3, 5e-324 + 0.7)), TEXT, predictions=TEXT, score=GOOD)
    assert adapter.validate_json(adapter.dump_json(whole)) == whole
