"""Foreign clients as a test sees them: processes in an environment of their own, which are told what to ask of a server."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import venvs
from tests.process.serving.server import Server

ROOT = Path(__file__).parents[4]
_LOCK = ROOT / "requirements" / "clients.txt"
_OPTIONS = ("--require-hashes", "--only-binary=:all:", "--no-compile")
"""Most of what is installed is never imported: compiling it would take as long as all the rest."""
WAYS = ("triton http", "triton http-aio", "triton grpc", "triton grpc-aio", "kserve http", "kserve grpc")
"""A client's package, and which of its clients."""


class RaisedError(Exception):
    """What a foreign client raised: its own type, the words, and the status, if it has one."""

    def __init__(self, kind: str, message: str, status: str | None = None) -> None:
        super().__init__(kind, message, status)
        self.kind, self.message, self.status = kind, message, status


class Agent:
    """A process that asks through the clients of one package."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **request: Any) -> Any:
        """What the client said; raises `RaisedError`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the agent ended"
        answer = json.loads(line)
        if "raised" in answer:
            raise RaisedError(answer["raised"], answer["message"], answer.get("status"))
        return answer["said"]


def interpreter() -> str:
    """Has both packages, and nothing of ours."""
    return str(venvs.python(_LOCK, "clients", *_OPTIONS))


@contextmanager
def agent(package: str) -> Iterator[Agent]:
    """One that runs; it begins to import while the caller goes on."""
    command = [interpreter(), "-m", f"tests.process.serving.clients.{package}_agent"]
    here = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    # Bytecode is written at the first import.
    environment = {**os.environ, **here, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Agent(process)
        finally:
            process.kill()


@dataclass(frozen=True)
class Client:
    """One of the clients, and the server that it asks."""

    way: str
    agent: Agent
    server: Server

    @property
    def package(self) -> str:
        return self.way.split()[0]

    @property
    def grpc(self) -> bool:
        return "grpc" in self.way

    def call(self, method: str, /, **more: Any) -> Any:
        """What a method gives; raises `RaisedError`."""
        return self.ask(call=method, **{"with": more})

    def infer(self, *inputs: Any, model: str = "late", **more: Any) -> Any:
        """One inference. `outputs` are its parts; what else is given goes to the client's method."""
        return self.ask(infer=request(*inputs, model=model, **more))

    def ask(self, **asked: Any) -> Any:
        """Whatever an agent understands."""
        port = self.server.grpc_port if self.grpc else self.server.port
        return self.agent.ask(way=self.way.split()[1], port=port, **asked)


def request(*inputs: Any, model: str = "late", outputs: Any = None, **more: Any) -> dict[str, Any]:
    """An inference request for an agent."""
    chosen = {} if outputs is None else {"outputs": outputs}
    return {"model": model, "inputs": list(inputs), "with": more, **chosen}
