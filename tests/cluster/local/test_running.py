"""What `python3 -m cluster` promises of a cluster that is up."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from cluster import debian
from tests.cluster.kubectl import eventually
from tests.cluster.local.machine import (
    NAMESPACE,
    OWN,
    PROJECT,
    RESTRICTED,
    SHARED,
    cluster,
    component_pids,
    kubectl,
    run_job,
)


def test_up_changes_nothing_when_all_is_well(shared: None) -> None:
    before = component_pids()
    cluster("up")
    assert component_pids() == before


def test_status_names_every_component_and_a_ready_node(shared: None) -> None:
    lines = cluster("status").stdout.splitlines()
    assert {line.split()[0] for line in lines if " running " in line} >= {
        "etcd",
        "apiserver",
        "kubelet",
        "containerd",
        "s3",
    }
    assert lines[-1] == "node Ready"


def test_the_kubeconfig_works_from_any_folder(shared: None, tmp_path: Path) -> None:
    path = cluster("kubeconfig").stdout.strip()
    kubectl_binary = next(Path(f"/proc/{pid}/exe").readlink() for pid in component_pids()["apiserver"]).with_name(
        "kubectl"
    )
    command: list[str | Path] = [kubectl_binary, "--kubeconfig", path, "get", "nodes", "-o", "name"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "node/local\n"


def test_a_restricted_job_hands_back_its_termination_message_and_logs(shared: None) -> None:
    assert run_job("message", "busybox id -u > /scratch/message; echo logged") == "65535\n"  # the image's own user
    assert kubectl("logs", "job/message") == "logged\n"


def test_a_restricted_pod_writes_to_a_volume_of_the_default_storage_class(shared: None) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    kubectl("apply", "-f", "-", text=json.dumps(claim))
    user = {**RESTRICTED, "runAsUser": 65532}
    run_job("writer", "echo kept > /scratch/file", claim="data", securityContext=user)
    reader = "cat /scratch/file > /scratch/message; busybox stat -c %u /scratch/file >> /scratch/message"
    assert run_job("reader", reader, claim="data", securityContext=user) == "kept\n65532\n"


def fetched(url: str) -> str:
    """What the host gets from an address; nothing while the proxy has not heard of it yet."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_a_service_answers_by_its_cluster_address_from_host_and_pod(web: str) -> None:
    eventually(lambda: fetched(f"http://{web}/hostname").startswith("web-"), within=30)
    for pod in kubectl(
        "get", "pods", "-l", "app=web", "-o", "name"
    ).split():  # each reaches the service, itself included
        assert kubectl("exec", pod, "--", "wget", "-qO-", f"http://{web}/hostname").startswith("web-")


def test_up_lets_pods_through_a_firewall_that_drops_by_default(web: str, strict_firewall: None) -> None:
    pod = kubectl("get", "pods", "-l", "app=web", "-o", "name").split()[0]
    wget = ("busybox", "timeout", "2", "wget", "-qO-", f"http://{web}/hostname")
    call = ("kubectl", "--namespace", NAMESPACE, "exec", pod, "--", *wget)
    answers = [cluster(*call, ok=False).returncode for _ in range(8)]  # one of two servers is the caller itself
    assert any(answers)
    cluster("up")
    assert not any(cluster(*call, ok=False).returncode for _ in range(8))


def test_the_s3_server_is_reached_from_a_pod(shared: None) -> None:
    settings = json.loads(cluster("s3").stdout)
    assert set(settings) == {"endpoint", "region", "bucket", "accessKeyId", "secretAccessKey"}
    script = f"wget -S -O- {settings['endpoint']}/{settings['bucket']} > /scratch/message 2>&1; true"
    assert "403" in run_job("s3", script)  # it answers, and lets nobody in without a signature


