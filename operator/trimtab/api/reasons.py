"""The reasons of all conditions, failures and Events, one enum per kind and one for what all share.

A reason is an interface: alerts and scripts match on it. One may be added; none is renamed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A CamelCase word for machines, with its meaning as the member's docstring."""

    def __new__(cls, word: str, meaning: str) -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.__doc__ = meaning
        return member


class Reason(Word):
    """Why a condition has its status, why a run failed, or what an Event tells."""


class CommonReason(Reason):
    """Reasons that any kind may give."""

    PROGRESSING = "Progressing", "The operator is at work; nothing is to be done."
    SUSPENDED = "Suspended", "spec.suspend is true: nothing new is begun until it is false."
    INVALID_SPEC = "InvalidSpec", "The spec asks for something that cannot be; the message says what to change."
    DATASET_NOT_FOUND = "DatasetNotFound", "The Dataset that is referred to does not exist in this namespace."
    MODEL_NOT_FOUND = "ModelNotFound", "The Model that is referred to does not exist in this namespace."
    VERSION_NOT_FOUND = "VersionNotFound", "The ModelVersion that is asked for does not exist."
    STORE_MISSING = "StoreMissing", "Neither the spec nor the operator's settings say where artifacts are kept."
    NAME_TAKEN = (
        "NameTaken",
        "An object that belongs to somebody else has the name of one that is needed; it was left alone.",
    )
    OLD_OBJECT_LEAVING = (
        "OldObjectLeaving",
        "An object of this one's deleted namesake is still there; waiting for it to go.",
    )
    CHILD_REFUSED = (
        "ChildRefused",
        "The API server refused an object that is needed (quota, policy, limits); its words are in the message.",
    )
    CHILD_NOT_STARTING = (
        "ChildNotStarting",
        "A pod does not start: image, Secret, volume or node; the message names it.",
    )
    JOB_SUSPENDED = (
        "JobSuspended",
        "Another controller, such as a queue, has suspended the Job; it runs when that one resumes it.",
    )
    NODE_LOST = (
        "NodeLost",
        "A pod does not end because its node does not answer: delete the Node, or the pod by force.",
    )
    WRITES_CONTESTED = (
        "WritesContested",
        "Another controller keeps changing an object back; the message names its field manager.",
    )


class DatasetReason(Reason):
    """Reasons of a Dataset."""

    EXPECTATIONS_HOLD = "ExpectationsHold", "The data seen last are as spec.expect wants them."
    EXPECTATIONS_FAILED = (
        "ExpectationsFailed",
        "The data break an expectation; status.failures lists column, rule, share and rows.",
    )
    NOT_LOOKED_AT = "NotLookedAt", "The data have not been looked at yet."
    LOOKING = "Looking", "A Job is looking at the data."
    DATA_UNREADABLE = "DataUnreadable", "The data could not be fetched or read; the message says where it stopped."
    DATA_CHANGED = "DataChanged", "The digest of the data is not what it was."


