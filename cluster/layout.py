"""Where the local cluster keeps things and which addresses it uses. Names only: nothing here touches the machine."""

import os
import platform
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""The checkout: Dockerfile, requirements and sources of the images."""
VERSIONS = Path(__file__).resolve().parent / "versions"
"""One Go module per group of binaries; their go.mod and go.sum pin everything that is built."""

STATE = Path(os.environ.get("TRIMTAB_CLUSTER_STATE", "/var/lib/trimtab"))
"""All that a running cluster writes. Short, since unix socket paths end at 108 characters; `down` deletes it."""
CACHE = Path(os.environ.get("TRIMTAB_CACHE", Path.home() / ".cache" / "trimtab"))
"""What is expensive to make and safe to keep: binaries, the Python root file system, image layers."""

MARK = STATE / ".trimtab-cluster"
"""Present in every state folder of ours; a folder without it is somebody else's and is never deleted."""
LOCK = Path("/run/lock/trimtab-cluster.lock")
"""Held while the cluster is changed; one per machine, as bridge and ports are."""

LOG = STATE / "log"
PKI = STATE / "pki"
ETCD = STATE / "etcd"
CONTAINERD = STATE / "containerd"
KUBELET = STATE / "kubelet"
CNI = STATE / "cni"
VOLUMES = STATE / "volumes"
S3 = STATE / "s3"
RECORDS = STATE / "run"
"""What each component was started with."""
KUBECONFIG = STATE / "admin.kubeconfig"
AUDIT = LOG / "audit.log"
CONTAINERD_SOCKET = CONTAINERD / "containerd.sock"
ETCD_SOCKET = STATE / "etcd.sock"

NODE = "local"
BRIDGE = "trimtab0"
NODE_IP = "10.244.0.1"
"""The node's, the API server's and the pods' gateway's; it lies on the bridge, so no other interface is touched."""
POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
SERVICE_IP = "10.96.0.1"
API_PORT = 6443
S3_PORT = 7070
PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093
API_URL = f"https://{NODE_IP}:{API_PORT}"
S3_URL = f"http://{NODE_IP}:{S3_PORT}"
S3_BUCKET = "trimtab"

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
"""Go's and OCI's name of this machine's processor."""

LONGEST_STATE = 48
"""Characters a state folder's path may have: the longest socket below it adds about 50 to that."""
