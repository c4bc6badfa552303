"""`make bench-operator`: 1,000 ModelDeployments with `replicas: 0` at once, beside a bare client that makes the same writes.

The bare client knows the objects beforehand and does nothing but write them, 8 at once; both are timed until every Deployment
was observed by its controller and every status says Ready. Written to build/bench/operator.json. Fails no build.
"""

import asyncio
import base64
import json
import os
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from cluster import layout
from tests.cluster.kubectl import ROOT, Kubectl, eventually
from tests.cluster.operation import Operation, kubeconfig

SIZES = (300, 1000, 3000)
DIGEST = "sha256:" + "0" * 64
AT_ONCE = 8
API = "/apis/trimtab.dev/v1alpha1/namespaces"
IDLE_SECONDS = 60
SENTINELS = 20
OUT = ROOT / "build" / "bench" / "operator.json"


def deployment(index: int) -> dict[str, Any]:
    """One ModelDeployment as a user would write it."""
    artifact = {"uri": "pvc://models/model.onnx", "digest": DIGEST, "format": "ONNX"}
    return {
        "apiVersion": "trimtab.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": f"m{index}"},
        "spec": {"artifact": artifact, "replicas": 0},
    }


class Bare:
    """A client that writes what it is told and waits until the controllers have seen it."""

    def __init__(self, session: aiohttp.ClientSession, server: str, namespace: str) -> None:
        self._session, self._server, self._namespace = session, server, namespace
        self._operator = {"Authorization": f"Bearer {_operator_token()}"}
        self._children: dict[str, str] = {}

    async def create(self, count: int) -> None:
        """All ModelDeployments, 8 at once."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> None:
            async with gate:
                await self.post(f"{API}/{self._namespace}/modeldeployments", deployment(index))

        await asyncio.gather(*[one(index) for index in range(count)])

    async def copy(self, count: int, template: list[dict[str, Any]], status: dict[str, Any]) -> None:
        """All ModelDeployments, each with its children and its status, 8 objects at once."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(index: int) -> None:
            async with gate:
                parent = await self.post(f"{API}/{self._namespace}/modeldeployments", deployment(index))
                children = [_renamed(child, f"m{index}", parent["metadata"]["uid"]) for child in template]
                self._children[f"m{index}"] = next(c["metadata"]["name"] for c in children if c["kind"] == "Deployment")
                await asyncio.gather(*[self.apply(_path(child, self._namespace), child) for child in children])
                path = f"{API}/{self._namespace}/modeldeployments/m{index}/status"
                body = {"apiVersion": parent["apiVersion"], "kind": parent["kind"], "metadata": {"name": f"m{index}"}}
                await self.apply(path, {**body, "status": json.loads(json.dumps(status).replace("m0", f"m{index}"))})

        await asyncio.gather(*[one(index) for index in range(count)])

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(self._server + path, json=body) as answer:
            found: dict[str, Any] = await answer.json()
            assert answer.status == 201, found
            return found

    async def apply(self, path: str, body: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/apply-patch+yaml", **self._operator}
        query = {"fieldManager": "trimtab", "force": "true"}
        async with self._session.patch(self._server + path, params=query, data=json.dumps(body), headers=headers) as answer:
            assert answer.status in (200, 201), await answer.text()

    async def settled(self, count: int, *, ready: bool) -> None:
        """Returns when every Deployment was observed and, if asked for, every status says Ready.

        Whole lists are asked for only once a few single objects are there: they would slow down what is measured.
        """
        for index in sorted({*range(0, count, max(1, count // SENTINELS)), count - 1}):
            while True:
                if await self._settled_one(f"m{index}", ready=ready):
                    break
                await asyncio.sleep(0.1)
        while True:
            children = await self.listed(f"/apis/apps/v1/namespaces/{self._namespace}/deployments")
            parents = await self.listed(f"{API}/{self._namespace}/modeldeployments") if ready else []
            if len(children) == count and all(map(_observed, children)) and all(map(_ready, parents)):
                return
            await asyncio.sleep(0.25)

    async def _settled_one(self, parent: str, *, ready: bool) -> bool:
        if ready:
            found = await self.listed(f"{API}/{self._namespace}/modeldeployments", f"metadata.name={parent}")
            return bool(found) and _ready(found[0])
        named = self._children[parent]
        found = await self.listed(f"/apis/apps/v1/namespaces/{self._namespace}/deployments", f"metadata.name={named}")
        return bool(found) and _observed(found[0])

    async def listed(self, path: str, fields: str = "") -> list[dict[str, Any]]:
        """What the server's own cache has."""
        async with self._session.get(self._server + path, params={"resourceVersion": "0", "fieldSelector": fields}) as answer:
            found: list[dict[str, Any]] = (await answer.json())["items"]
            return found


def _observed(deployment: dict[str, Any]) -> bool:
    return bool(deployment.get("status", {}).get("observedGeneration") == deployment["metadata"]["generation"])


def _ready(parent: dict[str, Any]) -> bool:
    conditions = parent.get("status", {}).get("conditions", ())
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)



def _path(child: dict[str, Any], namespace: str) -> str:
    plurals = {"Deployment": "deployments", "Service": "services", "NetworkPolicy": "networkpolicies"}
    group = child["apiVersion"] if "/" in child["apiVersion"] else ""
    root = f"/apis/{group}" if group else "/api/v1"
    return f"{root}/namespaces/{namespace}/{plurals[child['kind']]}/{child['metadata']['name']}"


def _renamed(child: dict[str, Any], name: str, uid: str) -> dict[str, Any]:
    """A child of m0 as a child of another."""
    copied: dict[str, Any] = json.loads(json.dumps(child).replace("m0", name))
    copied["metadata"]["ownerReferences"][0]["uid"] = uid
    return copied


@contextmanager
def space(name: str) -> Iterator[Kubectl]:
    kubectl = Kubectl(name)
    kubectl.run("create", "namespace", name)
    try:
        yield kubectl
    finally:
        Kubectl().do("delete", "namespace", name, "--wait=true", "--timeout=600s")


def _session() -> tuple[aiohttp.ClientSession, str]:
    config = yaml.safe_load(layout.KUBECONFIG.read_text())
    cluster = config["clusters"][0]["cluster"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    connector = aiohttp.TCPConnector(ssl=context, limit=64)
    return aiohttp.ClientSession(headers=headers, connector=connector), cluster["server"]


def _operator_token() -> str:
    """Users create the parents; status is the operator's alone, so the bare client writes it under that account."""
    with tempfile.TemporaryDirectory() as folder:
        made = yaml.safe_load(kubeconfig(Path(folder)).read_text())
    return str(made["users"][0]["user"]["token"])


def resident(pid: int) -> float:
    """Megabytes of resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def writes(since: float) -> int:
    """Writes of the operator's account in the audit log since then, Leases and Events not counted."""
    found = 0
    for line in layout.AUDIT.read_text().splitlines():
        entry = json.loads(line)
        resource = entry.get("objectRef", {}).get("resource")
        if entry["user"]["username"].endswith(":trimtab-operator") and resource not in ("leases", "events"):
            found += _seconds(entry["stageTimestamp"]) > since
    return found


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


async def _floor(count: int, namespace: str, template: list[dict[str, Any]], status: dict[str, Any]) -> float:
    session, server = _session()
    async with session:
        bare = Bare(session, server, namespace)
        started = time.monotonic()
        await bare.copy(count, template, status)
        await bare.settled(count, ready=False)
        return time.monotonic() - started


async def _ours(count: int, namespace: str) -> float:
    session, server = _session()
    async with session:
        bare = Bare(session, server, namespace)
        started = time.monotonic()
        await bare.create(count)
        await bare.settled(count, ready=True)
        return time.monotonic() - started


def sample() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Children and status that the operator makes for m0, as it means them."""
    ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    with (
        space("bench-sample") as kubectl,
        tempfile.TemporaryDirectory() as folder,
        Operation(Path(folder), kubectl.namespace),
    ):
        kubectl.do("apply", "-f", "-", given=deployment(0))
        eventually(lambda: "True" in kubectl.do("get", "mdep/m0", "-o", ready))
        kinds = ("networkpolicies", "services", "deployments")
        found = [_intent(item) for kind in kinds for item in kubectl.get(kind)["items"]]
        return found, kubectl.get("mdep/m0")["status"]


def _intent(item: dict[str, Any]) -> dict[str, Any]:
    """The object without what the server added."""
    meta = {key: item["metadata"][key] for key in ("name", "labels", "annotations", "ownerReferences")}
    meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k.startswith("trimtab.dev/")}
    spec = dict(item["spec"])
    for key in ("clusterIP", "clusterIPs", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy", "sessionAffinity"):
        spec.pop(key, None)
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": meta, "spec": spec}


def measure(count: int, template: list[dict[str, Any]], status: dict[str, Any]) -> dict[str, float]:
    """One size: the floor, then the operator on an equal cluster, then its restart and its idling."""
    with space(f"floor-{count}"):
        floor = asyncio.run(_floor(count, f"floor-{count}", template, status))
    with (
        space(f"bench-{count}") as kubectl,
        tempfile.TemporaryDirectory() as folder,
        Operation(Path(folder), kubectl.namespace) as operation,
    ):
        eventually(lambda: "watching" in operation.log, within=30)
        spent = asyncio.run(_ours(count, kubectl.namespace))
        assert operation.pid is not None
        memory = resident(operation.pid)
        before = time.time()
        operation.kill()
        eventually(lambda: operation.log.count("watching") == 2, within=60)
        time.sleep(20)
        restarted = writes(before)
        used, began = processor(operation.pid), time.monotonic()
        time.sleep(IDLE_SECONDS)
        idle = (processor(operation.pid) - used) / (time.monotonic() - began)
        memory = max(memory, resident(operation.pid))
    return {"floor": floor, "ours": spent, "memory": memory, "restarted": restarted, "idle": idle}


def row(
    case: str, metric: str, unit: str, ours: float, peer: str, value: float, floor: float | None, goal: float
) -> dict[str, Any]:
    """One line of the result: less is better in all of them, so the ratio is the peer's value over ours."""
    ratio = value / ours if ours else None
    return {
        "case": case, "metric": metric, "unit": unit, "better": "lower", "ours": round(ours, 4),
        "peers": {peer: round(value, 4)}, "bestPeer": peer, "ratio": round(ratio, 3) if ratio else None,
        "floor": floor, "goal": goal,
    }


def main() -> int:
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    rounds = int(os.environ.get("TRIMTAB_BENCH_ROUNDS", "1"))
    Kubectl("trimtab-system").run("scale", "deployment/trimtab-operator", "--replicas=0")
    template, status = sample()
    rows = []
    print(f"{'deployments':>11} {'floor s':>8} {'ours s':>8} {'ratio':>6} {'MB':>6} {'restart writes':>21} {'idle core':>10}")
    for count in sizes:
        taken = [measure(count, template, status) for _ in range(rounds)]
        found = {key: statistics.median(entry[key] for entry in taken) for key in taken[0]}
        ratio = found["ours"] / found["floor"]
        print(
            f"{count:11} {found['floor']:8.1f} {found['ours']:8.1f} {ratio:6.2f} {found['memory']:6.0f} "
            f"{found['restarted']:21.0f} {found['idle']:10.2%}",
            flush=True,
        )
        case = f"{count} ModelDeployments at once"
        rows += [
            row(case, "time until settled", "s", found["ours"], "bare client", found["floor"], 0.77, 0.87),
            row(case, "resident memory", "MB", found["memory"], "limit", 150, 1.0, 1.25),
            row(case, "writes after a restart", "writes", found["restarted"], "limit", 0, None, 0),
            row(case, "idle CPU", "share of a core", found["idle"], "limit", 0.01, 1.0, 2.0),
        ]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=2))
    print(f"written to {OUT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
