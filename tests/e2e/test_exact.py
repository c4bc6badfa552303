"""What the operator says of production is what anybody computes from the very rows that were asked, with the same profile."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from cluster import layout
from tests.cluster.kubectl import eventually
from tests.e2e.shop import Space, dataset, deployment, model
from tests.e2e.test_loop import request, rows
from trimtab.api.wire.models import Signature
from trimtab.api.wire.profiles import profile_from_json
from trimtab.drift import counting, verdicts, windows
from trimtab.drift.budget import Settings
from trimtab.drift.vectors import Counted
from trimtab.model import engines
from trimtab.model.engine import Engine
from trimtab.model.values import label_text

WINDOW = 30
SAMPLE = re.compile(r"^(trimtab_\w+)\{(.*)\} (\S+)$")


def exported(space: Space, name: str) -> dict[tuple[str, str], float]:
    """The operator's own series of one deployment: from whichever pod leads."""
    found: dict[tuple[str, str], float] = {}
    pods = space.kubectl.acting_as("admin")
    listed = json.loads(pods.do("get", "pods", "-A", "-l", "app.kubernetes.io/name=trimtab-operator", "-o", "json"))
    for pod in listed["items"]:
        with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/metrics", timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                match = SAMPLE.match(line)
                if match is None:
                    continue
                labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
                if labels.get("namespace") == space.name and labels.get("deployment") == name:
                    found[match[1], labels.get("feature", "")] = float(match[3])
    return found


@pytest.fixture(scope="module")
def watched(shared_space: Space, months: dict[str, Path]) -> Space:
    space = shared_space
    space.apply(
        dataset("flights", space.put("flights.parquet", months["2013-01"]), features={"exclude": ["tailnum"]}),
        model("late", space.bucket.place(f"{space.unique}/models")),
        deployment("late", modelRef={"name": "late"}, replicas=2, monitoring={"window": f"{WINDOW}s"}),
    )
    eventually(lambda: space.serves("late"), within=240)
    return space


def test_verdict_and_exported_shift_are_those_of_the_rows_that_were_asked(
    watched: Space, months: dict[str, Path], tmp_path: Path
) -> None:
    space = watched
    inputs = space.http("GET", "late", "/v2/models/late")[1]["inputs"]
    asked = rows(months["2013-05"], 2000, 5)
    bodies = [request(asked[start : start + 50], inputs) for start in range(0, len(asked), 50)]
    _begin_of_a_window()
    for body in bodies:  # all of them within one window
        status, _ = space.ask("late", body)
        assert status == 200
    eventually(lambda: exported(space, "late").get(("trimtab_drift_window_rows", "")) == len(asked), within=3 * WINDOW)
    seen = exported(space, "late")
    offline = _offline(space, asked, tmp_path, seen["trimtab_drift_last_evaluation_timestamp_seconds", ""])
    assert offline.verdict == "Drifting"
    assert space.status("mdep/late")["drift"]["verdict"] == "Drifting"
    for shift in offline.features:
        if shift.psi is None:
            assert ("trimtab_feature_drift_psi", shift.name) not in seen
            continue
        assert seen["trimtab_feature_drift_psi", shift.name] == pytest.approx(shift.psi, rel=1e-9)
        assert seen["trimtab_feature_drift_psi_threshold", shift.name] == pytest.approx(shift.threshold, rel=1e-9)
        assert seen["trimtab_feature_drifted", shift.name] == (shift.verdict == "Drifting")


def test_the_command_line_shows_the_same_columns_and_writes_a_page(watched: Space, tmp_path: Path) -> None:
    page = tmp_path / "drift.html"
    options = ["--namespace", watched.name, "--scale", "24", "--all", "--html", str(page)]
    environment = {"KUBECONFIG": str(layout.KUBECONFIG), **os.environ, "COLUMNS": "200"}
    line = [sys.executable, "-m", "trimtab.cli", "drift", "mdep/late", *options]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert f"{watched.name}/late version 1: Drifting" in done.stdout
    names = {tensor["name"] for tensor in watched.http("GET", "late", "/v2/models/late")[1]["inputs"]}
    assert {name for name in names if name in done.stdout} == names
    assert page.read_text().count("<article") == len(names) + 2  # predictions and score


def _begin_of_a_window() -> None:
    """The next window has just begun; the request loop then has all of it."""
    eventually(lambda: time.time() % WINDOW < 2, within=WINDOW + 5)


def _offline(space: Space, asked: pd.DataFrame, folder: Path, judged_at: float) -> verdicts.Verdict:
    """The same judgement from the rows themselves: counted at once, in the last window that had closed by then."""
    served = _artifact(space, folder)
    profile = profile_from_json((folder / "profile.json").read_bytes())
    names = [tensor.name for tensor in served.signature.inputs]
    assert {feature.name for feature in profile.features} == set(names)
    kinds = {feature.name: feature.kind for feature in profile.features}
    rows_asked = {name: _column(asked[name], kinds[name]) for name in names}
    said = served.predict(rows_asked)
    assert said.probabilities is not None
    assert said.classes is not None
    assert profile.predictions is not None
    assert profile.score is not None
    labels = np.array([label_text(label) for label in served.signature.classes or ()], object)[said.classes]
    counted = Counted(
        rows=len(asked),
        features={feature.name: counting.count(feature, rows_asked[feature.name]) for feature in profile.features},
        predictions=counting.count(profile.predictions, labels),
        score=counting.count(profile.score, said.probabilities[:, served.signature.positive or 0]),
    )
    ledger = windows.begin(profile, WINDOW, judged_at - WINDOW)
    ledger, problem = windows.absorb(ledger, windows.Source("all", "once"), 1, counted, judged_at - WINDOW)
    assert problem is None
    seen = windows.by_scale(windows.close(ledger, judged_at))
    return verdicts.judge(profile, seen, Settings(WINDOW, 90 * 86400))


def _artifact(space: Space, folder: Path) -> Engine:
    """What was published, loaded as the server loads it."""
    key = space.get("mdlv/late-1")["spec"]["artifact"]["uri"].split("/", 3)[3]
    for name in space.bucket.keys(key.rsplit("/", 1)[0]):
        (folder / name.rsplit("/", 1)[1]).write_bytes(space.bucket.get(name))
    return engines.load(folder, "ONNX", signature=Signature.from_json((folder / "signature.json").read_bytes()))


def _column(column: Any, kind: str) -> NDArray[Any]:
    if kind == "Category":
        return np.array(["" if pd.isna(value) else str(value) for value in column], object)
    return np.asarray(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan))
