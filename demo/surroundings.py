"""Where the demo runs: on the local cluster that it starts, or on the one that KUBECONFIG names.

On the user's own cluster, images are pushed to TRIMTAB_REGISTRY, and requests go through `kubectl proxy`.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo import down, install
from demo.down import NAMESPACE

PROXY_PORT = 8901


class DemoError(Exception):
    """What went wrong and what to do, as a sentence."""


class Surroundings:
    """kubectl, images and addresses of one cluster. `local`: the demo started it, and `make demo-down` ends it."""

    def __init__(self) -> None:
        self.local = not down.own_cluster()
        if not self.local and not os.environ.get("TRIMTAB_REGISTRY"):
            raise DemoError(
                "KUBECONFIG is set, so the demo would use that cluster, and it needs a registry to push its images to: "
                "set TRIMTAB_REGISTRY, such as registry.example.com/team, or unset KUBECONFIG to use a cluster of its own"
            )
        program = None if self.local else shutil.which("kubectl")
        if not self.local and program is None:
            raise DemoError("KUBECONFIG is set, but there is no kubectl on the PATH: install it")
        self._kubectl = [program] if program else [*install.CLUSTER, "kubectl"]
        self.says = "kubectl" if program else "python3 -m cluster kubectl"
        if program:
            _check_rights(program)

    @property
    def kubectl(self) -> list[str]:
        return self._kubectl

    def do(self, *words: str, given: str | bytes | None = None) -> str:
        """One kubectl command in the demo's namespace; raises `DemoError` with its words when it fails."""
        raw = given.encode() if isinstance(given, str) else given
        command = [*self._kubectl, "--namespace", NAMESPACE, *words]
        done = subprocess.run(command, input=raw, capture_output=True, check=False, cwd=install.ROOT)
        if done.returncode != 0:
            raise DemoError(f"kubectl {' '.join(words)}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def get(self, name: str) -> Any:
        """An object, or an empty one where there is none yet."""
        text = self.do("get", name, "--ignore-not-found", "--output", "json")
        return json.loads(text) if text.strip() else {}

    def pods(self) -> list[str]:
        """Names of the operator's pods that run."""
        words = ["get", "pods", "--namespace", "trimtab-system", "--field-selector=status.phase=Running", "--output=name"]
        return [name.removeprefix("pod/") for name in self.do(*words).split()]

    def operators(self) -> list[str]:
        """Addresses of the operator's pods that run."""
        words = ["--namespace", "trimtab-system", "--output=jsonpath={.status.podIP}"]
        return [self.do("get", f"pod/{name}", *words) for name in self.pods()]

    def raw(self, path: str) -> str:
        """What the API server answers at a path."""
        return self.do("get", "--raw", path)

    def apply(self, path: Path) -> None:
        self.do("apply", "--server-side", "--force-conflicts", "--filename", str(path))

    def images(self) -> dict[str, str]:
        """Builds the images and brings them to where the cluster finds them."""
        words = ["images"] if self.local else ["images", "--push", *_registry()]
        built: dict[str, str] = json.loads(install.cluster(*words))
        return built

    @contextmanager
    def endpoint(self) -> Iterator[Callable[[str], str]]:
        """Gives a function from a ModelDeployment's name to the base address of its server."""
        if self.local:
            yield lambda name: f"http://{self.get(f'service/{name}')['spec']['clusterIP']}"
            return
        command = [*self._kubectl, "proxy", f"--port={PROXY_PORT}"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proxy:
            try:
                root = f"http://127.0.0.1:{PROXY_PORT}/api/v1/namespaces/{NAMESPACE}/services"
                yield lambda name: f"{root}/{name}:80/proxy"
            finally:
                proxy.terminate()

    def copy(self, path: Path) -> None:
        """A file into the data claim, through the pod that holds it open."""
        script = f"import sys, shutil; f = open('/flights/{path.name}', 'wb'); shutil.copyfileobj(sys.stdin.buffer, f); f.close()"
        self.do("exec", "--stdin", "loader", "--", "python", "-c", script, given=path.read_bytes())


def _registry() -> list[str]:
    """The registry, and the word that lets it go without TLS where it is on this machine, as every builder lets it."""
    name = os.environ["TRIMTAB_REGISTRY"]
    host = name.partition("/")[0].rpartition(":")[0] or name.partition("/")[0]
    return [name, "--insecure"] if host in ("localhost", "127.0.0.1", "[::1]") else [name]


def _check_rights(kubectl: str) -> None:
    """Before images are built for it: the cluster answers, and the user may install an operator."""
    command = [kubectl, "auth", "can-i", "create", "customresourcedefinitions", "--request-timeout=20s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=install.ROOT)
    if done.stdout.strip().endswith("no"):
        raise DemoError("you may not create CustomResourceDefinitions in the cluster of KUBECONFIG, so nothing can be installed")
    if done.returncode != 0:
        said = done.stderr.strip() or "kubectl gives no reason"
        raise DemoError(f"the cluster of KUBECONFIG does not answer: {said.splitlines()[-1]}")


def wait(check: Callable[[], Any], within: float, what: str) -> Any:
    """Looks once a second until the check gives something; raises `DemoError` when time is up."""
    deadline = time.monotonic() + within
    while not (found := check()):
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: not so within {within:.0f} s")
        time.sleep(1)
    return found
