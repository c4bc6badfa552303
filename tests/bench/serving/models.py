"""The four models: trained and published by our own four steps, fetched as a pod fetches, and beside them what peers load.

Peers get the pipeline that a user would write, fitted on the same rows with the same parameters, as joblib: ours has an imputer
more, which would only slow them down. Both must give the same labels on every row that is sent. Touches no server.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import skops.io
from msgspec.structs import replace
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.process.training import pods
from tests.unit.serving import make
from trimtab.api.wire.base import Location
from trimtab.api.wire.models import FileEntry, Format, Manifest, Parity
from trimtab.api.wire.runs import Published
from trimtab.api.wire.serving import Artifact, Serving
from trimtab.training import handover

NUMBERS = tuple(f"x{place}" for place in range(20))
MIXED_NUMBERS = NUMBERS[:8]
LEVELS = {
    "city": ["ams", "ber", "cph", "dub"],
    "plan": ["free", "pro", "team"],
    "device": ["ios", "android", "web", "tv", "other"],
}
TRAINED = 6000
SENT = 6400
"""Rows that are in requests: 64 different requests of 100 rows."""
_MAX_ITER = 500


@dataclass(frozen=True)
class Workload:
    """One model to serve."""

    key: str
    title: str
    estimator: str
    params: dict[str, Any]
    mixed: bool = False


WORKLOADS = (
    Workload("lr", "LogisticRegression", "LogisticRegression", {"max_iter": _MAX_ITER}),
    Workload("rf", "RandomForest 100 x 10", "RandomForestClassifier", {"n_estimators": 100, "max_depth": 10}),
    Workload("hgb", "HistGradientBoosting 100", "HistGradientBoostingClassifier", {"max_iter": 100}),
    Workload("mixed", "mixed types, LogisticRegression", "LogisticRegression", {"max_iter": _MAX_ITER}, mixed=True),
)


@dataclass(frozen=True)
class Prepared:
    """A workload with its files. Each artifact is a folder with `serving.json` and, in `model/`, what the pod would hold."""

    workload: Workload
    published: Path
    """As publish left it."""
    format: Format
    parity: Parity | None
    uncounted: Path
    """The same without the reference profile: nothing is counted."""
    unconverted: Path
    """The fitted scikit-learn pipeline itself, as skops, with the profile."""
    joblib: Path
    """Folder with `model.joblib` for the peers."""
    rows: pd.DataFrame
    """What is sent, `SENT` rows."""
    labels: NDArray[np.int64]
    """What scikit-learn says of them."""


def prepare(workload: Workload, folder: Path) -> Prepared:
    """Train, publish and fetch, and write what the peers load, into an empty folder."""
    table, claims = _table(workload), pods.claims(folder / "claims")
    rows = table.drop(columns=["at", "label"])[TRAINED:].reset_index(drop=True)
    table[:TRAINED].to_parquet(claims / "data" / f"{workload.key}.parquet")
    pod = pods.Pod(folder / "pod", claims, {"OMP_NUM_THREADS": "1"}).write(_run(workload))
    done = pod.steps("fetch", "train", "evaluate", "publish")
    out = done.report.published
    assert out is not None, f"{workload.key}: {done.report.message}\n{done.stderr}"
    published = _fetched(workload, out, folder / "published", pod)
    plain, trained = _plain(workload, pod), _trained(pod)
    labels = np.asarray(plain.predict(rows if workload.mixed else rows.to_numpy()), np.int64)
    own = np.asarray(trained.predict(rows.to_numpy(object if workload.mixed else np.float64)))
    if (differ := int((own != labels).sum())) > 0:
        raise SystemExit(
            f"{workload.key}: the plain pipeline and ours differ on {differ} rows; a comparison would mean nothing"
        )
    peers = folder / "joblib"
    peers.mkdir()
    joblib.dump(plain, peers / "model.joblib")
    return Prepared(
        workload,
        published,
        out.format,
        handover.read(handover.Report, published / "model" / handover.REPORT).parity,
        _changed(published, folder / "uncounted", profile=False),
        _changed(published, folder / "unconverted", skops_file=pod / "model" / "model.skops"),
        peers,
        rows,
        labels,
    )


def _table(workload: Workload) -> pd.DataFrame:
    """Rows in order of time, with six decimals as people send them."""
    n = TRAINED + SENT
    matrix, label = make_classification(n, len(NUMBERS), n_informative=12, n_classes=3, random_state=0)
    table = pd.DataFrame(matrix.round(6), columns=list(NUMBERS))
    table["at"] = pd.to_datetime(pods.START + np.arange(n) * 60, unit="s", utc=True)
    if not workload.mixed:
        return table.assign(label=label.astype(np.int64))
    generator = np.random.default_rng(1)
    table = table[[*MIXED_NUMBERS, "at"]]
    for name, levels in LEVELS.items():
        table[name] = generator.choice(np.array(levels, object), n)
    chance = table["x0"] + (table["city"] == "ams") * 1.5 - (table["plan"] == "pro") + generator.normal(size=n)
    return table.assign(label=(chance > 0).astype(np.int64))


def _run(workload: Workload) -> dict[str, Any]:
    data = {"source": {"uri": f"pvc://data/{workload.key}.parquet"}, "targetColumn": "label", "timeColumn": "at"}
    training = {
        "validation": {"type": "Time", "fraction": "20%", "refit": False},
        "estimator": {"name": workload.estimator, "params": workload.params},
    }
    return pods.run(data, training, model=workload.key, metrics=["accuracy"], gates=[])


def _fetched(workload: Workload, out: Published, folder: Path, pod: pods.Pod) -> Path:
    """What the init container leaves, by the init container's own code."""
    artifact = Artifact(location=Location(uri=out.uri), digest=out.digest, format=out.format)
    _write_serving(folder, workload.key, artifact)
    told = {"TRIMTAB_SERVING": str(folder / "serving.json"), "TRIMTAB_MODEL": str(folder / "model")}
    environment = {**os.environ, "PYTHONPATH": str(pods.OPERATOR), "TRIMTAB_ROOT": str(pod.root), **told}
    subprocess.run([sys.executable, "-m", "trimtab.serving", "fetch"], env=environment, check=True, timeout=60)
    return folder


