"""Reading: odd files, each with the exact outcome. Nothing is guessed that changes a value."""

import bz2
import gzip
import io
import lzma
import zipfile
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from trimtab.api.dataset import DataFormat
from trimtab.api.wire.models import Kind
from trimtab.model import kinds, reading
from trimtab.model.parts import Piece

NAN = float("nan")


def read(
    folder: Path, declared: dict[str, Kind] | None = None, given: DataFormat | None = None, **files: Any
) -> reading.Table:
    """Write files and read them in the order given; `__` in a name stands for the point."""
    return reading.read(
        written(folder, {name.replace("__", "."): content for name, content in files.items()}), given, declared
    )


def written(folder: Path, files: dict[str, Any]) -> list[reading.Part]:
    """Write files, in folders of their own where their names say so."""
    parts = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pa.Table):
            pyarrow.parquet.write_table(content, path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        parts.append(reading.Part(name, path))
    return parts


def column(table: reading.Table, name: str) -> tuple[Kind, list[Any]]:
    values = table.frame[name].tolist()
    return table.kinds[name], ["NaN" if isinstance(value, float) and np.isnan(value) else value for value in values]


# ---------------------------------------------------------------- CSV

CSV = {
    "numbers": ("1,2.5,-3e2,,+4, 5 ", "Number", [1.0, 2.5, -300.0, "NaN", 4.0, 5.0]),
    "leading zeros": ("01,2,3", "Category", ["01", "2", "3"]),
    "a zero before a point": ("0.5,0,00.5", "Category", ["0.5", "0", "00.5"]),
    "plain zeros": ("0.5,0,-0.25", "Number", [0.5, 0.0, -0.25]),
    "long digits": ("1,12345678901234567", "Category", ["1", "12345678901234567"]),
    "digits that float64 holds": ("1,9007199254740992", "Number", [1.0, 9007199254740992.0]),
    "a thousands mark": ('1,"1,234"', "Category", ["1", "1,234"]),
    "an underscore": ("1,1_234", "Category", ["1", "1_234"]),
    "NA is text": ("1,NA", "Category", ["1", "NA"]),
    "nan is text": ("1,nan", "Category", ["1", "nan"]),
    "None is text": ("a,None,null", "Category", ["a", "None", "null"]),
    "inf is text": ("1,inf", "Category", ["1", "inf"]),
    "hexadecimal is text": ("1,0x10", "Category", ["1", "0x10"]),
    "booleans with a hole": ("true,False,,TRUE", "Boolean", [1.0, 0.0, "NaN", 1.0]),
    "yes is text": ("yes,no", "Category", ["yes", "no"]),
    "dates are text": ("2013-01-01,2013-01-02", "Category", ["2013-01-01", "2013-01-02"]),
    "all empty": (",,", "Number", ["NaN", "NaN", "NaN"]),
    "spaces are kept in text": (" a,a ", "Category", [" a", "a "]),
}


@pytest.mark.parametrize(("cells", "kind", "values"), CSV.values(), ids=CSV.keys())
def test_cells_of_csv(cells: str, kind: Kind, values: list[Any], tmp_path: Path) -> None:
    import csv

    lines = "".join(f'"{cell}",x\n' if "," in cell else f"{cell},x\n" for cell in next(csv.reader([cells])))
    assert column(read(tmp_path, a__csv=f"c,other\n{lines}"), "c") == (kind, values)


def test_a_byte_order_mark_windows_line_ends_and_quoted_breaks_are_fine(tmp_path: Path) -> None:
    table = read(tmp_path, a__csv=b'\xef\xbb\xbfname,n\r\n"one\r\ntwo",1\r\n"say ""hi""",2\r\n')
    assert column(table, "name") == ("Category", ["one\r\ntwo", 'say "hi"'])
    assert column(table, "n") == ("Number", [1.0, 2.0])


def test_names_are_taken_literally(tmp_path: Path) -> None:
    table = read(tmp_path, a__csv=' a b,c.d,"e,f",étage,label\n1,2,3,4,5\n')
    assert list(table.frame) == [" a b", "c.d", "e,f", "étage", "label"]


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    assert column(read(tmp_path, a__csv__gz=gzip.compress(b"n,m\n1,2\n")), "n") == ("Number", [1.0])
    lines = gzip.compress(b'{"n": 1}\n')
    assert column(read(tmp_path, a__jsonl__gz=lines), "n") == ("Number", [1.0])


def test_a_kind_follows_from_all_files_together(tmp_path: Path) -> None:
    table = read(tmp_path, a__csv="code,n\n1,1\n", b__csv="n,code\n2,07\n")
    assert column(table, "code") == ("Category", ["1", "07"])
    assert column(table, "n") == ("Number", [1.0, 2.0])


def test_declared_kinds_decide(tmp_path: Path) -> None:
    content = 'zip,flag,at,n\n501,1,2013-01-01T05:00:00-05:00,007\n,0,2013-01-02,x\n502,,oops,"1,234"\n'
    declared: dict[str, Kind] = {"zip": "Category", "flag": "Boolean", "at": "Time", "n": "Number"}
    table = read(tmp_path, declared, a__csv=content)
    assert column(table, "zip") == ("Category", ["501", "", "502"])
    assert column(table, "flag") == ("Boolean", [1.0, 0.0, "NaN"])
    assert column(table, "at") == ("Time", [1357034400.0, 1357084800.0, "NaN"])
    assert column(table, "n") == ("Number", [7.0, "NaN", "NaN"])
    assert table.invalid == {"at": reading.Invalid(1, "'oops'"), "n": reading.Invalid(2, "'x'")}


# ---------------------------------------------------------------- JSON lines


def test_digits_in_json_strings_stay_text(tmp_path: Path) -> None:
    table = read(tmp_path, a__jsonl='{"code": "1", "n": 1}\n{"code": "02", "n": 2.5}\n')
    assert column(table, "code") == ("Category", ["1", "02"])
    assert column(table, "n") == ("Number", [1.0, 2.5])


def test_times_in_json_strings_stay_text_unless_declared(tmp_path: Path) -> None:
    line = '{"at": "2013-01-01T00:00:00Z"}\n'
    assert column(read(tmp_path, a__jsonl=line), "at") == ("Category", ["2013-01-01T00:00:00Z"])
    assert column(read(tmp_path, {"at": "Time"}, a__jsonl=line), "at") == ("Time", [1356998400.0])


def test_members_may_be_absent_null_or_in_any_order(tmp_path: Path) -> None:
    table = read(tmp_path, a__jsonl='{"a": 1, "b": true}\n\n{"b": null}\n{"c": "x", "a": 3}\n')
    assert table.rows == 3
    assert column(table, "a") == ("Number", [1.0, "NaN", 3.0])
    assert column(table, "b") == ("Boolean", [1.0, "NaN", "NaN"])
    assert column(table, "c") == ("Category", ["", "", "x"])


def test_a_mixture_of_text_and_numbers_is_text_and_integers_have_no_point(tmp_path: Path) -> None:
    table = read(tmp_path, a__jsonl='{"a": 1}\n{"a": "1"}\n{"a": 1.0}\n{"a": 1.5}\n{"a": true}\n')
    assert column(table, "a") == ("Category", ["1", "1", "1", "1.5", "true"])


def test_a_number_declared_is_no_text_that_looks_like_one(tmp_path: Path) -> None:
    table = read(tmp_path, {"a": "Number"}, a__jsonl='{"a": 1}\n{"a": "2"}\n{"a": true}\n{"a": ""}\n')
    assert column(table, "a") == ("Number", [1.0, "NaN", "NaN", "NaN"])
    assert table.invalid == {"a": reading.Invalid(2, "'2'")}


# ---------------------------------------------------------------- Parquet


def arrow(**columns: pa.Array) -> pa.Table:
    return pa.table(columns)


def test_types_of_parquet(tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=-5))
    table = read(
        tmp_path,
        a__parquet=arrow(
            code=pa.array([1, None, 2], pa.int64()),
            flag=pa.array([True, None, False]),
            price=pa.array([Decimal("1.50"), None, Decimal("2.25")]),
            level=pa.array(["b", None, "a"]).dictionary_encode(),
            half=pa.array([1.5, None, float("inf")], pa.float16()),
            zoned=pa.array([datetime(2013, 1, 1, tzinfo=zone), None, None], pa.timestamp("ns", "America/New_York")),
            naive=pa.array([datetime(2013, 1, 1, 0, 0, 0, 500000), None, None], pa.timestamp("ms")),
            day=pa.array([date(1969, 12, 31), None, None]),
            nothing=pa.nulls(3),
            text=pa.array(["nan", "", None], pa.large_string()),
        ),
    )
    assert column(table, "code") == ("Number", [1.0, "NaN", 2.0])
    assert column(table, "flag") == ("Boolean", [1.0, "NaN", 0.0])
    assert column(table, "price") == ("Number", [1.5, "NaN", 2.25])
    assert column(table, "level") == ("Category", ["b", "", "a"])
    assert column(table, "half") == ("Number", [1.5, "NaN", "NaN"])
    assert table.invalid == {"half": reading.Invalid(1, "inf")}
    assert column(table, "zoned") == ("Time", [1357016400.0, "NaN", "NaN"])
    assert column(table, "naive") == ("Time", [1356998400.5, "NaN", "NaN"])
    assert column(table, "day") == ("Time", [-86400.0, "NaN", "NaN"])
    assert column(table, "nothing") == ("Number", ["NaN"] * 3)
    assert column(table, "text") == ("Category", ["nan", "", ""])


