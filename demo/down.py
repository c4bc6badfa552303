"""`make demo-down`: ends what the demo left running, on the cluster that it ran on. Needs nothing but the standard library."""

import os
import subprocess
import sys
from pathlib import Path

from cluster import layout

ROOT = Path(__file__).parent.parent
NAMESPACE = "flights"


def own_cluster() -> bool:
    """Whether KUBECONFIG names a cluster of the user's own, and not the one that `python3 -m cluster up` brought up."""
    given = os.environ.get("KUBECONFIG")
    return bool(given) and Path(given or "").expanduser().absolute() != layout.KUBECONFIG


def main() -> int:
    """Ends the local cluster as a whole; in the user's own, the demo's namespace and nothing else. Returns the exit code."""
    if not own_cluster():
        return subprocess.run([sys.executable, "-m", "cluster", "down"], cwd=ROOT, check=False).returncode
    command = ["kubectl", "delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true"]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code == 0:
        print("The operator and its kinds stay, since others may use them; docs/operations.md says how to uninstall them.")
    return code


if __name__ == "__main__":
    sys.exit(main())
