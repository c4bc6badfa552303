"""UBJSON as XGBoost writes it."""

import json
import struct
from typing import Any

import numpy as np
import pytest
import xgboost

from tests.unit.model import boosted
from trimtab.model import ubjson
from trimtab.model.ubjson import UbjsonError


def same(one: Any, other: Any) -> bool:
    if isinstance(other, dict):
        return isinstance(one, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in other)
    if isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(np.float32(one) == np.float32(other) if isinstance(other, float) else one == other)


def test_a_model_reads_as_its_json() -> None:
    rows = boosted.categorical()
    fitted = xgboost.XGBClassifier(n_estimators=3, n_jobs=1, enable_categorical=True).fit(rows, rows["size"] > 0)
    booster = fitted.get_booster()
    assert same(ubjson.read(bytes(booster.save_raw("ubj"))), json.loads(booster.save_raw("json")))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"Z", None),
        (b"T", True),
        (b"i\xff", -1),
        (b"U\xff", 255),
        (b"I\x01\x00", 256),
        (b"L" + struct.pack(">q", 1 << 40), 1 << 40),
        (b"D" + struct.pack(">d", 0.1), 0.1),
        (b"Si\x02\xc3\xa9", "é"),
        (b"[i\x01T]", [1, True]),
        (b"[#i\x02ZF", [None, False]),
        (b"{i\x01a[]i\x01b{}}", {"a": [], "b": {}}),
    ],
)
def test_values_of_all_kinds(content: bytes, value: object) -> None:
    assert ubjson.read(content) == value


def test_numbers_of_one_type_are_an_array() -> None:
    found = ubjson.read(b"[$l#i\x02" + struct.pack(">ii", 7, -7))
    assert isinstance(found, np.ndarray)
    assert found.tolist() == [7, -7]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it ends after 0 bytes"),
        (b"ZZ", "1 bytes follow its end"),
        (b"x", "byte 0 is 'x', which begins no value here"),
        (b"[" * 1000, "byte 64 is '\\[', which begins no value here"),
        (b"Si\x05ab", "it ends after 5 bytes, in the middle of a value"),
        (b"Si\xffab", "should end a length"),
        (b"Si\x01\xff", "is not UTF-8"),
        (b"[$l#L" + struct.pack(">q", 1 << 60), "in the middle of a value"),
        (b"[$S#i\x01", "should give the length of an array of numbers"),
        (b"[#L" + struct.pack(">q", 1 << 60) + b"Z", "in the middle of a value"),
        (b"{i\x01a", "it ends after 4 bytes"),
    ],
)
def test_what_is_no_ubjson_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(UbjsonError, match=said):
        ubjson.read(content)