def test_old_timestamps_of_96_bits_are_not_cut_to_nanoseconds(tmp_path: Path) -> None:
    moments = [datetime(9999, 12, 31), datetime(2020, 1, 1, 0, 0, 0, 500000), datetime(1, 1, 1), None]
    table = arrow(at=pa.array(moments, pa.timestamp("us")))
    pyarrow.parquet.write_table(table, tmp_path / "p.parquet", use_deprecated_int96_timestamps=True)
    seen = reading.read([reading.Part("p.parquet", tmp_path / "p.parquet")])
    assert column(seen, "at") == ("Time", [253402214400.0, 1577836800.5, -62135596800.0, "NaN"])


FAR = 1_700_000_000_000
"""Milliseconds of 2023: as seconds, the year 55840."""


def test_moments_outside_the_years_1_to_9999_are_no_times(tmp_path: Path) -> None:
    times: dict[str, Kind] = {"at": "Time"}
    lines = "".join(
        f'{{"at": {at}}}\n' for at in (0, FAR, -FAR, 253402300800, 253402300801, -62135596800, -62135596801)
    )
    seen = read(tmp_path, times, a__jsonl=lines)
    assert column(seen, "at") == ("Time", [0.0, "NaN", "NaN", 253402300800.0, "NaN", -62135596800.0, "NaN"])
    assert seen.invalid == {"at": reading.Invalid(4, str(FAR))}
    seen = read(tmp_path, a__parquet=arrow(at=pa.array([FAR, 0, None], pa.timestamp("s"))))
    assert column(seen, "at") == ("Time", ["NaN", 0.0, "NaN"])
    assert seen.invalid["at"].rows == 1
    seen = read(tmp_path, a__parquet=arrow(at=pa.array([2**31 - 1, 0], pa.date32())))
    assert column(seen, "at") == ("Time", ["NaN", 0.0])
    text = "at\n0001-01-01T00:00:00+05:00\n9999-12-31T23:59:59-05:00\n9999-12-31T23:59:59.999999\n"
    seen = read(tmp_path, times, a__csv=text)
    assert column(seen, "at") == ("Time", ["NaN", "NaN", 253402300800.0])


