"""One engine file per artifact format, and the way to the right one. Each imports its library only when it loads."""

from pathlib import Path
from typing import assert_never

from trimtab.api.wire.models import Format, Manifest, Signature
from trimtab.model.engine import Engine, UnloadableModelError


def load(folder: Path, artifact: Format, *, allow_pickle: bool = False, signature: Signature | None = None) -> Engine:
    """The model in `folder`: `model.<suffix>` beside a manifest, or the one file that is there.

    Without a signature it is read from the model. Raises `UnloadableModelError` with a sentence for what cannot be
    loaded, and `PickleRefusedError` for a joblib file unless `allow_pickle`. Its digest must have been checked before.
    """
    for column in signature.inputs if signature else ():
        if any(length < 1 for length in column.shape[1:]):
            raise UnloadableModelError(f"input {column.name!r} has shape {list(column.shape)}: its width must be given")
    path = model_file(folder, artifact)
    match artifact:
        case "ONNX":
            from trimtab.model.engines import onnx

            return onnx.load(path, signature)
        case "Skops":
            from trimtab.model.engines import skops

            return skops.load(path, signature)
        case "Joblib":
            from trimtab.model.engines import joblib

            return joblib.load(path, signature, allow_pickle=allow_pickle)
        case "XGBoost":
            from trimtab.model.engines import xgboost

            return xgboost.load(path, signature)
        case "LightGBM":
            from trimtab.model.engines import lightgbm

            return lightgbm.load(path, signature)
        case "Custom":
            raise UnloadableModelError("an artifact of format Custom is served by an image of its own, not by this one")
        case _:
            assert_never(artifact)


def model_file(folder: Path, artifact: Format) -> Path:
    """Where the model lies in a fetched artifact; raises `UnloadableModelError` where that is not clear."""
    names = Manifest.MODEL.get(artifact, ("model",))
    for name in names:
        if (folder / name).is_file():
            return folder / name
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if len(files) == 1 and files[0].name != "manifest.json":
        return files[0]
    raise UnloadableModelError(f"the artifact holds no {' or '.join(names)}, but {[path.name for path in files]}")
