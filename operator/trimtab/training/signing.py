"""Signing: the columns of the data as the inputs of a signature. Pure, and without scikit-learn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.api.wire.models import Datatype, Input, Kind, Label
from trimtab.training.handover import Feature

DATATYPES: dict[Kind, Datatype] = {"Number": "FP64", "Category": "BYTES", "Boolean": "BOOL", "Time": "BYTES"}


def inputs(features: Sequence[Feature], accepts_missing: NDArray[np.bool_] | None = None) -> tuple[Input, ...]:
    """The columns as inputs of a signature; all may be missing unless said otherwise."""
    return tuple(
        Input(
            name=feature.name,
            datatype=DATATYPES[feature.kind],
            kind=feature.kind,
            accepts_missing=True if accepts_missing is None else bool(accepts_missing[number]),
        )
        for number, feature in enumerate(features)
    )


def place(classes: tuple[Label, ...] | None, positive: Label | None) -> int | None:
    """Where the positive label stands among two classes."""
    if classes is None or len(classes) != 2 or positive is None:
        return None
    return classes.index(positive) if positive in classes else None