LONG = [2**53 + 1, None, -5]


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": "n,m\n9007199254740993,1\n,1\n-5,1\n"},
        {"a.jsonl": '{"n": 9007199254740993, "m": 1}\n{"n": null}\n{"n": -5}\n'},
        {"a.parquet": arrow(n=pa.array(LONG))},
        {"a.parquet": arrow(n=pa.array([Decimal(n) if n else None for n in LONG], pa.decimal128(38, 0)))},
        {"a.parquet": arrow(n=pa.array(LONG[:2])), "b.parquet": arrow(n=pa.array([-5], pa.int8()))},
        {"a.jsonl": '{"n": 9007199254740993}\n{"n": null}\n', "b.jsonl": '{"n": -5}\n'},
        {"a.csv": "n,m\n9007199254740993,1\n,1\n", "b.csv": "n,m\n-5,1\n"},
    ],
)
def test_integers_that_a_number_would_round_are_text_in_every_format(files: dict[str, Any], tmp_path: Path) -> None:
    parts = written(tmp_path, files)
    assert column(reading.read(parts), "n") == ("Category", ["9007199254740993", "", "-5"])
    assert column(reading.read(parts, declared={"n": "Number"}), "n") == ("Number", [2.0**53, "NaN", -5.0])


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**53 + 1, 2**64 - 1, -(2**63)])
def test_the_largest_exact_integer_is_the_limit_in_every_format(number: int, tmp_path: Path) -> None:
    exact = abs(number) <= 2**53
    whole = pa.array([number], pa.uint64() if number > 0 else pa.int64())
    files = {"a.csv": f"n,m\n{number},1\n", "a.jsonl": f'{{"n": {number}}}\n', "a.parquet": arrow(n=whole)}
    for name, content in files.items():
        seen = column(reading.read(written(tmp_path, {name: content})), "n")
        assert seen == (("Number", [float(number)]) if exact else ("Category", [str(number)]))


