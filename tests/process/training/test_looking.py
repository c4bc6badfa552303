"""A look at a Dataset: the fetch step alone."""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.process.training import pods
from trimtab.api.wire.runs import unpack


def test_a_look_tells_digest_rows_columns_and_the_newest_time(pod: pods.Pod, claims: Path) -> None:
    ended = pod.write(pods.look()).step("fetch")
    assert ended.verdict == (0, None)
    seen = ended.report.look
    assert seen is not None
    content = (claims / "data" / "rows.parquet").read_bytes()
    assert seen.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert (seen.rows, seen.bytes) == (590, len(content))
    assert [(column.name, column.type) for column in seen.columns] == [
        ("at", "Time"),
        ("size", "Number"),
        ("carrier", "Category"),
        ("row id", "Number"),
        ("late", "Boolean"),
    ]
    newest = pods.rows()["at"].max()
    assert pd.Timestamp(seen.newest_time) == newest
    assert seen.failures == ()


def test_expectations_that_fail_are_part_of_the_look_and_no_failure_of_it(pod: pods.Pod) -> None:
    expect = {
        "rows": {"min": 591},
        "freshness": {"maxAge": "1h"},
        "columns": [
            {"name": "size", "type": "Number", "max": 1, "maxMissing": "1%"},
            {"name": "carrier", "type": "Category", "oneOf": ["AA", "B6"]},
            {"name": "gone"},
        ],
    }
    ended = pod.write(pods.look(pods.dataset(expect=expect))).step("fetch")
    assert ended.code == 0
    assert ended.report.look is not None
    rules = [(failure.column, failure.rule) for failure in ended.report.look.failures]
    assert rules == [
        (None, "rows"),
        ("at", "freshness"),
        ("size", "max"),
        ("size", "maxMissing"),
        ("carrier", "oneOf"),
        ("gone", "name"),
    ]


def test_the_columns_of_a_wide_table_are_packed(pod: pods.Pod, claims: Path) -> None:
    names = [f"a rather long name of a column, {i}" for i in range(150)]
    wide = pd.concat([pods.rows(30), pd.DataFrame(0, index=range(30), columns=names)], axis=1)
    wide.to_parquet(claims / "data" / "wide.parquet")
    ended = pod.write(pods.look(pods.dataset("pvc://data/wide.parquet"))).step("fetch")
    assert ended.bytes <= 3500
    assert ended.report.look is not None
    assert ended.report.look.columns == ()
    assert ended.report.look.packed is not None
    assert len(json.loads(unpack(ended.report.look.packed))) == 155


def test_a_column_in_the_names_of_folders_is_looked_at_and_trained_on(pod: pods.Pod, claims: Path) -> None:
    rows = pods.rows()
    for number, (carrier, part) in enumerate(rows.groupby("carrier", dropna=False)):
        folder = claims / "data" / "parted" / f"carrier={'__HIVE_DEFAULT_PARTITION__' if pd.isna(carrier) else carrier}"
        folder.mkdir(parents=True)
        part.drop(columns="carrier").to_parquet(folder / f"part-{number}.parquet")
    expect = {"columns": [{"name": "carrier", "oneOf": ["AA", "B6", "UA"], "type": "Category"}]}
    data = pods.dataset("pvc://data/parted", expect=expect)
    ended = pod.write(pods.look(data)).step("fetch")
    assert ended.code == 0, ended.report
    assert ended.report.look is not None
    assert ended.report.look.failures == ()
    assert ("carrier", "Category") in [(column.name, column.type) for column in ended.report.look.columns]
    ended = pod.write(pods.run(data)).steps("fetch", "train", "evaluate", "publish")
    assert ended.code == 0, ended.report
    inputs = json.loads((pod / "model" / "outcome" / "signature.json").read_text())["inputs"]
    assert [column["name"] for column in inputs] == ["size", "carrier"]
    carriers = pd.read_parquet(pod / "data" / "train.parquet")["carrier"]
    assert set(carriers.dropna()) == {"AA", "B6", "UA"}
    assert 0 < carriers.isna().mean() < 0.1


def test_a_word_for_missing_is_noted_and_can_be_said(pod: pods.Pod, claims: Path) -> None:
    rows = pods.rows()
    rows.to_csv(claims / "data" / "words.csv", index=False, na_rep="NA")
    ended = pod.write(pods.look(pods.dataset("pvc://data/words.csv"))).step("fetch")
    assert ended.report.look is not None
    notes = {column.name: column.note for column in ended.report.look.columns}
    assert notes["size"] == "only 'NA' is no Number: name under spec.csv.missing what means missing"
    assert notes["late"] == "only 'NA' is no Boolean: name under spec.csv.missing what means missing"
    assert notes["carrier"] is None
    said = pods.dataset("pvc://data/words.csv", csv={"missing": ["NA"]})
    ended = pod.write(pods.look(said)).step("fetch")
    assert ended.report.look is not None
    assert ended.report.look.rows == 590
    assert {(column.name, column.type, column.note) for column in ended.report.look.columns} == {
        ("at", "Time", None),
        ("size", "Number", None),
        ("carrier", "Category", None),
        ("row id", "Number", None),
        ("late", "Boolean", None),
    }
    assert pod.write(pods.run(said)).step("fetch").verdict == (0, None)
    train = pd.read_parquet(pod / "data" / "train.parquet")
    assert train["size"].isna().any()
    assert set(train["carrier"].dropna()) == {"AA", "B6", "UA"}


