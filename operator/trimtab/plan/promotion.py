"""Which version is champion: an ordered list of checks on each version, the newest that passes all is it. A pin stands above."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.api.evaluation import Verdict, WhenInconclusive
from trimtab.api.model import Decision, ModelSpec, PromotionMode
from trimtab.api.reasons import CommonReason, Reason
from trimtab.api.reasons import ModelReason as Why

Version = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """The champion, or None, with the reason and a sentence. `missing_pin`: the spec pins what is not there."""

    version: Version | None
    reason: Reason
    message: str
    good: bool
    missing_pin: bool = False


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a version may not be champion."""

    reason: Reason
    message: str


def number(version: Version) -> int:
    return int(version["spec"]["version"])


def identity(version: Version) -> dict[str, Any]:
    """Number, name and digest, as a status says them."""
    return {
        "version": number(version),
        "name": version["metadata"]["name"],
        "digest": version["spec"]["artifact"]["digest"],
    }


def choose(spec: ModelSpec, versions: Sequence[Version]) -> Choice:
    """The champion among the versions of a Model."""
    ranked = sorted(versions, key=number, reverse=True)
    if spec.champion is not None:
        return _pinned(spec.champion.version, ranked)
    if not ranked:
        return Choice(None, Why.NO_VERSION, "there is no version yet", good=False)
    objections = [(version, _objection(spec, version)) for version in ranked]
    passed = next((version for version, objection in objections if objection is None), None)
    newest, against = objections[0]
    if against is None:
        reason, text = _why(spec, newest)
        return Choice(newest, reason, f"version {number(newest)} is champion: {text}", good=True)
    stays = f"version {number(passed)} stays champion" if passed is not None else "there is no champion"
    return Choice(
        passed, against.reason, f"version {number(newest)} is not promoted: {against.message}; {stays}", good=False
    )


def _pinned(pin: int, ranked: Sequence[Version]) -> Choice:
    version = next((version for version in ranked if number(version) == pin), None)
    if version is None:
        text = f"spec.champion names version {pin}, which does not exist: name one that does, or remove the pin"
        return Choice(None, Why.PIN_NOT_FOUND, text, good=False, missing_pin=True)
    return Choice(version, Why.PINNED, f"version {pin} is champion because spec.champion names it", good=True)


def kept(choice: Choice, champion: Version | None) -> Choice:
    """What becomes of a choice while spec.suspend is true: the champion stays who it is, and the condition says so."""
    if choice.version is champion or choice.missing_pin:
        return choice
    stays = f"version {number(champion)} stays champion" if champion is not None else "there is no champion"
    return Choice(
        champion, CommonReason.SUSPENDED, f"spec.suspend is true, so nothing is promoted; {stays}", good=False
    )


def _quarantined(_: ModelSpec, version: Version) -> Objection | None:
    held = version.get("status", {}).get("quarantined")
    return Objection(Why.VERSION_QUARANTINED, f"it is quarantined ({held['reason']})") if held else None


def _rejected(spec: ModelSpec, version: Version) -> Objection | None:
    if decision(spec, version) is Decision.REJECTED:
        return Objection(Why.APPROVAL_REJECTED, "spec.promotion.approvals rejects it")
    return None


def _failed_gate(_: ModelSpec, version: Version) -> Objection | None:
    failed = [gate for gate in version["spec"].get("gates", ()) if gate["verdict"] == Verdict.FAILED]
    if not failed:
        return None
    return Objection(Why.GATES_FAILED, "; ".join(f"gate {gate['name']}: {gate['message']}" for gate in failed))


def _inconclusive(spec: ModelSpec, version: Version) -> Objection | None:
    """A gate that could not tell: only `whenInconclusive` of a Champion gate can let the version through."""
    for gate in version["spec"].get("gates", ()):
        if gate["verdict"] != Verdict.INCONCLUSIVE:
            continue
        rule = _when_inconclusive(spec, gate["name"])
        approved = decision(spec, version) is Decision.APPROVED
        if rule is WhenInconclusive.PROMOTE or (rule is WhenInconclusive.MANUAL and approved):
            continue
        text = f"gate {gate['name']} could not tell: {gate['message']}"
        if rule is WhenInconclusive.MANUAL:
            return Objection(Why.AWAITING_APPROVAL, f"{text}; it waits for an entry in spec.promotion.approvals")
        return Objection(Why.GATES_INCONCLUSIVE, text)
    return None


def _unapproved(spec: ModelSpec, version: Version) -> Objection | None:
    """Manual promotion, and versions that Trimtab did not make, wait for a person."""
    if decision(spec, version) is Decision.APPROVED:
        return None
    if not made_here(version):
        return Objection(
            Why.AWAITING_APPROVAL, "Trimtab did not make it, so it waits for an entry in spec.promotion.approvals"
        )
    if spec.promotion.mode is PromotionMode.MANUAL:
        return Objection(Why.AWAITING_APPROVAL, "it waits for an entry in spec.promotion.approvals")
    return None


CHECKS: tuple[Callable[[ModelSpec, Version], Objection | None], ...] = (
    _quarantined,
    _rejected,
    _failed_gate,
    _inconclusive,
    _unapproved,
)
"""What a version must pass to be champion; the first objection is the one that is told."""


def _objection(spec: ModelSpec, version: Version) -> Objection | None:
    return next((found for check in CHECKS if (found := check(spec, version)) is not None), None)


def made_here(version: Version) -> bool:
    """Whether a run of ours made the version."""
    return bool(version["spec"].get("lineage", {}).get("trainingJob"))


def decision(spec: ModelSpec, version: Version) -> Decision | None:
    """What a person said of this version."""
    return next((entry.decision for entry in spec.promotion.approvals if entry.version == number(version)), None)


def _when_inconclusive(spec: ModelSpec, gate: str) -> WhenInconclusive:
    for entry in spec.gates:
        if entry.name == gate and entry.champion is not None:
            return entry.champion.when_inconclusive
    return WhenInconclusive.KEEP


def _why(spec: ModelSpec, version: Version) -> tuple[Reason, str]:
    gates = version["spec"].get("gates", ())
    if not gates:
        return Why.NO_GATES, "no gates are given"
    if any(gate["verdict"] == Verdict.INCONCLUSIVE for gate in gates):
        return Why.LET_THROUGH, "a gate could not tell, and whenInconclusive lets it through"
    if (
        made_here(version)
        and "champion" not in version["spec"].get("lineage", {})
        and any(entry.champion is not None for entry in spec.gates)
    ):
        return Why.NO_CHAMPION, "it passed its gates; there was no champion to compare with"
    return Why.PROMOTED, "it passed its gates"