class ModelReason(Reason):
    """Reasons of a Model."""

    # Why a run was opened
    INITIAL = "Initial", "The Model had no version and no run."
    SPEC_CHANGED = "SpecChanged", "training, task or metrics were changed."
    DRIFT = "Drift", "A ModelDeployment reports drift of the severity that a trigger names."
    MANUAL = "Manual", "Somebody created the TrainingJob."
    # Why none was opened
    RUN_ACTIVE = "RunActive", "Another run of this Model has not ended."
    COOLDOWN_ACTIVE = "CooldownActive", "retraining.cooldown since the last run that a trigger opened is not over."
    DATA_UNCHANGED = (
        "DataUnchanged",
        "The data are those that the champion was trained on; they are looked at again hourly.",
    )
    DATA_QUALITY_BLOCKED = (
        "DataQualityBlocked",
        "The data break an expectation, or production values are missing, invalid or frozen.",
    )
    LAST_RUN_FAILED = (
        "LastRunFailed",
        "The same spec on the same data failed before: change one of them, or create a TrainingJob. A failure that "
        "passes by itself is followed by another run after 1 to 24 hours.",
    )
    RECOMMENDED = "Recommended", "A run would help, and retraining.mode Recommend leaves it to a person."
    OBSERVED = "Observed", "A run would have been opened; retraining.mode Observe only counts it."
    # Trained
    NO_RUN = "NoRun", "No run has been opened yet."
    RUNNING = "Running", "A run is under way."
    VERSION_PUBLISHED = "VersionPublished", "The newest run left a version behind."
    RUN_FAILED = "RunFailed", "The newest run failed; its TrainingJob says why."
    # PromotionSucceeded
    NO_VERSION = "NoVersion", "There is no version to promote."
    PROMOTED = "Promoted", "The newest version that passed its gates is champion."
    NO_GATES = "NoGates", "No gates are given, so the newest version is champion."
    NO_CHAMPION = "NoChampion", "There was no champion to compare with, so the gate passed."
    LET_THROUGH = "LetThrough", "A gate was inconclusive, and whenInconclusive let the version through."
    PINNED = "Pinned", "spec.champion names the version."
    PIN_NOT_FOUND = "PinNotFound", "spec.champion names a version that does not exist; what serves goes on."
    GATES_FAILED = "GatesFailed", "The newest version failed a gate; the champion stays."
    GATES_INCONCLUSIVE = (
        "GatesInconclusive",
        "The rows cannot tell whether the newest version is good enough; the champion stays.",
    )
    AWAITING_APPROVAL = "AwaitingApproval", "The version waits for an entry in promotion.approvals."
    APPROVAL_REJECTED = "ApprovalRejected", "promotion.approvals rejects the version."
    VERSION_QUARANTINED = "VersionQuarantined", "The version is quarantined and cannot be champion."
    # Events of retention
    VERSION_REMOVED = "VersionRemoved", "retention.versions was exceeded; the bytes in the store stay."
    RUN_REMOVED = "RunRemoved", "retention.runs was exceeded."


class TrainingJobReason(Reason):
    """Reasons of a TrainingJob, its failures included."""

    ACCEPTED = "Accepted", "The run was accepted and its Job exists."
    QUEUED = "Queued", "Another run of the same Model goes first."
    RUNNING = "Running", "The run is under way; status.stage says how far."
    PUBLISHED = "Published", "The run ended and left a version behind."
    DATA_UNREADABLE = "DataUnreadable", "The data could not be fetched or read."
    DATA_INVALID = "DataInvalid", "The data break an expectation of their Dataset."
    DATA_CHANGED = "DataChanged", "The data changed between the look at them and this run."
    TRAINING_FAILED = "TrainingFailed", "The train step ended with an error; logTail holds its last words."
    NOT_RETRIABLE = "NotRetriable", "The train step ended with exit code 3: do not try again."
    NO_MODEL = "NoModel", "The train step ended well but wrote no model that can be read."
    PICKLE_REFUSED = "PickleRefused", "The train step wrote a joblib file, and training.allowPickle is not true."
    EVALUATION_FAILED = "EvaluationFailed", "The evaluate step ended with an error; logTail holds its last words."
    PUBLISH_FAILED = "PublishFailed", "The version could not be written to the store."
    OUT_OF_MEMORY = "OutOfMemory", "A step used more memory than its limit: raise resources.limits.memory."
    STORAGE_EXCEEDED = (
        "StorageExceeded",
        "The pod wrote more to its node than it may: raise resources.limits.ephemeral-storage.",
    )
    EVICTED = "Evicted", "Nodes that ran out of memory or disk evicted pods of the run, one after the other."
    TIMED_OUT = "TimedOut", "An attempt took longer than training.timeout."
    RETRIES_SPENT = "RetriesSpent", "All attempts ended without a result."
    JOB_GONE = "JobGone", "The Job ended well, but its pod went before its result was read."


