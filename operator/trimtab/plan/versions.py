"""What becomes of a published result: the spec of its ModelVersion."""

import json
from collections.abc import Mapping
from typing import Any

from trimtab.api.wire.models import Signature
from trimtab.api.wire.runs import Published, Run, unpack
from trimtab.plan.intent import Object


def from_run(run: Run, published: Published, job: Mapping[str, Any]) -> Object:
    """The spec, but for Model and number, of the version that a run left in the store."""
    assert run.job is not None
    store = run.job.store.as_json()
    artifact: Object = {
        **{key: store[key] for key in ("endpoint", "region", "caBundle", "credentials") if key in store},
        "uri": published.uri,
        "digest": published.digest,
        "format": published.format,
        "bytes": published.bytes,
    }
    spec: Object = {
        "artifact": artifact,
        "metrics": [metric.as_json() for metric in published.metrics],
        "gates": [gate.as_json() for gate in published.gates],
        "lineage": _lineage(run, published, job),
    }
    if published.signature:
        spec["signature"] = signature(Signature.from_json(unpack(published.signature)))
    if published.profile_digest:
        spec["profile"] = {"digest": published.profile_digest}
    if published.parity:
        spec["parity"] = json.loads(published.parity.to_json())
    return spec


def signature(wire: Signature) -> Object:
    """The signature as the API spells it: labels are text, the datatype of the label output says what they are."""
    return {
        "inputs": [
            {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)} for tensor in wire.inputs
        ],
        "outputs": [
            {
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": list(tensor.shape),
                **({"labels": [label_text(label) for label in tensor.labels]} if tensor.labels else {}),
            }
            for tensor in wire.outputs
        ],
    }


def label_text(label: bool | int | float | str) -> str:
    """A label as text, as JSON writes it.

    >>> label_text(True), label_text(1), label_text("late")
    ('true', '1', 'late')
    """
    return label if isinstance(label, str) else json.dumps(label)


def _lineage(run: Run, published: Published, job: Mapping[str, Any]) -> Object:
    assert run.job is not None
    lineage: Object = {
        "trainingJob": {"name": job["metadata"]["name"], "uid": job["metadata"]["uid"]},
        "dataset": {"name": run.job.training.data.dataset_ref.name, "digest": published.data_digest},
        "image": run.job.image,
        "seed": run.job.training.seed,
    }
    for key, value in (
        ("trainedUntil", published.trained_until),
        ("twinTrainedUntil", published.twin_trained_until),
        ("parametersDigest", published.parameters_digest),
    ):
        if value:
            lineage[key] = value
    if run.job.champion is not None:
        lineage["champion"] = {
            "version": run.job.champion.version,
            "name": run.job.champion.name,
            "digest": run.job.champion.digest,
        }
    return lineage
