"""skops files: scikit-learn estimators without pickle. The types that may be built are fixed here, not in the file."""

from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.api.wire.models import Signature
from trimtab.model.engine import UnloadableModelError

if TYPE_CHECKING:
    from trimtab.model.engines.sklearn import SklearnEngine

TRUSTED = frozenset(
    {
        "numpy.dtype",
        "sklearn._loss.link.HalfLogitLink",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.AbsoluteError",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfGammaLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfPoissonLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn._loss.loss.PinballLoss",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.metrics._dist_metrics.MinkowskiDistance64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
    }
)
"""Parts of scikit-learn's own estimators that skops does not trust by itself. They hold numbers and call nothing."""


def load(path: Path, known: Signature | None) -> "SklearnEngine":
    """Load one skops file as an engine; raises `UnloadableModelError`, naming the types that are not trusted."""
    import skops.io

    from trimtab.model.engines import sklearn

    try:
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - TRUSTED)
    except Exception as error:  # zip, JSON and schema errors of a file from anywhere
        raise UnloadableModelError(f"the file is not skops: {str(error)[:300] or type(error).__name__}") from error
    if unknown:
        raise UnloadableModelError(f"the model needs types that this server does not trust: {unknown[:10]}")
    try:
        fitted = sklearn.same_release(lambda: skops.io.load(path, trusted=sorted(TRUSTED)))
    except UnloadableModelError:
        raise
    except Exception as error:  # as above
        raise UnloadableModelError(
            f"the skops file does not load: {str(error)[:300] or type(error).__name__}"
        ) from error
    return sklearn.SklearnEngine(fitted, known)
