"""s3:// against a real S3 server on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.process.store import servers
from trimtab.api.wire.base import Location
from trimtab.store import data, fetch, publish
from trimtab.store.faults import Reason, StoreError


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("s3")
    for name in ("rows/b.csv", "rows/a.csv", "rows/_SUCCESS", "rows/2013/01.csv"):
        (folder / "bucket" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "bucket" / name).write_text(name)
    return folder


@pytest.fixture(scope="module")
def endpoint(buckets: Path) -> Iterator[str]:
    with servers.s3(buckets) as address:
        yield address


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in ("DATA_", "STORE_"):
        monkeypatch.setenv(f"{prefix}AWS_ACCESS_KEY_ID", servers.KEY)
        monkeypatch.setenv(f"{prefix}AWS_SECRET_ACCESS_KEY", servers.SECRET)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("rows/a.csv", ["a.csv"]),
        ("rows", ["2013/01.csv", "a.csv", "b.csv"]),
        ("rows/", ["2013/01.csv", "a.csv", "b.csv"]),
        ("rows/*.csv", ["a.csv", "b.csv"]),
        ("", ["rows/2013/01.csv", "rows/a.csv", "rows/b.csv"]),
    ],
)
def test_data_are_a_file_a_folder_or_a_glob(path: str, names: list[str], endpoint: str, tmp_path: Path) -> None:
    location = Location(uri=f"s3://bucket/{path}", endpoint=endpoint, region="us-east-1")
    found = data.download(location, tmp_path, prefix="DATA_")
    assert [file.name for file in found] == names
    assert found[-1].path.read_text().endswith(names[-1])


def test_a_table_with_a_log_of_its_own_is_not_read(buckets: Path, endpoint: str, tmp_path: Path) -> None:
    for name in ("t/_delta_log/0.json", "t/day=1/part-0.csv"):
        (buckets / "tables" / name).parent.mkdir(parents=True, exist_ok=True)
        (buckets / "tables" / name).write_text(name)
    for path in ("t", "t/day=1", "*/*/*.csv", ""):
        location = Location(uri=f"s3://tables/{path}", endpoint=endpoint, region="us-east-1")
        with pytest.raises(StoreError, match="is part of a table of Delta Lake"):
            data.download(location, tmp_path, prefix="DATA_")


def test_an_artifact_of_many_parts_is_published_and_fetched(endpoint: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "model.onnx").write_bytes(bytes(range(256)) * 50_000)
    (made / "signature.json").write_text("{}")
    location = Location(uri="s3://bucket/models/one", endpoint=endpoint, region="us-east-1")
    assert publish.found(location) is None
    manifest = publish.manifest_of(made, "ONNX")
    uri, digest = publish.folder(made, manifest, location)
    assert publish.found(location) == (digest, manifest)
    got = fetch.artifact(replace(location, uri=uri), digest, tmp_path / "got")
    assert (got / "model.onnx").read_bytes() == (made / "model.onnx").read_bytes()


def test_credentials_that_end_in_a_line_break_are_those_without(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_AWS_ACCESS_KEY_ID", f"{servers.KEY}\n")
    monkeypatch.setenv("DATA_AWS_SECRET_ACCESS_KEY", f"{servers.SECRET}\r\n")
    location = Location(uri="s3://bucket/rows/a.csv", endpoint=endpoint, region="us-east-1")
    assert len(data.download(location, tmp_path, prefix="DATA_")) == 1


@pytest.mark.parametrize(
    ("uri", "prefix", "reason"),
    [
        ("s3://bucket/gone.csv", "DATA_", Reason.NOT_FOUND),
        ("s3://nobucket/a.csv", "DATA_", Reason.NOT_FOUND),
        ("s3://bucket/rows", "WRONG_", Reason.ACCESS_DENIED),
        ("s3://bucket/rows", "NONE_", Reason.ACCESS_DENIED),
    ],
)
def test_what_the_server_refuses_is_told_apart(
    uri: str, prefix: str, reason: Reason, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG_AWS_ACCESS_KEY_ID", servers.KEY)
    monkeypatch.setenv("WRONG_AWS_SECRET_ACCESS_KEY", "not-to-be-told")
    with pytest.raises(StoreError) as error:
        data.download(Location(uri=uri, endpoint=endpoint, region="us-east-1"), tmp_path, prefix=prefix)
    assert error.value.reason is reason
    assert "not-to-be-told" not in error.value.message
    assert servers.SECRET not in error.value.message


def test_a_wrong_region_is_a_setting_to_change_and_nothing_to_wait_for(endpoint: str, tmp_path: Path) -> None:
    location = Location(uri="s3://bucket/rows", endpoint=endpoint, region="eu-central-1")
    with pytest.raises(StoreError) as error:
        data.download(location, tmp_path, prefix="DATA_")
    assert error.value.reason is Reason.UNSUPPORTED
    assert "the region is wrong, so set source.region, or that of the store" in error.value.message
    assert 'expecting "us-east-1"' in error.value.message


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (301, "PermanentRedirect", Reason.UNSUPPORTED),
        (400, "IllegalLocationConstraintException", Reason.UNSUPPORTED),
        (400, "InvalidRequest", Reason.UNSUPPORTED),
        (412, "PreconditionFailed", Reason.UNSUPPORTED),
        (400, "ExpiredToken", Reason.ACCESS_DENIED),
        (403, "RequestTimeTooSkewed", Reason.ACCESS_DENIED),
        (404, "NoSuchBucket", Reason.NOT_FOUND),
        (400, "RequestTimeout", Reason.UNREACHABLE),
        (409, "OperationAborted", Reason.UNREACHABLE),
    ],
)
def test_an_answer_that_another_try_would_get_too_is_final(
    status: int, code: str, reason: Reason, tmp_path: Path
) -> None:
    body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    with servers.web(None, answer=(status, body)) as (port, _):
        location = Location(uri="s3://bucket/rows", endpoint=f"http://127.0.0.1:{port}", region="here")
        with pytest.raises(StoreError) as error:
            data.download(location, tmp_path, prefix="DATA_")
    assert error.value.reason is reason
