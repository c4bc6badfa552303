"""What keeps a pod from doing its work, read from its status: image, Secret, volume, node, memory, time, or its own words."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.api.texts import CONTROL
from trimtab.api.wire.runs import StepReport, report_from_message

IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"})
CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
LOG_LENGTH = 1_500
WORD = re.compile(r"[A-Za-z]{1,64}")
"""A reason as a container may give it; anything else is no reason that a status could hold."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a container ended: exit code, its own report if it wrote one, else the last of its log."""

    container: str
    code: int
    reason: str
    report: StepReport | None
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """Why a pod does not start. `secret` or `image` faults do not heal by waiting for long, but may heal."""

    container: str | None
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Eviction:
    """What the kubelet said when it evicted a pod. `own`: the pod used more than it may; else its node had no room."""

    own: bool
    message: str


def eviction(pod: Mapping[str, Any]) -> Eviction | None:
    """Why the kubelet evicted a pod; None when it did not."""
    status = pod.get("status", {})
    if status.get("phase") != "Failed" or status.get("reason") != "Evicted":
        return None
    entries = status.get("conditions") or ()
    disrupted = any(entry["type"] == "DisruptionTarget" and entry["status"] == "True" for entry in entries)
    return Eviction(not disrupted, clean(status.get("message") or "the kubelet gave no reason").strip(" ."))


def clean(text: str) -> str:
    """Valid text without control characters, of which at most the last 1,500 characters."""
    return CONTROL.sub("", text.encode("utf-8", "replace").decode())[-LOG_LENGTH:]


def statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Container statuses in the order in which the containers run."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def ending(status: Mapping[str, Any]) -> Ending | None:
    """How this container ended last, or None while it never did."""
    for state in (status.get("state", {}), status.get("lastState", {})):
        if ended := state.get("terminated"):
            message = ended.get("message") or ""
            return Ending(
                status["name"],
                int(ended.get("exitCode", 0)),
                ended.get("reason") or "",
                report_from_message(message),
                message,
            )
    return None


def failed_ending(pod: Mapping[str, Any]) -> Ending | None:
    """The first container, in running order, that ended badly."""
    endings = (ending(status) for status in statuses(pod))
    return next((end for end in endings if end is not None and end.code != 0), None)


def block(pod: Mapping[str, Any]) -> Block | None:
    """Why the pod does not start, in the cluster's own words; None when nothing stands in its way."""
    for status in statuses(pod):
        waiting = status.get("state", {}).get("waiting") or {}
        reason, message = waiting.get("reason", ""), waiting.get("message") or ""
        if reason in IMAGE:
            text = f"the image {status.get('image', '')!r} of container {status['name']} cannot be pulled: {message or reason}"
            return Block(status["name"], "ImagePullFailed", text)
        if reason in CONFIG:
            return Block(status["name"], reason, f"container {status['name']} cannot be created: {message or reason}")
    return _unplaced(pod)


def _unplaced(pod: Mapping[str, Any]) -> Block | None:
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return Block(
                None, condition.get("reason", "Unschedulable"), condition.get("message", "the pod fits on no node")
            )
    return None


def told(end: Ending) -> tuple[str, str]:
    """Reason and sentence of an ending: the container's own report, or what the kubelet says of it."""
    if end.reason == "OOMKilled":
        return "OutOfMemory", f"{end.container} used more memory than its limit and was ended"
    if end.report is not None and end.report.reason and WORD.fullmatch(end.report.reason):
        return end.report.reason, end.report.message or end.report.reason
    if (said := _spoken(end.text)) is not None:
        return said
    return "", f"{end.container} ended with exit code {end.code}"


def _spoken(text: str) -> tuple[str, str] | None:
    """`{"reason": …, "message": …}` as the init container of a serving pod writes it."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):  # a user's container may leave any text, deeply nested brackets included
        return None
    if not isinstance(said, dict) or not WORD.fullmatch(str(said.get("reason", ""))):
        return None
    return str(said["reason"]), clean(str(said.get("message", "")))


def newest(pods: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The pod that was created last."""
    return max(pods, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]), default=None)
