"""What all kinds share: group and version, object metadata, references, labels, and the frame of a resource and its
status."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from trimtab.api.conditions import Condition
from trimtab.api.quantities import LARGEST
from trimtab.api.shape import Shape, keyed_by
from trimtab.api.texts import Digest, Name, RunName

GROUP = "trimtab.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "mlops"
PREFIX = f"{GROUP}/"

FIELD_MANAGER = "trimtab"
"""The field manager of every server-side apply of the operator."""

MANAGED_BY = "trimtab"
"""The value of `app.kubernetes.io/managed-by` on everything the operator creates."""

UNSEEN = -1
"""`status.observedGeneration` of an object that no operator has looked at yet."""


class Label(StrEnum):
    """Labels on the objects that the operator creates; values are names of objects of ours, so they always fit."""

    DATASET = f"{PREFIX}dataset"
    MODEL = f"{PREFIX}model"
    TRAINING_JOB = f"{PREFIX}training-job"
    MODEL_VERSION = f"{PREFIX}model-version"
    MODEL_DEPLOYMENT = f"{PREFIX}model-deployment"
    VERSION = f"{PREFIX}version"
    """The version's number."""


class Annotation(StrEnum):
    """Annotations on the objects that the operator creates."""

    INTENT = f"{PREFIX}intent"
    """Digest of all that the operator means of a child: tells a member it no longer means from one that others added."""
    INPUTS = f"{PREFIX}inputs"
    """Digest of the user's inputs from which a child was made."""
    SUSPENDED = f"{PREFIX}suspended"
    """On a Job that Trimtab suspended: only such a one does it resume."""
    TRIGGER = f"{PREFIX}trigger"
    """Why a run was opened: the name of the trigger in the Model."""


class OwnerReference(Shape):
    """An owner as the API server keeps it."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(Shape):
    """The part of an object's metadata that decisions read."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: AwareDatetime | None = None
    deletion_timestamp: AwareDatetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []


class DatasetRef(Shape):
    """A Dataset in the same namespace."""

    name: Name
    """Name of the Dataset. It may be created later; until then whatever refers to it waits."""


class ModelRef(Shape):
    """A Model in the same namespace."""

    name: Name
    """Name of the Model."""


class ModelVersionRef(Shape):
    """A ModelVersion in the same namespace."""

    name: RunName
    """Name of the ModelVersion, `<model>-<version>`."""


VersionNumber = Annotated[int, Field(ge=1, le=2_147_483_647)]
"""Versions are numbers: 10 comes after 9."""


class VersionIdentity(Shape):
    """A version by number, name and content."""

    version: VersionNumber
    """Number of the version within its Model."""
    name: RunName
    """Name of the ModelVersion."""
    digest: Digest
    """Digest of its artifact."""


@dataclass(frozen=True)
class PrinterColumn:
    """A column of `kubectl get`; `wide` ones show with `-o wide` only."""

    name: str
    type: str
    json_path: str
    description: str
    wide: bool = False


@dataclass(frozen=True)
class Scale:
    """Where the scale subresource finds its three values."""

    spec_replicas: str
    status_replicas: str
    selector: str


class Status(Shape):
    """What the operator has seen; nobody else writes it."""

    observed_generation: Annotated[int, Field(ge=UNSEEN, le=LARGEST)] = UNSEEN
    """Generation of the spec that this status speaks of; -1 until an operator has looked at the object."""
    conditions: Annotated[list[Condition], keyed_by("type"), Field(max_length=16)] = []
    """Ready sums up; Reconciling and Stalled are there only while True; the others are the kind's own, True when all
    is well."""


class Resource(Shape):
    """The frame of a kind. A subclass adds `spec` and `status`, and says how `kubectl` shows it."""

    api_version: str = API_VERSION
    kind: str
    metadata: ObjectMeta

    name_length: ClassVar[int]
    """Most characters a name may have."""
    columns: ClassVar[tuple[PrinterColumn, ...]] = ()
    """The kind's own columns, between REASON and AGE."""
    selectable: ClassVar[tuple[str, ...]] = ()
    """Paths that `kubectl get --field-selector` understands."""
    scale: ClassVar[Scale | None] = None