def test_the_audit_log_has_every_write_and_no_read(shared: None) -> None:
    log = Path(cluster("audit").stdout.strip())
    start = log.stat().st_size
    kubectl("create", "configmap", "audited")
    kubectl("get", "configmap", "audited")
    kubectl("delete", "configmap", "audited")
    lines = log.read_bytes()[start:].splitlines(keepends=True)
    events = [json.loads(line) for line in lines if line.endswith(b"\n")]
    ours = [
        event["verb"]
        for event in events
        if event["objectRef"].get("name") == "audited" and event["user"]["username"] == "admin"
    ]
    assert ours == ["create", "delete"]


def test_a_restarted_api_server_serves_the_same_objects(shared: None) -> None:
    kubectl("create", "configmap", "before")
    before = component_pids()
    cluster("restart", "apiserver")
    after = component_pids()
    assert after["apiserver"] != before["apiserver"]
    assert after["etcd"] == before["etcd"]
    assert kubectl("delete", "configmap", "before", "-o", "name") == "configmap/before\n"


def test_a_stopped_component_stays_ended_until_up(shared: None) -> None:
    cluster("stop", "scheduler")
    assert cluster("status", ok=False).returncode == 1
    cluster("up")
    assert "scheduler" in component_pids()


def test_a_second_cluster_beside_a_running_one_is_refused(shared: None) -> None:
    said = cluster("up", state=OWN, ok=False)
    assert said.returncode == 1
    assert f"TRIMTAB_CLUSTER_STATE={SHARED}" in said.stderr
    assert not OWN.exists()


def test_who_is_not_root_is_told_so() -> None:
    # The interpreter may lie in a folder that only root can read, so that one capability is kept.
    drop = [
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]
    said = subprocess.run(
        [*drop, sys.executable, "-m", "cluster", "up"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    assert said.stderr.startswith("error: the local cluster needs root")


def test_missing_packages_are_named_by_what_they_bring() -> None:
    needs = {"sh": "dash", "no-such-command": "some-package", "/usr/include/no-such-*.h": "some-library"}
    assert debian.missing(needs) == ["some-library", "some-package"]


def test_an_unknown_state_is_told_what_to_do(tmp_path: Path) -> None:
    said = cluster("kubeconfig", state=tmp_path / "none", ok=False)
    assert said.returncode == 1
    assert "python3 -m cluster up" in said.stderr


def test_prometheus_runs_with_the_configuration_it_is_given(shared: None, tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yaml"
    rules = {"groups": [{"name": "probe", "rules": [{"alert": "AlwaysOn", "expr": "vector(1)"}]}]}
    (tmp_path / "rules.yaml").write_text(json.dumps(rules))
    config.write_text(json.dumps({"global": {"evaluation_interval": "1s"}, "rule_files": ["rules.yaml"]}))
    url = cluster("prometheus", "--config", str(config)).stdout.strip()
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/api/v1/rules", timeout=10) as answer:
        [group] = json.load(answer)["data"]["groups"]
    assert group["rules"][0]["name"] == "AlwaysOn"
    cluster("stop", "prometheus")
    assert "prometheus" not in component_pids()


def test_alertmanager_runs_with_the_configuration_it_is_given_and_status_knows_it(shared: None, tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yaml"
    config.write_text(json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}))
    url = cluster("alertmanager", "--config", str(config)).stdout.strip()
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{url}/api/v2/status", timeout=10) as answer:
        status = json.load(answer)
    assert "receiver: nobody" in status["config"]["original"]
    assert status["cluster"]["status"] == "disabled"
    assert any(line.startswith("alertmanager ") and " running " in line for line in cluster("status").stdout.splitlines())
    cluster("stop", "alertmanager")
    assert "alertmanager" not in component_pids()


def test_prometheus_with_a_broken_configuration_says_what_is_wrong(shared: None, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("no_such_setting: 1\n")
    said = cluster("prometheus", "--config", str(tmp_path / "broken.yaml"), ok=False)
    assert said.returncode == 1
    assert "no_such_setting" in said.stderr
