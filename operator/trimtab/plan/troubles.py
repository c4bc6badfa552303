"""Why pods of a version do not serve: what they say themselves, what the cluster says of them, or its quota. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.api.reasons import CommonReason, Reason
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.plan import symptoms

FINAL = {
    "DigestMismatch": Why.DIGEST_MISMATCH,
    "LoadFailed": Why.LOAD_FAILED,
    "ProfileMismatch": Why.REFERENCE_MISMATCH,
    "PickleRefused": Why.PICKLE_REFUSED,
}
"""What a pod may say of an artifact that no waiting heals."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why pods of a version do not serve. `final`: no waiting heals it."""

    reason: Reason
    message: str
    final: bool = False


def found(live: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> Trouble | None:
    """Why pods of a Deployment do not come up: what they say themselves, what the cluster says of them, or its quota."""
    for pod in sorted(pods, key=_rank):
        if _pod_ready(pod) or pod["metadata"].get("deletionTimestamp"):
            continue
        if (evicted := symptoms.eviction(pod)) is not None:
            own = ": raise server.resources.limits.ephemeral-storage" if evicted.own else ""
            return Trouble(Why.REPLICAS_UNAVAILABLE, f"Evicted: {evicted.message}{own}")
        end = symptoms.failed_ending(pod)
        if end is not None:
            reason, message = symptoms.told(end)
            if reason in FINAL:
                return Trouble(FINAL[reason], message, final=True)
            word = Why.ARTIFACT_UNREADABLE if end.container == "fetch" else Why.REPLICAS_UNAVAILABLE
            tail = "" if reason else f": {symptoms.clean(end.text)[-400:]}"
            message += ": raise server.resources.limits.memory" if end.reason == "OOMKilled" else ""
            return Trouble(word, f"{reason}: {message}" if reason else f"{message}{tail}")
        if (block := symptoms.block(pod)) is not None:
            return Trouble(CommonReason.CHILD_NOT_STARTING, block.message)
    for condition in live.get("status", {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return Trouble(CommonReason.CHILD_REFUSED, f"pods are refused: {condition.get('message', '')}")
    return None


def _rank(pod: Mapping[str, Any]) -> tuple[bool, str]:
    """Pods that were evicted last: others have taken their place and may have more to say."""
    return symptoms.eviction(pod) is not None, str(pod["metadata"]["name"])


def _pod_ready(pod: Mapping[str, Any]) -> bool:
    entries = pod.get("status", {}).get("conditions") or ()
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in entries)
