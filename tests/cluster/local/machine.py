"""Handles for the tests of the local cluster: its command line, its processes, and what it leaves on the machine."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from cluster import cgroups, firewall, network
from cluster.nodeimage import REFERENCE as NODE_IMAGE

PROJECT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("TRIMTAB_CLUSTER_STATE", "/var/lib/trimtab"))
OWN = Path("/var/lib/trimtab-own")
NAMESPACE = "local-cluster-test"
FOLDERS = [Path(name) for name in ("/run/containerd", "/var/lib/kubelet")]
"""Where containerd and the kubelet write besides the state folder."""
RESTRICTED_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


def cluster(
    *words: str, state: Path = SHARED, text: str | None = None, ok: bool = True
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m cluster` from the project's root, as a person would."""
    env = {**os.environ, "TRIMTAB_CLUSTER_STATE": str(state)}
    done = subprocess.run(
        [sys.executable, "-m", "cluster", *words],
        cwd=PROJECT,
        env=env,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if ok:
        assert done.returncode == 0, f"cluster {' '.join(words)}: {done.stdout}{done.stderr}"
    return done


def kubectl(*words: str, text: str | None = None, state: Path = SHARED, namespace: str = NAMESPACE) -> str:
    """kubectl's standard output."""
    return cluster("kubectl", "--namespace", namespace, *words, text=text, state=state).stdout


def component_pids() -> dict[str, list[int]]:
    """The processes of every component that runs, without the helpers that some start for a moment, such as nft."""
    groups = [group for group in (cgroups.tracking() / "system").iterdir() if group.is_dir()]
    members = {group.name: set(cgroups.members(group)) for group in groups}
    found = {name: sorted(pid for pid in pids if _parent(pid) not in pids) for name, pids in members.items()}
    return {name: pids for name, pids in found.items() if pids}


def _parent(pid: int) -> int:
    """The parent of a process; its own number once it is gone, so that it counts for nothing."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return pid


def kill(pids: list[int]) -> None:
    """Ends processes as a crash would, and waits until the kernel has done so."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it ended by itself, or with its parent
            continue
        with os.fdopen(descriptor) as ended:
            assert select.select([ended], [], [], 20)[0], f"process {pid} does not end"


def pod_spec(script: str, **container: Any) -> dict[str, Any]:
    """A restricted pod that runs a shell script in the node's own image."""
    one = {
        "name": "main",
        "image": NODE_IMAGE,
        "command": ["/bin/sh", "-c", script],
        "securityContext": RESTRICTED,
        **container,
    }
    return {"securityContext": RESTRICTED_POD, "terminationGracePeriodSeconds": 0, "containers": [one]}


def run_job(
    name: str,
    script: str,
    *,
    state: Path = SHARED,
    namespace: str = NAMESPACE,
    claim: str | None = None,
    **container: Any,
) -> str:
    """Runs a Job to its end and returns its termination message."""
    spec = pod_spec(
        script,
        terminationMessagePath="/scratch/message",
        volumeMounts=[{"name": "work", "mountPath": "/scratch"}, {"name": "tmp", "mountPath": "/tmp"}],
        **container,
    )
    spec["restartPolicy"] = "Never"
    source: dict[str, Any] = {"persistentVolumeClaim": {"claimName": claim}} if claim else {"emptyDir": {}}
    spec["volumes"] = [{"name": "work", **source}, {"name": "tmp", "emptyDir": {}}]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}
    kubectl("apply", "-f", "-", text=json.dumps(job), state=state, namespace=namespace)
    kubectl("wait", "--for=condition=Complete", f"job/{name}", "--timeout=90s", state=state, namespace=namespace)
    pods = json.loads(kubectl("get", "pods", "-l", f"job-name={name}", "-o", "json", state=state, namespace=namespace))[
        "items"
    ]
    messages = [
        pod["status"]["containerStatuses"][0]["state"]["terminated"].get("message", "")
        for pod in pods
        if pod["status"]["phase"] == "Succeeded"
    ]
    [message] = messages
    return str(message)


def traces(state: Path) -> dict[str, Any]:
    """What a cluster may have left on this machine."""
    mounts = Path("/proc/self/mounts").read_text()
    commands = {p.parent.name: p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()}
    return {
        "processes": [pid for pid, command in commands.items() if f"{state}/".encode() in command],
        "mounts": [line for line in mounts.splitlines() if f"{state}/" in line],
        "groups": cgroups.ours(),
        "bridge": network.bridge_exists(),
        "tables": network.tables(),
        "links": [p.name for p in Path("/sys/class/net").iterdir() if p.name.startswith("veth")],
        "routes": [
            line for line in subprocess.check_output(["ip", "route"], text=True).splitlines() if "10.244." in line
        ],
        "rules": firewall.rules(),
        "logs": [str(link) for link in Path("/var/log/containers").glob("*.log") if str(state) in str(link.readlink())],
        "folders": [folder for folder in (state, *FOLDERS) if folder.exists()],
    }
