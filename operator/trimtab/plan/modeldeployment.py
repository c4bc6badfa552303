"""ModelDeployment: its children, as `rollout` decides them, and how what serves and what comes next fare: its status."""

from collections.abc import Mapping
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.meta import Annotation
from trimtab.api.modeldeployment import ModelDeployment
from trimtab.api.outcomes import Outcome, Stalled, Waiting
from trimtab.api.reasons import CommonReason
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.plan import conditions, judgement, promotion, rollout, serving
from trimtab.plan.conditions import FALSE, TRUE, UNKNOWN, Finding
from trimtab.plan.intent import Notice, Object, Plan, unwanted
from trimtab.plan.rollout import Observed, Situation

__all__ = ["Observed", "plan"]

FIRST_WORD_SECONDS = 3.0
"""So long after its first child was made an object may go without a status: the first is then the last."""
LOOK_AGAIN, ABSENT_AGAIN = 30.0, 300.0
VERSIONS = 16
"""Most that a status holds."""


def plan(observed: Observed, now: float) -> Plan:
    """Children and status of one deployment."""
    spec = ModelDeployment.model_validate(observed.deployment).spec
    seen = rollout.situation(observed, spec)
    if spec.suspend:
        return Plan(status=_status(observed, seen, now, suspended=True))
    children = rollout.children(observed, seen)
    if _premature(observed, seen, now):
        return Plan(children=children, again=FIRST_WORD_SECONDS)
    status = _status(observed, seen, now)
    return Plan(
        children=children,
        unwanted=tuple(map(unwanted, [*rollout.leaving(observed, seen), *rollout.outdated(observed, seen)])),
        patches=rollout.scaled(seen),
        status=status,
        notices=tuple(_notices(observed.deployment.get("status", {}), status)),
        again=_again(seen),
    )


def _premature(observed: Observed, seen: Situation, now: float) -> bool:
    """Children that were only just made settle within moments; saying Progressing first would be a write for nothing."""
    if observed.deployment.get("status", {}).get("observedGeneration", -1) >= 0 or seen.target is None or seen.trouble:
        return False
    if seen.live is None:  # made in this very pass
        return True
    made = seen.live["metadata"].get("creationTimestamp")
    return made is not None and not seen.ready and 0 <= now - conditions.instant(made) < FIRST_WORD_SECONDS


# ---------------------------------------------------------------- status


def _status(observed: Observed, seen: Situation, now: float, *, suspended: bool = False) -> Object:
    obj = observed.deployment
    old, meta = obj.get("status", {}), obj["metadata"]
    stable = seen.serving or seen.live
    status: Object = {
        "observedGeneration": meta["generation"],
        "address": {"url": f"http://{meta['name']}.{meta['namespace']}.svc"},
        "selector": serving.selector(obj, stable),
        "replicas": int((stable or {}).get("status", {}).get("replicas", 0)),
        "readyReplicas": int((stable or {}).get("status", {}).get("readyReplicas", 0)),
        "versions": _versions(observed, seen),
    }
    if seen.rejected:
        status["rejected"] = list(seen.rejected)
    if stable is not None and (image := rollout.image_of(stable)):
        status["serverImage"] = image
    drift, verdicts = judgement.drift(observed.judged, _digest(stable), old)
    if drift is not None:
        status["drift"] = drift
    findings = [*_summary(seen, suspended), _available(seen), _rolled_out(seen), *verdicts]
    status["conditions"] = conditions.merge(old.get("conditions", ()), findings, generation=meta["generation"], now=now)
    return status


def _digest(deployment: Mapping[str, Any] | None) -> str | None:
    if deployment is None:
        return None
    return (deployment["metadata"].get("annotations") or {}).get(Annotation.INPUTS)


def _versions(observed: Observed, seen: Situation) -> list[Object]:
    """Every version that has pods, the one that serves first."""
    told = []
    for child in sorted(observed.children, key=lambda child: (child is not seen.serving, child["metadata"]["name"])):
        digest = _digest(child)
        if digest is None:
            continue
        version = next((v for v in observed.versions if _made_of(observed, v) == child["metadata"]["name"]), None)
        stable = child is seen.serving
        role = "Stable" if stable else "Candidate" if child is seen.live else "Previous"
        entry: Object = {
            "digest": digest,
            "role": role,
            "weight": {"requested": 100 if stable else 0, "effective": 100 if stable and _answers(child) else 0},
        }
        if version is not None:
            entry |= {"version": promotion.number(version), "name": version["metadata"]["name"]}
        told.append(entry)
    return told[:VERSIONS]


def _answers(child: Mapping[str, Any]) -> bool:
    return int(child.get("status", {}).get("availableReplicas", 0)) > 0


def _made_of(observed: Observed, version: Mapping[str, Any]) -> str:
    """Name of the Deployment that serves a version: two versions may have one digest."""
    return serving.deployment_name(observed.deployment, serving.of_version(version, allow_pickle=False))


