"""One scenario for one running server: what it is to be sent, checked before it is measured."""

import http.client
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.serving import loads, processes, requests, venvs
from tests.bench.serving.contenders import Contender, Started
from tests.bench.serving.loads import Load
from tests.bench.serving.models import Prepared
from tests.bench.serving.requests import Form
from tests.bench.serving.scenarios import Scenario

_CALL = Path(__file__).parent / "peers" / "grpc_call.py"
_SECONDS = 20.0


class WrongError(Exception):
    """A server that answers otherwise than scikit-learn, or not at all."""


class NotOfferedError(Exception):
    """A server that does not offer this form of the protocol."""


@dataclass(frozen=True)
class Trial:
    """A server and the messages that it answers correctly."""

    started: Started
    scenario: Scenario
    scratch: Path
    messages: list[bytes]
    answer_bytes: int = 0
    """Of gRPC: the size of a framed answer."""

    def load(self, seconds: int) -> Load:
        """Measure once; raises `BrokenLoadError`."""
        if self.scenario.way == "gRPC":
            assert self.started.grpc_port is not None
            message = self.scratch / f"{self.scenario.name}.request"
            return loads.grpc(self.started.grpc_port, message, self.answer_bytes, self.scenario, seconds, self.scratch)
        return loads.http(self.started.launch.port, self.messages, self.scenario, seconds, self.scratch)


def trial(contender: Contender, started: Started, prepared: Prepared, scenario: Scenario, scratch: Path) -> Trial:
    """Send every request once and compare every label. Raises `WrongError`, and `NotOfferedError` for binary tensors and gRPC.

    A peer that does not offer binary tensors takes part with JSON: that is the best it has for the same rows.
    """
    if scenario.way == "gRPC":
        return _grpc(started, prepared, scenario, scratch)
    form = contender.form
    if scenario.way == "binary" and form == "V2":
        try:
            _offers_binary(contender, started, prepared, scenario)
            form = "V2 binary"
        except NotOfferedError:
            if not contender.peer:
                raise
    return _http(contender, started, prepared, scenario, scratch, form)


def _offers_binary(contender: Contender, started: Started, prepared: Prepared, scenario: Scenario) -> None:
    if prepared.workload.mixed:
        raise NotOfferedError("binary tensors of text are not compared")
    content, headers = requests.body("V2 binary", prepared.rows[: scenario.rows], named=contender.named)
    connection = http.client.HTTPConnection("127.0.0.1", started.launch.port, timeout=_SECONDS)
    try:
        status, answer = _ask(connection, started.path, content, headers)
    finally:
        connection.close()
    if status != 200:
        raise NotOfferedError(f"binary tensors are answered by {status}: {answer[:160].decode(errors='replace')}")


def _http(
    contender: Contender, started: Started, prepared: Prepared, scenario: Scenario, scratch: Path, form: Form
) -> Trial:
    messages = []
    connection = http.client.HTTPConnection("127.0.0.1", started.launch.port, timeout=_SECONDS)
    try:
        for part in requests.parts(prepared.rows, scenario.rows):
            content, headers = requests.body(form, part, named=contender.named)
            status, answer = _ask(connection, started.path, content, headers)
            _check(form, status, answer, prepared.labels[part.index].tolist())
            messages.append(requests.message(started.path, content, headers))
    except (OSError, http.client.HTTPException) as error:
        raise WrongError(f"it does not answer: {error!r}") from error
    finally:
        connection.close()
    return Trial(started, scenario, scratch, messages)


def _ask(
    connection: http.client.HTTPConnection, path: str, content: bytes, headers: dict[str, str]
) -> tuple[int, bytes]:
    connection.request("POST", path, content, headers)
    response = connection.getresponse()
    return response.status, response.read()


def _check(form: Form, status: int, answer: bytes, wanted: list[int]) -> None:
    if status != 200:
        raise WrongError(f"it answers {status}: {answer[:200].decode(errors='replace')}")
    try:
        found = requests.labels(form, answer)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise WrongError(f"its answer holds no labels: {answer[:200].decode(errors='replace')}") from error
    if found != wanted:
        differ = sum(a != b for a, b in zip(found, wanted, strict=False)) + abs(len(found) - len(wanted))
        raise WrongError(f"{differ} of {len(wanted)} labels are not scikit-learn's: {found[:8]} for {wanted[:8]}")


def _grpc(started: Started, prepared: Prepared, scenario: Scenario, scratch: Path) -> Trial:
    if started.grpc_port is None or not processes.listens(started.grpc_port):
        raise NotOfferedError("it offers no gRPC")
    if prepared.workload.mixed:
        raise NotOfferedError("gRPC is compared for numbers only")
    table, message = scratch / "rows.npy", scratch / f"{scenario.name}.request"
    np.save(table, prepared.rows[: scenario.rows].to_numpy(np.float64))
    arguments = [str(started.grpc_port), prepared.workload.key, str(table), str(message)]
    done = subprocess.run(
        [str(venvs.python("kserve")), str(_CALL), *arguments], capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        raise NotOfferedError(f"gRPC is answered by {said[0][:200]}")
    found, wanted = json.loads(done.stdout), prepared.labels[: scenario.rows].tolist()
    if found["labels"] != wanted:
        raise WrongError(f"over gRPC its labels are not scikit-learn's: {found['labels'][:8]} for {wanted[:8]}")
    return Trial(started, scenario, scratch, [], found["bytes"])
