"""The example of the training contract, run as a container would run it: what it leaves is a model that Trimtab loads."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.unit.docs.pages import ROOT, blocks
from trimtab.api.wire.models import Format, Signature
from trimtab.model import engines
from trimtab.model.frame import Frame
from trimtab.model.signature import outputs
from trimtab.training import handover, signing, twins

PAGE = "training-contract.md"
FEATURES = (
    handover.Feature(name="carrier", kind="Category"),
    handover.Feature(name="distance", kind="Number"),
    handover.Feature(name="weekend", kind="Boolean"),
)


BOOSTED, COMPLETE = "XGBClassifier(", "LogisticRegression("


def block(language: str, holding: str = "") -> str:
    found = [each.text for each in blocks(language) if each.page.name == PAGE and holding in each.text]
    assert len(found) == 1
    return found[0]


def frame(n: int) -> Frame:
    """Rows of which every third lacks a value."""
    rng = np.random.default_rng(0)
    hole = np.arange(n) % 3 == 0
    return {
        "carrier": np.where(hole, "", rng.choice(["AA", "B6"], n)).astype(object),
        "distance": np.where(hole, np.nan, rng.normal(size=n)),
        "weekend": np.where(hole, np.nan, rng.integers(0, 2, n)),
    }


def trained(tmp_path: Path, code: str) -> Path:
    """Folder in which a script left what it made of 90 rows."""
    data, left = tmp_path / "data", tmp_path / "model"
    left.mkdir()
    kinds = {feature.name: feature.kind for feature in FEATURES}
    labels = {"late": twins.label_array(np.arange(90) % 2, (False, True))}
    twins.write(frame(90), kinds, data / handover.TRAIN, labels=labels)
    schema = handover.Schema(
        task="Classification",
        target="late",
        features=FEATURES,
        classes=(False, True),
        positive=1,
        rows=90,
        validation_rows=9,
        seed=0,
    )
    handover.write(schema, data / handover.SCHEMA)
    script = tmp_path / "train.py"
    script.write_text(code)
    environment = {"PATH": os.environ["PATH"], "TRIMTAB_DATA": str(data), "TRIMTAB_MODEL": str(left), "TRIMTAB_SEED": "0"}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return left


@pytest.mark.parametrize(("holding", "artifact"), [(COMPLETE, "Skops"), (BOOSTED, "XGBoost")])
def test_the_example_leaves_a_model_that_answers_rows_with_holes(
    holding: str, artifact: Format, tmp_path: Path
) -> None:
    known = Signature(
        task="Classification",
        inputs=signing.inputs(FEATURES),
        outputs=outputs("Classification", (False, True), True),
        classes=(False, True),
        positive=1,
    )
    said = engines.load(trained(tmp_path, block("python", holding)), artifact, signature=known).predict(frame(7))
    assert said.probabilities is not None
    assert said.probabilities.shape == (7, 2)
    assert np.isfinite(said.probabilities).all()


def test_the_dockerfile_has_the_scikit_learn_of_the_trainer_image() -> None:
    pinned = dict(re.findall(r"^([\w-]+)==(\d+\.\d+)", (ROOT / "requirements" / "trainer.txt").read_text(), re.MULTILINE))
    asked = dict(re.findall(r'"([\w-]+)==(\d+\.\d+)\.\*"', block("dockerfile")))
    assert asked == {name: pinned[name] for name in ("scikit-learn", "skops")}


def test_the_releases_of_boosting_libraries_are_those_of_the_trainer_image() -> None:
    pinned = dict(re.findall(r"^([\w-]+)==(\d+\.\d+)", (ROOT / "requirements" / "trainer.txt").read_text(), re.MULTILINE))
    page = (ROOT / "docs" / PAGE).read_text()
    asked = dict(re.findall(r'"(xgboost-cpu|lightgbm)==(\d+\.\d+)\.\*"', page))
    assert asked == {name: pinned[name] for name in ("xgboost-cpu", "lightgbm")}
    assert f"up to the image's {pinned['xgboost-cpu']}" in " ".join((ROOT / "docs" / "serving.md").read_text().split())


def test_the_schema_that_is_shown_is_one() -> None:
    shown = next(each.text for each in blocks("json") if each.page.name == PAGE)
    found = handover.Schema.from_json(shown)
    assert json.loads(found.to_json()) == json.loads(shown)
