"""Values: one normaliser for files and requests, the same whether it meets Python's values or Arrow's columns."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.api.wire.models import Kind
from trimtab.model import kinds, values
from trimtab.model.parts import Piece

NUMERIC: tuple[Kind, ...] = ("Number", "Boolean")
ALL: tuple[Kind, ...] = (*NUMERIC, "Category", "Time")
CASES: list[tuple[Kind, Any, float | str, bool]] = [
    ("Number", 1, 1.0, False),
    ("Number", 2.5, 2.5, False),
    ("Number", None, np.nan, False),
    ("Number", float("nan"), np.nan, False),
    ("Number", float("inf"), np.nan, True),
    ("Number", "1", np.nan, True),
    ("Number", "", np.nan, False),
    ("Number", True, np.nan, True),
    ("Number", 10**400, np.nan, True),
    ("Number", [1], np.nan, True),
    ("Boolean", True, 1.0, False),
    ("Boolean", 0, 0.0, False),
    ("Boolean", 2, np.nan, True),
    ("Boolean", "true", np.nan, True),
    ("Boolean", None, np.nan, False),
    ("Category", "a", "a", False),
    ("Category", 7, "7", False),
    ("Category", 7.0, "7", False),
    ("Category", 7.25, "7.25", False),
    ("Category", False, "false", False),
    ("Category", None, "", False),
    ("Category", float("nan"), "", False),
    ("Category", {}, "", True),
    ("Time", "2013-01-01T00:00:00Z", 1356998400.0, False),
    ("Time", "2013-01-01T00:00:00-05:00", 1357016400.0, False),
    ("Time", "2013-01-01", 1356998400.0, False),
    ("Time", 1.5, 1.5, False),
    ("Time", "yesterday", np.nan, True),
    ("Time", None, np.nan, False),
]


@pytest.mark.parametrize(("kind", "value", "expected", "invalid"), CASES)
def test_each_value_has_one_meaning(kind: Kind, value: Any, expected: float | str, invalid: bool) -> None:
    done = values.normalise(kind, [value])
    assert done.values[0] == expected or (np.isnan(done.values[0]) and np.isnan(expected))
    assert done.invalid.tolist() == [invalid]
    assert done.values.dtype == (object if kind == "Category" else np.float64)


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**53), 2**53)), min_size=1))
@settings(max_examples=60, deadline=None)
def test_numbers_mean_the_same_as_python_values_and_as_an_arrow_column(cells: list[float | None]) -> None:
    array = pa.chunked_array([pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())])
    for kind in NUMERIC:
        one = values.normalise(kind, cells)
        other = kinds.normalised([Piece("a", array)], kind)
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.invalid, other.invalid)


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=5), st.sampled_from(["1", "-2.5", "1e3", "007", "1,0", "nan", " 3 "]))
    )
)
@settings(max_examples=60, deadline=None)
def test_text_of_csv_means_the_same_as_python_values_and_as_an_arrow_column(cells: list[str | None]) -> None:
    array = pa.chunked_array([pa.array([cell or None for cell in cells], pa.string())])
    for kind in ALL:
        one = values.normalise(kind, cells, text=True)
        other = kinds.normalised([Piece("a", array, text=True)], kind)
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.invalid, other.invalid)


@given(st.floats(0, 4e9).map(lambda seconds: round(seconds, 6)))
def test_times_survive_being_written(seconds: float) -> None:
    assert values.parse_time(values.format_time(seconds)) == pytest.approx(seconds, abs=1e-6)


def test_the_normaliser_needs_numpy_and_nothing_that_reads_files(tmp_path: Path) -> None:
    """The slim server has neither pandas nor pyarrow."""
    import subprocess
    import sys

    script = "import sys, trimtab.model.values; print(sorted({'pandas', 'pyarrow', 'sklearn', 'obstore'} & set(sys.modules)))"
    root = str(Path(values.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": root}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
