"""Which version shall serve, which one does, and the way from one to the other. Decisions of a ModelDeployment; no status.

A new version gets a Deployment of its own beside the one that serves; the Service turns to it when all its pods are ready;
then the old one drains and goes. What cannot start leaves what serves as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.model import Model
from trimtab.api.modeldeployment import Flavor, ModelDeploymentSpec
from trimtab.api.outcomes import Outcome, Stalled, Waiting
from trimtab.api.reasons import CommonReason
from trimtab.api.reasons import ModelDeploymentReason as Why
from trimtab.plan import conditions, naming, promotion, serving, troubles
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Child, Object, Patch
from trimtab.plan.judgement import Judgement
from trimtab.plan.serving import SELECTED, Target
from trimtab.plan.troubles import Trouble

FLAVOR, IMAGE, TEMPLATE = "trimtab.dev/flavor", "trimtab.dev/image", "trimtab.dev/template"
"""Annotations of a Deployment: its server's flavor and image, which a newer operator leaves as they are, and the digest
of the pod template as it was meant, which tells a Deployment that is up to date from one still to be applied."""
ABSENT_AGAIN = 300.0
REJECTIONS = 50


@dataclass(frozen=True, slots=True)
class Observed:
    """A ModelDeployment with its children and their pods, its Model, and that Model's versions."""

    deployment: Object
    model: Object | None
    versions: tuple[Object, ...]
    children: tuple[Object, ...]
    """Its Deployments."""
    service: Object | None
    pods: Mapping[str, tuple[Object, ...]]
    """Pods by the uid of the Deployment they belong to."""
    judged: Judgement | None
    defaults: Defaults
    configs: tuple[Object, ...] = ()
    """ConfigMaps with the counts of its versions, those that are gone included."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The decision half made: what is wanted, what serves, what stands in the way."""

    spec: ModelDeploymentSpec
    target: Target | None
    missing: Outcome | None
    """Why there is no target."""
    wanted: Object | None
    """The target's Deployment as it should be."""
    live: Object | None
    """The target's Deployment as it is."""
    serving: Object | None
    """The Deployment the Service points at, as it is."""
    ready: bool
    """All pods of the target answer."""
    trouble: Trouble | None
    rejected: tuple[Object, ...] = field(default=())
    settled: bool = False
    """The target was rolled out before, and nothing of it changed since: a pod that is away is no rollout."""

    @property
    def turned(self) -> bool:
        return self.serving is not None and self.live is not None and self.serving is self.live


def situation(observed: Observed, spec: ModelDeploymentSpec) -> Situation:
    found = _target(observed, spec)
    target, missing = (found, None) if isinstance(found, Target) else (None, found)
    serving_now = _serving(observed)
    wanted = live = None
    if target is not None:
        live = _child(observed, serving.deployment_name(observed.deployment, target))
        wanted = _deployment(observed, spec, target, live)
    trouble = troubles.found(live, observed.pods.get(live["metadata"]["uid"], ())) if live is not None else None
    rejected = _rejections(observed, target, live, trouble, serving_now)
    return Situation(
        spec=spec,
        target=target,
        missing=missing,
        wanted=wanted,
        live=live,
        serving=serving_now,
        ready=live is not None and ready(live, wanted),
        trouble=trouble,
        rejected=rejected,
        settled=live is not None and live is serving_now and _settled(observed, live, wanted),
    )


# ---------------------------------------------------------------- what shall serve


