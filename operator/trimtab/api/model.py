"""Model: how a model is trained, judged, promoted and retrained, and which version is champion."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.api.evaluation import Gates, MetricNames
from trimtab.api.meta import PrinterColumn, Resource, Status, VersionIdentity, VersionNumber
from trimtab.api.quantities import Count, Duration, Instant, lasting
from trimtab.api.shape import Rule, Shape, keyed_by, member_named_by_type
from trimtab.api.storage import Store
from trimtab.api.texts import MODEL_NAME_LENGTH, Digest, ItemName, Message, ReasonWord, RunName
from trimtab.api.training import Task, Training


class PromotionMode(StrEnum):
    """Who lets a version become champion."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class Decision(StrEnum):
    """What a person says of a version."""

    APPROVED = "Approved"
    REJECTED = "Rejected"


class RetrainingMode(StrEnum):
    """What a trigger leads to."""

    AUTOMATIC = "Automatic"
    RECOMMEND = "Recommend"
    OBSERVE = "Observe"
    DISABLED = "Disabled"


class TriggerType(StrEnum):
    """What a trigger looks at."""

    DRIFT = "Drift"


class RunCause(StrEnum):
    """Why a run was opened."""

    INITIAL = "Initial"
    SPEC_CHANGED = "SpecChanged"
    DRIFT = "Drift"
    MANUAL = "Manual"


class Severity(StrEnum):
    """How far a feature has moved: its population stability index below 0.1, below 0.25, or above."""

    MINOR = "Minor"
    MODERATE = "Moderate"
    MAJOR = "Major"


class OnDelete(StrEnum):
    """What becomes of versions when their Model goes."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Link(Shape):
    """Something to read."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """What it is, once per list."""
    url: Annotated[str, Field(pattern=r"^https?://[^\x00-\x20\x7f]+$", max_length=1024)]
    """Its address, `https://…`."""


class Card(Shape):
    """What people should know of the model. It is for readers: a change does nothing."""

    description: Annotated[str, Field(max_length=4096)] | None = None
    """What the model predicts, from what."""
    owner: Annotated[str, Field(max_length=256)] | None = None
    """Whom to ask."""
    intended_use: Annotated[str, Field(max_length=4096)] | None = None
    """What it is made for."""
    limitations: Annotated[str, Field(max_length=4096)] | None = None
    """What it must not be used for, and where it is weak."""
    links: Annotated[list[Link], keyed_by("name"), Field(max_length=20)] = []
    """More to read, at most 20."""


class Approval(Shape):
    """A person's decision on a version."""

    version: VersionNumber
    """Number of the version."""
    decision: Decision
    """Approved or Rejected. Rejected holds in mode Automatic too."""


class Promotion(Shape):
    """How a version that passed its gates becomes champion."""

    mode: PromotionMode = PromotionMode.AUTOMATIC
    """Automatic: at once. Manual: when `approvals` has it Approved. A version that Trimtab did not make needs an
    approval in both."""
    approvals: Annotated[list[Approval], keyed_by("version"), Field(max_length=100)] = []
    """Decisions by version, at most 100."""


class Pin(Shape):
    """A version named by hand."""

    version: VersionNumber
    """Number of the version. One that does not exist stalls the Model, and what serves goes on."""


class DriftTrigger(Shape):
    """Opens a run when a ModelDeployment of this Model reports drift."""

    severity: Severity = Severity.MODERATE
    """Minor, Moderate or Major: the smallest severity that counts. Absent: Moderate."""


class Trigger(Shape):
    """A reason to train again."""

    rules = member_named_by_type("drift")

    name: ItemName
    """Name of the trigger, once per list; it stands on the run that it opened."""
    type: TriggerType
    """Drift: which member says when."""
    drift: DriftTrigger | None = None
    """With type Drift: what is asked has moved away from what was learnt."""


class Retraining(Shape):
    """When the model is trained again. The first run, and the one after a changed spec, need no trigger."""

    mode: RetrainingMode = RetrainingMode.AUTOMATIC
    """What a trigger leads to. Automatic: a run. Recommend: a condition that says so. Observe:
    `status.suppressed` and an Event say that there would have been one. Disabled: nothing; triggers are not looked at."""
    triggers: Annotated[list[Trigger], keyed_by("name"), Field(max_length=20)] = []
    """Reasons to train again, at most 20; any of them is enough. None: only a changed spec, or a TrainingJob by
    hand."""
    cooldown: Annotated[Duration, lasting("0s", "365d")] = "24h"
    """Shortest time between two runs that triggers opened, from `0s` to `365d`."""


class RunRetention(Shape):
    """How many ended TrainingJobs stay."""

    succeeded: Annotated[int, Field(ge=0, le=100)] = 3
    """Newest succeeded runs that stay, 0 to 100."""
    failed: Annotated[int, Field(ge=0, le=100)] = 3
    """Newest failed runs that stay, 0 to 100."""


