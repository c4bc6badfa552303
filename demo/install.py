"""Installs Trimtab from manifests/ with images that were just built: an overlay in build/, applied with kubectl.

The overlay is what an admin would write for his own registry; it names the three images and nothing else.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
OVERLAY = ROOT / "build" / "overlay"
CLUSTER = [sys.executable, "-m", "cluster"]


class InstallError(Exception):
    """A command failed; the text is what it said."""


def cluster(*words: str) -> str:
    """One verb of the local cluster; its progress goes to the terminal, its answer is returned."""
    done = subprocess.run([*CLUSTER, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise InstallError(f"python3 -m cluster {' '.join(words)} failed")
    return done.stdout


def images() -> dict[str, str]:
    """Builds what changed and returns the references of operator, server and trainer."""
    built: dict[str, str] = json.loads(cluster("images"))
    return built


def overlay(built: Mapping[str, str]) -> Path:
    """Writes the kustomization that sets the three images."""
    name, _, tag = built["operator"].rpartition(":")
    variables = [
        {"name": f"TRIMTAB_{image.upper()}_IMAGE", "value": built[image]} for image in ("server", "trainer")
    ]
    patch: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "trimtab-operator", "namespace": "trimtab-system"},
        "spec": {"template": {"spec": {"containers": [{"name": "operator", "env": variables}]}}},
    }
    body = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../manifests"],
        "images": [{"name": "trimtab-operator", "newName": name, "newTag": tag}],
        "patches": [{"patch": json.dumps(patch)}],
    }
    shutil.rmtree(OVERLAY, ignore_errors=True)
    OVERLAY.mkdir(parents=True)
    (OVERLAY / "kustomization.yaml").write_text(json.dumps(body, indent=2))
    return OVERLAY


def install(built: Mapping[str, str], kubectl: list[str]) -> None:
    """Applies definitions, roles, policies and operator, and waits until the operator is there. `kubectl`: the command."""
    folder = str(overlay(built))
    _run([*kubectl, "apply", "--server-side", "--force-conflicts", "--filename", "-"], _run([*kubectl, "kustomize", folder]))
    system = [*kubectl, "--namespace", "trimtab-system"]
    _run([*system, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"])
    _run([*system, "scale", "deployment/trimtab-operator", "--replicas=2"])
    _run([*system, "rollout", "status", "deployment/trimtab-operator", "--timeout=180s"])


def _run(command: list[str], text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InstallError(f"{' '.join(command[:4])} … failed:\n{done.stderr}")
    return done.stdout
