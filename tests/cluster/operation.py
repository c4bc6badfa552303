"""The operator as a process of the test's, under its own account, in one namespace; started again whenever it ends."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import yaml

from cluster import layout
from tests.cluster.kubectl import ROOT, Kubectl, eventually
from tests.cluster.proxy import Proxy

ACCOUNT = ("trimtab-operator", "trimtab-system")


def token() -> str:
    """A token of the operator's account, so that its roles and the policies hold for the process too."""
    name, namespace = ACCOUNT
    return Kubectl(namespace).do("create", "token", name, "--duration=2h").strip()


def kubeconfig(folder: Path, server: str | None = None) -> Path:
    """A kubeconfig for that account, at the API server or at a proxy before it."""
    config = yaml.safe_load(layout.KUBECONFIG.read_text())
    config["users"][0]["user"] = {"token": token()}
    if server is not None:
        config["clusters"][0]["cluster"] = {"server": server}
    path = folder / "operator.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


class Operation:
    """Runs `python -m trimtab.controller` and starts it again as a kubelet would; `with` ends it for good."""

    def __init__(self, folder: Path, namespace: str, proxy: Proxy | None = None, **settings: str) -> None:
        self._folder, self._proxy = folder, proxy
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig(folder, proxy.url if proxy else None)),
            "TRIMTAB_NAMESPACES": namespace,
            "TRIMTAB_LEASE_NAME": namespace,
            "TRIMTAB_IDENTITY": "test",
            "TRIMTAB_HTTP_PORT": "0",
            "TRIMTAB_LOG_FORMAT": "text",
            **settings,
        }
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        if proxy is not None:
            proxy.victim = lambda: self._process.pid if self._process else None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def log(self) -> str:
        return (self._folder / "operator.log").read_text()

    def __enter__(self) -> "Operation":
        self._keeper.start()
        eventually(lambda: self.starts > 0, within=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        if self._process is not None:
            self._process.terminate()
        self._keeper.join(30)

    def kill(self) -> None:
        """End the process now, whatever it does."""
        if self._process is not None:
            self._process.kill()

    def _keep(self) -> None:
        while not self._ending.is_set():
            with (self._folder / "operator.log").open("ab") as log:
                command = [sys.executable, "-m", "trimtab.controller"]
                self._process = subprocess.Popen(command, env=self._environment, stderr=log, stdout=log, cwd=ROOT)
                self.starts += 1
                self._process.wait()
