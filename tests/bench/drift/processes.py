"""A method's process: started, asked over its standard input, ended by its id. Nothing here knows what is asked."""

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

from tests.bench.drift.methods import Method

ROOT = Path(__file__).parents[3]
_SECONDS = 1800.0
_ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
_SILENT = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1", "WHYLOGS_NO_ANALYTICS": "True"}


class BrokenMethodError(Exception):
    """A method that could not answer; the message says why."""


class Process:
    """One method's process; started when it is first asked, and anew after it was ended for being silent too long."""

    def __init__(self, method: Method, log: Path) -> None:
        self.method = method
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._closed = False
        self.seconds = 0.0
        """Of CPU, of those that have ended."""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Raises `BrokenMethodError`, and `venvs.UnavailableError`."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(_SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        return self._answer(line)

    def close(self) -> None:
        """End the process for good: a thread that still asks is refused."""
        self._closed = True
        self.end()

    def end(self) -> None:
        """End the process, if there is one; the next question starts it anew."""
        if self._process is not None:
            self.seconds += _used(self._process.pid)
            self._process.kill()
            with self._process:  # closes what it was asked through, and waits
                self._process = None

    def _answer(self, line: str) -> dict[str, Any]:
        if not line:
            self.end()
            told = " ".join(self._log.read_text(errors="replace")[-400:].split())
            raise BrokenMethodError(f"its process ended, or was silent for {_SECONDS:.0f} s: {told}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BrokenMethodError(answer["error"])
        return answer

    def _started(self) -> subprocess.Popen[str]:
        if self._closed:
            raise BrokenMethodError("the benchmark is ending")
        if self._process is None or self._process.poll() is not None:
            environment = {**os.environ, **_ONE_CORE, **_SILENT, "PYTHONPATH": str(ROOT / "operator")}
            with self._log.open("w") as log:
                self._process = subprocess.Popen(
                    self.method.command(),
                    env=environment,
                    cwd=self._log.parent,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        return self._process


def _used(pid: int) -> float:
    """Seconds of CPU, its own and the system's for it; 0 when it is no more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
