"""The model server process: Open Inference Protocol V2 over HTTP, counts for the operator, metrics for Prometheus.

`loading` turns a fetched artifact into a `Served`; `tensors`, `values` and `answers` are the protocol, pure;
`batching` predicts; `recorder` counts; `inference` joins them; `pages` and `monitoring` are the routes; `process`
starts and stops.
Imports neither scipy nor pandas nor kopf; scikit-learn is imported by its engines alone.
"""
