"""What runs of the node: containerd, kubelet and kube-proxy, with their configuration. Starts nothing itself."""

import json
import tomllib
from pathlib import Path
from typing import Any

from cluster import apiclient, binaries, debian
from cluster.layout import BRIDGE, CNI, CONTAINERD, CONTAINERD_SOCKET, KUBELET, NODE, NODE_IP, PKI, POD_CIDR, STATE
from cluster.nodeimage import REFERENCE
from cluster.pki import ACCOUNTS
from cluster.processes import Component
from cluster.terminal import run

_CONFIGS = {account.name: str(account.kubeconfig) for account in ACCOUNTS}


def containerd() -> Component:
    """containerd with runc; everything it writes stays below the state folder, network namespaces included."""
    config = CONTAINERD / "config.toml"
    tools = {str(binaries.path(name).parent) for name in ("containerd-shim-runc-v2", "runc")}
    return Component(
        "containerd",
        (str(binaries.path("containerd")), "--config", str(config)),
        files={config: _containerd_toml(), CNI / "net.d" / "10-trimtab.conflist": json.dumps(_network())},
        env={"PATH": ":".join([*sorted(tools), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])},
        ready=lambda: apiclient.listens(CONTAINERD_SOCKET),
    )


def _containerd_toml() -> str:
    text = f"""
version = 3
root = "{CONTAINERD}/root"
state = "{CONTAINERD}/run"
# Without these it would live on, able to do nothing.
required_plugins = ["io.containerd.metadata.v1.bolt", "io.containerd.grpc.v1.cri"]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[ttrpc]
  address = "{CONTAINERD_SOCKET}.ttrpc"
[plugins.'io.containerd.internal.v1.opt']
  path = "{CONTAINERD}/opt"
[plugins.'io.containerd.nri.v1.nri']
  disable = true
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{REFERENCE}"
[plugins.'io.containerd.cri.v1.runtime']
  # A machine without CAP_SYS_RESOURCE cannot lower oom_score_adj.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["{debian.CNI_PLUGINS}"]
  conf_dir = "{CNI}/net.d"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  Root = "{CONTAINERD}/runc"
  # Shims outlive containerd, so they must not count as its processes.
  ShimCgroup = "/trimtab/shims"
"""
    tomllib.loads(text)
    return text


def _network() -> dict[str, Any]:
    """Pods are routed, not bridged: the answers of services pass the node's connection tracking on every kernel."""
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_CIDR, "rangeStart": "10.244.0.10", "gateway": NODE_IP}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(CNI / "ipam"),
    }
    return {"cniVersion": "1.0.0", "name": BRIDGE, "plugins": [{"type": "ptp", "ipMasq": False, "ipam": ipam}]}


def ctr(*arguments: str | Path) -> str:
    """Asks containerd, in the namespace of Kubernetes. Raises ClusterError when it refuses."""
    return run([binaries.path("ctr"), "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", *arguments])


def kubelet() -> Component:
    """The kubelet; pods live below our own control group, so that they can be told from a stranger's."""
    config = KUBELET / "config.json"
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_IP,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{PKI}/kubelet.crt",
        "tlsPrivateKeyFile": f"{PKI}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": "/trimtab",
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "makeIPTablesUtilChains": False,
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "50Mi"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": 200,
        "podLogsDir": str(STATE / "podlogs"),
        "volumePluginDir": str(KUBELET / "plugins"),
        # There is no DNS server. Here a look-up is refused at once; the machine's resolver is out of the pods' reach.
        "clusterDNS": [NODE_IP],
        "clusterDomain": "cluster.local",
        "resolvConf": "/etc/resolv.conf",
    }
    return Component(
        "kubelet",
        (
            str(binaries.path("kubelet")),
            f"--config={config}",
            f"--kubeconfig={_CONFIGS['kubelet']}",
            f"--root-dir={KUBELET}/root",
            f"--cert-dir={KUBELET}/pki",
            f"--hostname-override={NODE}",
            f"--node-ip={NODE_IP}",
        ),
        files={config: json.dumps(settings, indent=2)},
        ready=lambda: apiclient.answers("http://127.0.0.1:10248/healthz"),
    )


def proxy() -> Component:
    """kube-proxy on nftables, so that the machine needs no iptables."""
    return Component(
        "proxy",
        (
            str(binaries.path("kube-proxy")),
            f"--kubeconfig={_CONFIGS['proxy']}",
            "--proxy-mode=nftables",
            f"--cluster-cidr={POD_CIDR}",
            f"--hostname-override={NODE}",
            "--healthz-bind-address=127.0.0.1:10256",
            "--metrics-bind-address=127.0.0.1:10249",
            "--conntrack-max-per-core=0",
        ),
        ready=lambda: apiclient.answers("http://127.0.0.1:10256/healthz"),
    )