def _target(observed: Observed, spec: ModelDeploymentSpec) -> Target | Outcome:
    if spec.artifact is not None:
        return _checked(serving.of_artifact(observed.deployment["spec"]["artifact"]), spec)
    assert spec.model_ref is not None
    name = spec.model_ref.name
    if spec.model_ref.version is not None:
        version = next((v for v in observed.versions if promotion.number(v) == spec.model_ref.version), None)
        if version is None:
            text = f"there is no ModelVersion {name}-{spec.model_ref.version} in this namespace"
            return Waiting(CommonReason.VERSION_NOT_FOUND, ABSENT_AGAIN, text)
    else:
        if observed.model is None:
            return Waiting(CommonReason.MODEL_NOT_FOUND, ABSENT_AGAIN, f"there is no Model {name} in this namespace")
        champion = observed.model.get("status", {}).get("champion", {}).get("name")
        version = next((v for v in observed.versions if v["metadata"]["name"] == champion), None)
        if version is None:
            return Waiting(Why.NO_CHAMPION, ABSENT_AGAIN, f"Model {name} has no champion yet")
    if held := version.get("status", {}).get("quarantined"):
        text = f"ModelVersion {version['metadata']['name']} is quarantined: {held.get('message', held['reason'])}"
        return Stalled(Why.VERSION_QUARANTINED, text)
    return _checked(serving.of_version(version, allow_pickle=_pickle_allowed(observed, version)), spec)


def _pickle_allowed(observed: Observed, version: Mapping[str, Any]) -> bool:
    """A joblib file that a run of ours published was allowed then; one that was brought needs the Model's word."""
    if promotion.made_here(version):
        return True
    return observed.model is not None and Model.model_validate(observed.model).spec.training.allow_pickle


def _checked(target: Target, spec: ModelDeploymentSpec) -> Target | Outcome:
    if target.artifact.format == "Custom":
        return Stalled(CommonReason.INVALID_SPEC, "Trimtab's server cannot load an artifact of format Custom")
    if target.artifact.format == "Joblib" and not target.allow_pickle:
        text = "the artifact is a joblib file, which runs whatever code is in it: the Model must say training.allowPickle: true"
        return Stalled(Why.PICKLE_REFUSED, text)
    if spec.server.flavor is Flavor.SLIM and target.artifact.format != "ONNX":
        text = f"server.flavor Slim serves ONNX only, and the artifact is {target.artifact.format}: use Auto or Sklearn"
        return Stalled(CommonReason.INVALID_SPEC, text)
    return target


def _deployment(observed: Observed, spec: ModelDeploymentSpec, target: Target, live: Object | None) -> Object:
    """The target's Deployment; the image in use stays, whatever image a newer operator would choose."""
    flavor = "Sklearn" if serving.needs_sklearn(target, spec.server.flavor) else "Slim"
    image = serving.image(target, spec.server.flavor, observed.defaults)
    if live is not None and _annotation(live, FLAVOR) == flavor:
        image = _annotation(live, IMAGE) or image
    built = serving.deployment(observed.deployment, spec, target, spec.replicas, image)
    template = naming.digest(built["spec"]["template"])
    built["metadata"]["annotations"] |= {FLAVOR: flavor, IMAGE: image, TEMPLATE: template}
    return built


def _annotation(obj: Mapping[str, Any], name: str) -> str | None:
    return (obj["metadata"].get("annotations") or {}).get(name)


