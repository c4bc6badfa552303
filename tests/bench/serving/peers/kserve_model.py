# mypy: disable-error-code="import-not-found,misc"
"""KServe's scikit-learn server: what its `sklearnserver` does, which is not on the package index, on the `kserve` package.

Runs in the virtual environment of `requirements-kserve.txt`. `MODEL` is the folder of `model.joblib`.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import joblib
from kserve import InferRequest, InferResponse, Model, ModelServer, model_server
from kserve.utils.utils import get_predict_input, get_predict_response


class SklearnModel(Model):
    """One joblib file; answers with `predict`."""

    def load(self) -> bool:
        self.model: Any = joblib.load(Path(os.environ["MODEL"]) / "model.joblib")
        self.ready = True
        return self.ready

    def predict(
        self, payload: dict[str, Any] | InferRequest, headers: dict[str, str] | None = None
    ) -> dict[str, Any] | InferResponse:
        return get_predict_response(payload, self.model.predict(get_predict_input(payload)), self.name)


def main() -> None:
    arguments, _ = argparse.ArgumentParser(parents=[model_server.parser]).parse_known_args()
    model = SklearnModel(arguments.model_name)
    model.load()
    ModelServer().start([model])


if __name__ == "__main__":
    main()
