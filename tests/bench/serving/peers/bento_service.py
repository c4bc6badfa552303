# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
"""A BentoML service as its guide for scikit-learn reads, one worker. `MODEL` is the folder of `model.joblib`.

Runs in the virtual environment of `requirements-bentoml.txt`, by `bentoml serve`.
"""

import os
from pathlib import Path
from typing import Any

import bentoml
import joblib
import numpy as np
import pandas as pd


@bentoml.service(workers=1)
class Service:
    """One model."""

    def __init__(self) -> None:
        self.model: Any = joblib.load(Path(os.environ["MODEL"]) / "model.joblib")

    @bentoml.api(route="/numbers")
    def numbers(self, instances: np.ndarray) -> list[int]:
        labels: list[int] = self.model.predict(instances).tolist()
        return labels

    @bentoml.api(route="/mixed")
    def mixed(self, instances: list[dict[str, float | str]]) -> list[int]:
        labels: list[int] = self.model.predict(pd.DataFrame(instances)).tolist()
        return labels
