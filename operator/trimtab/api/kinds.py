"""The five kinds in one table. Imports the module of each kind, so a process that needs one kind or none leaves it out."""

from __future__ import annotations

from dataclasses import dataclass

from trimtab.api.dataset import Dataset
from trimtab.api.meta import Resource
from trimtab.api.model import Model
from trimtab.api.modeldeployment import ModelDeployment
from trimtab.api.modelversion import ModelVersion
from trimtab.api.trainingjob import TrainingJob


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
