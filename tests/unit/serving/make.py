"""Artifacts as publish leaves them and fetch brings them, with a small real model, and requests to it."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LinearRegression

from tests.unit.model import make as models
from trimtab.api.wire.base import Location
from trimtab.api.wire.models import FileEntry, Format, Manifest, Signature
from trimtab.api.wire.profiles import profile_to_json
from trimtab.api.wire.serving import Artifact, Serving
from trimtab.drift import references
from trimtab.drift.profile import Profile
from trimtab.model.engines import onnx
from trimtab.model.values import label_text

CLASSES = ("no", "yes")


def digest(content: bytes) -> str:
    """The digest of some bytes, as everywhere."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@cache
def graph() -> bytes:
    """A classifier on the columns `air time`, `dist.` and `carrier`."""
    return models.own_graph(2)


@cache
def regressor() -> bytes:
    """A regressor on one matrix X of two columns: their sum."""
    rows = models.matrix(40, 2)
    return models.converted(LinearRegression().fit(rows, rows.sum(axis=1)), [("X", FloatTensorType([None, 2]))])


@cache
def profile(classes: tuple[Any, ...] = CLASSES) -> Profile:
    """The reference of `graph`, made as training makes it."""
    rows = models.frame(models.table(400, 9))
    answer = onnx.from_bytes(graph(), models.signature(classes)).predict(rows)
    assert answer.classes is not None
    assert answer.probabilities is not None
    labels = [label_text(label) for label in classes]
    first, second, third = models.COLUMNS
    return Profile(
        rows=400,
        features=(
            references.number(first, rows[first]),
            references.number(second, rows[second]),
            references.category(third, rows[third]),
        ),
        predictions=references.classes("predictions", labels, np.array(labels, object)[answer.classes]),
        score=references.score("score", answer.probabilities[:, 1], 0.5),
    )


def folder(
    path: Path,
    *,
    classes: tuple[Any, ...] = CLASSES,
    signature: Signature | None = None,
    content: bytes | None = None,
    reference: Profile | bytes | None = None,
    model: str = "model.onnx",
    form: Format = "ONNX",
    **serving: Any,
) -> Serving:
    """Write an artifact with a manifest into `path`; what the server is told about it."""
    path.mkdir(parents=True, exist_ok=True)
    files = {
        model: graph() if content is None else content,
        "signature.json": (signature or models.signature(classes)).to_json().encode(),
    }
    if reference is not None:
        files["profile.json"] = reference if isinstance(reference, bytes) else profile_to_json(reference)
    for name, written in files.items():
        (path / name).write_bytes(written)
    entries = tuple(FileEntry(name=n, digest=digest(c), bytes=len(c)) for n, c in files.items())
    manifest = Manifest(format=form, files=entries).to_json().encode()
    (path / "manifest.json").write_bytes(manifest)
    return told(f"s3://models/{path.name}/manifest.json", digest(manifest), form, **serving)


def single(
    path: Path, content: bytes, name: str = "mine.onnx", form: Format = "ONNX", **more: Any
) -> Serving:
    """Write one file of a user's own into `path`; what the server is told about it."""
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(content)
    return told(f"s3://models/{name}", digest(content), form, **more)


def told(uri: str, named: str, form: Format, **more: Any) -> Serving:
    """A serving.json."""
    artifact = Artifact(location=Location(uri=uri), digest=named, format=form)
    values = {"namespace": "shop", "deployment": "late", "model": "late", "version": "7", "artifact": artifact}
    return Serving(**{**values, **more})


def request(rows: int = 1, seed: int = 3, **more: Any) -> dict[str, Any]:
    """An inference request of rows of `table`, one tensor a column."""
    columns = models.frame(models.table(rows, seed))
    inputs = [
        {
            "name": name,
            "datatype": "BYTES" if column.dtype == object else "FP64",
            "shape": [rows],
            "data": column.tolist(),
        }
        for name, column in columns.items()
    ]
    return {"inputs": inputs, **more}
