"""From a fetched artifact to a model that is ready to answer: digests, signature, profile, engine, warm-up."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trimtab.api.wire.models import Input, Manifest, Signature
from trimtab.api.wire.profiles import profile_from_json
from trimtab.api.wire.serving import Serving
from trimtab.drift.profile import CategoryReference, Profile, faults
from trimtab.model import engines
from trimtab.model.engine import Engine, Prediction, UnloadableModelError
from trimtab.model.engines.joblib import PickleRefusedError
from trimtab.model.frame import Column, width
from trimtab.model.values import label_text
from trimtab.serving.refusal import StartError

_MANIFEST, _SIGNATURE, _PROFILE = "manifest.json", "signature.json", "profile.json"
_MANY = 64
_WARM_ROWS = (1, 1, _MANY, _MANY)


@dataclass(frozen=True, slots=True)
class Served:
    """One model in memory with all that was said about it. `profile_bytes` are the file's: their digest holds."""

    serving: Serving
    engine: Engine
    signature: Signature
    profile: Profile | None
    profile_bytes: bytes | None
    seconds: float
    """What one prediction of one row took when warm."""
    row_seconds: float
    """What each row took of a prediction of many."""

    @property
    def profile_digest(self) -> str | None:
        return None if self.profile_bytes is None else _digest(self.profile_bytes)


def config(path: Path) -> Serving:
    """Read serving.json; raises `StartError` (ConfigInvalid)."""
    try:
        return Serving.from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StartError("ConfigInvalid", f"{path.name} cannot be read: {_first(error)}") from error


def load(serving: Serving, folder: Path) -> Served:
    """Verify, load and warm.

    Raises `StartError`: ArtifactNotFound, DigestMismatch, LoadFailed, PickleRefused, ProfileMismatch.
    """
    files = _verified(serving, folder)
    signature = _signature(files.get(_SIGNATURE))
    try:
        engine = engines.load(folder, serving.artifact.format, allow_pickle=serving.allow_pickle, signature=signature)
        seconds, row_seconds = _warm(engine)
    except PickleRefusedError as error:
        raise StartError("PickleRefused", str(error)) from error
    except (UnloadableModelError, OSError) as error:
        raise StartError("LoadFailed", str(error)) from error
    content = files.get(_PROFILE)
    profile = None if content is None else _profile(content, engine.signature)
    return Served(serving, engine, engine.signature, profile, content, seconds, row_seconds)


# ---------------------------------------------------------------- digests


def _verified(serving: Serving, folder: Path) -> dict[str, bytes]:
    """Check every digest; the bytes of the small files by name. What the volume holds need not be what was fetched."""
    wanted = serving.artifact.digest
    if not serving.artifact.location.uri.endswith(f"/{_MANIFEST}"):
        try:
            path = engines.model_file(folder, serving.artifact.format)
        except UnloadableModelError as error:
            raise StartError("ArtifactNotFound", str(error)) from error
        _check(path, wanted)
        return {}
    content = _read(folder / _MANIFEST)
    if _digest(content) != wanted:
        raise _mismatch(_MANIFEST, wanted, _digest(content))
    try:
        manifest = Manifest.from_json(content)
    except ValueError as error:
        raise StartError("LoadFailed", f"{_MANIFEST} cannot be read: {_first(error)}") from error
    for entry in manifest.files:
        _check(folder / entry.name, entry.digest)
    names = {entry.name for entry in manifest.files}
    models = Manifest.MODEL.get(serving.artifact.format, ())
    if names.isdisjoint(models):
        needed = f"{' or '.join(models)}, which format {serving.artifact.format} needs"
        raise StartError("LoadFailed", f"{_MANIFEST} names no {needed}")
    return {name: _read(folder / name) for name in (_SIGNATURE, _PROFILE) if name in names}


def _check(path: Path, wanted: str) -> None:
    try:
        with path.open("rb") as file:
            found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise StartError("ArtifactNotFound", f"{path.name} cannot be read: {_first(error)}") from error
    if found != wanted:
        raise _mismatch(path.name, wanted, found)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError("ArtifactNotFound", f"{path.name} cannot be read: {_first(error)}") from error


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _mismatch(name: str, wanted: str, found: str) -> StartError:
    return StartError("DigestMismatch", f"{name} has digest {found}, and {wanted} was asked for")


