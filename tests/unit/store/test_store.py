"""The store on a mounted claim: what is fetched is verified, what is published is whole, and no path leads out."""

import hashlib
from pathlib import Path

import pytest

from trimtab.api.wire.base import Location
from trimtab.api.wire.models import FileEntry, Manifest
from trimtab.store import data, fetch, places, publish, transfer
from trimtab.store.faults import Reason, StoreError, clean, told_of

HELLO = b"hello"
DIGEST = transfer.digest_of(HELLO)


@pytest.fixture
def claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A claim named `data`, mounted where a pod has it."""
    monkeypatch.setenv("TRIMTAB_ROOT", str(tmp_path / "root"))
    folder = tmp_path / "root" / "claims" / "data"
    folder.mkdir(parents=True)
    return folder


def at(path: str) -> Location:
    return Location(uri=f"pvc://data/{path}")


def refused(reason: Reason, action: object, *arguments: object, **options: object) -> str:
    with pytest.raises(StoreError) as error:
        action(*arguments, **options)  # type: ignore[operator]
    assert error.value.reason is reason
    return error.value.message


def artifact(folder: Path, **files: bytes) -> Manifest:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.bin").write_bytes(content)
    return publish.manifest_of(folder, "Custom")


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} if folder.exists() else set()


# ---------------------------------------------------------------- fetching


def test_a_single_file_keeps_its_name(claim: Path, tmp_path: Path) -> None:
    (claim / "model.onnx").write_bytes(HELLO)
    assert fetch.artifact(at("model.onnx"), DIGEST, tmp_path / "out") == tmp_path / "out" / "model.onnx"
    assert (tmp_path / "out" / "model.onnx").read_bytes() == HELLO


def test_a_file_with_another_digest_leaves_nothing(claim: Path, tmp_path: Path) -> None:
    (claim / "model.onnx").write_bytes(b"other")
    said = refused(Reason.DIGEST_MISMATCH, fetch.artifact, at("model.onnx"), DIGEST, tmp_path / "out")
    assert DIGEST in said
    assert transfer.digest_of(b"other") in said
    assert everything(tmp_path / "out") == set()


def test_an_artifact_is_fetched_with_its_manifest(claim: Path, tmp_path: Path) -> None:
    manifest = artifact(tmp_path / "made", one=b"1", two=b"22")
    uri, digest = publish.folder(tmp_path / "made", manifest, at("models/a"))
    assert uri == "pvc://data/models/a/manifest.json"
    assert fetch.artifact(Location(uri=uri), digest, tmp_path / "out") == tmp_path / "out"
    assert everything(tmp_path / "out") == {"one.bin", "two.bin", "manifest.json"}
    assert fetch.manifest(Location(uri=uri), digest) == manifest


@pytest.mark.parametrize("content", [b"23", b"1", b"", b"1234567890"])
def test_a_file_that_is_not_the_manifests_leaves_nothing(content: bytes, claim: Path, tmp_path: Path) -> None:
    uri, digest = publish.folder(tmp_path / "made", artifact(tmp_path / "made", one=b"1", two=b"22"), at("m"))
    (claim / "m" / "two.bin").write_bytes(content)
    refused(Reason.DIGEST_MISMATCH, fetch.artifact, Location(uri=uri), digest, tmp_path / "out")
    assert everything(tmp_path / "out") == set()


def test_a_file_that_is_gone_leaves_nothing(claim: Path, tmp_path: Path) -> None:
    uri, digest = publish.folder(tmp_path / "made", artifact(tmp_path / "made", one=b"1", two=b"22"), at("m"))
    (claim / "m" / "two.bin").unlink()
    said = refused(Reason.NOT_FOUND, fetch.artifact, Location(uri=uri), digest, tmp_path / "out")
    assert said == "pvc://data/m/two.bin does not exist: check bucket and path"
    assert everything(tmp_path / "out") == set()


def test_another_manifest_is_not_trusted(claim: Path, tmp_path: Path) -> None:
    uri, digest = publish.folder(tmp_path / "made", artifact(tmp_path / "made", one=b"1"), at("m"))
    (claim / "m" / "manifest.json").write_bytes((claim / "m" / "manifest.json").read_bytes() + b" ")
    refused(Reason.DIGEST_MISMATCH, fetch.artifact, Location(uri=uri), digest, tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "is no manifest that this image can read"),
        (b"not json", "is no manifest that this image can read"),
        (b'{"schema": 2, "format": "ONNX", "files": []}', "is no manifest that this image can read"),
        (
            b'{"schema": 1, "format": "ONNX", "files": [{"name": "../x", "digest": "'
            + DIGEST.encode()
            + b'", "bytes": 5}]}',
            "is no manifest that this image can read",
        ),
        (
            b'{"schema": 1, "format": "ONNX", "files": [{"name": "manifest.json", "digest": "'
            + DIGEST.encode()
            + b'", "bytes": 5}]}',
            "names a file twice, or itself",
        ),
    ],
)
def test_a_manifest_that_is_none_is_refused(content: bytes, said: str, claim: Path, tmp_path: Path) -> None:
    (claim / "manifest.json").write_bytes(content)
    digest = transfer.digest_of(content)
    assert said in refused(Reason.UNSUPPORTED, fetch.artifact, at("manifest.json"), digest, tmp_path / "out")


def test_a_manifest_larger_than_any_is_not_read(claim: Path, tmp_path: Path) -> None:
    (claim / "manifest.json").write_bytes(b" " * (transfer.MANIFEST_BYTES + 1))
    said = refused(Reason.DIGEST_MISMATCH, fetch.artifact, at("manifest.json"), DIGEST, tmp_path / "out")
    assert "larger than the 1048576 bytes" in said


# ---------------------------------------------------------------- publishing


def test_what_is_published_can_be_found_only_when_it_is_whole(claim: Path, tmp_path: Path) -> None:
    manifest = artifact(tmp_path / "made", one=b"1", two=b"22")
    assert publish.found(at("m")) is None
    _, digest = publish.folder(tmp_path / "made", manifest, at("m"))
    assert publish.found(at("m")) == (digest, manifest)
    (claim / "m" / "one.bin").write_bytes(b"x")
    assert publish.found(at("m")) is None
    assert publish.folder(tmp_path / "made", manifest, at("m"))[1] == digest
    assert publish.found(at("m")) == (digest, manifest)


def test_an_upload_that_dies_half_way_is_nobodys_version(claim: Path, tmp_path: Path) -> None:
    manifest = artifact(tmp_path / "made", one=b"1", two=b"22")
    (tmp_path / "made" / "two.bin").unlink()
    refused(Reason.NOT_FOUND, publish.folder, tmp_path / "made", manifest, at("m"))
    assert not (claim / "m" / "manifest.json").exists()
    assert publish.found(at("m")) is None


def test_only_flat_folders_of_plain_files_are_artifacts(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "sub").mkdir()
    assert "'sub' is no plain file" in refused(Reason.UNSUPPORTED, publish.manifest_of, folder, "Custom")
    (folder / "sub").rmdir()
    (folder / "a b").write_bytes(b"")
    assert "'a b' cannot be the name" in refused(Reason.UNSUPPORTED, publish.manifest_of, folder, "Custom")
    (folder / "a b").unlink()
    (folder / "link").symlink_to("/etc/hostname")
    assert "'link' is no plain file" in refused(Reason.UNSUPPORTED, publish.manifest_of, folder, "Custom")


def test_a_manifest_is_in_order_of_names(tmp_path: Path) -> None:
    manifest = artifact(tmp_path / "made", b=b"2", a=b"1")
    assert manifest.files == (
        FileEntry(name="a.bin", digest=transfer.digest_of(b"1"), bytes=1),
        FileEntry(name="b.bin", digest=transfer.digest_of(b"2"), bytes=1),
    )


# ---------------------------------------------------------------- data


@pytest.fixture
def files(claim: Path) -> Path:
    for name in ("b.csv", "a.csv", "2013/01.csv", "2013/02.csv", "_temporary/0.csv", ".hidden.csv", "2013/_SUCCESS"):
        (claim / name).parent.mkdir(exist_ok=True, parents=True)
        (claim / name).write_text(name)
    return claim


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", ["2013/01.csv", "2013/02.csv", "a.csv", "b.csv"]),
        ("a.csv", ["a.csv"]),
        ("2013", ["01.csv", "02.csv"]),
        ("2013/", ["01.csv", "02.csv"]),
        ("*.csv", ["a.csv", "b.csv"]),
        ("2013/0[12].csv", ["01.csv", "02.csv"]),
        ("2013/0[!1].csv", ["02.csv"]),
        ("20??/*.csv", ["2013/01.csv", "2013/02.csv"]),
        ("**/*.csv", ["2013/01.csv", "2013/02.csv", "a.csv", "b.csv"]),
        ("_temporary/0.csv", ["0.csv"]),
        ("_temporary", ["0.csv"]),
    ],
)
def test_an_address_names_a_file_a_folder_or_a_glob(path: str, names: list[str], files: Path, tmp_path: Path) -> None:
    found = data.download(at(path), tmp_path / "out", prefix="DATA_")
    assert [file.name for file in found] == names
    assert all(file.path.stat().st_size == file.bytes for file in found)


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        ("_delta_log/00000.json", "Delta Lake"),
        (".hoodie/hoodie.properties", "Hudi"),
        ("metadata/00000-a.metadata.json", "Iceberg"),
    ],
)
@pytest.mark.parametrize(
    "path", ["lake/t", "lake/t/", "lake", "", "lake/*/data/*.parquet", "lake/t/data/*", "lake/t/data", "**/*.parquet"]
)
def test_a_table_with_a_log_of_its_own_is_not_read_without_it(
    log: str, kind: str, path: str, claim: Path, tmp_path: Path
) -> None:
    for name in (log, "data/part-0.parquet"):
        (claim / "lake" / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        (claim / "lake" / "t" / name).write_text(name)
    said = refused(Reason.UNSUPPORTED, data.download, at(path), tmp_path / "out", prefix="DATA_")
    assert said.startswith("pvc://data/lake/t/")
    assert f" is part of a table of {kind}, and only its log says which rows hold: export the rows" in said


def test_a_single_file_of_a_table_is_not_read_either(claim: Path, tmp_path: Path) -> None:
    (claim / "t" / "_delta_log").mkdir(parents=True)
    for name in ("_delta_log/0.json", "part-0.parquet"):
        (claim / "t" / name).write_text(name)
    said = refused(Reason.UNSUPPORTED, data.download, at("t/part-0.parquet"), tmp_path / "out", prefix="DATA_")
    assert "is part of a table of Delta Lake" in said


def test_files_beside_a_table_and_folders_named_alike_are_none(claim: Path, tmp_path: Path) -> None:
    for name in ("t/_delta_log/0.json", "t/a.csv", "rows/a.csv", "rows/metadata/notes.json.csv", "metadata/b.csv"):
        (claim / name).parent.mkdir(parents=True, exist_ok=True)
        (claim / name).write_text(name)
    for path in ("rows", "rows/**/*.csv", "metadata", "metadata/b.csv"):
        assert data.download(at(path), tmp_path / "out", prefix="DATA_")


@pytest.mark.parametrize("path", ["gone.csv", "gone", "*.parquet", "2013/0[3-9].csv"])
def test_an_address_that_names_nothing_is_not_found(path: str, files: Path, tmp_path: Path) -> None:
    said = refused(Reason.NOT_FOUND, data.download, at(path), tmp_path / "out", prefix="DATA_")
    assert said.startswith(f"pvc://data/{path} names no file")


def test_a_file_whose_name_looks_like_a_glob_is_that_file(claim: Path, tmp_path: Path) -> None:
    (claim / "a[1].csv").write_text("x")
    (claim / "a1.csv").write_text("y")
    assert [file.name for file in data.download(at("a[1].csv"), tmp_path / "out", prefix="DATA_")] == ["a[1].csv"]


def test_the_digest_is_what_sha256sum_says_whatever_the_order(files: Path, tmp_path: Path) -> None:
    one = data.download(at("a.csv"), tmp_path / "one", prefix="DATA_")
    assert data.digest(one) == transfer.digest_of(b"a.csv")
    many = data.download(at("2013"), tmp_path / "many", prefix="DATA_")
    lines = "".join(f"{hashlib.sha256(f'2013/{n}'.encode()).hexdigest()}  {n}\n" for n in ("01.csv", "02.csv"))
    assert data.digest(many) == data.digest(many[::-1]) == transfer.digest_of(lines.encode())


def test_the_digest_depends_on_content_and_on_names(claim: Path, tmp_path: Path) -> None:
    def digest(number: int) -> str:
        return data.digest(data.download(at("d"), tmp_path / str(number), prefix="DATA_"))

    (claim / "d").mkdir()
    (claim / "d" / "a.csv").write_text("1")
    (claim / "d" / "b.csv").write_text("2")
    first = digest(1)
    (claim / "d" / "b.csv").write_text("3")
    second = digest(2)
    (claim / "d" / "b.csv").rename(claim / "d" / "c.csv")
    assert len({first, second, digest(3)}) == 3


def test_the_digest_of_a_single_file_depends_on_a_value_in_its_folders_name(claim: Path, tmp_path: Path) -> None:
    for folder in ("d/carrier=AA", "e/carrier=B6", "f/2013"):
        (claim / folder).mkdir(parents=True)
        (claim / folder / "a.csv").write_text("1")
    digests = [data.digest(data.download(at(path), tmp_path / path, prefix="DATA_")) for path in "def"]
    line = f"{hashlib.sha256(b'1').hexdigest()}  carrier=AA/a.csv\n"
    assert digests[0] == transfer.digest_of(line.encode())
    assert digests[1] != digests[0]
    assert digests[2] == transfer.digest_of(b"1")
    within = data.download(at("d/carrier=AA"), tmp_path / "within", prefix="DATA_")
    assert ([file.name for file in within], data.digest(within)) == (["a.csv"], transfer.digest_of(b"1"))


def test_percent_signs_in_names_are_taken_as_they_are(claim: Path, tmp_path: Path) -> None:
    (claim / "d" / "at=10%3A00").mkdir(parents=True)
    (claim / "d" / "at=10%3A00" / "a b%20.csv").write_text("1")
    assert [file.name for file in data.download(at("d"), tmp_path, prefix="DATA_")] == ["at=10%3A00/a b%20.csv"]


# ---------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("pvc://data/../other/x", Reason.UNSUPPORTED),
        ("pvc://data/a/../../x", Reason.UNSUPPORTED),
        ("pvc://data/./x", Reason.UNSUPPORTED),
        ("pvc://data//x", Reason.UNSUPPORTED),
        ("pvc://../x", Reason.UNSUPPORTED),
        ("pvc://Data/x", Reason.UNSUPPORTED),
        ("pvc://other/x", Reason.NOT_FOUND),
        ("http://host/x", Reason.UNSUPPORTED),
        ("ftp://host/x", Reason.UNSUPPORTED),
        ("/etc/passwd", Reason.UNSUPPORTED),
        ("file:///etc/passwd", Reason.UNSUPPORTED),
        ("https://user:password@host/x", Reason.UNSUPPORTED),
        ("https://host/x?signature=abc", Reason.UNSUPPORTED),
        ("https://host/*.csv", Reason.UNSUPPORTED),
        ("az://container/x", Reason.UNSUPPORTED),
    ],
)
def test_addresses_that_cannot_work_are_refused(uri: str, reason: Reason, claim: Path, tmp_path: Path) -> None:
    said = refused(reason, data.download, Location(uri=uri), tmp_path / "out", prefix="DATA_")
    assert "password" not in said.replace("user name or password", "")
    assert "abc" not in said


def test_no_symbolic_link_leads_out_of_a_claim(claim: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x.csv").write_text("secret")
    (claim / "d").mkdir()
    (claim / "d" / "link.csv").symlink_to(tmp_path / "secret" / "x.csv")
    (claim / "folder").symlink_to(tmp_path / "secret")
    for path in ("d/link.csv", "d", "", "*/*.csv", "folder", "folder/x.csv"):
        said = refused(Reason.ACCESS_DENIED, data.download, at(path), tmp_path / "out", prefix="DATA_")
        assert "leads out of the claim" in said
    manifest = artifact(tmp_path / "made", one=b"1")
    refused(Reason.ACCESS_DENIED, publish.folder, tmp_path / "made", manifest, at("folder/m"))
    assert everything(tmp_path / "secret") == {"x.csv"}


def test_a_link_within_the_claim_is_followed(claim: Path, tmp_path: Path) -> None:
    (claim / "v1").mkdir()
    (claim / "v1" / "x.csv").write_text("x")
    (claim / "latest").symlink_to("v1")
    assert [file.name for file in data.download(at("latest"), tmp_path / "out", prefix="DATA_")] == ["x.csv"]


def test_settings_are_those_of_the_one_prefix() -> None:
    variables = {"DATA_AWS_REGION": "a", "STORE_AWS_REGION": "b", "AWS_REGION": "c", "DATA_": "d"}
    assert places.settings("DATA_", variables) == {"AWS_REGION": "a", "": "d"}


def test_white_space_around_a_setting_is_none_of_it_and_nothing_is_not_set() -> None:
    variables = {"DATA_AWS_ACCESS_KEY_ID": "key\n", "DATA_AWS_REGION": "\t a b\r\n", "DATA_AWS_SESSION_TOKEN": " \n"}
    assert places.settings("DATA_", variables) == {"AWS_ACCESS_KEY_ID": "key", "AWS_REGION": "a b"}


@pytest.mark.parametrize("value", ["topsecret\nvalue", "topsecret\x1b", "topsécret"])
def test_a_setting_that_no_request_can_carry_is_named(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("DATA_AWS_SECRET_ACCESS_KEY", value)
    said = refused(Reason.UNSUPPORTED, data.download, Location(uri="s3://b/x"), tmp_path / "out", prefix="DATA_")
    assert said.startswith("AWS_SECRET_ACCESS_KEY among the credentials holds a line break or a character")
    assert "secret" not in said.replace("Secret", "")


def panic(said: str) -> BaseException:
    """What a native library raises when it breaks off."""
    made: BaseException = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})(said)
    return made


def test_a_panic_of_the_client_is_told() -> None:
    def broken() -> None:
        with told_of("s3://b/x?sig=abc", ["topsecret"]):
            raise panic("topsecret: InvalidHeaderValue")

    said = refused(Reason.UNSUPPORTED, broken)
    assert said.startswith("s3://b/x cannot be used: the client of the store broke off")
    assert said.endswith("(***: InvalidHeaderValue)")


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_wanted_end_is_no_fault_of_the_store(ending: type[BaseException]) -> None:
    with pytest.raises(ending), told_of("s3://b/x"):
        raise ending


def test_a_key_that_a_store_does_not_know_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCES_KEY"):
        monkeypatch.setenv(f"DATA_{name}", "secret-value")
    said = refused(Reason.UNSUPPORTED, data.download, Location(uri="s3://b/x"), tmp_path / "out", prefix="DATA_")
    assert "aws_acces_key" in said
    assert "secret-value" not in said


@pytest.mark.parametrize(
    ("uri", "keys", "wanted"),
    [
        ("s3://b/x", ("accesskey", "secretkey"), "AWS_ACCESS_KEY_ID"),
        ("s3://b/x", ("awsAccessKeyID", "awsSecretAccessKey"), "AWS_ACCESS_KEY_ID"),
        ("s3://b/x", ("aws_access_key_id", "aws_secret_access_key"), "AWS_ACCESS_KEY_ID"),
        ("s3://b/x", ("AWS_REGION", "AWS_SECRET_ACCESS_KEY"), "AWS_ACCESS_KEY_ID"),
        ("gs://b/x", ("key.json",), "GOOGLE_SERVICE_ACCOUNT_KEY"),
        ("az://b/x", ("AZURE_STORAGE_ACCOUNT_NAME", "azurestorageaccountkey"), "AZURE_STORAGE_ACCOUNT_KEY"),
    ],
)
def test_a_secret_that_can_sign_nothing_is_refused_with_its_keys_and_without_its_values(
    uri: str, keys: tuple[str, ...], wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in keys:
        monkeypatch.setenv(f"DATA_{key}", "not-to-be-told")
    said = refused(Reason.UNSUPPORTED, data.download, Location(uri=uri), tmp_path / "out", prefix="DATA_")
    assert said.startswith(
        f"the Secret with the credentials of {uri} has no {wanted}, it has {', '.join(sorted(keys))}"
    )
    assert "not-to-be-told" not in said


@pytest.mark.parametrize(
    ("given", "injected"),
    [
        ({}, {}),
        ({"AWS_SKIP_SIGNATURE": "true"}, {}),
        ({"AWS_SKIP_SIGNATURE": "false"}, {}),
        ({"AWS_REGION": "here"}, {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "role"}),
    ],
)
def test_what_signs_nothing_on_purpose_or_by_the_pods_own_identity_is_opened(
    given: dict[str, str], injected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({f"DATA_{name}": value for name, value in given.items()} | injected).items():
        monkeypatch.setenv(name, value)
    assert places.opened(Location(uri="s3://b/x"), "DATA_").key == "x"


def test_credentials_that_cannot_be_read_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_GOOGLE_SERVICE_ACCOUNT_KEY", '{"private_key": "topsecret"')
    said = refused(Reason.UNSUPPORTED, data.download, Location(uri="gs://b/x"), tmp_path / "out", prefix="DATA_")
    assert "topsecret" not in said


def test_a_plain_http_endpoint_is_refused_where_it_is_not_said(tmp_path: Path) -> None:
    assert "allow_http" not in places.client_options(Location(uri="s3://b/x", endpoint="https://s3.example.com"))
    assert places.client_options(Location(uri="s3://b/x", endpoint="http://s3.example.com"))["allow_http"] is True


def test_an_address_where_nobody_answers_fails_within_half_a_minute() -> None:
    """A request may begin until `retry_timeout` is over; the last one then takes a connection's or a silence's time."""
    connect, silence = (float(places.CLIENT[name].removesuffix("s")) for name in ("connect_timeout", "read_timeout"))
    again = places.RETRY["retry_timeout"].total_seconds()
    assert again + connect <= 30
    assert silence > again, "a silent server is asked once"
    assert silence + connect <= 30


def test_messages_hold_no_secret() -> None:
    said = clean(
        "GET https://me:pass@host/x?sig=abc: key AKIAEXAMPLE refused\n\nDebug source: AKIAEXAMPLE", ["AKIAEXAMPLE"]
    )
    assert said == "GET https://host/x key *** refused"
    xml = "400 Bad Request: <Error><Code>Bad</Code><Message>key &#34;a&amp;b&amp;c&amp;d&#34;</Message></Error>"
    assert clean(xml, ["a&b&c&d"]) == '400 Bad Request: Bad: key "***"'
