"""How a Job of ours is built, and what its status and its pods say. Shared by looks at data and by training runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.api.pods import EnvVar, PodSettings
from trimtab.api.wire.runs import EXIT_DO_NOT_RETRY
from trimtab.plan import conditions, naming, pods, symptoms
from trimtab.plan.intent import Object

RUN_FILE = "run.json"
GRACE_SECONDS = 30
PODS_SECONDS = 5.0
"""How soon to look again at a Job that ended and whose pods do not yet say so."""
LATE_SECONDS = 30.0
"""How long a pod's last status may come after its Job's: they are watched side by side, in no order."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A Job and its pods, as observed."""

    job: Mapping[str, Any]
    pods: tuple[Mapping[str, Any], ...] = ()

    @property
    def complete(self) -> bool:
        return self._has("Complete")

    @property
    def failed(self) -> bool:
        return self._has("Failed")

    @property
    def finished(self) -> bool:
        return self.complete or self.failed

    def told(self, now: float) -> bool:
        """Whether the Job has ended and its newest pod says how; a pod that still does not is not waited for forever."""
        if not self.finished:
            return False
        pod, ended = self.newest(), self.time("Complete") or self.time("Failed")
        if pod is not None and pod.get("status", {}).get("phase") == ("Succeeded" if self.complete else "Failed"):
            return True
        return ended is None or now - conditions.instant(ended) >= LATE_SECONDS

    @property
    def attempts(self) -> int:
        """Pods that were begun: those that failed, succeeded, or are there now."""
        status = self.job.get("status", {})
        return int(status.get("failed", 0)) + int(status.get("succeeded", 0)) + int(status.get("active", 0))

    @property
    def suspended(self) -> bool:
        """Nothing runs, and nothing shall: by the spec, or not yet resumed by the Job's controller."""
        return bool((self.job.get("spec") or {}).get("suspend")) or self._has("Suspended")

    @property
    def began(self) -> str:
        """When the Job was started, or started again after a suspension; its creation until then."""
        return str(self.job.get("status", {}).get("startTime") or self.job["metadata"]["creationTimestamp"])

    def time(self, condition: str) -> str | None:
        """When a condition of the Job became true."""
        return next(
            (entry.get("lastTransitionTime") for entry in self._conditions() if entry["type"] == condition), None
        )

    def said(self, condition: str) -> tuple[str, str]:
        """Reason and message of a condition of the Job."""
        for entry in self._conditions():
            if entry["type"] == condition:
                return entry.get("reason", ""), entry.get("message", "")
        return "", ""

    def _conditions(self) -> Sequence[Mapping[str, Any]]:
        return self.job.get("status", {}).get("conditions") or ()

    def _has(self, condition: str) -> bool:
        return any(entry["type"] == condition and entry["status"] == "True" for entry in self._conditions())

    def newest(self) -> Mapping[str, Any] | None:
        return symptoms.newest(self.pods)


@dataclass(frozen=True, slots=True)
class Step:
    """One container of a Job: what it mounts is what it may see."""

    name: str
    image: str
    resources: Object
    mounts: tuple[Object, ...]
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    env: tuple[EnvVar, ...] = ()
    secrets: tuple[Object, ...] = ()
    read_only_root: bool = True
    extra: Mapping[str, str] | None = None
    ours: bool = True
    """Whether the image is Trimtab's, whose tag is never given to other content. Another is pulled as Kubernetes does."""


def container(step: Step) -> Object:
    """The container of a step, restricted, with the last of its log as its message when it says nothing itself."""
    built: Object = {
        "name": step.name,
        "image": step.image,
        "env": pods.environment(
            step.env, {"HOME": "/tmp", "TRIMTAB_RUN": f"{pods.ROOT}/config/{RUN_FILE}", **(step.extra or {})}
        ),
        "resources": step.resources,
        "securityContext": pods.container_security(read_only_root=step.read_only_root),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            pods.mount("config", f"{pods.ROOT}/config", read_only=True),
            pods.mount("tmp", "/tmp"),
            *step.mounts,
        ],
    }
    if step.ours:
        built["imagePullPolicy"] = "IfNotPresent"
    if step.command:
        built["command"] = list(step.command)
    if step.args:
        built["args"] = list(step.args)
    if step.secrets:
        built["envFrom"] = list(step.secrets)
    return built


def job(
    parent: Mapping[str, Any],
    name: str,
    labels: Mapping[str, str],
    steps: Sequence[Step],
    *,
    config: str,
    folders: Sequence[str],
    claims: Sequence[str],
    retries: int,
    timeout: float,
    room: str,
    settings: PodSettings | None,
    annotations: Mapping[str, str],
) -> Object:
    """A Job that runs the steps one after the other, the last as the main container. `timeout` in seconds, of one attempt.
    `room`: what each folder may hold.

    Disruptions cost no retry; exit code 3 ends the Job at once. The deadline is the pod's: a Job's own deletes the evidence.
    """
    built = naming.child(parent, "batch/v1", "Job", name, pods.labels(settings, labels))
    built["metadata"]["annotations"] = pods.annotations(settings, annotations)
    volumes = [{"name": "config", "configMap": {"name": config}}]
    volumes += [pods.empty(folder, room) for folder in ("tmp", *folders)]
    volumes += [pods.claim_volume(claim) for claim in dict.fromkeys(claims)]
    pod: Object = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": max(1, int(timeout)),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pods.pod_security(),
        "initContainers": [container(step) for step in steps[:-1]],
        "containers": [container(steps[-1])],
        "volumes": volumes,
        **pods.placement(settings),
    }
    built["spec"] = {
        "backoffLimit": retries,
        "completions": 1,
        "parallelism": 1,
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [EXIT_DO_NOT_RETRY]}},
            ]
        },
        "template": {
            "metadata": {
                "labels": pods.labels(settings, labels, unless=pods.NOT_IN_A_MESH[0]),
                "annotations": pods.annotations(settings, {}, unless=pods.NOT_IN_A_MESH[1]),
            },
            "spec": pod,
        },
    }
    return built