def image_of(deployment: Mapping[str, Any]) -> str | None:
    """Image of the server in a Deployment."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return next((container.get("image") for container in containers if container["name"] == "server"), None)


# ---------------------------------------------------------------- what serves


def _child(observed: Observed, name: str | None) -> Object | None:
    return next((child for child in observed.children if child["metadata"]["name"] == name), None)


def _serving(observed: Observed) -> Object | None:
    if observed.service is None:
        return None
    return _child(observed, (observed.service["spec"].get("selector") or {}).get(SELECTED))


def ready(live: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """The controller saw the newest spec, and every replica of it answers."""
    status, replicas = live.get("status", {}), int(live["spec"].get("replicas", 1))
    if not _as_meant(live, wanted):
        return False
    return int(status.get("updatedReplicas", 0)) >= replicas and int(status.get("availableReplicas", 0)) >= replicas


def _as_meant(live: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """The controller saw the newest spec, and it is the wanted one."""
    if int(live.get("status", {}).get("observedGeneration", 0)) < int(live["metadata"]["generation"]):
        return False
    if wanted is None:
        return True
    same = _annotation(live, TEMPLATE) == _annotation(wanted, TEMPLATE)
    return same and int(wanted["spec"]["replicas"]) == int(live["spec"].get("replicas", 1))


def _settled(observed: Observed, live: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    told = conditions.find(observed.deployment.get("status", {}), Type.ROLLOUT_SUCCEEDED)
    return told is not None and told["status"] == conditions.TRUE and _as_meant(live, wanted)


def _rejections(
    observed: Observed, target: Target | None, live: Object | None, trouble: Trouble | None, serving_now: Object | None
) -> tuple[Object, ...]:
    """Versions that were tried and given up, with this one if its pods just said that nothing heals it."""
    before = list(observed.deployment.get("status", {}).get("rejected", ()))
    if target is None:
        return tuple(before)
    mine = [entry for entry in before if entry["digest"] == target.digest]
    if live is not None and live is serving_now and ready(live, None) and int(live["spec"].get("replicas", 1)) > 0:
        return tuple(entry for entry in before if entry["digest"] != target.digest)
    if trouble is not None and trouble.final and not mine:
        message = conditions.sentence(trouble.message)
        entry: Object = {"digest": target.digest, "reason": str(trouble.reason), "message": message}
        if target.version is not None:
            entry["version"] = target.version
        before.append(entry)
    return tuple(before[-REJECTIONS:])


def given_up(seen: Situation) -> Object | None:
    """The rejection of the target, where something else serves meanwhile; alone, a version goes on being tried."""
    if seen.target is None or seen.serving is None or seen.serving is seen.live:
        return None
    return next((entry for entry in seen.rejected if entry["digest"] == seen.target.digest), None)


# ---------------------------------------------------------------- children


def children(observed: Observed, seen: Situation) -> tuple[Child, ...]:
    if seen.target is None or seen.wanted is None:
        return ()
    parent, grpc = observed.deployment, seen.spec.server.grpc
    policy = Child(serving.network_policy(parent, observed.defaults, grpc=grpc), private=True)
    if given_up(seen) is not None:
        assert seen.serving is not None
        return (policy, Child(serving.service(parent, seen.serving["metadata"]["name"], grpc=grpc)))
    turn = seen.serving is None or seen.ready
    pointed = seen.wanted["metadata"]["name"] if turn else seen.serving["metadata"]["name"]  # type: ignore[index]
    return (policy, Child(serving.service(parent, pointed, grpc=grpc)), Child(seen.wanted, private=True))


def leaving(observed: Observed, seen: Situation) -> list[Object]:
    """Deployments that neither serve nor come next. What served before goes once the Service was seen to point elsewhere."""
    if seen.target is None:
        return []
    kept = (seen.serving,) if given_up(seen) is not None else (seen.serving, seen.live)
    return [child for child in observed.children if all(child is not one for one in kept)]


def scaled(seen: Situation) -> tuple[Patch, ...]:
    """What serves has as many pods as are asked for while another version is on its way, or cannot come."""
    if seen.serving is None or seen.turned or int(seen.serving["spec"].get("replicas", 1)) == seen.spec.replicas:
        return ()
    meta, body = seen.serving["metadata"], {"spec": {"replicas": seen.spec.replicas}}
    return (Patch("Deployment", meta["namespace"], meta["name"], meta["uid"], body),)


def outdated(observed: Observed, seen: Situation) -> list[Object]:
    """Counts of versions that have no Deployment any more."""
    there = [child["metadata"]["name"] for child in observed.children]
    there += [seen.wanted["metadata"]["name"]] if seen.wanted is not None else []
    kept = {serving.counts_name(name) for name in there}
    return [config for config in observed.configs if config["metadata"]["name"] not in kept]