class Retention(Shape):
    """What stays, and what goes by itself. Bytes in the store always stay."""

    versions: Annotated[int, Field(ge=1, le=1000)] = 10
    """Newest ModelVersions made by Trimtab that stay, 1 to 1,000. Champion, pinned, in use, somebody's fallback and
    the highest number stay whatever this says; versions brought by users are never removed."""
    runs: RunRetention = RunRetention()
    """How many ended TrainingJobs that this Model opened stay."""
    on_delete: OnDelete = OnDelete.RETAIN
    """What becomes of the ModelVersions when the Model is deleted. Retain: they stay, what serves goes on, and a
    Model of the same name takes them up again. Delete: they go with it."""


class ModelSpec(Shape):
    """How the model is trained, judged, promoted and retrained."""

    rules = (
        Rule(
            "self.task != 'Regression' || !has(self.training.target) || !has(self.training.target.positive)",
            "training.target.positive is for task Classification: remove it",
            field="training",
        ),
    )

    task: Task
    """Classification or Regression. A change opens a new run."""
    suspend: bool = False
    """True: no new runs and no promotion; what runs, runs."""
    card: Card | None = None
    """What people should know of the model."""
    training: Training
    """How it is trained: the body of every TrainingJob this Model opens. A change opens a new run."""
    store: Store | None = None
    """Where versions are written. Absent: the claim or Secret that the operator's settings name."""
    metrics: MetricNames | None = None
    """What is computed on the held-out rows: names of scikit-learn's scorers, and log_loss, rmse, mae, brier. 1 to
    20. Absent: by task. A change opens a new run."""
    gates: Gates = []
    """Tests that a version must pass to be champion, at most 20; all must pass. None: every version may. A change
    concerns later runs."""
    promotion: Promotion = Promotion()
    """How a version that passed its gates becomes champion. Default: at once."""
    champion: Pin | None = None
    """Pins the champion to one version, whatever gates and approvals say: the way back for those who keep their
    objects in Git. Removed: the newest promoted version is champion again."""
    retraining: Retraining = Retraining()
    """When the model is trained again. Default: no triggers, so only when the spec changes."""
    retention: Retention = Retention()
    """What stays, and what goes by itself."""


class LastFailure(Shape):
    """How the run that was opened last failed."""

    reason: ReasonWord
    """Why, as its `status.failure.reason` says."""
    time: Instant
    """When it ended."""


class LastTrigger(Shape):
    """The run that was opened last, and why."""

    type: RunCause
    """Initial, SpecChanged, Drift or Manual."""
    name: ItemName | None = None
    """Name of the trigger in `spec.retraining.triggers`; absent when there was none."""
    message: Message | None = None
    """What was seen."""
    time: Instant | None = None
    """When the run was opened."""
    training_job: RunName | None = None
    """Name of the TrainingJob."""
    spec_digest: Digest | None = None
    """Digest of task, training and metrics of that run."""
    data_digest: Digest | None = None
    """Digest of the data of that run."""
    repeats: Count | None = None
    """How many runs before it, one after the other, failed on the same spec and data for a reason that passes by
    itself; absent: none. The next run waits for an hour after the first such failure, and twice as long after each one
    more, up to 24 hours."""
    failure: LastFailure | None = None
    """How that run failed; absent: it has not."""


class Suppressed(Shape):
    """A run that a trigger asked for and that was not opened."""

    reason: ReasonWord
    """Why not, as one word for machines: CooldownActive, DataUnchanged, DataQualityBlocked, Recommended and the
    like."""
    since: Instant
    """Since when it has been so."""
    trigger: ItemName | None = None
    """Name of the trigger."""
    message: Message | None = None
    """Why not, and what to do."""


class ModelStatus(Status):
    """Which version is champion, and what led to it."""

    champion: VersionIdentity | None = None
    """The version that ModelDeployments of this Model serve unless they name one."""
    latest: VersionIdentity | None = None
    """The version with the highest number."""
    last_trigger: LastTrigger | None = None
    """The run that was opened last, and why."""
    spec_digest: Digest | None = None
    """Digest of task, training and metrics as of the newest run, or of when versions of an earlier Model were taken up."""
    look_request_time: Instant | None = None
    """When a look at the Dataset was asked for: a trigger waits for what it finds."""
    suppressed: Suppressed | None = None
    """Why a run that a trigger asks for is not opened; absent when none is held back."""


class Model(Resource):
    """How a model is trained, judged, promoted and retrained, and which version is champion."""

    name_length = MODEL_NAME_LENGTH
    columns = (
        PrinterColumn("Champion", "integer", ".status.champion.version", "Version that serves"),
        PrinterColumn("Latest", "integer", ".status.latest.version", "Version with the highest number"),
        PrinterColumn("Task", "string", ".spec.task", "What is predicted", wide=True),
        PrinterColumn("Held back", "string", ".status.suppressed.reason", "Why no run is opened", wide=True),
    )
    selectable = (".spec.training.data.datasetRef.name",)

    kind: str = "Model"
    spec: ModelSpec
    status: ModelStatus = ModelStatus()