def test_digits_without_end_are_text(tmp_path: Path) -> None:
    digits = "1" + "0" * 5000
    assert column(read(tmp_path, a__csv=f"n,m\n{digits},1\n"), "n") == ("Category", [digits])


def test_fractions_and_decimals_stay_numbers_however_large(tmp_path: Path) -> None:
    columns = arrow(f=pa.array([1e300]), d=pa.array([Decimal("12345678901234567.5")]), w=pa.array([Decimal(7)]))
    seen = read(tmp_path, a__parquet=columns)
    assert [seen.kinds[name] for name in "fdw"] == ["Number", "Number", "Number"]
    assert column(read(tmp_path, {"w": "Category"}, a__parquet=columns), "w") == ("Category", ["7"])


def test_integer_codes_with_a_hole_are_categories_without_a_point(tmp_path: Path) -> None:
    codes = arrow(
        i=pa.array([1, None]),
        f=pa.array([1.0, NAN]),
        b=pa.array([True, None]),
    )
    table = read(tmp_path, dict.fromkeys(["i", "f", "b"], "Category"), a__parquet=codes)
    assert [column(table, name)[1] for name in "ifb"] == [["1", ""], ["1", ""], ["true", ""]]


def test_dictionaries_of_numbers_are_categories() -> None:
    piece = Piece("a.parquet", pa.chunked_array([pa.array([7, None, 7]).dictionary_encode()]))
    assert kinds.natural("d", [piece]) == "Category"
    assert kinds.normalised([piece], "Category").values.tolist() == ["7", "", "7"]


def test_dictionaries_do_not_depend_on_their_order(tmp_path: Path) -> None:
    one = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["x", "y"]))
    other = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["y", "x"]))
    table = read(tmp_path, a__parquet=arrow(c=one), b__parquet=arrow(c=other))
    assert column(table, "c") == ("Category", ["x", "y", "x", "y"])


def test_parts_may_differ_in_order_and_in_types_that_go_together(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        a__parquet=arrow(n=pa.array([1, 2]), t=pa.array(["x", "y"])),
        b__parquet=arrow(t=pa.nulls(1), n=pa.array([0.5])),
        c__parquet=arrow(t=pa.array([None], pa.string()), n=pa.nulls(1)),
    )
    assert column(table, "n") == ("Number", [1.0, 2.0, 0.5, "NaN"])
    assert column(table, "t") == ("Category", ["x", "y", "", ""])


def test_parts_of_types_that_do_not_go_together_are_named(tmp_path: Path) -> None:
    parts = {"a__parquet": arrow(n=pa.array([1])), "b__parquet": arrow(n=pa.array(["1"]))}
    with pytest.raises(reading.ReadingError) as error:
        read(tmp_path, **parts)
    assert str(error.value).startswith("column 'n' is Number in 'a.parquet' and Category in 'b.parquet'")
    assert error.value.reason == "MalformedData"
    assert column(read(tmp_path, {"n": "Category"}, **parts), "n") == ("Category", ["1", "1"])


