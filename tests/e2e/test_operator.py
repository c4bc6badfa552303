"""The operator as it is installed: its rights, its second replica, the API server's restart, and its silence."""

import json
import time
from datetime import datetime
from typing import Any

from cluster import layout
from demo import install
from tests.cluster.kubectl import Kubectl, eventually
from tests.e2e.shop import Space, deployment
from tests.e2e.test_serving import classifier

ACCOUNT = "system:serviceaccount:trimtab-system:trimtab-operator"
IDLE_SECONDS = 120


def leader() -> str:
    """Name of the pod that holds the Lease."""
    return str(Kubectl("trimtab-system").get("lease/trimtab-operator")["spec"].get("holderIdentity", ""))


def written_since(moment: float) -> list[dict[str, Any]]:
    """Writes of the operator's account in the API server's audit log, but for the Lease."""
    entries = [json.loads(line) for line in layout.AUDIT.read_text().splitlines()]
    return [
        entry
        for entry in entries
        if entry["user"]["username"] == ACCOUNT
        and datetime.fromisoformat(entry["stageTimestamp"]).timestamp() > moment
        and entry["objectRef"]["resource"] != "leases"
    ]


def test_the_account_may_do_what_it_needs_and_nothing_with_secrets(operator: dict[str, str]) -> None:
    kubectl = Kubectl("default")
    for verb, what, allowed in (
        ("create", "jobs.batch", True),
        ("patch", "models.trimtab.dev status", True),
        ("patch", "models.trimtab.dev", False),
        ("get", "secrets", False),
        ("list", "secrets", False),
        ("create", "pods", False),
        ("create", "pods exec", False),
        ("get", "pods log", False),
        ("impersonate", "serviceaccounts", False),
        ("*", "*", False),
    ):
        resource, _, part = what.partition(" ")
        said = kubectl.run("auth", "can-i", verb, resource, f"--subresource={part}", f"--as={ACCOUNT}").stdout.strip()
        assert said == ("yes" if allowed else "no"), (verb, what)


def test_the_other_replica_takes_over_when_the_leader_is_killed(space: Space) -> None:
    system = Kubectl("trimtab-system")
    before = leader()
    system.do("delete", f"pod/{before}", "--grace-period=0", "--force")
    eventually(lambda: leader() not in ("", before), within=40)
    space.apply(deployment("after", artifact=space.artifact(classifier()), replicas=0))
    eventually(lambda: space.is_so("mdep/after", "Ready", "True"), within=40)
    eventually(lambda: system.get("deployment/trimtab-operator")["status"].get("readyReplicas") == 2, within=60)


def test_an_api_server_that_restarts_is_worked_with_again(space: Space) -> None:
    space.apply(deployment("survivor", artifact=space.artifact(classifier()), replicas=0))
    eventually(lambda: space.is_so("mdep/survivor", "Ready", "True"), within=40)
    install.cluster("restart", "apiserver")
    space.apply(deployment("later", artifact=space.artifact(classifier()), replicas=0))
    eventually(lambda: space.is_so("mdep/later", "Ready", "True"), within=90)
    eventually(lambda: space.is_so("mdep/survivor", "Ready", "True"), within=30)


def test_nothing_is_written_but_the_lease_while_nothing_changes(space: Space) -> None:
    space.apply(
        deployment("quiet", artifact=space.artifact(classifier())),
        deployment("empty", artifact=space.artifact(classifier()), replicas=0),
        deployment("stuck", modelRef={"name": "nobody"}),
    )
    eventually(lambda: space.is_so("mdep/quiet", "InDistribution", "Unknown", "NoReference"), within=90)
    eventually(lambda: space.is_so("mdep/empty", "Ready", "True"), within=30)
    eventually(lambda: space.is_so("mdep/stuck", "Ready", "False", "ModelNotFound"), within=30)
    eventually(_quiet_for_ten_seconds, within=120)
    began = time.time()
    eventually(lambda: time.time() - began > IDLE_SECONDS, within=IDLE_SECONDS + 10)
    assert written_since(began) == []


def _quiet_for_ten_seconds() -> bool:
    return written_since(time.time() - 10) == []
