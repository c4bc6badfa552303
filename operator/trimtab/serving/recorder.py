"""Counts what was asked and answered into the bins of the reference profile, off the request path. Integers only.

Every row that was answered is added once, then folded with many others: a fold costs about a microsecond a row, a count
per row fifty. Counts and `rows` change in the same step, so that each feature's counts always sum to `rows`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Signature
from trimtab.drift.counting import FeatureCounts, add, count, zero
from trimtab.drift.profile import NumberReference, Profile, Reference
from trimtab.model.engine import Prediction
from trimtab.model.frame import Block, join
from trimtab.model.values import label_text

FOLD_ROWS = 4096
FOLD_BYTES = 4 << 20
"""Rows and bytes of requests that may wait: long texts are folded earlier."""


class Answered(NamedTuple):
    """One request that was answered."""

    frame: Block
    prediction: Prediction
    rows: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of `rows` rows: by feature, of predictions, of scores."""

    rows: int
    features: dict[str, FeatureCounts]
    predictions: FeatureCounts | None
    score: FeatureCounts | None


class Recorder:
    """What one model was asked since boot. Not thread-safe but for `counted`, which is pure."""

    def __init__(self, signature: Signature, profile: Profile | None, exclude: Sequence[str] = ()) -> None:
        excluded = frozenset(exclude)
        features = profile.features if profile else ()
        self._features = {each.name: each for each in features if each.name not in excluded}
        self._predictions = profile.predictions if profile else None
        self._score = profile.score if profile else None
        self._positive = signature.positive
        self._labels = np.array([label_text(label) for label in signature.classes or ()], object)
        self._waiting: list[Answered] = []
        self._rows = self._bytes = 0
        self.counts = Counts(
            0,
            {name: zero(reference) for name, reference in self._features.items()},
            zero(self._predictions) if self._predictions else None,
            zero(self._score) if self._score else None,
        )

    def add(self, answered: Answered, size: int) -> None:
        """Remember a request that was answered; `size` is the bytes of its body."""
        if answered.rows:
            self._waiting.append(answered)
            self._rows += answered.rows
            self._bytes += size

    @property
    def due(self) -> bool:
        """Whether enough waits to be folded."""
        return self._rows >= FOLD_ROWS or self._bytes >= FOLD_BYTES

    @property
    def waiting(self) -> int:
        """Rows that wait."""
        return self._rows

    def take(self) -> list[Answered]:
        """All that waits, to be counted by the caller."""
        taken, self._waiting = self._waiting, []
        self._rows = self._bytes = 0
        return taken

    def merge(self, counts: Counts) -> None:
        """Add what was counted."""
        whole = self.counts
        self.counts = Counts(
            whole.rows + counts.rows,
            {name: add(each, counts.features[name]) for name, each in whole.features.items()},
            add(whole.predictions, counts.predictions) if whole.predictions and counts.predictions else None,
            add(whole.score, counts.score) if whole.score and counts.score else None,
        )

    def fold(self) -> None:
        """Count all that waits."""
        if self._waiting:
            self.merge(self.counted(self.take()))

    def counted(self, answered: list[Answered]) -> Counts:
        """The counts of these requests, of which there is at least one. Pure, and safe in any thread."""
        frame = join([each.frame for each in answered])
        return Counts(
            sum(each.rows for each in answered),
            {name: count(reference, frame[name]) for name, reference in self._features.items()},
            self._counted_predictions(self._predictions, answered),
            self._counted_scores(self._score, answered),
        )

    def _counted_predictions(self, reference: Reference | None, answered: list[Answered]) -> FeatureCounts | None:
        if reference is None:
            return None
        if reference.kind == "Number":
            return count(reference, _joined([each.prediction.values for each in answered]))
        return count(reference, self._labels[_joined([each.prediction.classes for each in answered])])

    def _counted_scores(self, reference: NumberReference | None, answered: list[Answered]) -> FeatureCounts | None:
        if reference is None:
            return None
        table = _joined([each.prediction.probabilities for each in answered])
        return count(reference, table.max(axis=1) if self._positive is None else table[:, self._positive])


def _joined(parts: list[Any]) -> NDArray[Any]:
    return np.concatenate(parts)
