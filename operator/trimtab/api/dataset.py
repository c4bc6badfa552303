"""Dataset: where data lives, what must hold of it, and the digest of what is there now."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.api.meta import PrinterColumn, Resource, Status
from trimtab.api.pods import PodSettings, Resources
from trimtab.api.quantities import Count, Duration, Instant, Share, lasting
from trimtab.api.shape import ATOMIC, SET, Rule, Shape, at_most_one, keyed_by
from trimtab.api.storage import Source
from trimtab.api.texts import MODEL_NAME_LENGTH, Column, Digest, Level, Message, ReasonWord, clip


class DataFormat(StrEnum):
    """How files are written."""

    PARQUET = "Parquet"
    CSV = "CSV"
    JSON_LINES = "JSONLines"


class ColumnType(StrEnum):
    """What the values of a column are."""

    NUMBER = "Number"
    CATEGORY = "Category"
    BOOLEAN = "Boolean"
    TIME = "Time"


Cell = Annotated[str, Field(min_length=1, max_length=64)]
"""The whole content of a cell."""


class CellReading(Shape):
    """How the cells of CSV are read."""

    missing: Annotated[list[Cell], SET, Field(min_length=1, max_length=20)]
    """Texts that mean a missing value, such as `NA`, `NULL` or `-`, beside the empty cell: in every column, and only
    where they are all that the cell holds, spaces and case included. Requests to the model say null instead. 1 to 20
    texts of 1 to 64 characters."""


ColumnNames = Annotated[list[Column], SET, Field(min_length=1, max_length=1000)]


class FeatureSelection(Shape):
    """Which columns count as features: some, all but some, or (when nothing is given) all."""

    rules = (at_most_one("include", "exclude", "name the columns to use, or those to leave out"),)

    include: ColumnNames | None = None
    """These columns and no others. Excludes `exclude`. 1 to 1,000 names."""
    exclude: ColumnNames | None = None
    """All columns but these. Excludes `include`. 1 to 1,000 names."""


class RowsExpectation(Shape):
    """How many rows there must be."""

    min: Count
    """At least this many rows with a label."""


class FreshnessExpectation(Shape):
    """How recent the data must be."""

    max_age: Annotated[Duration, lasting("1s", "3650d")]
    """The newest value of `timeColumn` is at most this old when the data are looked at. Values of more than a day in the
    future do not count. From `1s` to `3650d`."""


class ColumnExpectation(Shape):
    """What must hold of one column. A column that is absent breaks it."""

    rules = (
        Rule(
            "!(has(self.min) || has(self.max)) || (has(self.type) && self.type == 'Number')",
            "min and max need type: Number",
        ),
        Rule("!has(self.min) || !has(self.max) || self.min <= self.max", "min must not be above max"),
        Rule(
            "!has(self.oneOf) || (has(self.type) && self.type == 'Category')",
            "oneOf needs type: Category",
        ),
    )

    name: Column
    """Name of the column, taken literally."""
    type: ColumnType | None = None
    """Number, Category, Boolean or Time: every value that is not missing must be one. Category also keeps digits as
    text, leading zeros included. Absent: not checked."""
    min: float | None = None
    """No value is below this. Only with type Number."""
    max: float | None = None
    """No value is above this. Only with type Number."""
    one_of: Annotated[list[Level], SET, Field(min_length=1, max_length=1000)] | None = None
    """Every value that is not missing is one of these texts. Only with type Category. 1 to 1,000 values."""
    max_missing: Share | None = None
    """Largest share of rows without a value, `0%` to `100%`. Absent: not checked."""


class Expectations(Shape):
    """What must hold of the data. All of it must, or no training uses them."""

    rows: RowsExpectation | None = None
    """How many rows there must be. Absent: not checked."""
    freshness: FreshnessExpectation | None = None
    """How recent the data must be. Needs `timeColumn`. Absent: not checked."""
    columns: Annotated[list[ColumnExpectation], keyed_by("name"), Field(max_length=1000)] = []
    """What must hold of single columns, at most 1,000; one entry per column."""


class DatasetSpec(Shape):
    """Where the data lie, how they are read and what must hold of them. A change has them looked at again."""

    rules = (
        Rule(
            "!has(self.expect) || !has(self.expect.freshness) || has(self.timeColumn)",
            "expect.freshness needs timeColumn: name the column that holds the time of a row",
            field="expect",
        ),
        Rule(
            "!has(self.timeColumn) || self.timeColumn != self.targetColumn",
            "timeColumn and targetColumn must be two columns",
            field="timeColumn",
        ),
        Rule(
            "!has(self.csv) || !has(self.format) || self.format == 'CSV'",
            "csv is for format CSV: remove it, or set format: CSV",
            field="csv",
        ),
    )

    source: Source
    """Where the data lie."""
    format: DataFormat | None = None
    """Parquet, CSV or JSONLines. Absent: by the extension of the files (.parquet, .csv, .jsonl or .ndjson)."""
    csv: CellReading | None = None
    """How the cells of CSV are read; refused for files of another format. Absent: only an empty cell is a missing
    value."""
    target_column: Column
    """The column to be predicted. Rows without a value in it are left out, and counted in a message."""
    time_column: Column | None = None
    """The column that holds the time of a row; times without a zone are UTC. Needed by validation type Time, by
    gates in blocks of a day and by `expect.freshness`; it is not a feature."""
    features: FeatureSelection | None = None
    """Which columns are features. Absent: all but `targetColumn` and `timeColumn`."""
    expect: Expectations | None = None
    """What must hold of the data before any training uses them. Absent: only that they can be read."""
    resources: Resources | None = None
    """Resources of a look at the data. Absent: up to 2Gi of memory. A run fetches the data with `training.resources`."""
    pod: PodSettings | None = None
    """Where the pods that look at the data run, as whom, and what is written on them. Runs have `training.pod`."""


class SeenColumn(Shape):
    """A column as it was read."""

    name: Column
    """Name of the column."""
    type: ColumnType
    """What its values are."""
    note: Annotated[str, clip(256), Field(max_length=256)] | None = None
    """What may be meant otherwise: words among numbers that keep the column from being one of numbers. At most 20
    columns have one."""


class ExpectationFailure(Shape):
    """An expectation that does not hold."""

    column: Column | None = None
    """Name of the column; absent when the rule is about the data as a whole."""
    rule: ReasonWord
    """The member of `expect` that does not hold, such as `maxMissing`, `min` or `rows`."""
    share: Share | None = None
    """Share of the rows that break it."""
    rows: Count | None = None
    """Number of rows that break it."""
    message: Message
    """What was expected, what was found, and an example."""


class DatasetLook(Shape):
    """The last look at the data."""

    time: Instant
    """When it began."""
    spec_digest: Annotated[str, Field(min_length=1, max_length=71)]
    """Digest of the spec that it followed; another spec has the data looked at again."""


class DatasetStatus(Status):
    """What was found when the data were last looked at."""

    look: DatasetLook | None = None
    """The last look at the data; absent until one has ended."""

    digest: Digest | None = None
    """Digest of the data's content, independent of the order in which files are listed."""
    rows: Count | None = None
    """Rows with a label."""
    columns: Annotated[list[SeenColumn], keyed_by("name"), Field(max_length=2000)] = []
    """The columns that were read."""
    failures: Annotated[list[ExpectationFailure], ATOMIC, Field(max_length=100)] = []
    """Expectations that do not hold, at most 100 of them."""


class Dataset(Resource):
    """Where data lives, what must hold of it, and the digest of what is there now."""

    name_length = MODEL_NAME_LENGTH
    columns = (
        PrinterColumn(
            "Valid", "string", '.status.conditions[?(@.type=="Validated")].status', "Whether all expectations hold"
        ),
        PrinterColumn("Rows", "integer", ".status.rows", "Rows with a label"),
        PrinterColumn("Digest", "string", ".status.digest", "Digest of the data", wide=True),
        PrinterColumn("Source", "string", ".spec.source.uri", "Where the data lie", wide=True),
    )

    kind: str = "Dataset"
    spec: DatasetSpec
    status: DatasetStatus = DatasetStatus()
