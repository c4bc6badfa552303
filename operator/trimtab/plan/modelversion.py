"""ModelVersion: whether it was seen whole, who uses it, and whether it is the model's own fault that it cannot serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.reasons import ModelVersionReason as Why
from trimtab.api.reasons import named
from trimtab.plan import conditions, promotion
from trimtab.plan.conditions import FALSE, TRUE, UNKNOWN, Finding
from trimtab.plan.intent import Notice, Object, Plan

OWN_FAULTS = {
    "DigestMismatch": Why.DIGEST_MISMATCH,
    "LoadFailed": Why.LOAD_FAILED,
    "ReferenceMismatch": Why.LOAD_FAILED,
    "OutputsDisagree": Why.OUTPUTS_DISAGREE,
}
"""Reasons of a rejection that are the model's own fault, and so hold for every deployment."""
USERS = 100


@dataclass(frozen=True, slots=True)
class Observed:
    """A version, its Model, and the deployments of its namespace that serve, try or name it."""

    version: Object
    model: Object | None
    deployments: tuple[Object, ...]


def plan(observed: Observed, now: float) -> Plan:
    """The status of one version; a version has no children."""
    old, generation = observed.version.get("status", {}), observed.version["metadata"]["generation"]
    quarantine = old.get("quarantined") or _quarantine(observed, now)
    verified = _verified(observed, quarantine)
    bad = quarantine is not None
    findings = [
        Finding(Type.READY, FALSE if bad else TRUE, Why.QUARANTINED if bad else verified.reason, verified.message),
        *([Finding(Type.STALLED, TRUE, Why.QUARANTINED, verified.message)] if bad else []),
        verified,
    ]
    status: Object = {
        "observedGeneration": generation,
        "conditions": conditions.merge(old.get("conditions", ()), findings, generation=generation, now=now),
    }
    if used := _users(observed):
        status["usedBy"] = used
    notices: tuple[Notice, ...] = ()
    if quarantine is not None:
        status["quarantined"] = quarantine
        if not old.get("quarantined"):
            notices = (Notice("Warning", str(Why.QUARANTINED), verified.message),)
    return Plan(status=status, notices=notices)


def _quarantine(observed: Observed, now: float) -> Object | None:
    """The first rejection, of this very digest, that is the model's own fault."""
    digest = observed.version["spec"]["artifact"]["digest"]
    for deployment in observed.deployments:
        for entry in deployment.get("status", {}).get("rejected", ()):
            if entry["digest"] == digest and entry["reason"] in OWN_FAULTS:
                seen = f"ModelDeployment {deployment['metadata']['name']}: {entry.get('message', entry['reason'])}"
                told = {"time": conditions.timestamp(now), "message": conditions.sentence(seen)}
                return {"reason": str(OWN_FAULTS[entry["reason"]]), **told}
    return None


def _verified(observed: Observed, quarantine: Mapping[str, Any] | None) -> Finding:
    if quarantine is not None:
        reason = named(quarantine["reason"], Why) or Why.QUARANTINED
        return Finding(Type.VERIFIED, FALSE, reason, quarantine.get("message", ""))
    if promotion.made_here(observed.version):
        return Finding(
            Type.VERIFIED, TRUE, Why.PUBLISHED, "a run of Trimtab's made it, and its digest names every byte"
        )
    if any(_serves(deployment, observed.version) for deployment in observed.deployments):
        return Finding(Type.VERIFIED, TRUE, Why.LOADED, "a serving pod checked its digest and loaded it")
    before = conditions.find(observed.version.get("status", {}), Type.VERIFIED)
    if before is not None and before["status"] == TRUE:
        return Finding(Type.VERIFIED, TRUE, Why.LOADED, before["message"])
    return Finding(Type.VERIFIED, UNKNOWN, Why.NOT_LOADED_YET, "no serving pod has loaded it yet")


def _serves(deployment: Mapping[str, Any], version: Mapping[str, Any]) -> bool:
    status = deployment.get("status", {})
    digest = version["spec"]["artifact"]["digest"]
    return bool(status.get("readyReplicas")) and any(
        entry["digest"] == digest and entry["role"] == "Stable" for entry in status.get("versions", ())
    )


def _users(observed: Observed) -> list[Object]:
    """Who uses the version, sorted; the guard against deleting it reads this."""
    name, number = observed.version["metadata"]["name"], observed.version["spec"]["version"]
    users = []
    if observed.model is not None and not observed.model["metadata"].get("deletionTimestamp"):
        champion = observed.model.get("status", {}).get("champion", {}).get("name")
        pin = observed.model["spec"].get("champion", {}).get("version")
        if champion == name or pin == number:
            users.append({"kind": "Model", "name": observed.model["metadata"]["name"]})
    for deployment in observed.deployments:
        if deployment["metadata"].get("deletionTimestamp"):
            continue
        served = any(entry.get("name") == name for entry in deployment.get("status", {}).get("versions", ()))
        if served or deployment["spec"].get("modelRef", {}).get("version") == number:
            users.append({"kind": "ModelDeployment", "name": deployment["metadata"]["name"]})
    return sorted(users, key=lambda user: (user["kind"], user["name"]))[:USERS]
