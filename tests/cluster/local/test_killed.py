"""A cluster that was killed, damaged or hindered, and what is left when it is taken down.

These tests kill the cluster that other tests share, but keep its data and leave it up. Those that need a cluster of
their own give it another state folder while the shared one is at rest.
"""

import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster import cgroups, network
from cluster.nodeimage import REFERENCE as NODE_IMAGE
from tests.cluster.local.machine import (
    SHARED,
    cluster,
    component_pids,
    kill,
    kubectl,
    run_job,
    traces,
)


def test_pods_go_on_while_containerd_is_gone_and_come_back(web: str) -> None:
    shims = sorted(cgroups.members(cgroups.tracking() / "shims"))
    kill(component_pids()["containerd"])
    cluster("up")
    assert sorted(cgroups.members(cgroups.tracking() / "shims")) == shims
    pod = kubectl("get", "pods", "-l", "app=web", "-o", "name").split()[0]
    assert kubectl("exec", pod, "--", "cat", "/etc/hostname").startswith("web-")


@pytest.mark.parametrize("survivors", ["nothing", "pods"])
def test_a_killed_cluster_comes_up_again_with_its_objects(web: str, survivors: str) -> None:
    kubectl("create", "configmap", f"survivor-{survivors}")
    kept = set(cgroups.members(cgroups.tracking() / "shims")) | set(cgroups.members(cgroups.tracking() / "kubepods"))
    kill([pid for pid in cgroups.members() if survivors == "nothing" or pid not in kept])
    said = cluster("up").stderr
    assert "recovered from a cluster that had been killed" in said
    assert not kept & set(cgroups.members()), "a process of the killed cluster lives on"
    kubectl("get", "configmap", f"survivor-{survivors}")
    assert run_job(f"after-{survivors}", "echo alive > /scratch/message") == "alive\n"
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")


def test_a_strangers_process_is_left_alone_whatever_it_is_called(shared: None) -> None:
    name = f"kubelet --root-dir={SHARED}/kubelet/root"
    with subprocess.Popen([name, "1000"], executable="/bin/sleep") as stranger:
        kill(cgroups.members())
        cluster("up")
        assert stranger.poll() is None
        stranger.kill()


def test_down_leaves_nothing_behind_not_even_of_a_killed_cluster(strict_firewall: None, own: Path) -> None:
    settings = {name: Path("/proc/sys", name).read_text() for name in network.SYSCTLS}
    cluster("up", state=own)
    kubectl("run", "sleeper", "--image", NODE_IMAGE, "--command", "--", "sleep", "1000", state=own, namespace="default")
    kubectl("wait", "--for=condition=Ready", "pod/sleeper", "--timeout=60s", state=own, namespace="default")
    seen = traces(own)
    assert all(seen.values()), f"this test does not see what it should: {seen}"
    kill(component_pids()["kubelet"] + component_pids()["containerd"])
    cluster("down", state=own)
    left = traces(own)
    left["links"] = sorted(set(left["links"]) & set(seen["links"]))
    assert not any(left.values()), left
    assert {name: Path("/proc/sys", name).read_text() for name in network.SYSCTLS} == settings


def test_two_that_bring_it_up_at_once_do_not_fight(own: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: cluster("up", state=own), range(2)))
    assert all(len(pids) == 1 for pids in component_pids().values()), component_pids()
    assert run_job("both", "echo once > /scratch/message", state=own, namespace="default") == "once\n"


@pytest.mark.parametrize("damaged", ["etcd/member/snap/db", "containerd/root/io.containerd.metadata.v1.bolt/meta.db"])
def test_data_that_a_power_cut_destroyed_is_made_anew(own: Path, damaged: str) -> None:
    cluster("up", state=own)
    kill(cgroups.members())
    (own / damaged).write_bytes(b"\xff" * 100_000)
    assert "made anew" in cluster("up", state=own).stderr
    assert run_job("anew", "echo anew > /scratch/message", state=own, namespace="default") == "anew\n"


def test_a_port_that_a_stranger_holds_is_named_with_its_holder(own: Path) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 10259))
        stranger.listen()
        said = cluster("up", state=own, ok=False)
    assert said.returncode == 1
    assert "127.0.0.1:10259, which the scheduler needs" in said.stderr
    assert f"process {os.getpid()} (" in said.stderr


def test_a_folder_with_somebody_elses_files_is_refused_and_kept(own: Path) -> None:
    own.mkdir()
    (own / "thesis.txt").write_text("years of work")
    said = cluster("up", state=own, ok=False)
    assert said.returncode == 1
    assert "holds files that are not the local cluster's" in said.stderr
    cluster("down", state=own)
    assert (own / "thesis.txt").read_text() == "years of work"
    (own / "thesis.txt").unlink()
    own.rmdir()
