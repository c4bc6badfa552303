"""A training pod without Kubernetes: its folders below a temporary root, and each step a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trimtab.api.wire.runs import StepReport, report_from_message

DAY = 86_400
START = 1_767_225_600
"""2026-01-01 in UTC."""
OPERATOR = Path(__file__).parents[3] / "operator"


@dataclass
class Ended:
    """How a step ended."""

    code: int
    report: StepReport
    bytes: int
    stdout: str
    stderr: str

    @property
    def verdict(self) -> tuple[int, str | None]:
        """Exit code and reason."""
        return self.code, self.report.reason


@dataclass
class Pod:
    """One pod. `claims` hold data and store, and may be shared by pods."""

    root: Path
    claims: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "claims").symlink_to(self.claims)

    def write(self, run: dict[str, Any]) -> "Pod":
        """The ConfigMap."""
        (self.root / "run.json").write_text(json.dumps(run))
        return self

    def step(self, name: str) -> Ended:
        """Run one step to its end."""
        message = self.root / f"{name}.message"
        message.unlink(missing_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(OPERATOR),
            "TRIMTAB_ROOT": str(self.root),
            "TRIMTAB_RUN": str(self.root / "run.json"),
            "TRIMTAB_TERMINATION": str(message),
            **self.environment,
        }
        done = subprocess.run(
            [sys.executable, "-m", "trimtab.training", name],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = message.read_text() if message.exists() else ""
        report = report_from_message(said)
        assert report is not None, f"{name} left {said!r} and said {done.stderr}"
        return Ended(done.returncode, report, len(said.encode()), done.stdout, done.stderr)

    def steps(self, *names: str) -> Ended:
        """Run steps in order; all but the last must succeed."""
        for name in names[:-1]:
            ended = self.step(name)
            assert ended.code == 0, f"{name}: {ended.report.message}\n{ended.stderr}"
        return self.step(names[-1])

    def __truediv__(self, path: str) -> Path:
        return self.root / path


def claims(folder: Path) -> Path:
    """Two claims: `data`, and an empty `store`."""
    (folder / "data").mkdir(parents=True)
    (folder / "store").mkdir()
    return folder


def rows(n: int = 600, days: int = 20, seed: int = 0) -> pd.DataFrame:
    """Rows in order of time with a label that can be learnt, holes in two columns, and some rows without a label."""
    rng = np.random.default_rng(seed)
    size, carrier = rng.normal(size=n), rng.choice(["AA", "B6", "UA"], n)
    chance = 1 / (1 + np.exp(-2 * size - (carrier == "UA")))
    late = pd.array(rng.random(n) < chance, "boolean")
    late[::60] = pd.NA
    return pd.DataFrame(
        {
            "at": pd.to_datetime(START + np.sort(rng.integers(0, days * DAY, n)), unit="s", utc=True),
            "size": np.where(rng.random(n) < 0.05, np.nan, size),
            "carrier": pd.Series(carrier, dtype=object).mask(rng.random(n) < 0.05),
            "row id": np.arange(n),
            "late": late,
        }
    )


def dataset(uri: str = "pvc://data/rows.parquet", **more: Any) -> dict[str, Any]:
    """A Dataset's spec."""
    source = {"uri": uri, **more.pop("source", {})}
    return {"source": source, "targetColumn": "late", "timeColumn": "at", "features": {"exclude": ["row id"]}} | more


def look(data: dict[str, Any] | None = None) -> dict[str, Any]:
    """A run that only looks."""
    return {"schema": 1, "namespace": "team", "name": "rows", "uid": "0f0f0f0f-1", "data": data or dataset()}


def run(data: dict[str, Any] | None = None, training: dict[str, Any] | None = None, **job: Any) -> dict[str, Any]:
    """A run that trains; a logistic regression on the newest fifth held out, unless said otherwise."""
    body: dict[str, Any] = {
        "data": {"datasetRef": {"name": "rows"}},
        "validation": {"type": "Time", "fraction": "20%"},
        "estimator": {"name": "LogisticRegression"},
    }
    body |= training or {}
    if body.get("container"):
        body.pop("estimator")
    made = {
        "model": "late-rows",
        "task": "Classification",
        "training": body,
        "metrics": ["roc_auc", "brier"],
        "gates": [
            {"name": "quality", "type": "Bound", "bound": {"metric": "roc_auc", "atLeast": 0.6}},
            {"name": "no-worse", "type": "Champion", "champion": {"metric": "roc_auc", "notWorseBy": 0.05}},
        ],
        "store": {"uri": "pvc://store/models"},
        "image": "registry/trainer@sha256:1",
    } | job
    return look(data) | {"name": "run-1", "uid": "1234567890ab", "job": made}
