"""TrainingJob: one training run. Its spec is immutable but for `suspend`; it leaves one ModelVersion behind."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.api.evaluation import Gates, MetricValues
from trimtab.api.meta import ModelRef, ModelVersionRef, PrinterColumn, Resource, Status
from trimtab.api.model import RunCause
from trimtab.api.quantities import Count, Instant
from trimtab.api.shape import Shape, immutable
from trimtab.api.storage import Store
from trimtab.api.texts import RUN_NAME_LENGTH, Digest, LogTail, Message, ReasonWord
from trimtab.api.training import Training

ANOTHER = "create another TrainingJob"


class Stage(StrEnum):
    """How far a run is. The last two are final."""

    PENDING = "Pending"
    QUEUED = "Queued"
    FETCHING = "Fetching"
    TRAINING = "Training"
    EVALUATING = "Evaluating"
    PUBLISHING = "Publishing"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class RunTrigger(Shape):
    """Why the run was opened."""

    type: RunCause
    """Initial, SpecChanged or Drift when a Model opened it, Manual otherwise."""
    reason: Annotated[str, Field(max_length=1024)] | None = None
    """What was seen, or why somebody wants the run."""


class TrainingJobSpec(Shape):
    """What is run. What is left out is the Model's, read once when the run begins."""

    rules = (
        immutable("modelRef", required=True, remedy=ANOTHER),
        immutable("training", required=False, remedy=ANOTHER),
        immutable("gates", required=False, remedy=ANOTHER),
        immutable("store", required=False, remedy=ANOTHER),
        immutable("trigger", required=False, remedy=ANOTHER),
    )

    model_ref: ModelRef
    """The Model that the version will belong to, in the same namespace. Immutable."""
    training: Training | None = None
    """How to train. Absent: as the Model says. Immutable."""
    gates: Gates | None = None
    """Tests for the version. Absent: those of the Model; an empty list: none. Immutable."""
    store: Store | None = None
    """Where the version is written. Absent: where the Model says. Immutable."""
    trigger: RunTrigger | None = None
    """Why the run was opened. Absent: by hand. Immutable."""
    suspend: bool = False
    """True: a run that has not begun does not begin, and one that runs is stopped; false again, it starts from the
    beginning. The only member that may change."""


class Failure(Shape):
    """Why a run failed."""

    stage: Stage
    """Where it stopped."""
    reason: ReasonWord
    """Why, as one word for machines."""
    message: Message
    """Why, and what to do."""
    log_tail: LogTail | None = None
    """The last lines that the failed step wrote, at most 4,096 characters."""


class TrainingJobStatus(Status):
    """How far the run is, and what it led to."""

    stage: Stage | None = None
    """Pending, Queued, Fetching, Training, Evaluating, Publishing, Succeeded or Failed. A run that ended never runs
    again."""
    attempts: Count | None = None
    """Attempts that were begun."""
    start_time: Instant | None = None
    """When the first attempt began."""
    completion_time: Instant | None = None
    """When the run ended, well or not."""
    data_digest: Digest | None = None
    """Digest of the data it was trained on."""
    metrics: MetricValues = []
    """Metrics of the new version on the held-out rows."""
    model_version_ref: ModelVersionRef | None = None
    """The version it left behind."""
    failure: Failure | None = None
    """Why it failed."""


class TrainingJob(Resource):
    """One training run; it leaves one ModelVersion behind."""

    name_length = RUN_NAME_LENGTH
    columns = (
        PrinterColumn("Stage", "string", ".status.stage", "How far the run is"),
        PrinterColumn("Model", "string", ".spec.modelRef.name", "Model it trains", wide=True),
        PrinterColumn("Version", "string", ".status.modelVersionRef.name", "Version it left behind", wide=True),
        PrinterColumn("Trigger", "string", ".spec.trigger.type", "Why it was opened", wide=True),
    )
    selectable = (".spec.modelRef.name",)

    kind: str = "TrainingJob"
    spec: TrainingJobSpec
    status: TrainingJobStatus = TrainingJobStatus()