def _changed(published: Path, folder: Path, *, profile: bool = True, skops_file: Path | None = None) -> Path:
    """The artifact with another model file or without its profile, and a manifest of its own."""
    serving = Serving.from_json((published / "serving.json").read_bytes())
    known = Manifest.from_json((published / "model" / "manifest.json").read_bytes())
    names = {entry.name for entry in known.files} - {handover.REPORT}
    files = {name: (published / "model" / name).read_bytes() for name in names if profile or name != handover.PROFILE}
    form = serving.artifact.format
    if skops_file is not None:
        for name in Manifest.MODEL[form]:
            files.pop(name, None)
        form, files["model.skops"] = "Skops", skops_file.read_bytes()
    entries = tuple(FileEntry(name=n, digest=make.digest(c), bytes=len(c)) for n, c in sorted(files.items()))
    files["manifest.json"] = Manifest(format=form, files=entries).to_json().encode()
    (folder / "model").mkdir(parents=True)
    for name, content in files.items():
        (folder / "model" / name).write_bytes(content)
    digest = make.digest(files["manifest.json"])
    _write_serving(folder, serving.model, replace(serving.artifact, digest=digest, format=form))
    return folder


def _write_serving(folder: Path, name: str, artifact: Artifact) -> None:
    serving = Serving(namespace="bench", deployment=name, model=name, version="1", artifact=artifact)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "serving.json").write_text(serving.to_json())


def _trained(pod: pods.Pod) -> Any:
    """Our own fitted pipeline, which the train step left."""
    path = pod / "model" / "model.skops"
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def _plain(workload: Workload, pod: pods.Pod) -> Any:
    """What a user would write, on the rows that our step fitted."""
    learnt = pd.read_parquet(pod / "data" / "train.parquet")
    target = learnt.pop("label")
    if workload.mixed:
        columns = make_column_transformer(
            (StandardScaler(), list(MIXED_NUMBERS)), (OneHotEncoder(handle_unknown="ignore"), list(LEVELS))
        )
        return make_pipeline(columns, LogisticRegression(max_iter=_MAX_ITER)).fit(learnt, target)
    fitted = json.loads((pod / "model" / "fitted.json").read_text())["parameters"]
    model: Any = {
        "lr": lambda: make_pipeline(StandardScaler(), LogisticRegression(**fitted)),
        "rf": lambda: RandomForestClassifier(**fitted),
        "hgb": lambda: HistGradientBoostingClassifier(**fitted),
    }[workload.key]()
    return model.fit(learnt.to_numpy(), target)
