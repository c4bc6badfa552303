"""The operator process: the only place that imports kopf, the Kubernetes client and the server side of the Prometheus client.

One loop for every kind: `observe` reads the cache, a pure planner in `trimtab.plan` decides, `apply` writes.
"""