# ---------------------------------------------------------------- signature and profile


def _signature(content: bytes | None) -> Signature | None:
    if content is None:
        return None
    try:
        return Signature.from_json(content)
    except ValueError as error:
        raise StartError("LoadFailed", f"{_SIGNATURE} cannot be read: {_first(error)}") from error


def _profile(content: bytes, signature: Signature) -> Profile:
    """A profile that does not belong to the model is refused: counts against it would say something untrue."""
    try:
        profile = profile_from_json(content)
    except ValueError as error:
        raise StartError("ProfileMismatch", f"{_PROFILE} cannot be read: {_first(error)}") from error
    if wrong := (*faults(profile), *_disagreements(profile, signature)):
        raise StartError("ProfileMismatch", f"{_PROFILE} does not belong to the model: {'; '.join(wrong[:5])}")
    return profile


def _disagreements(profile: Profile, signature: Signature) -> list[str]:
    kinds = {column.name: column.kind for column in signature.inputs if width(column) == 1}
    wrong = []
    for reference in profile.features:
        kind = kinds.get(reference.name)
        if kind is None:
            wrong.append(f"{reference.name!r} is no input column of the signature")
        elif (reference.kind == "Category") != (kind == "Category"):
            wrong.append(f"{reference.name!r} is a {reference.kind} there and a {kind} in the signature")
    predictions = profile.predictions
    if predictions is not None and (predictions.kind == "Category") != (signature.task == "Classification"):
        wrong.append(f"predictions are of kind {predictions.kind}, and the model's task is {signature.task}")
    elif isinstance(predictions, CategoryReference):
        labels = {label_text(label) for label in signature.classes or ()}
        if labels != set(predictions.levels):
            wrong.append(f"predictions have the levels {predictions.levels[:5]}, the model {sorted(labels)[:5]}")
    if profile.score is not None and not any(output.name == "predict_proba" for output in signature.outputs):
        wrong.append("it has a score, and the model gives no probabilities")
    return wrong


# ---------------------------------------------------------------- warm-up


def _warm(engine: Engine) -> tuple[float, float]:
    """Predict rows of zeros until the engine's first costs are paid, and check the shape of the answers. What one row took
    at the end, and what each of many rows took."""
    seconds: dict[int, float] = {}
    for n in _WARM_ROWS:
        frame = {column.name: _zeros(column, n) for column in engine.signature.inputs}
        began = time.perf_counter()
        try:
            prediction = engine.predict(frame)
        except UnloadableModelError:
            raise
        except Exception as error:  # any engine, any model: whatever it raises, it does not answer
            raise UnloadableModelError(f"the model fails on {n} rows of zeros: {_first(error)}") from error
        seconds[n] = time.perf_counter() - began
        _check_shape(prediction, engine.signature, n)
    return seconds[1], seconds[_MANY] / _MANY


def _zeros(column: Input, n: int) -> Column:
    if column.kind == "Category":
        return np.full(n, "" if column.accepts_missing else "a", object)
    wide = width(column)
    return np.zeros(n) if wide == 1 else np.zeros((n, wide))


def _check_shape(prediction: Prediction, signature: Signature, n: int) -> None:
    count = len(signature.classes or ())
    found = prediction.values if signature.task == "Regression" else prediction.classes
    if found is None or found.shape != (n,):
        raise UnloadableModelError(f"the model gives no {signature.task.lower()} for each of {n} rows")
    wanted = any(output.name == "predict_proba" for output in signature.outputs)
    if wanted and (prediction.probabilities is None or prediction.probabilities.shape != (n, count)):
        raise UnloadableModelError(f"the model does not give {count} probabilities a row, as its signature says")


def _first(error: Exception) -> str:
    lines = str(error).splitlines()
    return " ".join(line.strip() for line in lines[:3])[:400] or type(error).__name__
