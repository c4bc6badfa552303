"""Why a step fails: every reason in one place, whether trying again may help, and the exit code that says so."""

from enum import StrEnum

from trimtab.api.wire.runs import EXIT_DO_NOT_RETRY, EXIT_RETRY


class Reason(StrEnum):
    """The `reason` of a step's report. Those of the store and the reader are here too, since they pass through."""

    RUN_UNREADABLE = "RunUnreadable"
    """`run.json` is missing or is none that this image reads."""
    NOT_FOUND = "NotFound"
    UNREACHABLE = "Unreachable"
    ACCESS_DENIED = "AccessDenied"
    DIGEST_MISMATCH = "DigestMismatch"
    UNSUPPORTED = "Unsupported"
    UNKNOWN_FORMAT = "UnknownFormat"
    MALFORMED_DATA = "MalformedData"
    EMPTY_DATA = "EmptyData"
    UNSUPPORTED_COLUMN = "UnsupportedColumn"
    TARGET_COLUMN_MISSING = "TargetColumnMissing"
    TIME_COLUMN_MISSING = "TimeColumnMissing"
    FEATURE_MISSING = "FeatureMissing"
    """A column that `features` names, or that the other Dataset has, is not there."""
    NO_FEATURES = "NoFeatures"
    NO_LABELS = "NoLabels"
    """No row has a value in the target column."""
    ONE_CLASS_ONLY = "OneClassOnly"
    TARGET_UNSUITABLE = "TargetUnsuitable"
    """The target is no class, or no number, as the task needs it."""
    POSITIVE_UNKNOWN = "PositiveUnknown"
    EXPECTATIONS_FAILED = "ExpectationsFailed"
    DATA_CHANGED = "DataChanged"
    SPLIT_IMPOSSIBLE = "SplitImpossible"
    ESTIMATOR_UNKNOWN = "EstimatorUnknown"
    PARAMETER_UNKNOWN = "ParameterUnknown"
    PARAMETER_REFUSED = "ParameterRefused"
    VALUE_TOO_LARGE = "ValueTooLarge"
    """A feature holds a number that float32 cannot, and the estimator computes in float32."""
    FIT_REFUSED = "FitRefused"
    """scikit-learn refuses to fit this estimator with these parameters on these rows."""
    METRIC_UNKNOWN = "MetricUnknown"
    NO_MODEL_WRITTEN = "NoModelWritten"
    PICKLE_NOT_ALLOWED = "PickleNotAllowed"
    MODEL_UNUSABLE = "ModelUnusable"
    """The model does not load, does not fit the columns, or cannot be served."""
    PREDICTIONS_UNUSABLE = "PredictionsUnusable"
    OUT_OF_MEMORY = "OutOfMemory"
    DISK_FULL = "DiskFull"
    INTERNAL_ERROR = "InternalError"


TRANSIENT = frozenset({Reason.UNREACHABLE, Reason.OUT_OF_MEMORY, Reason.DISK_FULL, Reason.INTERNAL_ERROR})
"""Trying again may help; everything else stays wrong until somebody changes it."""


class StepFailure(Exception):  # noqa: N818  it is the step that fails, and not always through an error
    """A step cannot go on. `message` names thing, value and remedy."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def exit_code(self) -> int:
        """1 when trying again may help, else 3."""
        return EXIT_RETRY if self.reason in TRANSIENT else EXIT_DO_NOT_RETRY
