"""The flights of the demonstration: twelve files, the same every time, with what is known before departure."""

import hashlib
from pathlib import Path

import pandas as pd

from demo import flights


def test_a_year_of_flights_is_twelve_files_that_never_change(tmp_path: Path) -> None:
    first, second = (flights.build(tmp_path / name) for name in ("one", "two"))
    assert list(first) == [f"2013-{month:02d}" for month in range(1, 13)]
    digests = [[hashlib.sha256(path.read_bytes()).hexdigest() for path in built.values()] for built in (first, second)]
    assert digests[0] == digests[1]
    assert sum(len(pd.read_parquet(path, columns=["late"])) for path in first.values()) == 336_776


def test_january_is_in_order_of_utc_time_and_knows_nothing_of_the_arrival(tmp_path: Path) -> None:
    january = pd.read_parquet(flights.build(tmp_path)["2013-01"])
    assert len(january) == 27_004
    assert january["late"].isna().sum() == 606
    assert str(january["time_hour"].dt.tz) == "UTC"
    assert january["time_hour"].is_monotonic_increasing
    assert january["time_hour"].iloc[0] == pd.Timestamp("2013-01-01T10:00:00Z")
    assert set(january.columns) == {"time_hour", "late", *flights.FLIGHT, *flights.WEATHER}
