"""joblib files, which are pickles: loading one runs the code that its writer put in. Only with `allowPickle`."""

import tempfile
from pathlib import Path
from typing import Any

from trimtab.api.wire.models import Signature
from trimtab.model.engine import Engine, UnloadableModelError


class PickleRefusedError(UnloadableModelError):
    """The artifact is a joblib file, and `allowPickle` is not true."""


def load(path: Path, known: Signature | None, *, allow_pickle: bool) -> Engine:
    """Load one joblib file as an engine; raises `PickleRefusedError` before a byte is read unless `allow_pickle`."""
    if not allow_pickle:
        raise PickleRefusedError("a joblib file runs code when loaded: set allowPickle: true, or use ONNX or skops")
    import joblib

    from trimtab.model.engines import sklearn

    try:
        fitted = sklearn.same_release(lambda: joblib.load(path))
    except UnloadableModelError:
        raise
    except Exception as error:  # a pickle may raise anything, most often a module that is not in this image
        raise UnloadableModelError(
            f"the joblib file does not load: {str(error)[:300] or type(error).__name__}"
        ) from error
    return _boosted(fitted, known) or sklearn.SklearnEngine(fitted, known)


def _boosted(fitted: Any, known: Signature | None) -> Engine | None:
    """A wrapper of XGBoost or LightGBM that stands alone as its own file would be, which knows its categories and is faster;
    None for anything else, such as a pipeline."""
    kind, missing = type(fitted).__module__, getattr(fitted, "missing", None)
    with tempfile.TemporaryDirectory(prefix="trimtab-") as folder:
        if kind == "xgboost.sklearn" and missing != missing:  # another mark of missing values does not stand in the file
            from trimtab.model.engines import xgboost

            fitted.save_model(path := Path(folder) / "model.ubj")
            return xgboost.load(path, known)
        if kind == "lightgbm.sklearn":
            from trimtab.model import estimator
            from trimtab.model.engines import lightgbm

            fitted.booster_.save_model(path := Path(folder) / "model.txt")
            labels = estimator.labels(fitted) if hasattr(fitted, "classes_") else None
            return lightgbm.load(path, known, labels)
    return None
