"""`make bench-training`: where the time of one TrainingJob goes, beside a bare script that fits and scores the same model.

January's flights (27,004 rows) on the local cluster. The bare script reads the same file, splits it by time, fits the same
scikit-learn estimator on the same columns and scores it; it keeps nothing, checks nothing and publishes nothing. Written to
build/bench/training.json. Fails no build.
"""

import json
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from demo import flights, install
from tests.bench.operator import space
from tests.cluster.kubectl import ROOT, Kubectl, eventually
from tests.e2e.shop import Bucket, Space, dataset, deployment, model

OUT = ROOT / "build" / "bench" / "training.json"
ESTIMATOR = {"name": "HistGradientBoostingClassifier", "params": {"max_iter": 200}}
STEPS = ("fetch", "train", "evaluate", "publish")

BARE = """
import sys, pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
rows = pd.read_parquet(sys.argv[1]).dropna(subset=["late"]).sort_values("time_hour")
y = rows.pop("late").astype(bool)
X = rows.drop(columns=["time_hour", "tailnum"])
text = [name for name in X if X[name].dtype == object or str(X[name].dtype) == "str"]
encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"), encoded_missing_value=float("nan"))
columns = make_column_transformer((encoder, text), remainder="passthrough")
cut = int(len(X) * 0.8)
fitted = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=200, early_stopping=False, random_state=0))
fitted.fit(X[:cut], y[:cut])
print(roc_auc_score(y[cut:], fitted.predict_proba(X[cut:])[:, 1]))
"""


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def stages(kubectl: Kubectl, name: str) -> dict[str, float]:
    """Seconds of each stage, by the API server's and the kubelet's clocks, which tell whole seconds."""
    run = kubectl.get(f"tjob/{name}")
    pod = kubectl.get("pods", "-l", f"trimtab.dev/training-job={name}")["items"][0]
    statuses = [*pod["status"]["initContainerStatuses"], *pod["status"]["containerStatuses"]]
    states = {status["name"]: status["state"]["terminated"] for status in statuses}
    found = {"queued": seconds(states["fetch"]["startedAt"]) - seconds(run["metadata"]["creationTimestamp"])}
    for step in STEPS:
        report = json.loads(states[step].get("message") or "{}")
        whole = seconds(states[step]["finishedAt"]) - seconds(states[step]["startedAt"])
        found[step] = float(report.get("seconds") or whole)
    return found


def bare(path: Path) -> tuple[float, float]:
    """Seconds and AUC of the bare script, interpreter start included."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", BARE, str(path)], capture_output=True, text=True, check=True)
    return time.monotonic() - started, float(done.stdout)


def ours(path: Path) -> tuple[dict[str, float], float]:
    """Stages, with the time from publishing to the first answer, and the AUC on the held-out rows."""
    bucket = Bucket(json.loads(install.cluster("s3")))
    with space(f"bench-training-{uuid.uuid4().hex[:6]}") as kubectl:
        place = Space(kubectl, bucket, uuid.uuid4().hex[:8])
        place.apply(
            bucket.secret(),
            dataset("flights", place.put("flights.parquet", path), features={"exclude": ["tailnum"]}),
            model("late", bucket.place(f"{place.unique}/models"), training={"estimator": ESTIMATOR}),
            deployment("late", modelRef={"name": "late"}),
        )
        eventually(lambda: place.serves("late"), within=300)
        served = time.time()
        version = kubectl.get("mdlv/late-1")
        found = stages(kubectl, version["spec"]["lineage"]["trainingJob"]["name"])
        found["ready to serve"] = served - seconds(version["metadata"]["creationTimestamp"])
        auc = next(metric["value"] for metric in version["spec"]["metrics"] if metric["name"] == "roc_auc")
        return found, float(auc)


def main() -> int:
    built = install.images()
    install.install(built, [*install.CLUSTER, "kubectl"])
    with tempfile.TemporaryDirectory() as folder:
        path = flights.build(Path(folder))["2013-01"]
        plain, plain_auc = bare(path)
        found, auc = ours(path)
    rows: list[dict[str, Any]] = []
    for stage, spent in found.items():
        print(f"{stage:>15} {spent:6.1f} s  {spent / plain:5.2f} of the bare script")
        rows.append(_row(stage, spent, plain))
    whole = sum(found[step] for step in STEPS)
    print(f"{'four steps':>15} {whole:6.1f} s  {whole / plain:5.2f} of the bare script ({plain:.1f} s)")
    print(f"AUC on the held-out rows: {auc:.3f}, bare script {plain_auc:.3f}")
    rows.append(_row("four steps", whole, plain))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=2))
    print(f"written to {OUT.relative_to(ROOT)}")
    return 0


def _row(stage: str, spent: float, plain: float) -> dict[str, Any]:
    return {
        "case": f"27,004 flights, {stage}", "metric": "time", "unit": "s", "better": "lower", "ours": round(spent, 2),
        "peers": {"bare script": round(plain, 2)}, "bestPeer": "bare script",
        "ratio": round(plain / spent, 3) if spent else None, "floor": None, "goal": None,
    }


if __name__ == "__main__":
    sys.exit(main())