def test_nested_columns_are_left_for_the_user_to_exclude(tmp_path: Path) -> None:
    table = read(tmp_path, a__parquet=arrow(n=pa.array([1]), tags=pa.array([["x"]])))
    assert list(table.frame) == ["n"]
    assert table.unsupported["tags"].startswith("column 'tags' in 'a.parquet' is of type list")
    lines = read(tmp_path, a__jsonl='{"n": 1, "tags": ["x"]}\n')
    assert lines.unsupported["tags"].startswith("column 'tags' in 'a.jsonl' holds objects or lists")


def test_row_numbers_of_pandas_are_no_column(tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"n": [1, 2]}, index=[5, 9]).to_parquet(tmp_path / "p.parquet")
    assert list(reading.read([reading.Part("p.parquet", tmp_path / "p.parquet")]).frame) == ["n"]


# ---------------------------------------------------------------- words that mean missing


def test_words_that_mean_missing_are_missing_where_they_are_a_whole_cell(tmp_path: Path) -> None:
    content = 'n,t,b\n1.5,NA,true\nNA,x NA,NULL\n"NULL",na,\n2.5,,false\n'
    parts = written(tmp_path, {"a.csv": content, "b.csv.gz": gzip.compress(b"n,t,b\n-,y,-\n")})
    seen = reading.read(parts, missing=["NA", "NULL", "-"])
    assert column(seen, "n") == ("Number", [1.5, "NaN", "NaN", 2.5, "NaN"])
    assert column(seen, "t") == ("Category", ["", "x NA", "na", "", "y"])
    assert column(seen, "b") == ("Boolean", [1.0, "NaN", "NaN", 0.0, "NaN"])
    assert (seen.invalid, seen.notes) == ({}, {})


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_words_that_mean_missing_are_for_csv_alone(name: str, tmp_path: Path) -> None:
    parts = written(tmp_path, {name: '{"n": 1}\n' if name == "a.jsonl" else arrow(n=pa.array([1]))})
    with pytest.raises(reading.ReadingError, match=r"csv is given, and the files are .*: remove it"):
        reading.read(parts, missing=["NA"])


NAME, NULL = "name under spec.csv.missing what means missing", "write null for what is missing"
NOTED = {
    "one word": (None, "n,m\n1,1\nNA,1\n2.5,1\n", f"only 'NA' is no Number: {NAME}"),
    "three words": (None, "n,m\n1,1\nNA,1\n-,1\nNULL,1\n", f"only '-' and 'NA' and 'NULL' are no Number: {NAME}"),
    "among booleans": (None, "n,m\ntrue,1\nnone,1\n", f"only 'none' is no Boolean: {NAME}"),
    "a number said": ("Number", "n,m\n007,1\nNA,1\n", f"only 'NA' is no Number: {NAME}"),
    "a long word": (None, f"n,m\n1,1\n{'x' * 99},1\n", f"only '{'x' * 20}' is no Number: {NAME}"),
    "JSON": (None, '{"n": 1}\n{"n": "NA"}\n{"n": null}\n{"n": 2.5}\n', f"only 'NA' is no Number: {NULL}"),
    "JSON said": ("Number", '{"n": 1}\n{"n": "NA"}\n', f"only 'NA' is no Number: {NULL}"),
    "four words": (None, "n,m\n1,1\na,1\nb,1\nc,1\nd,1\n", None),
    "numbers alone": (None, "n,m\n1,1\n2,1\n", None),
    "text alone": (None, "n,m\nNA,1\nx,1\n", None),
    "text said": ("Category", "n,m\n1,1\nNA,1\n", None),
    "codes that stay text": (None, "n,m\n01,1\nNA,1\n", None),
    "long codes": (None, "n,m\n9007199254740993,1\nNA,1\n", None),
    "a thousands mark": (None, 'n,m\n1,1\n"1,234",1\n', None),
    "a number in text": (None, '{"n": 1}\n{"n": "2"}\n', None),
    "text in JSON": (None, '{"n": "NA"}\n{"n": null}\n', None),
}


@pytest.mark.parametrize(("declared", "content", "said"), NOTED.values(), ids=NOTED.keys())
def test_words_among_numbers_are_noted(declared: Kind | None, content: str, said: str | None, tmp_path: Path) -> None:
    parts = written(tmp_path, {"a.jsonl" if content.startswith("{") else "a.csv": content})
    seen = reading.read(parts, declared={"n": declared} if declared else None)
    assert seen.notes == ({"n": said} if said else {})


