"""`trimtab` before a real API server: what it says when there is nothing to show."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from cluster import layout
from tests.cluster.kubectl import Kubectl


def command(*arguments: str, **more: str) -> tuple[int, str, str]:
    """Exit code and both outputs of `trimtab`."""
    environment = {"KUBECONFIG": str(layout.KUBECONFIG), **os.environ, "COLUMNS": "200", **more}
    line = [sys.executable, "-m", "trimtab.cli", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment)
    return done.returncode, done.stdout, done.stderr


def refused(*arguments: str, **more: str) -> str:
    """The words of a refusal: one line, and no traceback."""
    code, _, said = command(*arguments, **more)
    assert code == 1, said
    assert "Traceback" not in said
    return " ".join(said.split())


def test_a_deployment_that_is_not_there_is_told_in_the_servers_words(space: Kubectl) -> None:
    said = refused("drift", "mdep/late", "--namespace", space.namespace)
    assert said == 'modeldeployments.trimtab.dev "late" not found'


def test_one_that_serves_nothing_yet_says_where_the_reason_is(space: Kubectl) -> None:
    body = {
        "apiVersion": "trimtab.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "late"},
        "spec": {"modelRef": {"name": "late"}},
    }
    space.do("apply", "-f", "-", given=body)
    said = refused("drift", "late", "-n", space.namespace)
    assert said == "late serves no version yet: kubectl describe modeldeployment late says why"


def test_another_kind_is_refused_before_anybody_is_asked() -> None:
    assert refused("drift", "model/late") == "'model' is no kind with drift: write mdep/<name>"


def test_a_name_cannot_leave_its_path(space: Kubectl) -> None:
    said = refused("drift", "mdep/..%2f..%2fsecrets", "-n", space.namespace)
    assert said == """Name parameter invalid: "..%2f..%2fsecrets": may not contain '%'"""


def test_no_kubeconfig_and_an_unknown_context_say_what_to_set(tmp_path: Path) -> None:
    nothing = str(tmp_path / "none")
    assert "Set KUBECONFIG, or choose another --context" in refused("drift", "late", KUBECONFIG=nothing)
    assert "Set KUBECONFIG, or choose another --context" in refused("drift", "late", "--context", "elsewhere")


def test_an_api_server_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    config = yaml.safe_load(layout.KUBECONFIG.read_text())
    for each in config["clusters"]:
        each["cluster"]["server"] = "https://127.0.0.1:1"
    gone = tmp_path / "kubeconfig"
    gone.write_text(yaml.safe_dump(config))
    assert "the API server does not answer" in refused("drift", "late", KUBECONFIG=str(gone))


def test_help_lists_the_verbs() -> None:
    code, said, _ = command("--help")
    assert code == 0
    assert "drift" in said
