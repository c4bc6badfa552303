"""The formats that cross a process boundary: what the operator, training steps and model servers hand to each other.

All are strict JSON in camelCase with `schema: 1`; a reader refuses a newer schema. Nothing here reads or writes a file.
The reference profile and the counts are the dataclasses of `trimtab.drift`, validated here at the border.
"""

import base64
import binascii
import zlib
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from trimtab.api.dataset import DatasetSpec, ExpectationFailure, SeenColumn
from trimtab.api.evaluation import Gate, GateResult, MetricValue
from trimtab.api.storage import Store
from trimtab.api.training import Training
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Profile

SCHEMA = 1
TERMINATION_BYTES = 2000
"""Largest termination message of one step: all containers of a pod share 12 KiB."""
_INFLATED_BYTES = 1 << 20

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class SchemaTooNewError(ValueError):
    """The document was written by a newer Trimtab than the one that reads it."""


def _known(schema: int) -> int:
    if schema > SCHEMA:
        raise SchemaTooNewError(
            f"schema {schema} is newer than {SCHEMA}, the newest this image reads: update the image"
        )
    return schema


class Wire(BaseModel):
    """Base of all wire formats: immutable, camelCase, tolerant of fields that a later release adds."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, ser_json_inf_nan="null"
    )

    def to_json(self) -> str:
        """Strict JSON without absent fields."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse and validate; `pydantic.ValidationError` names the field that is wrong."""
        return cls.model_validate_json(text)


class Document(Wire):
    """A wire format that stands alone in a file, a message or a response."""

    schema_: Annotated[int, AfterValidator(_known), Field(alias="schema")] = SCHEMA


# ---------------------------------------------------------------- places


class Location(Wire):
    """Where bytes lie. Credentials never travel in it: they come as environment variables of the one step that needs them."""

    uri: str
    endpoint: str | None = None
    region: str | None = None
    ca_bundle: str | None = None


# ---------------------------------------------------------------- signature

Kind = Literal["Number", "Category", "Boolean", "Time"]
Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"
]
Label = bool | int | float | str
Format = Literal["ONNX", "Skops", "Joblib", "Custom"]


class Input(Wire):
    """One input of a model. `shape` has -1 for the rows: `[-1]` is one column, `[-1, 20]` a matrix of 20."""

    name: str
    datatype: Datatype
    kind: Kind = "Number"
    shape: tuple[int, ...] = (-1,)
    accepts_missing: bool = True


class Output(Wire):
    """One output: `predict` (a label or number a row), or `predict_proba` (a probability a class, in the order of `labels`)."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    labels: tuple[Label, ...] | None = None


class Signature(Document):
    """What a model takes and gives. `classes` are the labels in their own type and order; `positive` is an index into them."""

    task: Literal["Classification", "Regression"]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    classes: tuple[Label, ...] | None = None
    positive: int | None = None


# ---------------------------------------------------------------- artifact


class FileEntry(Wire):
    """One file of an artifact, relative to its folder."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=200)]
    digest: Digest
    bytes: int


class Manifest(Document):
    """Names every file of a version with its digest. Written last; the digest of its own bytes is the version's digest."""

    format: Format
    files: tuple[FileEntry, ...]

    MODEL: ClassVar[dict[str, str]] = {"ONNX": "model.onnx", "Skops": "model.skops", "Joblib": "model.joblib"}


class Parity(Wire):
    """How the served format compares with the fitted model. `fallback` says why a slower format is served instead."""

    rows: int
    label_mismatches: int
    max_difference: float
    fallback: str | None = None


# ---------------------------------------------------------------- training


class Champion(Wire):
    """The version that a candidate is compared with, by its judged twin.

    `twin_trained_until` bounds the clean rows of a Time split."""

    version: int
    name: str
    location: Location
    digest: Digest
    twin_trained_until: str | None = None


class Run(Document):
    """`run.json`: one look at a Dataset (`job` absent) or one training run. Read by every step; written by the operator."""

    namespace: str
    name: str
    """Of the TrainingJob, or of the Dataset that is looked at."""
    uid: str
    data: DatasetSpec
    job: "RunJob | None" = None


class RunJob(Wire):
    """The part of a run that trains, judges and publishes."""

    model: str
    task: Literal["Classification", "Regression"]
    training: Training
    """The body of the run, resolved: what the TrainingJob left out is the Model's."""
    metrics: tuple[str, ...] = ()
    """None: those of the task, by the number of classes, which only the data tell."""
    gates: tuple[Gate, ...] = ()
    store: Store
    validation_data: DatasetSpec | None = None
    """With `validation.type: Dataset`: the rows to judge on."""
    champion: Champion | None = None
    expected_digest: Digest | None = None
    """Digest of the data when the run was opened; other data end the run with `DataChanged`."""
    image: str = ""


