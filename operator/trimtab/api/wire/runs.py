"""What a training pod is told and what it says: `run.json` and the termination messages of its steps. See the package."""

import base64
import binascii
import zlib
from typing import Literal

from pydantic import ValidationError

from trimtab.api.dataset import DatasetSpec, ExpectationFailure, SeenColumn
from trimtab.api.evaluation import Gate, GateResult, MetricValue
from trimtab.api.storage import Store
from trimtab.api.training import Training
from trimtab.api.wire.base import Location
from trimtab.api.wire.kinds import Digest, Document, Wire
from trimtab.api.wire.models import Format, Parity

TERMINATION_BYTES = 2000
"""Largest termination message of one step: all containers of a pod share 12 KiB."""
_INFLATED_BYTES = 1 << 20


class Champion(Wire):
    """The version that a candidate is compared with, by its judged twin.

    `twin_trained_until` bounds the clean rows of a Time split."""

    version: int
    name: str
    location: Location
    digest: Digest
    format: Format | None = None
    """Of the model that ships; absent in runs that an earlier release wrote."""
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


Run.model_rebuild()
