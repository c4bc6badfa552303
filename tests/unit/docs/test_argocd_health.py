"""What Argo CD would say of an object: its health script, run by the Lua it uses."""

from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime

from tests.unit.docs.pages import ROOT

PATCH = ROOT / "manifests" / "argocd" / "argocd-cm.yaml"
GONE = "2026-01-01T00:00:00Z"


def health(obj: Any) -> tuple[str, str]:
    """Status and message of an object. Only what Argo CD leaves to a script is there: no files, no processes, no modules."""
    lua = LuaRuntime(register_eval=False, register_builtins=False, unpack_returned_tuples=True)
    script = next(iter(yaml.safe_load(PATCH.read_text())["data"].values()))
    lua.globals().obj = lua.table_from(obj, recursive=True)
    for name in ("io", "os", "package", "require", "dofile", "loadfile", "debug", "string", "math", "coroutine"):
        lua.globals()[name] = None
    told = lua.execute(script)
    return told["status"], told["message"]


def seen(*conditions: tuple[str, str], generation: int = 2, observed: int = 2, **more: Any) -> dict[str, Any]:
    listed = [
        {"type": kind, "status": status, "reason": f"Why{kind}", "message": f"{kind} it is"} for kind, status in conditions
    ]
    status = {"observedGeneration": observed, "conditions": listed}
    return {"metadata": {"generation": generation}, "spec": {}, "status": status, **more}


@pytest.mark.parametrize(
    ("obj", "status", "message"),
    [
        pytest.param({"metadata": {"generation": 1}, "spec": {}}, "Progressing", "not seen", id="no status"),
        pytest.param(seen(("Ready", "True"), observed=-1), "Progressing", "not seen", id="just created"),
        pytest.param(seen(("Ready", "True"), observed=1), "Progressing", "not seen", id="changed since"),
        pytest.param(seen(("Ready", "True")), "Healthy", "Ready it is", id="ready"),
        pytest.param(seen(("Ready", "False"), ("Reconciling", "True")), "Progressing", "Ready it is", id="at work"),
        pytest.param(seen(), "Progressing", "at work", id="no conditions"),
        pytest.param(seen(("Ready", "False"), ("Stalled", "True")), "Degraded", "WhyStalled: Stalled it is", id="stalled"),
        pytest.param(seen(("Ready", "True"), ("Succeeded", "False")), "Degraded", "WhySucceeded", id="a run that failed"),
        pytest.param(seen(("Ready", "True"), ("Succeeded", "Unknown")), "Healthy", "Ready", id="a run under way"),
        pytest.param(seen(("Ready", "True"), spec={"suspend": True}), "Suspended", "suspend", id="suspended"),
        pytest.param(seen(("Stalled", "True"), spec={"suspend": True}), "Degraded", "Stalled", id="suspended and stalled"),
        pytest.param(seen(("Ready", "True"), ("InDistribution", "False")), "Healthy", "Ready", id="drift"),
    ],
)
def test_health_follows_the_conditions(obj: Any, status: str, message: str) -> None:
    found = health(obj)
    assert found[0] == status
    assert message in found[1]


def test_an_object_that_is_being_deleted_is_progressing() -> None:
    obj = seen(("Ready", "True"))
    obj["metadata"]["deletionTimestamp"] = GONE
    assert health(obj)[0] == "Progressing"