class Look(Wire):
    """What `fetch` saw: enough for a Dataset's status.

    `packed` carries the columns (a JSON list, see `pack`) when they do not fit as they are."""

    digest: Digest
    rows: int
    bytes: int
    columns: tuple[SeenColumn, ...] = ()
    packed: str | None = None
    failures: tuple[ExpectationFailure, ...] = ()
    newest_time: str | None = None


class Published(Wire):
    """What `publish` put into the store: the headline of `report.json`, enough to write a ModelVersion."""

    uri: str
    """Of the manifest."""
    digest: Digest
    format: Format
    bytes: int
    rows: int
    data_digest: Digest
    profile_digest: Digest | None = None
    parameters_digest: str | None = None
    trained_until: str | None = None
    twin_trained_until: str | None = None
    metrics: tuple[MetricValue, ...] = ()
    gates: tuple[GateResult, ...] = ()
    parity: Parity | None = None
    signature: str | None = None
    """`pack`ed; absent where it does not fit, then the file in the store is the only copy."""
    notes: tuple[str, ...] = ()


Step = Literal["fetch", "train", "evaluate", "publish"]


class StepReport(Document):
    """The termination message of one of our steps. A message that is no such JSON is the last of a log, as it stands."""

    step: Step
    reason: str | None = None
    """CamelCase, set when the step failed."""
    message: str | None = None
    log_tail: str | None = None
    seconds: float | None = None
    look: Look | None = None
    published: Published | None = None


EXIT_RETRY = 1
EXIT_DO_NOT_RETRY = 3

# ---------------------------------------------------------------- serving


class Limits(Wire):
    """What a model server refuses to go beyond."""

    body_bytes: int = 16 << 20
    rows: int = 100_000


class Monitoring(Wire):
    """What a model server counts: all features of the profile but those in `exclude`."""

    window_seconds: float = 3600.0
    exclude: tuple[str, ...] = ()


class Artifact(Wire):
    """What is served, named by its digest: of the manifest when the URI ends in `manifest.json`, else of the one file."""

    location: Location
    digest: Digest
    format: Format


class Serving(Document):
    """`serving.json`: all that a model server is told."""

    namespace: str
    deployment: str
    model: str
    """Name in the V2 paths: the ModelDeployment's."""
    version: str
    artifact: Artifact
    allow_pickle: bool = False
    limits: Limits = Limits()
    monitoring: Monitoring = Monitoring()


class Requests(Wire):
    """Requests answered since boot."""

    ok: int = 0
    client_error: int = 0
    server_error: int = 0


class Latency(Wire):
    """Histogram of seconds per request; `counts` has one more entry than `edges`."""

    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


class Snapshot(Document):
    """Integers counted since boot; adding two snapshots of different boots is adding the numbers."""

    model: str
    version: str
    artifact_digest: Digest
    profile_digest: Digest | None = None
    pod: str
    """uid of the pod."""
    boot: str
    """Random per process start."""
    started_at: float
    seq: int
    rows: int
    requests: Requests = Requests()
    latency: Latency = Latency()
    features: dict[str, FeatureCounts] = {}
    predictions: FeatureCounts | None = None
    score: FeatureCounts | None = None


# ---------------------------------------------------------------- profile and packing

_PROFILE: TypeAdapter[Profile] = TypeAdapter(Profile)
_T = TypeVar("_T", bound=Wire)


def profile_to_json(profile: Profile) -> bytes:
    """The reference profile as strict JSON; its sha256 is the profile's digest."""
    return _PROFILE.dump_json(profile)


def profile_from_json(text: str | bytes) -> Profile:
    """Read a reference profile; raises `pydantic.ValidationError` or `SchemaTooNewError`."""
    profile = _PROFILE.validate_json(text)
    _known(profile.schema)
    return profile


def pack(text: str) -> str:
    """Compress text for a place with little room."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpack(packed: str) -> str:
    """Undo `pack`; refuses what would inflate beyond a mebibyte with `ValueError`."""
    try:
        inflater = zlib.decompressobj()
        text = inflater.decompress(base64.b64decode(packed, validate=True), _INFLATED_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"not a packed text: {error}") from error
    if inflater.unconsumed_tail:
        raise ValueError(f"a packed text may not inflate beyond {_INFLATED_BYTES} bytes")
    return text.decode()


def report_from_message(message: str) -> StepReport | None:
    """The report in a termination message, or None where the message is something else, such as the last of a log."""
    try:
        return StepReport.from_json(message)
    except (ValidationError, ValueError):
        return None


def plain(value: Wire) -> dict[str, Any]:
    """As a plain dictionary in camelCase, without absent fields."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


Run.model_rebuild()