def test_a_run_keeps_the_note_of_a_feature(pod: pods.Pod, claims: Path) -> None:
    rows = pods.rows().dropna(subset=["late"])
    size = rows["size"].astype(object).where(rows["size"].notna(), "NA")
    rows.assign(size=size).to_csv(claims / "data" / "noted.csv", index=False)
    assert pod.write(pods.run(pods.dataset("pvc://data/noted.csv"))).step("fetch").verdict == (0, None)
    facts = json.loads((pod / "heldout" / "facts.json").read_text())
    assert facts["notes"] == ["Column 'size': only 'NA' is no Number: name under spec.csv.missing what means missing."]


def test_notes_of_many_columns_fit_into_the_last_words(pod: pods.Pod, claims: Path) -> None:
    names = [f"a rather long name of a column {i}" for i in range(150)]
    lines = [names, *[[word] * 150 for word in ("1", "NA", "2")]]
    text = "".join(",".join([*line, end]) + "\n" for line, end in zip(lines, ("late", "0", "1", "0"), strict=True))
    (claims / "data" / "notes.csv").write_text(text)
    spec = pods.dataset("pvc://data/notes.csv", features={"include": [names[0]]})
    ended = pod.write(pods.look({name: value for name, value in spec.items() if name != "timeColumn"})).step("fetch")
    assert ended.bytes <= 3500
    assert ended.report.look is not None
    assert ended.report.look.packed is not None
    columns = json.loads(unpack(ended.report.look.packed))
    assert len(columns) == 151
    assert len([column for column in columns if column.get("note")]) == 20


def test_milliseconds_taken_for_seconds_are_told_and_end_nothing(pod: pods.Pod, claims: Path) -> None:
    lines = "".join(f'{{"at": {1700000000000 + i}, "size": {i}, "late": {i % 2}}}\n' for i in range(4))
    (claims / "data" / "millis.jsonl").write_text(lines)
    data = pods.dataset(
        "pvc://data/millis.jsonl", expect={"freshness": {"maxAge": "1h"}}, features={"include": ["size"]}
    )
    ended = pod.write(pods.look(data)).step("fetch")
    assert ended.verdict == (0, None)
    assert ended.report.look is not None
    said = [(failure.rule, failure.message) for failure in ended.report.look.failures]
    assert [rule for rule, _ in said] == ["timeColumn", "freshness"]
    assert "such as 1700000000000: numbers that look like milliseconds since 1970" in said[0][1]


@pytest.mark.parametrize(
    ("name", "content", "code", "reason", "said"),
    [
        ("gone.csv", None, 3, "NotFound", "pvc://data/gone.csv names no file: check the path"),
        ("nothing/", "folder", 3, "NotFound", "pvc://data/nothing names no file: check the path"),
        ("void.csv", "", 3, "EmptyData", "'void.csv' is a file without a single row"),
        (
            "broken.csv",
            "at,size,late\n2026-01-01,1,true\n2026-01-02,2\n",
            3,
            "MalformedData",
            "'broken.csv', line 3: 2 values where",
        ),
        (
            "other.csv",
            "at,size\n2026-01-01,1\n",
            3,
            "TargetColumnMissing",
            "targetColumn 'late' is not among the columns: 'at', 'size'",
        ),
        (
            "timeless.csv",
            "size,late\n1,true\n",
            3,
            "TimeColumnMissing",
            "timeColumn 'at' is not among the columns: 'size', 'late'",
        ),
        ("unlabelled.csv", "at,late\n2026-01-01,\n", 3, "NoLabels", "no row has a value in the target column"),
    ],
)
def test_data_that_cannot_be_used_end_a_look(
    name: str, content: str | None, code: int, reason: str, said: str, pod: pods.Pod, claims: Path
) -> None:
    if content == "folder":
        (claims / "data" / name).mkdir()
        (claims / "data" / name / "_SUCCESS").write_text("")
    elif content is not None:
        (claims / "data" / name).write_text(content)
    ended = pod.write(pods.look(pods.dataset(f"pvc://data/{name}"))).step("fetch")
    assert ended.verdict == (code, reason)
    assert ended.report.message is not None
    assert ended.report.message.startswith(said)
    assert f"fetch: {reason}: {said}" in ended.stderr


def test_a_store_that_does_not_answer_may_answer_later(pod: pods.Pod) -> None:
    data = pods.dataset("s3://bucket/rows.parquet", source={"endpoint": "http://127.0.0.1:1", "region": "here"})
    pod.environment |= {"DATA_AWS_ACCESS_KEY_ID": "key", "DATA_AWS_SECRET_ACCESS_KEY": "not-to-be-told"}
    ended = pod.write(pods.look(data)).step("fetch")
    assert ended.verdict == (1, "Unreachable")
    assert "not-to-be-told" not in f"{ended.report} {ended.stdout} {ended.stderr}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Invalid JSON"),
        ('{"schema": 1}', "namespace: Field required"),
        ('{"schema": 2}', "schema 2 is newer than 1"),
    ],
)
def test_a_run_that_cannot_be_read_is_not_tried_again(content: str, said: str, pod: pods.Pod) -> None:
    (pod / "run.json").write_text(content)
    ended = pod.step("fetch")
    assert ended.verdict == (3, "RunUnreadable")
    assert ended.report.message is not None
    assert said in ended.report.message


def test_a_look_has_no_other_step(pod: pods.Pod) -> None:
    assert pod.write(pods.look()).step("train").verdict == (3, "RunUnreadable")
