"""The words of Trimtab: its five kinds, their conditions and reasons, and the formats that cross a process boundary.

Nothing here does I/O or knows the time, but for the two generators (`crd`, `reference`), which are run at build time
only.
"""

from __future__ import annotations

from dataclasses import dataclass

from trimtab.api.dataset import Dataset
from trimtab.api.meta import (
    API_VERSION,
    CATEGORY,
    FIELD_MANAGER,
    GROUP,
    MANAGED_BY,
    PREFIX,
    UNSEEN,
    VERSION,
    Annotation,
    Label,
    Resource,
)
from trimtab.api.model import Model
from trimtab.api.modeldeployment import ModelDeployment
from trimtab.api.modelversion import ModelVersion
from trimtab.api.trainingjob import TrainingJob

__all__ = [
    "API_VERSION",
    "CATEGORY",
    "FIELD_MANAGER",
    "GROUP",
    "KINDS",
    "MANAGED_BY",
    "PREFIX",
    "UNSEEN",
    "VERSION",
    "Annotation",
    "Dataset",
    "KindRow",
    "Label",
    "Model",
    "ModelDeployment",
    "ModelVersion",
    "Resource",
    "TrainingJob",
]


@dataclass(frozen=True)
class KindRow:
    """One kind as the API server and kubectl know it."""

    kind: str
    plural: str
    short_name: str
    resource: type[Resource]


KINDS: tuple[KindRow, ...] = (
    KindRow("Dataset", "datasets", "dset", Dataset),
    KindRow("Model", "models", "mdl", Model),
    KindRow("TrainingJob", "trainingjobs", "tjob", TrainingJob),
    KindRow("ModelVersion", "modelversions", "mdlv", ModelVersion),
    KindRow("ModelDeployment", "modeldeployments", "mdep", ModelDeployment),
)
"""All kinds of the group; a new kind is a new row."""
