"""What a run was made of: versions of the libraries, and a digest of the parameters, so that equal runs can be told
to be equal."""

import hashlib
import json
import platform
from importlib import metadata

from trimtab.api.wire.runs import Run, RunJob

PACKAGES = (
    "trimtab",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "skl2onnx",
    "onnx",
    "onnxruntime",
    "skops",
    "joblib",
    "xgboost-cpu",
    "lightgbm",
)
_BESIDE = {"resources", "retries", "timeout", "pod", "data"}
"""Members of a training body that change nothing of the model."""


def versions() -> dict[str, str]:
    """Python and the libraries that a model depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def parameters_digest(run: Run, job: RunJob) -> str:
    """Digest of everything a user said that makes the model what it is, but for data, image and seed, which stand beside it."""
    body = job.training.model_dump(mode="json", by_alias=True, exclude_none=True)
    said = {
        "task": job.task,
        "training": {name: value for name, value in body.items() if name not in _BESIDE | {"seed"}},
        "targetColumn": run.data.target_column,
        "timeColumn": run.data.time_column,
        "features": run.data.features.model_dump(mode="json", by_alias=True) if run.data.features else None,
        "metrics": [*job.metrics],
        "gates": [gate.model_dump(mode="json", by_alias=True, exclude_none=True) for gate in job.gates],
    }
    if run.data.csv:
        said["csv"] = run.data.csv.as_json()
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