class ModelVersionReason(Reason):
    """Reasons of a ModelVersion."""

    PUBLISHED = "Published", "Trimtab made it and saw it whole."
    LOADED = "Loaded", "A serving pod checked its digest and loaded it."
    NOT_LOADED_YET = "NotLoadedYet", "It was brought by a user, and no serving pod has loaded it yet."
    DIGEST_MISMATCH = "DigestMismatch", "The bytes in the store are not those of spec.artifact.digest."
    LOAD_FAILED = "LoadFailed", "A serving pod could not load it."
    OUTPUTS_DISAGREE = "OutputsDisagree", "It answers otherwise than its signature or its own examples say."
    QUARANTINED = "Quarantined", "It is at fault itself, and no deployment uses it."


class ModelDeploymentReason(Reason):
    """Reasons of a ModelDeployment."""

    SERVING = "Serving", "The wanted version answers requests."
    NO_CHAMPION = "NoChampion", "The Model has no champion yet."
    VERSION_QUARANTINED = "VersionQuarantined", "The version that is asked for is quarantined."
    REPLICAS_AVAILABLE = "ReplicasAvailable", "Replicas answer requests."
    REPLICAS_UNAVAILABLE = "ReplicasUnavailable", "No replica answers requests."
    SCALED_TO_ZERO = "ScaledToZero", "spec.replicas is 0."
    # RolloutSucceeded
    ROLLED_OUT = "RolledOut", "The wanted version serves alone."
    ROLLING_OUT = "RollingOut", "The wanted version is starting; the one before it serves until then."
    VERSION_REJECTED = "VersionRejected", "This deployment tried the version and went back; status.rejected says why."
    ARTIFACT_UNREADABLE = "ArtifactUnreadable", "The artifact could not be fetched."
    DIGEST_MISMATCH = "DigestMismatch", "The bytes in the store are not those of the digest."
    LOAD_FAILED = "LoadFailed", "The server could not load the artifact."
    PICKLE_REFUSED = "PickleRefused", "The artifact is a joblib file, and allowPickle is not true."
    # InDistribution
    NO_DRIFT = "NoDrift", "What is asked resembles the reference."
    FEATURE_DRIFT = "FeatureDrift", "Features have moved beyond what is tolerated; status.drift lists the worst."
    PREDICTION_DRIFT = "PredictionDrift", "Predictions have moved beyond what is tolerated."
    TOO_FEW_ROWS = "TooFewRows", "No time scale has rows enough to judge."
    NO_REFERENCE = "NoReference", "The version carries no reference profile."
    REFERENCE_MISMATCH = "ReferenceMismatch", "The profile does not belong to the artifact."
    SNAPSHOTS_MISSING = "SnapshotsMissing", "Pods do not answer when asked for their counts."
    # DataQuality
    VALUES_VALID = "ValuesValid", "Values arrive whole and in the right form."
    VALUES_MISSING = "ValuesMissing", "More values are missing than the reference leads to expect."
    VALUES_INVALID = "ValuesInvalid", "More values have the wrong form than the reference leads to expect."
    COLUMN_VANISHED = "ColumnVanished", "A column that the model was trained with no longer arrives."
    FEED_FROZEN = "FeedFrozen", "A column repeats one value where the reference varies."


REASONS: dict[str, type[Reason]] = {
    "Dataset": DatasetReason,
    "Model": ModelReason,
    "TrainingJob": TrainingJobReason,
    "ModelVersion": ModelVersionReason,
    "ModelDeployment": ModelDeploymentReason,
}
"""The reasons of each kind, beside those of CommonReason."""


def named(word: str, *kinds: type[Reason]) -> Reason | None:
    """The reason of this word among these kinds, or None: a newer release may have written it.

    >>> named("Looking", CommonReason, DatasetReason) is DatasetReason.LOOKING, named("Odd", DatasetReason)
    (True, None)
    """
    return next((reason for kind in kinds for reason in kind if reason.value == word), None)
