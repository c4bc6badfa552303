"""The body of a training run, as a Model and a TrainingJob spell it: data, target, validation, estimator or
container, resources."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from trimtab.api.meta import DatasetRef
from trimtab.api.pods import Environment, PodSettings, Resources
from trimtab.api.quantities import Duration, Part, lasting
from trimtab.api.shape import ATOMIC, Rule, Shape, exactly_one
from trimtab.api.texts import Image, Level

HELD_OUT = "20%"
"""Share of rows that is held out where `fraction` is not given."""


class Task(StrEnum):
    """What is predicted."""

    CLASSIFICATION = "Classification"
    REGRESSION = "Regression"


class ValidationType(StrEnum):
    """How held-out rows are chosen."""

    TIME = "Time"
    HASH = "Hash"
    DATASET = "Dataset"


class TrainingData(Shape):
    """The rows to learn from."""

    dataset_ref: DatasetRef
    """The Dataset, in the same namespace. Each run begins with a look at it; expectations that fail end the run."""


class Target(Shape):
    """How the target column is understood."""

    positive: Level | None = None
    """With two classes, the one that metrics and scores speak of, as text (`"true"`, `"1"`). Absent: the second in
    order."""


class ValidationDataset(Shape):
    """Held-out rows from elsewhere."""

    dataset_ref: DatasetRef
    """The Dataset, in the same namespace, with the same columns."""


class Validation(Shape):
    """Which rows are held out, to judge the model by."""

    rules = (
        Rule(
            "(self.type == 'Dataset') == has(self.dataset)",
            "give dataset when type is Dataset, and only then",
        ),
        Rule(
            "self.type != 'Dataset' || !has(self.fraction)",
            "fraction is for the types Time and Hash: remove it, since all rows of the other Dataset are held out",
        ),
    )

    type: ValidationType
    """Time holds out the newest rows (needs the Dataset's `timeColumn`; one instant is never on both sides). Hash
    holds out rows by a hash of their content, so that a row's side never changes. Dataset takes the rows of
    another Dataset."""
    fraction: Part | None = None
    """Share of rows that is held out, above `0%` and below `100%`. Absent: `20%`. Not with type Dataset."""
    dataset: ValidationDataset | None = None
    """With type Dataset: where the held-out rows lie."""
    refit: bool | None = None
    """True: once judged, the same settings are fitted on all rows, and that model ships. False: the judged model
    itself ships. Absent: true for an estimator; a container's model is never refitted."""


class Estimator(Shape):
    """A scikit-learn estimator, trained by Trimtab's own image."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$", min_length=1, max_length=100)]
    """Name of the class, such as `HistGradientBoostingClassifier`. One that Trimtab does not know ends the run with
    the list of those it knows."""
    params: Annotated[dict[str, JsonValue], Field(max_length=100)] = {}
    """Parameters of the class, by name; at most 100. JSON knows no `1.0` beside `1` and no number as a key: text
    that reads as a number (`max_features: "1.0"`) reaches a parameter that takes no such text as that float, and
    keys of a mapping (`class_weight`) are matched to the classes by their text."""
    preprocess: Literal["Auto"] = "Auto"
    """Auto: scaling, encoding and missing values are handled as the estimator needs it, the same way in training and
    serving."""


class Container(Shape):
    """Any image; docs/training-contract.md says what it finds and what it must leave."""

    image: Image
    """The image. It sees training rows and held-out rows without labels, and no credentials."""
    command: (
        Annotated[list[Annotated[str, Field(max_length=4096)]], ATOMIC, Field(min_length=1, max_length=64)] | None
    ) = None
    """Replaces the image's entrypoint. 1 to 64 items."""
    args: Annotated[list[Annotated[str, Field(max_length=4096)]], ATOMIC, Field(min_length=1, max_length=64)] | None = (
        None
    )
    """Replaces the image's arguments. 1 to 64 items."""
    env: Environment = []
    """Environment variables with plain values, at most 64."""


class Training(Shape):
    """How a model is trained. In a Model, a change opens a new run."""

    rules = (
        exactly_one("estimator", "container", "a scikit-learn class, or an image of your own"),
        Rule(
            "!has(self.container) || !has(self.validation) || !has(self.validation.refit) || !self.validation.refit",
            "validation.refit needs an estimator: a container's model is not refitted; remove refit or set it false",
            field="validation",
        ),
    )

    data: TrainingData
    """The rows to learn from."""
    target: Target | None = None
    """How the target column is understood."""
    validation: Validation = Validation(type=ValidationType.HASH)
    """Which rows are held out. Default: 20% by a hash of their content."""
    estimator: Estimator | None = None
    """A scikit-learn estimator. Excludes `container`."""
    container: Container | None = None
    """An image of your own. Excludes `estimator`."""
    allow_pickle: bool = False
    """True: a joblib file is accepted as a model. Loading one runs whatever code is in it, in `evaluate` beside
    labels and verdicts, and in serving pods."""
    resources: Resources | None = None
    """Resources of each step; devices such as `nvidia.com/gpu` go to train, and to evaluate, which refits. The steps run
    one after the other, so what is set aside is that of one. Absent: up to 2Gi of memory a step."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How many times a failed attempt is repeated, 0 to 10. Disruptions (a drained node) do not count; exit code 3
    ends at once."""
    timeout: Annotated[Duration, lasting("10s", "365d")] = "24h"
    """Longest time of one attempt, all steps together, from `10s` to `365d`."""
    seed: Annotated[int, Field(ge=0, le=4_294_967_295)] = 0
    """Seed of everything that is drawn, 0 to 4,294,967,295. Equal inputs, image and seed give metrics equal to 1e-6."""
    pod: PodSettings | None = None
    """Where the pods run, as whom, and what is written on them and on their Job."""
