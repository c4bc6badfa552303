"""ModelDeployment: serving, that is which version, how it is rolled out, and how it is monitored."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.api.dataset import FeatureSelection
from trimtab.api.meta import ModelRef, PrinterColumn, Resource, Scale, Status, VersionNumber
from trimtab.api.model import Severity
from trimtab.api.modelversion import ArtifactFormat
from trimtab.api.pods import Environment, Resources, ServerPodSettings
from trimtab.api.quantities import Count, Duration, lasting
from trimtab.api.shape import ATOMIC, Rule, Shape, exactly_one, keyed_by
from trimtab.api.storage import File
from trimtab.api.texts import MODEL_NAME_LENGTH, Column, Digest, Image, Message, ReasonWord, RunName


class ServableFormat(StrEnum):
    """Formats that Trimtab's own server loads from a bare file."""

    ONNX = ArtifactFormat.ONNX.value
    SKOPS = ArtifactFormat.SKOPS.value
    JOBLIB = ArtifactFormat.JOBLIB.value
    XGBOOST = ArtifactFormat.XGBOOST.value
    LIGHTGBM = ArtifactFormat.LIGHTGBM.value


class Flavor(StrEnum):
    """Which server image."""

    AUTO = "Auto"
    SLIM = "Slim"
    SKLEARN = "Sklearn"


class RolloutType(StrEnum):
    """How a new version replaces the old one."""

    ROLLING = "Rolling"