def _summary(seen: Situation, suspended: bool) -> list[Finding]:
    if suspended:
        return conditions.summary(
            None, reason=CommonReason.SUSPENDED, message="spec.suspend is true: nothing changes, what serves goes on"
        )
    outcome = _outcome(seen)
    if outcome is None and seen.spec.replicas == 0:
        return conditions.summary(
            None, reason=Why.SCALED_TO_ZERO, message="spec.replicas is 0, so nothing answers requests"
        )
    return conditions.summary(outcome, reason=Why.SERVING, message="the wanted version answers requests")


def _outcome(seen: Situation) -> Outcome | None:
    """What keeps the spec as written from being in force; the rollout of a new champion is no such thing."""
    follows = seen.spec.model_ref is not None and seen.spec.model_ref.version is None
    serves = seen.serving is not None and rollout.ready(seen.serving, None)
    if seen.missing is not None:
        return None if follows and serves else seen.missing
    if seen.turned and (seen.ready or (seen.settled and seen.serving is not None and _answers(seen.serving))):
        return None
    if follows and serves and not seen.turned:
        return None
    if (given_up := rollout.given_up(seen)) is not None:
        return Stalled(Why.VERSION_REJECTED, f"{given_up['reason']}: {given_up.get('message', '')}")
    if seen.trouble is not None:
        return Stalled(seen.trouble.reason, seen.trouble.message)
    if seen.settled:
        return Waiting(Why.REPLICAS_UNAVAILABLE, LOOK_AGAIN, "no replica answers requests")
    return Waiting(Why.ROLLING_OUT, LOOK_AGAIN, "pods of the wanted version are starting")


def _available(seen: Situation) -> Finding:
    if seen.serving is None:
        return Finding(Type.AVAILABLE, FALSE, Why.REPLICAS_UNAVAILABLE, "nothing serves yet")
    asked = int(seen.serving["spec"].get("replicas", 1))
    there = int(seen.serving.get("status", {}).get("availableReplicas", 0))
    if asked == 0:
        return Finding(Type.AVAILABLE, FALSE, Why.SCALED_TO_ZERO, "spec.replicas is 0")
    if there == 0:
        return Finding(Type.AVAILABLE, FALSE, Why.REPLICAS_UNAVAILABLE, "no replica answers requests")
    if seen.trouble is not None and seen.turned and there < asked:
        text = f"replicas answer requests, though not all of them: {seen.trouble.message}"
        return Finding(Type.AVAILABLE, TRUE, Why.REPLICAS_AVAILABLE, text)
    return Finding(Type.AVAILABLE, TRUE, Why.REPLICAS_AVAILABLE, "replicas answer requests")


def _rolled_out(seen: Situation) -> Finding:
    if seen.missing is not None:
        return Finding(Type.ROLLOUT_SUCCEEDED, UNKNOWN, seen.missing.reason, seen.missing.message)
    if (given_up := rollout.given_up(seen)) is not None:
        text = f"{given_up['reason']}: {given_up.get('message', '')}; what served goes on serving"
        return Finding(Type.ROLLOUT_SUCCEEDED, FALSE, Why.VERSION_REJECTED, text)
    if seen.turned and (seen.ready or seen.settled):
        return Finding(Type.ROLLOUT_SUCCEEDED, TRUE, Why.ROLLED_OUT, "the wanted version serves")
    if seen.trouble is not None:
        return Finding(Type.ROLLOUT_SUCCEEDED, FALSE, seen.trouble.reason, seen.trouble.message)
    return Finding(Type.ROLLOUT_SUCCEEDED, UNKNOWN, Why.ROLLING_OUT, "pods of the wanted version are starting")


def _again(seen: Situation) -> float | None:
    if seen.missing is not None:
        return conditions.again(seen.missing) or ABSENT_AGAIN
    return None if seen.turned and seen.ready else LOOK_AGAIN


def _notices(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Notice]:
    """Transitions worth an Event: what serves, what was given up, and the verdicts."""
    notices = []
    before, after = _stable(old), _stable(new)
    if after is not None and before != after:
        notices.append(Notice("Normal", str(Why.ROLLED_OUT), f"{after} serves"))
    known = {entry["digest"] for entry in old.get("rejected", ())}
    for entry in new.get("rejected", ()):
        if entry["digest"] not in known:
            notices.append(Notice("Warning", entry["reason"], entry.get("message", "")))
    for kind in (Type.IN_DISTRIBUTION, Type.DATA_QUALITY):
        was, now = conditions.find(old, kind), conditions.find(new, kind)
        if now is not None and now["status"] != (was or {}).get("status", UNKNOWN) and now["status"] != UNKNOWN:
            notices.append(Notice("Normal" if now["status"] == TRUE else "Warning", now["reason"], now["message"]))
    return notices


def _stable(status: Mapping[str, Any]) -> str | None:
    """The version that answers requests; none while no pod does."""
    if not status.get("readyReplicas"):
        return None
    """What answers requests."""
    entry = next((entry for entry in status.get("versions", ()) if entry["weight"]["effective"]), None)
    return None if entry is None else str(entry.get("name") or entry["digest"][:19])
