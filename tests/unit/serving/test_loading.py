"""From files to a model that answers: what is verified, what is refused, and in which words."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBClassifier

from tests.unit.model import make as models
from tests.unit.serving import make
from trimtab.api.wire.serving import Serving
from trimtab.drift import references
from trimtab.drift.profile import Profile
from trimtab.serving import loading
from trimtab.serving.refusal import StartError


def refused(serving: Serving, path: Path) -> tuple[str, str]:
    """Reason and message of an artifact that is not served."""
    with pytest.raises(StartError) as caught:
        loading.load(serving, path)
    return caught.value.reason, caught.value.message


def test_artifact_with_a_manifest_is_loaded_with_its_signature_and_profile(tmp_path: Path) -> None:
    served = loading.load(make.folder(tmp_path, reference=make.profile()), tmp_path)
    assert served.signature.classes == make.CLASSES
    assert served.profile == make.profile()
    assert served.profile_digest == make.digest((tmp_path / "profile.json").read_bytes())


def test_single_file_of_a_user_is_loaded_without_a_profile(tmp_path: Path) -> None:
    served = loading.load(make.single(tmp_path, make.regressor()), tmp_path)
    assert served.signature.task == "Regression"
    assert served.profile is None
    assert served.profile_digest is None


@pytest.mark.parametrize("name", ["model.onnx", "signature.json", "profile.json", "manifest.json"])
def test_a_changed_file_is_a_digest_mismatch(name: str, tmp_path: Path) -> None:
    serving = make.folder(tmp_path, reference=make.profile())
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b" ")
    reason, message = refused(serving, tmp_path)
    assert reason == "DigestMismatch"
    assert message.startswith(f"{name} has digest sha256:")


@pytest.mark.parametrize("name", ["model.onnx", "signature.json", "profile.json", "manifest.json"])
def test_a_missing_file_is_not_found(name: str, tmp_path: Path) -> None:
    serving = make.folder(tmp_path, reference=make.profile())
    (tmp_path / name).unlink()
    assert refused(serving, tmp_path)[0] == "ArtifactNotFound"


def test_a_changed_single_file_is_a_digest_mismatch(tmp_path: Path) -> None:
    serving = make.single(tmp_path, make.regressor())
    (tmp_path / "mine.onnx").write_bytes(make.graph())
    assert refused(serving, tmp_path)[0] == "DigestMismatch"


def test_an_empty_folder_is_not_found(tmp_path: Path) -> None:
    assert refused(make.told("s3://models/mine.onnx", make.digest(b""), "ONNX"), tmp_path)[0] == "ArtifactNotFound"


def test_a_manifest_without_the_model_or_of_a_newer_schema_fails_to_load(tmp_path: Path) -> None:
    serving = make.folder(tmp_path, model="model.skops")
    assert refused(serving, tmp_path) == (
        "LoadFailed",
        "manifest.json names no model.onnx, which format ONNX needs",
    )
    content = (tmp_path / "manifest.json").read_bytes().replace(b'"schema":1', b'"schema":9')
    (tmp_path / "manifest.json").write_bytes(content)
    newer = make.told("s3://models/x/manifest.json", make.digest(content), "ONNX")
    reason, message = refused(newer, tmp_path)
    assert reason == "LoadFailed"
    assert "schema 9 is newer than 1" in message


@pytest.mark.parametrize("model", ["model.ubj", "model.json"])
def test_beside_a_manifest_a_model_of_xgboost_has_either_name(model: str, tmp_path: Path) -> None:
    rows = models.table()
    fitted = XGBClassifier(n_estimators=2, n_jobs=1, enable_categorical=True)
    fitted.fit(rows.astype({models.COLUMNS[2]: "category"}), rows[models.COLUMNS[0]] > 0)
    content = bytes(fitted.get_booster().save_raw(Path(model).suffix[1:]))
    served = loading.load(make.folder(tmp_path, model=model, form="XGBoost", content=content), tmp_path)
    assert served.signature.classes == make.CLASSES
    (tmp_path / "other").mkdir()
    assert refused(make.folder(tmp_path / "other", form="XGBoost"), tmp_path / "other") == (
        "LoadFailed",
        "manifest.json names no model.ubj or model.json, which format XGBoost needs",
    )


def test_a_file_that_is_no_model_fails_to_load(tmp_path: Path) -> None:
    assert refused(make.folder(tmp_path, content=b"hello"), tmp_path) == (
        "LoadFailed",
        "the file is not ONNX: it cannot be parsed",
    )


def test_a_model_that_disagrees_with_its_signature_fails_to_load(tmp_path: Path) -> None:
    reason, message = refused(make.folder(tmp_path, classes=("a", "b", "c")), tmp_path)
    assert reason == "LoadFailed"
    assert message.startswith("the model knows the labels [0, 1]")


def test_a_pickle_is_refused_unless_allowed(tmp_path: Path) -> None:
    rows = models.matrix()
    joblib.dump(LogisticRegression().fit(rows, models.target(rows, ("a", "b"))), tmp_path / "m.joblib")
    content = (tmp_path / "m.joblib").read_bytes()
    assert refused(make.single(tmp_path, content, "m.joblib", "Joblib"), tmp_path)[0] == "PickleRefused"
    allowed = make.single(tmp_path, content, "m.joblib", "Joblib", allow_pickle=True)
    assert loading.load(allowed, tmp_path).signature.classes == ("a", "b")


def test_a_model_that_fails_on_every_row_is_never_ready(tmp_path: Path) -> None:
    square = make_pipeline(FunctionTransformer(np.linalg.inv), LogisticRegression())
    joblib.dump(square.fit(np.eye(4), [0, 1, 0, 1]), tmp_path / "m.joblib")
    serving = make.single(tmp_path, (tmp_path / "m.joblib").read_bytes(), "m.joblib", "Joblib", allow_pickle=True)
    reason, message = refused(serving, tmp_path)
    assert reason == "LoadFailed"
    assert message.startswith("the model fails on 1 rows of zeros: Last 2 dimensions of the array must be square")


# ---------------------------------------------------------------- profiles that do not belong


def changed(**fields: Any) -> Profile:
    """The right profile but for these fields."""
    profile = make.profile()
    return Profile(
        **{
            "rows": profile.rows,
            "features": profile.features,
            "predictions": profile.predictions,
            "score": profile.score,
            **fields,
        }
    )


FEATURES = make.profile().features
NUMBER = references.number("age", models.matrix(50, 1)[:, 0])


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (changed(features=(*FEATURES, NUMBER)), "'age' is no input column of the signature"),
        (changed(features=(*FEATURES, FEATURES[0])), "'air time' is there more than once"),
        (
            changed(features=(references.number("carrier", models.matrix(50, 1)[:, 0]),)),
            "'carrier' is a Number there and a Category in the signature",
        ),
        (
            changed(predictions=references.number("predictions", models.matrix(50, 1)[:, 0])),
            "predictions are of kind Number, and the model's task is Classification",
        ),
        (
            changed(predictions=make.profile(("0", "1")).predictions),
            "predictions have the levels ('0', '1'), the model ['no', 'yes']",
        ),
        (b"{}", "profile.json cannot be read"),
        (b"not json", "profile.json cannot be read"),
    ],
)
def test_a_profile_that_does_not_belong_to_the_model_is_refused(
    reference: Profile | bytes, message: str, tmp_path: Path
) -> None:
    reason, said = refused(make.folder(tmp_path, reference=reference), tmp_path)
    assert reason == "ProfileMismatch"
    assert message in said


def test_a_profile_of_some_of_the_columns_is_enough(tmp_path: Path) -> None:
    part = changed(features=FEATURES[:1], predictions=None, score=None)
    assert loading.load(make.folder(tmp_path, reference=part), tmp_path).profile == part


# ---------------------------------------------------------------- serving.json


def test_serving_json_is_read_as_it_is_written(tmp_path: Path) -> None:
    serving = make.told("pvc://claim/model.onnx", make.digest(b"x"), "ONNX")
    (tmp_path / "serving.json").write_text(serving.to_json())
    assert loading.config(tmp_path / "serving.json") == serving


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"schema": 2}', b"\xff"])
def test_a_serving_json_that_cannot_be_read_is_said_to_be_so(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "serving.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StartError, match=r"serving.json cannot be read") as caught:
        loading.config(path)
    assert caught.value.reason == "ConfigInvalid"