class Sensitivity(StrEnum):
    """How small a shift is tolerated."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class Role(StrEnum):
    """What a version does in a deployment."""

    STABLE = "Stable"
    CANDIDATE = "Candidate"
    PREVIOUS = "Previous"


class DriftVerdict(StrEnum):
    """What is said of the distribution of requests."""

    IN_DISTRIBUTION = "InDistribution"
    DRIFTING = "Drifting"
    UNKNOWN = "Unknown"


class ServedModelRef(ModelRef):
    """A Model in the same namespace, and possibly one of its versions."""

    version: VersionNumber | None = None
    """Serves this version and keeps it alive. Absent: follows the champion."""


class ServedArtifact(File):
    """An artifact of your own, without a Model."""

    rules = (
        *File.rules,
        Rule(
            "self.format != 'Joblib' || (has(self.allowPickle) && self.allowPickle)",
            "a Joblib file runs whatever code is in it: set allowPickle to true if you trust it, or use ONNX or Skops",
            field="allowPickle",
        ),
    )

    digest: Digest
    """SHA-256 of the file, or of the manifest when `uri` names a manifest.json. Other bytes are not served."""
    format: ServableFormat
    """ONNX, Skops, Joblib, XGBoost (a .ubj or .json of its save_model) or LightGBM (the text of its save_model)."""
    allow_pickle: bool = False
    """True: a Joblib file may be loaded, which runs whatever code is in it in the serving pods."""


class Server(Shape):
    """The server process. A change restarts the pods, one after the other."""

    flavor: Flavor = Flavor.AUTO
    """Auto: by the artifact's format. Slim: the small image, ONNX only. Sklearn: the large one, with scikit-learn,
    XGBoost and LightGBM."""
    grpc: bool = False
    """True: gRPC too, the same protocol at port 8081 of the Service. It takes about 12 MB of each pod."""
    resources: Resources | None = None
    """Resources of the server; all but devices hold for the fetch before it, too. Absent: 512Mi of memory at most, 1Gi
    for other formats than ONNX."""
    env: Environment = []
    """Environment variables with plain values, at most 64."""
    pod: ServerPodSettings | None = None
    """Where the pods run, as whom, what is written on them, and how they are spread."""


class Rollout(Shape):
    """How a new version replaces the old one."""

    type: RolloutType = RolloutType.ROLLING
    """Rolling: pods of the new version start, all requests go to it when they are ready, the old ones drain and go."""


class Monitoring(Shape):
    """How drift is looked for. A change concerns what is judged from now on."""

    window: Annotated[Duration, lasting("10s", "7d")] = "1h"
    """The base window, from `10s` to `7d`; 6, 24 and 168 of them are judged too. Shorter sees large shifts sooner;
    small ones take as many rows either way. A change begins counting anew."""
    false_alarm_every: Annotated[Duration, lasting("1d", "3650d")] = "90d"
    """How often a false alarm is acceptable, per deployment and kind of verdict, from `1d` to `3650d`; thresholds
    follow from it. Longer: fewer false alarms, and more rows until a true one."""
    sensitivity: Sensitivity = Sensitivity.MEDIUM
    """Low, Medium or High: how small a shift is tolerated, however sure it is. High tolerates least."""
    features: FeatureSelection | None = None
    """Which features are judged. Absent: all of them. At most 200 are judged."""


class ModelDeploymentSpec(Shape):
    """What is served, how it is rolled out and how it is monitored."""

    rules = (exactly_one("modelRef", "artifact", "versions of a Model, or a file of your own"),)

    model_ref: ServedModelRef | None = None
    """The Model whose champion, or named version, is served. Excludes `artifact`."""
    artifact: ServedArtifact | None = None
    """An artifact of your own. Excludes `modelRef`."""
    suspend: bool = False
    """True: nothing changes, what serves goes on."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Number of pods, 0 to 1,000. Leave it out of Git when something else scales: what an autoscaler or `kubectl scale`
    wrote then stays."""
    server: Server = Server()
    """The server process."""
    rollout: Rollout = Rollout()
    """How a new version replaces the old one."""
    monitoring: Monitoring = Monitoring()
    """How drift is looked for."""


class Address(Shape):
    """Where requests go."""

    url: Annotated[str, Field(max_length=1024)]
    """Address of the Service inside the cluster."""


class Weight(Shape):
    """A share of requests, in per cent."""

    requested: Annotated[int, Field(ge=0, le=100)]
    """What is asked for."""
    effective: Annotated[int, Field(ge=0, le=100)]
    """What the endpoints that are ready amount to."""


class ServedVersion(Shape):
    """A version that has pods."""

    version: VersionNumber | None = None
    """Its number; absent for an artifact of your own."""
    name: RunName | None = None
    """Name of the ModelVersion; absent for an artifact of your own."""
    digest: Digest
    """Digest of its artifact."""
    role: Role
    """Stable, Candidate or Previous."""
    weight: Weight
    """Its share of requests."""


class RejectedVersion(Shape):
    """A version that this deployment tried and gave up; it is not tried here again."""

    version: VersionNumber | None = None
    """Its number; absent for an artifact of your own."""
    digest: Digest
    """Digest of its artifact; another digest under the same number is a new candidate."""
    reason: ReasonWord
    """Why, as one word for machines."""
    message: Message | None = None
    """Why, as a sentence."""


class DriftedFeature(Shape):
    """A feature that moved beyond what is tolerated."""

    name: Column
    """Name of the feature."""
    severity: Severity
    """How far it moved."""
    shift: Annotated[float, Field(ge=0)] | None = None
    """Its population stability index, corrected for the number of rows."""
    tolerated: Annotated[float, Field(ge=0)] | None = None
    """The shift that is tolerated."""


class DriftStatus(Shape):
    """The verdict on what was asked lately. Figures change only when verdict, severity or the set of features does."""

    verdict: DriftVerdict
    """InDistribution, Drifting, or Unknown when it cannot be told."""
    severity: Severity | None = None
    """The worst severity; absent without drift."""
    scale: Duration | None = None
    """The span of time that led to the verdict."""
    rows: Count | None = None
    """Rows in that span."""
    features: Annotated[list[DriftedFeature], keyed_by("name"), Field(max_length=10)] = []
    """The features that moved furthest, at most 10."""
    reason: ReasonWord | None = None
    """Why, as one word for machines."""


class ModelDeploymentStatus(Status):
    """What serves, and how it fares."""

    address: Address | None = None
    """Where requests go."""
    versions: Annotated[list[ServedVersion], ATOMIC, Field(max_length=16)] = []
    """Versions that have pods."""
    rejected: Annotated[list[RejectedVersion], ATOMIC, Field(max_length=50)] = []
    """Versions that this deployment tried and gave up."""
    replicas: Count | None = None
    """Pods there are of the version that serves."""
    ready_replicas: Count | None = None
    """Those of them that answer requests."""
    selector: Annotated[str, Field(max_length=1024)] | None = None
    """Label selector of the pods of the version that serves, for autoscalers."""
    server_image: Image | None = None
    """Image of the server in use; a new release of the operator does not change it."""
    drift: DriftStatus | None = None
    """The verdict on what was asked lately."""


class ModelDeployment(Resource):
    """Serving: which version, how it is rolled out, and how it is monitored."""

    name_length = MODEL_NAME_LENGTH
    columns = (
        PrinterColumn("Version", "integer", '.status.versions[?(@.role=="Stable")].version', "Version that serves"),
        PrinterColumn("Drift", "string", ".status.drift.verdict", "Whether requests resemble the reference"),
        PrinterColumn("Replicas", "integer", ".status.readyReplicas", "Pods that answer requests", wide=True),
        PrinterColumn("URL", "string", ".status.address.url", "Where requests go", wide=True),
    )
    selectable = (".spec.modelRef.name",)
    scale = Scale(".spec.replicas", ".status.replicas", ".status.selector")

    kind: str = "ModelDeployment"
    spec: ModelDeploymentSpec
    status: ModelDeploymentStatus = ModelDeploymentStatus()
