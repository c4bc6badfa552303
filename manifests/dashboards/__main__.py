"""`python -m manifests.dashboards manifests/dashboards/` writes the dashboards; with `--check` says which are stale."""

import sys

from manifests.dashboards import deployment, fleet, operator
from trimtab.api import generated


def files() -> dict[str, str]:
    """All files by name."""
    return {
        "trimtab-fleet.json": fleet.board(),
        "trimtab-deployment.json": deployment.board(),
        "trimtab-operator.json": operator.board(),
    }


if __name__ == "__main__":
    sys.exit(generated.main("manifests.dashboards", "*.json", files))
