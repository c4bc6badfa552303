"""What docs/operations.md says of an upgrade: no server restarts by it, and one command moves a deployment's servers."""

from tests import make
from tests.unit.docs.pages import ROOT, blocks
from trimtab.plan import modeldeployment, rollout
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Object

OLD, NEW = (Defaults(server_image=f"server:{number}", trainer_image=f"trainer:{number}") for number in (1, 2))


def wanted(defaults: Defaults, *children: Object) -> Object:
    """The Deployment that an operator with these images wants."""
    version = make.version(1)
    observed = rollout.Observed(
        deployment=make.deployment(modelRef={"name": make.MODEL}),
        model=make.model(status={"champion": make.identity(version)}),
        versions=(version,),
        children=children,
        service=None,
        pods={},
        judged=None,
        defaults=defaults,
    )
    plan = modeldeployment.plan(observed, make.NOW)
    found: Object = next(child.obj for child in plan.children if child.kind == "Deployment")
    return found


def live(without: str | None = None) -> Object:
    """The Deployment that the old operator made, perhaps with an annotation removed."""
    made = wanted(OLD)
    annotations = {name: text for name, text in made["metadata"]["annotations"].items() if name != without}
    return {**made, "metadata": {**made["metadata"], "uid": "uid", "generation": 1, "annotations": annotations}}


def test_a_server_keeps_its_image_over_an_upgrade() -> None:
    assert rollout.image_of(wanted(NEW, live())) == "server:1"


def test_the_documented_command_moves_the_servers_to_the_new_image() -> None:
    commands = [line for block in blocks("") if block.page == ROOT / "docs" / "operations.md" for line in block.text.splitlines()]
    annotation = next(line.split()[-1].removesuffix("-") for line in commands if " annotate " in line)
    assert annotation in live()["metadata"]["annotations"]
    assert rollout.image_of(wanted(NEW, live(without=annotation))) == "server:2"