def test_a_word_in_the_name_of_a_folder_is_no_cell(tmp_path: Path) -> None:
    seen = reading.read(written(tmp_path, {"n=1/a.csv": "m\n1\n", "n=NA/a.csv": "m\n1\n"}), missing=["NA"])
    assert column(seen, "n") == ("Category", ["1", "NA"])
    assert seen.notes == {}


# ---------------------------------------------------------------- folders with values in their names


def test_a_value_in_the_name_of_a_folder_is_a_column_of_its_files(tmp_path: Path) -> None:
    files = {
        "carrier=AA/year=2013/month=01/p.parquet": arrow(n=pa.array([1, 2])),
        "carrier=B%2F6/month=10/year=2014/p.parquet": arrow(n=pa.array([3])),
        "carrier=__HIVE_DEFAULT_PARTITION__/year=/month=12/p.parquet": arrow(n=pa.array([4])),
    }
    table = reading.read(written(tmp_path, files))
    assert list(table.frame) == ["n", "carrier", "year", "month"]
    assert column(table, "carrier") == ("Category", ["AA", "AA", "B/6", ""])
    assert column(table, "year") == ("Number", [2013.0, 2013.0, 2014.0, "NaN"])
    assert column(table, "month") == ("Category", ["01", "01", "10", "12"])


@pytest.mark.parametrize(
    ("name", "content"), [("p.csv", "n\n1\n"), ("p.jsonl", '{"n": 1}\n'), ("p.parquet", pa.table({"n": [1]}))]
)
def test_folders_have_values_for_files_of_every_format(name: str, content: Any, tmp_path: Path) -> None:
    parts = written(tmp_path, {f"plain/a b=x=y/{name}": content, f"plain/a b=true/=/{name}": content})
    assert column(reading.read(parts), "a b") == ("Category", ["x=y", "true"])
    assert column(reading.read(parts, declared={"a b": "Boolean"}), "a b") == ("Boolean", ["NaN", 1.0])


def test_a_time_may_stand_in_the_name_of_a_folder(tmp_path: Path) -> None:
    parts = written(tmp_path, {"at=2013-01-01 05%3A00/p.csv": "n\n1\n"})
    assert column(reading.read(parts, declared={"at": "Time"}), "at") == ("Time", [1357016400.0])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("n=1/p.csv",), "'n=1/p.csv': column 'n' is in the file and in the name of its folder"),
        (("a=1/a=2/p.csv",), "'a=1/a=2/p.csv': column 'a' is in the names of two folders"),
        (("a=1/p.csv", "p.csv"), "'p.csv' lies in no folder 'a=…', as other files do"),
        (("a=1/p.csv", "a=1/b=1/p.csv"), "'a=1/p.csv' lies in no folder 'b=…', as other files do"),
        (("a=%ff/p.csv",), "'a=%ff/p.csv': the folder's name '%ff' is not UTF-8"),
    ],
)
def test_folders_that_do_not_say_one_thing_are_refused(names: tuple[str, ...], said: str, tmp_path: Path) -> None:
    with pytest.raises(reading.ReadingError) as error:
        reading.read(written(tmp_path, dict.fromkeys(names, "n\n1\n")))
    assert error.value.reason == "MalformedData"
    assert str(error.value).startswith(said)


# ---------------------------------------------------------------- refusals


