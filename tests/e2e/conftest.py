"""The local cluster with Trimtab installed from manifests/, and a namespace, a store and data for each test."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import flights, install
from tests.cluster.kubectl import Kubectl, namespace
from tests.e2e.shop import Bucket, Space


@pytest.fixture(scope="session")
def operator() -> dict[str, str]:
    """The operator at work; returns the images in use."""
    built = install.images()
    install.install(built, [*install.CLUSTER, "kubectl"])
    return built


@pytest.fixture(scope="session")
def bucket() -> Bucket:
    """The cluster's S3 server."""
    return Bucket(json.loads(install.cluster("s3")))


@pytest.fixture(scope="session")
def months(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The flights of 2013, a file a month."""
    return flights.build(tmp_path_factory.mktemp("flights"))


def _restricted(kubectl: Kubectl, bucket: Bucket) -> Space:
    kubectl.do("label", "namespace", kubectl.namespace, "pod-security.kubernetes.io/enforce=restricted")
    space = Space(kubectl, bucket, uuid.uuid4().hex[:8])
    space.apply(bucket.secret())
    return space


@pytest.fixture
def space(operator: dict[str, str], bucket: Bucket) -> Iterator[Space]:
    """A namespace under the restricted Pod Security Standard, with the store's credentials in it."""
    with namespace("e2e") as kubectl:
        yield _restricted(kubectl, bucket)


@pytest.fixture(scope="module")
def shared_space(operator: dict[str, str], bucket: Bucket) -> Iterator[Space]:
    """One namespace for all tests of a module that tell one story."""
    with namespace("e2e") as kubectl:
        yield _restricted(kubectl, bucket)
