"""kubectl for tests before a real API server: KUBECONFIG's cluster, or the local one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from cluster import binaries, layout

ROOT = Path(__file__).parents[2]
PLURALS = ("datasets", "models", "trainingjobs", "modelversions", "modeldeployments")
OPERATOR = "system:serviceaccount:trimtab-system:trimtab-operator"

Json = Any


class Kubectl:
    """kubectl in one namespace, as the administrator or as a user with all rights, whom only policies can stop."""

    def __init__(self, namespace: str = "default", user: str | None = None) -> None:
        self.namespace = namespace
        self._program = shutil.which("kubectl") or str(binaries.path("kubectl"))
        self._options = ["--namespace", namespace]
        self._options += ["--as", user, "--as-group", "system:masters"] if user else []
        self._environment = {"KUBECONFIG": str(layout.KUBECONFIG), **os.environ}

    def acting_as(self, user: str) -> Kubectl:
        """The same namespace, another user."""
        return Kubectl(self.namespace, user)

    def run(self, *arguments: str, given: Json = None) -> subprocess.CompletedProcess[str]:
        """One command; `given` is text or an object for its standard input."""
        text = given if given is None or isinstance(given, str) else json.dumps(given)
        command = [self._program, *self._options, *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=self._environment)

    def do(self, *arguments: str, given: Json = None) -> str:
        """The output of a command that must succeed."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *arguments: str) -> Json:
        """What a GET returns."""
        return json.loads(self.do("get", *arguments, "-o", "json"))

    def refusal(self, *arguments: str, given: Json = None) -> str:
        """The words with which the server refuses a command."""
        done = self.run(*arguments, given=given)
        assert done.returncode != 0, f"accepted: {done.stdout}"
        return done.stderr


def eventually(check: Callable[[], bool], within: float = 30) -> None:
    """Waits until the check holds: the one place where tests wait."""
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, f"not so within {within} s"
        time.sleep(0.2)


def await_kinds() -> None:
    """Returns once the server answers for every kind that was just installed."""
    kubectl = Kubectl()
    for plural in PLURALS:
        kubectl.do("wait", "--for=condition=Established", f"crd/{plural}.trimtab.dev", "--timeout=30s")
        eventually(partial(answers, kubectl, plural))


def answers(kubectl: Kubectl, plural: str) -> bool:
    """Whether the server lists a kind."""
    return kubectl.run("get", plural).returncode == 0


@contextmanager
def namespace(prefix: str) -> Iterator[Kubectl]:
    """A namespace of its own, which goes at the end."""
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    Kubectl().do("create", "namespace", name)
    try:
        yield Kubectl(name)
    finally:
        Kubectl().do("delete", "namespace", name, "--wait=false")
