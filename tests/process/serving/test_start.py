"""The start of a server process: fetch, verify, load, or say why not in the last words."""

import socket
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.process.serving.server import artifact, run, running
from tests.unit.serving import make
from trimtab.api.wire.base import Location


def test_fetch_brings_what_serve_then_answers(tmp_path: Path) -> None:
    source = tmp_path / "claims" / "models" / "late"
    written = make.folder(source, reference=make.profile())
    location = Location(uri="pvc://models/late/manifest.json")
    serving = replace(written, artifact=replace(written.artifact, location=location))
    (tmp_path / "serving.json").write_text(serving.to_json())
    assert run(tmp_path, "fetch", TRIMTAB_ROOT=str(tmp_path)) == (0, None)
    with running(tmp_path) as server:
        assert server.infer(make.request())[0] == 200


@pytest.mark.parametrize(
    ("uri", "reason", "words"),
    [
        ("pvc://models/late/model.onnx", "DigestMismatch", "has digest sha256:"),
        ("pvc://models/late/gone.onnx", "ArtifactNotFound", "does not exist"),
        ("ftp://models/late", "ArtifactUnsupported", "is not supported"),
    ],
)
def test_fetch_that_fails_says_why_in_its_last_words(uri: str, reason: str, words: str, tmp_path: Path) -> None:
    make.folder(tmp_path / "claims" / "models" / "late")
    (tmp_path / "serving.json").write_text(make.told(uri, make.digest(b"other"), "ONNX").to_json())
    code, said = run(tmp_path, "fetch", TRIMTAB_ROOT=str(tmp_path))
    assert code == 1
    assert said is not None
    assert said["reason"] == reason
    assert words in said["message"]
    assert not list((tmp_path / "model").glob("*"))


def test_a_file_that_changed_after_it_was_fetched_is_not_served(tmp_path: Path) -> None:
    artifact(tmp_path)
    (tmp_path / "model" / "model.onnx").write_bytes(make.regressor())
    code, said = run(tmp_path)
    assert code == 1
    assert said is not None
    assert said["reason"] == "DigestMismatch"


def test_a_port_that_is_taken_is_said_to_be_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run(artifact(tmp_path), TRIMTAB_PORT=str(port))
    assert code == 1
    message = f"port {port} cannot be opened: Address already in use"
    assert said == {"reason": "PortUnavailable", "message": message}


def test_wrong_usage_and_wrong_settings_end_with_code_two(tmp_path: Path) -> None:
    assert run(artifact(tmp_path), "serve")[0] == 2
    assert run(tmp_path, TRIMTAB_PORT="http")[0] == 2
