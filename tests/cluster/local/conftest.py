"""A cluster to try, and what runs on it. These tests kill the cluster that others share: see test_killed.py."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import cgroups
from tests.cluster.local.machine import NAMESPACE, OWN, cluster, kill, kubectl, pod_spec


@pytest.fixture(scope="session")
def shared() -> Iterator[None]:
    """The cluster that all tests use, with a namespace of ours; up again afterwards whatever was done to it."""
    cluster("up")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    cluster("kubectl", "delete", "namespace", NAMESPACE, "--ignore-not-found")
    cluster("kubectl", "apply", "-f", "-", text=json.dumps(space))
    kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
    yield
    cluster("up")
    cluster("kubectl", "delete", "namespace", NAMESPACE)


@pytest.fixture
def own(shared: None) -> Iterator[Path]:
    """A state folder for a cluster of the test's own; the shared one is killed before and recovers afterwards."""
    kill(cgroups.members())
    try:
        yield OWN
    finally:
        cluster("down", state=OWN)
        cluster("up")


@pytest.fixture
def web(shared: None) -> Iterator[str]:
    """A running Deployment of two web servers behind a Service; yields the Service's cluster IP."""
    server = pod_spec(
        "exec busybox httpd -f -p 8080 -h /etc",
        readinessProbe={"httpGet": {"port": 8080, "path": "/hostname"}, "periodSeconds": 1},
    )
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": server}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": [deployment, service]}))
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    yield kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    kubectl("delete", "deployment/web", "service/web")


@pytest.fixture
def strict_firewall() -> Iterator[None]:
    """A firewall that forwards nothing by default, as Docker's and ufw's do."""
    chain = "{ type filter hook forward priority 0; policy drop; }"
    subprocess.run(["nft", "-f", "-"], input=f"table ip strict {{ chain FORWARD {chain}; }}", text=True, check=True)
    yield
    subprocess.run(["nft", "delete", "table", "ip", "strict"], check=True)
