"""https://: one's own certificates, no plain HTTP, and errors that say what they are."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.process.store import servers
from trimtab.api.wire.base import Location
from trimtab.store import data, places
from trimtab.store.faults import Reason, StoreError


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return servers.certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(secured: tuple[Path, Path, Path]) -> Iterator[tuple[int, list[str]]]:
    with servers.web(secured[1:]) as running:
        yield running


def refused(location: Location, folder: Path) -> tuple[Reason, str]:
    with pytest.raises(StoreError) as error:
        data.download(location, folder, prefix="DATA_")
    assert list(folder.iterdir()) == []
    return error.value.reason, error.value.message


def test_a_file_is_fetched_with_the_certificates_that_are_given(
    server: tuple[int, list[str]], secured: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    location = Location(uri=f"https://127.0.0.1:{server[0]}/a folder/file.csv", ca_bundle=secured[0].read_text())
    (file,) = data.download(location, tmp_path / "out", prefix="DATA_")
    assert file.name == "file.csv"
    assert file.path.read_bytes().startswith(b"at,late")
    assert server[1] == ["/a%20folder/file.csv"]


def test_an_unknown_certificate_is_not_trusted(server: tuple[int, list[str]], tmp_path: Path) -> None:
    reason, said = refused(Location(uri=f"https://127.0.0.1:{server[0]}/file.csv"), tmp_path / "out")
    assert reason is Reason.UNREACHABLE
    assert said.endswith("(its certificate is not trusted: give the certificates that signed it as caBundle)")
    assert server[1] == []


def test_a_redirect_within_https_is_followed_and_one_to_plain_http_is_not(
    server: tuple[int, list[str]], secured: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    bundle = secured[0].read_text()
    there = f"https:__127.0.0.1:{server[0]}_file.csv"
    location = Location(uri=f"https://127.0.0.1:{server[0]}/to/{there}", ca_bundle=bundle)
    assert len(data.download(location, tmp_path / "followed", prefix="DATA_")) == 1
    with servers.web(None) as (port, asked):
        location = Location(uri=f"https://127.0.0.1:{server[0]}/to/http:__127.0.0.1:{port}_file.csv", ca_bundle=bundle)
        assert refused(location, tmp_path / "out")[0] is Reason.UNREACHABLE
        assert asked == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("status/404", Reason.NOT_FOUND),
        ("status/403", Reason.ACCESS_DENIED),
        ("status/401", Reason.ACCESS_DENIED),
        ("status/500", Reason.UNREACHABLE),
        ("endless.csv", Reason.UNSUPPORTED),
    ],
)
def test_what_a_server_refuses_is_told_apart(
    path: str, reason: Reason, server: tuple[int, list[str]], secured: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    location = Location(uri=f"https://127.0.0.1:{server[0]}/{path}", ca_bundle=secured[0].read_text())
    assert refused(location, tmp_path / "out")[0] is reason


def test_a_server_that_falls_silent_is_unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(places.CLIENT, "read_timeout", "1s")
    monkeypatch.setitem(places.RETRY, "retry_timeout", timedelta(seconds=0.5))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        reason, said = refused(Location(uri="s3://bucket/x.csv", endpoint=endpoint, region="here"), tmp_path / "out")
    assert reason is Reason.UNREACHABLE
    assert said.endswith("(it does not answer in time)")
    assert time.monotonic() - started < 5


def test_an_address_where_nobody_listens_is_unreachable(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        reason, said = refused(Location(uri="s3://bucket/x.csv", endpoint=endpoint, region="here"), tmp_path / "out")
    assert reason is Reason.UNREACHABLE
    assert said.endswith("(it refuses the connection)")
