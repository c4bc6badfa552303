"""The cluster that these tests share, with definitions, roles and policies installed and no operator in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import ROOT, Kubectl, eventually, namespace


@pytest.fixture(scope="session")
def installed() -> None:
    """Everything of manifests/, but the operator's own pods: these tests run the operator as a process of theirs."""
    kubectl = Kubectl("trimtab-system")
    kubectl.do("apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "manifests"))
    kubectl.do("scale", "deployment/trimtab-operator", "--replicas=0")
    eventually(lambda: not kubectl.get("pods", "-l", "app.kubernetes.io/name=trimtab-operator")["items"], within=60)


@pytest.fixture
def space(installed: None) -> Iterator[Kubectl]:
    """A namespace of the test's own."""
    with namespace("loop") as kubectl:
        yield kubectl


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the operator process of a test keeps its kubeconfig and its log."""
    return tmp_path
