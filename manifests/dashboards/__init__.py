"""The source of the Grafana dashboards beside it: `python -m manifests.dashboards manifests/dashboards/` writes the JSON."""
