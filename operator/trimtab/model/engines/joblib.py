"""joblib files, which are pickles: loading one runs the code that its writer put in. Only with `allowPickle`."""

from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.api.wire.models import Signature
from trimtab.model.engine import UnloadableModelError

if TYPE_CHECKING:
    from trimtab.model.engines.sklearn import SklearnEngine


class PickleRefusedError(UnloadableModelError):
    """The artifact is a joblib file, and `allowPickle` is not true."""


def load(path: Path, known: Signature | None, *, allow_pickle: bool) -> "SklearnEngine":
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
    return sklearn.SklearnEngine(fitted, known)
