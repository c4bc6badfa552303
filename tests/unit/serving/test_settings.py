"""The environment of the process, and its last words."""

import json
from pathlib import Path

import pytest

from trimtab.api.wire.runs import TERMINATION_BYTES
from trimtab.serving import __main__ as process
from trimtab.serving import settings, termination
from trimtab.serving.refusal import StartError


def test_defaults_are_those_of_the_pod_template() -> None:
    read = settings.read({})
    assert (str(read.serving), str(read.model)) == ("/trimtab/config/serving.json", "/trimtab/model")
    assert str(read.termination) == "/dev/termination-log"
    assert (read.port, read.monitoring_port, read.drain_seconds, read.grace_seconds) == (8080, 8082, 5.0, 30.0)


@pytest.mark.parametrize(("text", "port"), [("8081", 8081), ("0", 0), ("", None)])
def test_grpc_has_a_port_where_one_is_named(text: str, port: int | None) -> None:
    assert settings.read({"TRIMTAB_GRPC_PORT": text}).grpc_port == port
    assert settings.read({}).grpc_port is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRIMTAB_PORT", "http"),
        ("TRIMTAB_PORT", "70000"),
        ("TRIMTAB_MONITORING_PORT", "-1"),
        ("TRIMTAB_GRPC_PORT", "off"),
        ("TRIMTAB_DRAIN_SECONDS", "5s"),
        ("TRIMTAB_GRACE_SECONDS", "nan"),
        ("TRIMTAB_GRACE_SECONDS", "-1"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is '{value}'"):
        settings.read({name: value})


def test_last_words_are_json_that_kubernetes_keeps_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    termination.write(path, StartError("LoadFailed", '\u4e2d"\n' * 5000))
    content = path.read_bytes()
    assert len(content) <= TERMINATION_BYTES
    assert json.loads(content)["reason"] == "LoadFailed"


@pytest.mark.parametrize("arguments", [[], ["fetch"]])
def test_the_unexpected_has_last_words_too(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panicking(_: object) -> None:
        raise type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})("called `Result::unwrap()`")

    monkeypatch.setattr(process, "_fetch", panicking)
    monkeypatch.setattr(process, "_serve", panicking)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setenv("TRIMTAB_TERMINATION", str(tmp_path / "log"))
    assert process.main(arguments) == 1
    said = {"reason": "InternalError", "message": "PanicException: called `Result::unwrap()`"}
    assert json.loads((tmp_path / "log").read_text()) == said


def test_last_words_that_cannot_be_written_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    termination.write(tmp_path / "no" / "log", StartError("DigestMismatch", "the words"))
    assert "DigestMismatch: the words" in caplog.text