def zipped(*names: str) -> bytes:
    """A zip archive of empty files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return file.getvalue()


BROKEN = {
    "too few values": (
        "a.csv",
        "a,b\n1,2\n3\n",
        "MalformedData",
        "'a.csv', line 3: 1 values where the header has 2 columns",
    ),
    "too many values": ("a.csv", "a,b\n1,2\n3,4,5\n", "MalformedData", "'a.csv', line 3: 3 values where"),
    "after a quoted break": ("a.csv", 'a,b\n"x\ny",2\n3\n', "MalformedData", "'a.csv', line 4: 1 values where"),
    "an open quote": ("a.csv", 'a,b\n1,2\n"3,4\n5,6\n', "MalformedData", "'a.csv', line 3: "),
    "no UTF-8": ("a.csv", b"a,b\n1,2\n\xe9,4\n", "MalformedData", "'a.csv', line 3: is not UTF-8"),
    "a name twice": ("a.csv", "a,b,a\n1,2,3\n", "MalformedData", "'a.csv', line 1: column 'a' is there 2 times"),
    "no JSON": ("a.jsonl", '{"a": 1}\n{"a": }\n', "MalformedData", "'a.jsonl', line 2: is no JSON object"),
    "NaN in JSON": (
        "a.jsonl",
        '{"a": 1}\n{"a": NaN}\n',
        "MalformedData",
        "'a.jsonl', line 2: is no JSON object (NaN is no JSON",
    ),
    "no object": ("a.jsonl", "[1]\n", "MalformedData", "'a.jsonl', line 1: is list, not an object"),
    "a member twice": (
        "a.jsonl",
        '{"a": 1, "a": 2}\n',
        "MalformedData",
        "'a.jsonl', line 1: column 'a' is there more than once",
    ),
    "no Parquet": ("a.parquet", "hello", "MalformedData", "'a.parquet': is no whole Parquet file"),
    "an empty Parquet file": ("a.parquet", "", "MalformedData", "'a.parquet': is no whole Parquet file"),
    "a broken archive": ("a.csv.gz", "hello", "MalformedData", "'a.csv.gz': cannot be decompressed"),
    "row numbers of pandas": (
        "a.csv",
        ",a,b\n0,1,2\n",
        "MalformedData",
        "'a.csv', line 1: column 1 has no name: write the file without its index (index=False in pandas",
    ),
    "row numbers of R": (
        "a.csv",
        '"","a"\n"1",2\n',
        "MalformedData",
        "'a.csv', line 1: column 1 has no name: write the",
    ),
    "a comma at the end of lines": (
        "a.csv",
        "a,b,\n1,2,\n",
        "MalformedData",
        "'a.csv', line 1: column 3 has no name: write no comma at the end of the lines, or name it",
    ),
    "no name in the middle": (
        "a.csv",
        "a,,,b\n1,,,2\n",
        "MalformedData",
        "'a.csv', line 1: column 2 has no name: name it, or leave it out",
    ),
    "a name too long": (
        "a.csv",
        f"a,{'b' * 257}\n1,2\n",
        "MalformedData",
        f"'a.csv', line 1: the name of column 2, '{'b' * 40}'…, has 257 characters: 256 are most",
    ),
    "no name in JSON": ("a.jsonl", '{"a": 1}\n{"": 1}\n', "MalformedData", "'a.jsonl', line 2: a member has no name"),
    "Latin-1 in a header": (
        "a.csv",
        "größe,b\n1,2\n".encode("latin-1"),
        "MalformedData",
        "'a.csv', line 1: is not UTF-8: save the file as UTF-8",
    ),
    "UTF-16": ("a.csv", "a,b\n1,é\n".encode("utf-16"), "MalformedData", "'a.csv': is not UTF-8 but UTF-16: save the"),
    "UTF-16 without a mark": (
        "a.csv",
        "a,b\n1,2\n".encode("utf-16-le"),
        "MalformedData",
        "'a.csv', line 1: is not UTF-8",
    ),
    "UTF-16 in an archive": (
        "a.csv.gz",
        gzip.compress("a\n1\n".encode("utf-16")),
        "MalformedData",
        "'a.csv.gz': is not",
    ),
    "UTF-32": ("a.csv", "a,b\n1,2\n".encode("utf-32"), "MalformedData", "'a.csv': is not UTF-8 but UTF-32"),
    "UTF-16 in JSON": ("a.jsonl", '{"a": 1}\n'.encode("utf-16"), "MalformedData", "'a.jsonl': is not UTF-8 but UTF-16"),
    "Latin-1 in JSON": (
        "a.jsonl",
        '{"a": "x"}\n{"a": "é"}\n'.encode("latin-1"),
        "MalformedData",
        "'a.jsonl', line 2: is not UTF-8: save the file as UTF-8",
    ),
    "half a character in JSON": (
        "a.jsonl",
        '{"a": "\\ud83d\\ude00"}\n{"a": "\\uD83D"}\n',
        "MalformedData",
        "'a.jsonl', line 2: holds half a character",
    ),
    "gzip in disguise": (
        "a.csv",
        gzip.compress(b"a,b\n1,2\n"),
        "MalformedData",
        "'a.csv': is packed with gzip: let its name end in .gz, such as a.csv.gz",
    ),
    "a zip archive": ("a.csv", zipped("rows.csv"), "MalformedData", "'a.csv': is a zip archive: unpack it, or pack it"),
    "a workbook": (
        "a.csv",
        zipped("[Content_Types].xml", "xl/workbook.xml"),
        "MalformedData",
        "'a.csv': is an Excel workbook: save it as CSV in UTF-8",
    ),
    "an old workbook": ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", "MalformedData", "'a.csv': is an old Excel"),
    "bzip2": ("a.csv", bz2.compress(b"a\n1\n"), "MalformedData", "'a.csv': is packed with bzip2: unpack it"),
    "xz": ("a.jsonl", lzma.compress(b"{}\n"), "MalformedData", "'a.jsonl': is packed with xz: unpack it"),
    "Parquet in disguise": (
        "a.csv",
        b"PAR1....PAR1",
        "MalformedData",
        "'a.csv': is a Parquet file: set format: Parquet",
    ),
    "a page to log in": (
        "a.csv",
        "\n<!DOCTYPE html>\n<html></html>\n",
        "MalformedData",
        "'a.csv': is a web page: check that the address gives the file itself",
    ),
    "nothing": ("a.csv", "", "EmptyData", "'a.csv' is a file without a single row"),
    "a header alone": ("a.csv", "a,b\n", "EmptyData", "'a.csv' is a file without a single row"),
    "blank lines": ("a.jsonl", "\n\n", "EmptyData", "'a.jsonl' is a file without a single row"),
    "an unknown extension": ("a.txt", "a\n1\n", "UnknownFormat", "'a.txt' ends in none of .parquet, .csv"),
}


@pytest.mark.parametrize(("name", "content", "reason", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_read_is_named(name: str, content: str | bytes, reason: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(reading.ReadingError) as error:
        reading.read([reading.Part(name, tmp_path / name)])
    assert error.value.reason == reason
    assert str(error.value).startswith(said)


def test_a_part_without_a_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(reading.ReadingError, match=r"'b\.csv' lacks the column 'n' that other files have"):
        read(tmp_path, a__csv="n,m\n1,2\n", b__csv="m\n1\n")


def test_files_of_several_formats_are_refused_unless_one_is_given(tmp_path: Path) -> None:
    with pytest.raises(reading.ReadingError, match="the files are of several formats"):
        read(tmp_path, a__csv="n\n1\n", b__jsonl='{"n": 1}\n')
    assert read(tmp_path, given=DataFormat.CSV, a__csv="n\n1\n", b__txt="n\n2\n").rows == 2


def test_an_empty_part_among_others_is_nothing(tmp_path: Path) -> None:
    table = read(tmp_path, a__csv="", b__csv="n,m\n", c__csv="n,m\n1,2\n")
    assert column(table, "n") == ("Number", [1.0])


def test_a_parquet_file_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(reading.ReadingError, match="column 'a' is there 2 times"):
        read(tmp_path, a__parquet=twice)


@pytest.mark.parametrize(("names", "said"), [(["", "a"], "column 1 has no name"), (["a", ""], "column 2 has no name")])
def test_a_parquet_column_without_a_name_is_refused(names: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(reading.ReadingError, match=f"^'a.parquet': {said}"):
        read(tmp_path, a__parquet=pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=names))


def test_text_in_parquet_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    text = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xe9"], pa.binary()).buffers())
    with pytest.raises(reading.ReadingError, match=r"'a\.parquet': .*UTF8"):
        read(tmp_path, a__parquet=arrow(t=text))


def test_zero_bytes_and_whole_pairs_of_characters_are_text(tmp_path: Path) -> None:
    assert column(read(tmp_path, a__csv="a,b\nx\0y,1\n"), "a") == ("Category", ["x\0y"])
    assert column(read(tmp_path, a__jsonl='{"a": "\\ud83d\\ude00"}\n'), "a") == ("Category", ["\U0001f600"])
