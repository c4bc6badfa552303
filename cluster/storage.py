"""Dynamic volumes on a default StorageClass, and an S3 server that pods and the host reach alike."""

import json
from typing import Any

from cluster import apiclient, binaries, pki
from cluster.layout import S3, S3_BUCKET, S3_URL, STATE, VOLUMES
from cluster.nodeimage import REFERENCE
from cluster.pki import ACCOUNTS
from cluster.processes import Component

NAMESPACE = "local-path-storage"
REGION = "us-east-1"
_PROVISIONER = {"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(VOLUMES)]}]}
_HELPER_POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "helper-pod"},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "helper-pod",
                "image": REFERENCE,
                "imagePullPolicy": "IfNotPresent",
                "securityContext": {"runAsUser": 0},
            }
        ],
    },
}


def manifests() -> list[dict[str, Any]]:
    """What the provisioner needs in the API server."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "local-path-provisioner-service-account", "namespace": NAMESPACE},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "local-path-config", "namespace": NAMESPACE},
            "data": {
                "config.json": json.dumps(_PROVISIONER),
                "setup": 'mkdir -m 0777 -p "$VOL_DIR"',
                "teardown": 'rm -rf "$VOL_DIR"',
                "helperPod.yaml": json.dumps(_HELPER_POD),
            },
        },
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "local-path", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        },
    ]


def provisioner() -> Component:
    """local-path-provisioner, run on the host; the objects of `manifests` must be there."""
    config = STATE / "config" / "local-path.json"
    kubeconfig = next(str(account.kubeconfig) for account in ACCOUNTS if account.name == "local-path")
    return Component(
        "local-path-provisioner",
        (
            str(binaries.path("local-path-provisioner")),
            "start",
            f"--config={config}",
            f"--namespace={NAMESPACE}",
            f"--kubeconfig={kubeconfig}",
            f"--helper-image={REFERENCE}",
        ),
        files={config: json.dumps(_PROVISIONER)},
    )


def s3_server() -> Component:
    """versitygw over a plain folder; its buckets are the folders below it."""
    keys = pki.s3_credentials()
    (S3 / S3_BUCKET).mkdir(parents=True, exist_ok=True)
    return Component(
        "s3",
        (
            str(binaries.path("versitygw")),
            "--port",
            S3_URL.removeprefix("http://"),
            "--region",
            REGION,
            "posix",
            str(S3),
        ),
        env={"ROOT_ACCESS_KEY": keys["accessKeyId"], "ROOT_SECRET_KEY": keys["secretAccessKey"]},
        ready=lambda: apiclient.answers(S3_URL),
    )


def s3_settings() -> dict[str, str]:
    """How to reach the S3 server, from the host and from pods: endpoint, region, bucket and credentials."""
    return {"endpoint": S3_URL, "region": REGION, "bucket": S3_BUCKET, **pki.s3_credentials()}
