"""What a model is to others: its signature, the files of its artifact, and how its format was checked. See the package."""

from typing import Annotated, ClassVar, Literal

import msgspec

from trimtab.api.wire.base import Digest, Document, Wire

Kind = Literal["Number", "Category", "Boolean", "Time"]
Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"
]
Label = bool | int | float | str
Format = Literal["ONNX", "Skops", "Joblib", "XGBoost", "LightGBM", "Custom"]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\Z", max_length=200)]


class Input(Wire, frozen=True, kw_only=True):
    """One input of a model. `shape` has -1 for the rows: `[-1]` is one column, `[-1, 20]` a matrix of 20."""

    name: str
    datatype: Datatype
    kind: Kind = "Number"
    shape: tuple[int, ...] = (-1,)
    accepts_missing: bool = True


class Output(Wire, frozen=True, kw_only=True):
    """One output: `predict` (a label or number a row), or `predict_proba` (a probability a class, in the order of `labels`)."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    labels: tuple[Label, ...] | None = None


class Signature(Document, frozen=True, kw_only=True):
    """What a model takes and gives. `classes` are the labels in their own type and order; `positive` is an index into them."""

    task: Literal["Classification", "Regression"]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    classes: tuple[Label, ...] | None = None
    positive: int | None = None


class FileEntry(Wire, frozen=True, kw_only=True):
    """One file of an artifact, relative to its folder."""

    name: FileName
    digest: Digest
    bytes: int


class Manifest(Document, frozen=True, kw_only=True):
    """Names every file of a version with its digest. Written last; the digest of its own bytes is the version's digest."""

    format: Format
    files: tuple[FileEntry, ...]

    MODEL: ClassVar[dict[Format, tuple[str, ...]]] = {
        "ONNX": ("model.onnx",),
        "Skops": ("model.skops",),
        "Joblib": ("model.joblib",),
        "XGBoost": ("model.ubj", "model.json"),
        "LightGBM": ("model.txt",),
    }
    """What the file of a model is called beside a manifest, by format; one of them, where there are several."""


class Parity(Wire, frozen=True, kw_only=True):
    """How the served format compares with the fitted model. `fallback` says why a slower format is served instead."""

    rows: int
    label_mismatches: int
    max_difference: float
    fallback: str | None = None
