"""The end of a step: whatever it raises becomes an exit code and a termination message."""

import types
from pathlib import Path

import pytest

from trimtab.api.wire.runs import report_from_message
from trimtab.training import __main__ as steps
from trimtab.training import folders


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A fetch step that raises."""

    def step(*_: object) -> None:
        raise error

    monkeypatch.setattr(folders, "run", lambda: types.SimpleNamespace(job=None))
    monkeypatch.setattr(steps, "import_module", lambda _: types.SimpleNamespace(step=step))
    monkeypatch.setenv(folders.TERMINATION, str(folder / "message"))


def test_a_panic_of_a_native_library_leaves_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
    failing(panic("called `Result::unwrap()`"), monkeypatch, tmp_path)
    assert steps.main(["fetch"]) == 1
    report = report_from_message((tmp_path / "message").read_text())
    assert report is not None
    assert (report.reason, report.message) == ("InternalError", "PanicException: called `Result::unwrap()`")


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt])
def test_a_wanted_end_leaves_none(ending: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(ending(), monkeypatch, tmp_path)
    with pytest.raises(ending):
        steps.main(["fetch"])
    assert not (tmp_path / "message").exists()
