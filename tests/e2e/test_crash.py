"""From data to a serving version with an operator that dies after every single write: the end is that of one that never dies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import Kubectl, eventually, namespace
from tests.cluster.operation import Operation
from tests.cluster.proxy import Proxy
from tests.cluster.worlds import world
from tests.e2e.shop import Bucket, Space, dataset, deployment, model
from tests.e2e.test_bad_input import csv, frame

SECONDS = 300


@pytest.fixture(scope="module")
def images(operator: dict[str, str]) -> Iterator[dict[str, str]]:
    """The operator's images, for a process of the test's; the installed operator rests meanwhile."""
    system = Kubectl("trimtab-system")
    system.do("scale", "deployment/trimtab-operator", "--replicas=0")
    eventually(lambda: not system.get("pods", "-l", "app.kubernetes.io/name=trimtab-operator")["items"], within=60)
    yield {f"TRIMTAB_{name.upper()}_IMAGE": operator[name] for name in ("server", "trainer")}
    system.do("scale", "deployment/trimtab-operator", "--replicas=2")
    system.do("rollout", "status", "deployment/trimtab-operator", "--timeout=120s")


def story(space: Space) -> list[str]:
    """Data, model and deployment are applied; the end is reached when the version serves and the looks are cleared away."""
    space.apply(
        space.bucket.secret(),
        deployment("loop", modelRef={"name": "loop"}),
        model("loop", space.bucket.place("crash/models"), "good"),
        dataset("good", space.bucket.place("crash/good.csv")),
    )
    eventually(lambda: space.serves("loop"), within=SECONDS)
    eventually(lambda: _at_rest(space), within=60)
    return world(space.kubectl)


def _at_rest(space: Space) -> bool:
    """Looks are gone, the run knows its version, and every user of the version is written on it."""
    looks = space.kubectl.get("jobs", "-l", "app.kubernetes.io/component=look")["items"]
    runs = space.kubectl.get("tjob")["items"]
    users = {user["kind"] for user in space.status("mdlv/loop-1").get("usedBy", ())}
    return not looks and all("modelVersionRef" in run.get("status", {}) for run in runs) and users == {"Model", "ModelDeployment"}


def test_an_operator_that_dies_after_every_write_closes_the_loop_all_the_same(
    images: dict[str, str], bucket: Bucket, tmp_path: Path
) -> None:
    bucket.put("crash/good.csv", csv(frame()))
    (tmp_path / "calm").mkdir()
    (tmp_path / "crash").mkdir()
    with namespace("calm") as kubectl, Operation(tmp_path / "calm", kubectl.namespace, None, **images):
        calm = story(Space(kubectl, bucket, "calm"))
    with (
        namespace("crash") as kubectl,
        Proxy(1, reply=None) as proxy,
        Operation(tmp_path / "crash", kubectl.namespace, proxy, **images),
    ):
        crashed = story(Space(kubectl, bucket, "crash"))
        assert len(kubectl.get("tjob")["items"]) == 1
        assert len(kubectl.get("mdlv")["items"]) == 1
        assert proxy.deaths > 10
    assert crashed == calm
