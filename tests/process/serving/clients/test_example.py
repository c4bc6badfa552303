"""The example of the documentation, run as a reader would run it."""

import subprocess
from pathlib import Path

import numpy as np

from tests.process.serving.clients import models
from tests.process.serving.clients.agents import ROOT, interpreter
from tests.process.serving.server import running
from tests.unit.docs.pages import blocks

ADDRESS = "late-flights.shop.svc"
ROWS = {
    "inputs": [
        {"name": "carrier", "datatype": "BYTES", "shape": [2], "data": ["UA", "B6"]},
        {"name": "distance", "datatype": "FP64", "shape": [2], "data": [1400, None]},
    ]
}


def test_the_example_of_the_documentation_gives_what_the_model_says(tmp_path: Path) -> None:
    (example,) = [block.text for block in blocks("python") if block.page == ROOT / "docs" / "serving.md"]
    assert ADDRESS in example
    with running(models.classifier(tmp_path, ("distance", "carrier"), (False, True), "late-flights")) as server:
        code = example.replace(ADDRESS, f"127.0.0.1:{server.port}")
        done = subprocess.run([interpreter(), "-c", code], capture_output=True, text=True, timeout=60)
        answer = server.infer(ROWS, "/v2/models/late-flights/infer")[1]
    labels, probabilities = (output["data"] for output in answer["outputs"])
    assert done.stderr == ""
    assert done.stdout == f"{np.array(labels)}\n{np.reshape(probabilities, (2, 2))}\n"
