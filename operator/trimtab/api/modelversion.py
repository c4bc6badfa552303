"""ModelVersion: one immutable trained artifact with its digest, signature, metrics, reference profile and lineage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.api.evaluation import GateResults, MetricValues
from trimtab.api.meta import ModelRef, PrinterColumn, Resource, Status, VersionIdentity, VersionNumber
from trimtab.api.quantities import Count, Instant
from trimtab.api.shape import ATOMIC, Rule, Shape, keyed_by
from trimtab.api.storage import File
from trimtab.api.texts import RUN_NAME_LENGTH, Column, Digest, Image, Level, Message, Name, ReasonWord, RunName, Uid


class ArtifactFormat(StrEnum):
    """What the artifact is."""

    ONNX = "ONNX"
    SKOPS = "Skops"
    JOBLIB = "Joblib"
    XGBOOST = "XGBoost"
    LIGHTGBM = "LightGBM"
    CUSTOM = "Custom"


class Datatype(StrEnum):
    """Datatypes of the Open Inference Protocol."""

    BOOL = "BOOL"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FP16 = "FP16"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"


class Artifact(File):
    """The bytes of the version."""

    digest: Digest
    """SHA-256 of the manifest when `uri` names a manifest.json, which in turn holds the digest of every file;
    otherwise of the file."""
    format: ArtifactFormat
    """ONNX, Skops, Joblib, XGBoost, LightGBM, or Custom for a server of your own."""
    bytes: Count | None = None
    """Size of all files together, in bytes."""


class Tensor(Shape):
    """An input or output of the model."""

    name: Column
    """Its name, which for an input is the column's, unchanged."""
    datatype: Datatype
    """Its datatype in the Open Inference Protocol."""
    shape: Annotated[list[Annotated[int, Field(ge=-1, le=2_147_483_647)]], ATOMIC, Field(max_length=8)]
    """Its dimensions; -1 is any number, for instance of rows."""
    labels: Annotated[list[Level], ATOMIC, Field(max_length=1000)] | None = None
    """Of an output: the classes, in the order of their scores, as text; the datatype of the label output says what
    they are."""


class Signature(Shape):
    """What the model takes and gives."""

    inputs: Annotated[list[Tensor], keyed_by("name"), Field(max_length=1000)]
    """Inputs, in order."""
    outputs: Annotated[list[Tensor], keyed_by("name"), Field(max_length=16)]
    """Outputs, in order."""


class ProfileIdentity(Shape):
    """The reference that production is compared with; it lies beside the artifact."""

    digest: Digest
    """SHA-256 of profile.json."""


class Parity(Shape):
    """How the converted model answered beside the original, on the same rows."""

    rows: Count
    """Rows compared."""
    label_mismatches: Count
    """Rows with another label."""
    max_difference: Annotated[float, Field(ge=0)]
    """Largest difference of a score or value."""
    fallback: Message | None = None
    """Why the original ships and not the conversion; absent when the conversion ships."""


class RunIdentity(Shape):
    """The TrainingJob that made the version."""

    name: RunName
    """Its name."""
    uid: Uid
    """Its uid."""


class DatasetIdentity(Shape):
    """The data the version was trained on."""

    name: Name
    """Name of the Dataset."""
    digest: Digest
    """Digest of its content."""


class Lineage(Shape):
    """Where the version comes from. Only Trimtab writes it; a version without it was brought by a user."""

    training_job: RunIdentity | None = None
    """The TrainingJob that made it."""
    dataset: DatasetIdentity | None = None
    """The data it was trained on."""
    trained_until: Instant | None = None
    """Time of the newest row that the shipped model was fitted on."""
    twin_trained_until: Instant | None = None
    """Time of the newest row that the judged model was fitted on; later rows are new to it."""
    image: Image | None = None
    """Image of the train step."""
    parameters_digest: Digest | None = None
    """Digest of estimator or container, parameters, target and validation."""
    champion: VersionIdentity | None = None
    """The champion it was compared with."""
    seed: Annotated[int, Field(ge=0, le=4_294_967_295)] | None = None
    """Seed of the run."""


class ModelVersionSpec(Shape):
    """What the version is. Immutable."""

    rules = (Rule("self == oldSelf", "the spec of a ModelVersion cannot be changed: create the next version instead"),)

    model_ref: ModelRef
    """The Model it belongs to, in the same namespace; that Model need not exist."""
    version: VersionNumber
    """Its number within the Model. The object is named `<model>-<version>`."""
    artifact: Artifact
    """Its bytes."""
    signature: Signature | None = None
    """What it takes and gives. Absent: what the artifact itself says."""
    metrics: MetricValues = []
    """Metrics on the held-out rows. Only Trimtab writes them."""
    gates: GateResults = []
    """What the gates said of it. Only Trimtab writes them."""
    profile: ProfileIdentity | None = None
    """The reference that production is compared with. Absent: drift is Unknown."""
    parity: Parity | None = None
    """How the conversion answered beside the original. Absent: nothing was converted."""
    lineage: Lineage | None = None
    """Where it comes from. Only Trimtab writes it."""


class Quarantine(Shape):
    """Why no deployment may use the version."""

    reason: ReasonWord
    """DigestMismatch, LoadFailed or OutputsDisagree."""
    time: Instant
    """Since when."""
    message: Message | None = None
    """What was seen, and where."""


class User(Shape):
    """An object that uses the version."""

    kind: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]*$", max_length=63)]
    """Its kind: Model (champion or pin) or ModelDeployment."""
    name: Name
    """Its name."""


class ModelVersionStatus(Status):
    """Whether the version is fit for use, and who uses it."""

    quarantined: Quarantine | None = None
    """Why no deployment may use it; absent when they may."""
    used_by: Annotated[list[User], keyed_by("kind", "name"), Field(max_length=100)] = []
    """Who uses it, at most 100 of them. While there is one, only the operator and the cluster's own controllers can
    delete the version."""


class ModelVersion(Resource):
    """One immutable trained artifact with its digest, signature, metrics, reference profile and lineage."""

    rules = (
        Rule(
            "self.metadata.name == '%s-%d'.format([self.spec.modelRef.name, self.spec.version])",
            "a ModelVersion must be named <spec.modelRef.name>-<spec.version>",
        ),
    )

    name_length = RUN_NAME_LENGTH
    columns = (
        PrinterColumn("Format", "string", ".spec.artifact.format", "What the artifact is"),
        PrinterColumn(
            "Verified", "string", '.status.conditions[?(@.type=="Verified")].status', "Seen whole and loadable"
        ),
        PrinterColumn("Quarantined", "string", ".status.quarantined.reason", "Why it may not be used", wide=True),
        PrinterColumn("Digest", "string", ".spec.artifact.digest", "Digest of the artifact", wide=True),
    )
    selectable = (".spec.modelRef.name",)

    kind: str = "ModelVersion"
    spec: ModelVersionSpec
    status: ModelVersionStatus = ModelVersionStatus()
