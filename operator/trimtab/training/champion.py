"""The champion as an opponent: its judged twin on those held-out rows that it was not fitted on. Reads what fetch left."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from trimtab.api.wire.base import SchemaTooNewError
from trimtab.api.wire.models import Format, Signature
from trimtab.api.wire.runs import Champion
from trimtab.model import engines, values
from trimtab.model.engine import Engine, UnloadableModelError
from trimtab.model.frame import Column, take
from trimtab.training import gates, handover, judging
from trimtab.training.rows import HeldOut
from trimtab.training.scores import Judged

FORMATS: dict[str, Format] = {".onnx": "ONNX", ".skops": "Skops", ".joblib": "Joblib"}
"""By suffix: of a judged twin, which is one of our own, and of a model where the run does not say its format."""


class _Unfit(Exception):  # noqa: N818  it makes a gate inconclusive
    pass


def contest(
    champion: Champion | None,
    folder: Path,
    schema: handover.Schema,
    facts: handover.Facts,
    held: HeldOut,
    candidate: Judged,
    allow_pickle: bool,
) -> gates.Contest | None:
    """Candidate and champion on the rows that are new to both; None without a champion."""
    if champion is None:
        return None
    try:
        if facts.champion_missing:
            raise _Unfit(f"it could not be fetched ({facts.champion_missing})")
        clean = _clean(champion, _report(folder), facts, held)
        engine = _engine(champion, folder, allow_pickle)
        frame = _frame(engine.signature, facts, held)
        said = engine.predict(take(frame, clean))
    except (_Unfit, UnloadableModelError, ValueError, RuntimeError) as error:
        return gates.Contest(champion.name, impossible=" ".join(str(error).split())[:400])
    opponent = judging.judged(said, engine.signature.classes, schema, held.target[clean])
    return gates.Contest(champion.name, judging.some(candidate, clean), opponent, held.times[clean])


def _report(folder: Path) -> handover.Report | None:
    """What the champion's own run wrote of it; None for a version that a user brought."""
    try:
        return handover.read(handover.Report, folder / handover.REPORT)
    except (OSError, ValidationError, SchemaTooNewError):
        return None


def _clean(
    champion: Champion, report: handover.Report | None, facts: handover.Facts, held: HeldOut
) -> NDArray[np.bool_]:
    """Rows that the champion's judged twin was not fitted on: later than all it saw, or on the held-out side of its hash."""
    clean = np.zeros(len(held.target), np.bool_)
    until = champion.twin_trained_until or (report.twin_trained_until if report else None)
    moment = values.parse_time(until) if until else None
    if moment is not None:
        clean |= held.times > moment
    side = report.validation if report else None
    if side and side.type == "Hash" and side.fraction:
        clean |= held.position < side.fraction
    if side and side.type == "Dataset" and facts.side.type == "Dataset":
        clean[:] = True
    if not clean.any():
        known = f"it was fitted on rows up to {until}" if until else "nothing says which rows it was fitted on"
        raise _Unfit(f"no held-out row is new to it: {known}")
    return clean


def _engine(champion: Champion, folder: Path, allow_pickle: bool) -> Engine:
    """The judged twin (`evaluation.*`), or the model itself where both are one."""
    twin = next((path for path in sorted(folder.glob("evaluation.*")) if path.suffix in FORMATS), None)
    path, kind = (twin, FORMATS[twin.suffix]) if twin else _model(champion, folder)
    known = _signature(folder, "evaluation.signature.json" if twin else handover.SIGNATURE)
    with tempfile.TemporaryDirectory(prefix="trimtab-") as alone:
        (Path(alone) / path.name).symlink_to(path.resolve())
        return engines.load(Path(alone), kind, allow_pickle=allow_pickle, signature=known)


def _model(champion: Champion, folder: Path) -> tuple[Path, Format]:
    if champion.format is not None and champion.format != "Custom":
        return engines.model_file(folder, champion.format), champion.format
    path = next((path for path in sorted(folder.iterdir()) if path.suffix in FORMATS), None)
    if path is None or champion.format == "Custom":
        raise _Unfit("it has no model that this image can load")
    return path, FORMATS[path.suffix]


def _signature(folder: Path, name: str) -> Signature | None:
    for path in (folder / name, folder / handover.SIGNATURE):
        if path.is_file():
            return Signature.from_json(path.read_bytes())
    return None


def _frame(known: Signature, facts: handover.Facts, held: HeldOut) -> dict[str, Column]:
    """Its columns among those of the held-out rows."""
    for column in known.inputs:
        kind = facts.kinds.get(column.name)
        if kind is None:
            raise _Unfit(f"it needs the column {column.name!r}, which the data no longer have")
        if (kind == "Category") != (column.kind == "Category"):
            raise _Unfit(f"column {column.name!r} is {kind} now, and was {column.kind} for it")
    return {column.name: held.frame[column.name] for column in known.inputs}
