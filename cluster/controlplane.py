"""The control plane and its settings: etcd, API server, controller manager, scheduler. Starts nothing itself."""

import json

from cluster import apiclient, binaries
from cluster.layout import API_PORT, AUDIT, ETCD, ETCD_SOCKET, NODE_IP, PKI, SERVICE_CIDR, STATE
from cluster.pki import ACCOUNTS
from cluster.processes import Component

_CONFIGS = {account.name: str(account.kubeconfig) for account in ACCOUNTS}
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
        {"level": "None"},
    ],
}
"""Every write is on record: the tests count what an idle operator writes."""


def etcd() -> Component:
    """etcd on a unix socket, so that no other user of the machine can write to it."""
    client, peer = f"unix://{ETCD_SOCKET}", f"unix://{STATE}/etcd-peer.sock"
    return Component(
        "etcd",
        (
            str(binaries.path("etcd")),
            f"--data-dir={ETCD}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # What a process wrote survives its end, however sudden; after a power cut the folder is made anew.
            "--unsafe-no-fsync",
            "--auto-compaction-retention=10m",
            "--log-level=warn",
        ),
        ready=lambda: apiclient.answers_on_socket(ETCD_SOCKET, "/health"),
    )


def apiserver() -> Component:
    """The API server, on the bridge's address only."""
    policy = STATE / "config" / "audit-policy.json"
    flags = {
        "etcd-servers": f"unix://{ETCD_SOCKET}",
        "bind-address": NODE_IP,
        "advertise-address": NODE_IP,
        "secure-port": API_PORT,
        "tls-cert-file": PKI / "apiserver.crt",
        "tls-private-key-file": PKI / "apiserver.key",
        "client-ca-file": PKI / "ca.crt",
        "token-auth-file": PKI / "tokens.csv",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-cluster-ip-range": SERVICE_CIDR,
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": PKI / "sa.pub",
        "service-account-signing-key-file": PKI / "sa.key",
        "kubelet-client-certificate": PKI / "kubelet-client.crt",
        "kubelet-client-key": PKI / "kubelet-client.key",
        "kubelet-certificate-authority": PKI / "ca.crt",
        "kubelet-preferred-address-types": "InternalIP",
        "allow-privileged": "true",
        # A thousand objects are written by many clients at once; the defaults (400 and 200) queue them.
        "max-requests-inflight": 1600,
        "max-mutating-requests-inflight": 800,
        "audit-policy-file": policy,
        "audit-log-path": AUDIT,
        # Blocking: when a test reads the log after an answer, the line is there.
        "audit-log-mode": "blocking",
        "audit-log-maxsize": 200,
        "audit-log-maxbackup": 1,
        "profiling": "false",
    }
    return Component(
        "apiserver",
        (str(binaries.path("kube-apiserver")), *(f"--{name}={value}" for name, value in flags.items())),
        files={policy: json.dumps(AUDIT_POLICY)},
        ready=lambda: apiclient.request("GET", "/readyz") == b"ok",
        grace=0.0,  # on SIGTERM it waits about a minute for open watches
    )


def controller_manager() -> Component:
    """The controller manager, allowed more than its default of 20 writes a second: 300 Deployments took a minute."""
    config = _CONFIGS["controller-manager"]
    flags = {
        "kubeconfig": config,
        "authentication-kubeconfig": config,
        "authorization-kubeconfig": config,
        "bind-address": "127.0.0.1",
        "service-account-private-key-file": PKI / "sa.key",
        "root-ca-file": PKI / "ca.crt",
        "use-service-account-credentials": "true",
        "leader-elect": "false",
        "cluster-signing-cert-file": PKI / "ca.crt",
        "cluster-signing-key-file": PKI / "ca.key",
        "kube-api-qps": 1000,
        "kube-api-burst": 2000,
        "concurrent-deployment-syncs": 20,
        "concurrent-replicaset-syncs": 20,
        "flex-volume-plugin-dir": STATE / "kubelet" / "plugins",
        "profiling": "false",
    }
    return Component(
        "controller-manager",
        (str(binaries.path("kube-controller-manager")), *(f"--{name}={value}" for name, value in flags.items())),
        ready=lambda: apiclient.accepts("127.0.0.1", 10257),
    )


def scheduler() -> Component:
    """The scheduler."""
    config = _CONFIGS["scheduler"]
    return Component(
        "scheduler",
        (
            str(binaries.path("kube-scheduler")),
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--profiling=false",
        ),
        ready=lambda: apiclient.accepts("127.0.0.1", 10259),
    )
