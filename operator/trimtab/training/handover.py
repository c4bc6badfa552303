"""What one step of a training pod leaves for the next, beside the rows themselves. `schema.json` is also read by
users' containers.

Strict JSON in camelCase like all formats of Trimtab. Nothing here opens a network or knows an estimator.
"""

from pathlib import Path
from typing import Any, Literal, TypeVar

from trimtab.api.evaluation import GateResult, MetricValue
from trimtab.api.wire.kinds import Digest, Document, Wire
from trimtab.api.wire.models import Format, Kind, Label, Parity, Signature

SCHEMA = "schema.json"
FACTS = "facts.json"
FITTED = "fitted.json"
REPORT = "report.json"
SIGNATURE = "signature.json"
PROFILE = "profile.json"
TRAIN = "train.parquet"
VALIDATION = "validation.parquet"
HELD_OUT = "rows.parquet"
"""All columns of the held-out rows, for a champion that may need others than the candidate."""
TARGET = "target.parquet"
TIMES = "times.parquet"
"""Time of each training row."""
PREDICTIONS = "predictions.parquet"

TARGET_COLUMN = "target"
TIME_COLUMN = "time"
POSITION_COLUMN = "position"

_T = TypeVar("_T", bound=Document)


class Feature(Wire):
    """A column that the model learns from. In the files: Number float64, Category text, Boolean booleans, Time
    timestamps in UTC."""

    name: str
    kind: Kind


class Schema(Document):
    """`schema.json`: what the columns of `train.parquet` are. `classes` are the labels in order, `positive` an index
    into them."""

    task: Literal["Classification", "Regression"]
    target: str
    features: tuple[Feature, ...]
    classes: tuple[Label, ...] | None = None
    positive: int | None = None
    rows: int
    validation_rows: int
    seed: int


class Side(Wire):
    """How rows were held out, so that a later run can tell which of its rows this model has not seen."""

    type: Literal["Time", "Hash", "Dataset"]
    fraction: float | None = None
    train_rows: int
    rows: int


class Facts(Document):
    """What fetch knows and train must not: kept beside the held-out labels."""

    data_digest: Digest
    side: Side
    trained_until: str | None = None
    twin_trained_until: str | None = None
    kinds: dict[str, Kind]
    """Of all columns of the held-out rows."""
    champion_missing: str | None = None
    """Why the champion could not be fetched."""
    notes: tuple[str, ...] = ()


class Fitted(Document):
    """What the train step of our own image says of the model it leaves."""

    estimator: str
    parameters: dict[str, Any]
    """What the estimator was really given, all parameters."""
    iterations: int | None = None
    """Rounds that were fitted, where the estimator may stop early."""
    notes: tuple[str, ...] = ()


class Report(Document):
    """`report.json`: all that is known of a version. Published with it; read back when a run finds its work already
    done. Holds no time of the clock, so that equal runs give equal files."""

    format: Format
    rows: int
    """Rows that the shipped model was fitted on."""
    data_digest: Digest
    profile_digest: Digest | None = None
    parameters_digest: Digest
    trained_until: str | None = None
    twin_trained_until: str | None = None
    validation: Side
    metrics: tuple[MetricValue, ...]
    gates: tuple[GateResult, ...]
    parity: Parity | None = None
    estimator: Fitted | None = None
    importances: dict[str, float] = {}
    """How much worse the first metric gets when a column is shuffled, on the held-out rows."""
    champion: str | None = None
    seed: int = 0
    image: str = ""
    environment: dict[str, str] = {}
    """Versions of Python and of the libraries."""
    notes: tuple[str, ...] = ()


def write(document: Document | Signature, path: Path) -> None:
    """Leave a document in a folder that exists or is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document.to_json() + "\n")


def read(kind: type[_T], path: Path) -> _T:
    """Read what an earlier step left. Raises OSError or `pydantic.ValidationError`: both mean that the pod is
    broken."""
    return kind.from_json(path.read_bytes())
