"""`python -m manifests.alerts manifests/components/prometheus-operator/` writes the rules as an object of the Prometheus
operator; with `--check` says whether that is stale.
"""

import sys
import textwrap
from pathlib import Path

from trimtab.api import generated

RULES = Path(__file__).with_name("rules.yaml")
HEADER = """\
# Written by python -m manifests.alerts from manifests/alerts/rules.yaml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: trimtab
  namespace: trimtab-system
  labels: {app.kubernetes.io/part-of: trimtab}
spec:
"""


def files() -> dict[str, str]:
    """The one file, by name."""
    text = RULES.read_text()
    return {"rules.yaml": HEADER + textwrap.indent(text[text.index("groups:") :], "  ")}


if __name__ == "__main__":
    sys.exit(generated.main("manifests.alerts", "rules.yaml", files))
