"""The children of a ModelDeployment: a Deployment for each version, one Service, one NetworkPolicy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trimtab.api.meta import Annotation, Label
from trimtab.api.modeldeployment import Flavor, ModelDeploymentSpec
from trimtab.api.storage import Credentials
from trimtab.api.wire.base import Location
from trimtab.api.wire.serving import Artifact, Serving
from trimtab.plan import naming, pods
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Object

LEDGER = "ledger.json"
"""Key of the ConfigMap of counts that holds the windows."""
SELECTED = "trimtab.dev/serving"
"""Label of a Deployment's pods: the Service points at one of its values."""
SERVING_ANNOTATION = "trimtab.dev/serving.json"
REST_PORT, GRPC_PORT, INTERNAL_PORT = 8080, 8081, 8082
DRAIN_SECONDS, GRACE_SECONDS = 5, 40
_GRPC = {
    "name": "grpc",
    "port": GRPC_PORT,
    "targetPort": "grpc",
    "protocol": "TCP",
    "appProtocol": "kubernetes.io/h2c",
}
PROGRESS_SECONDS = 600
REQUESTS = {"ONNX": {"cpu": "100m", "memory": "192Mi"}, "Skops": {"cpu": "200m", "memory": "384Mi"}}
OVER_NODES = [{"topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}]
LIMITS = {"ONNX": {"memory": "512Mi"}, "Skops": {"memory": "1Gi"}}


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be served: an artifact by its digest, and the version it is, if it is one."""

    artifact: Artifact
    credentials: Credentials | None
    allow_pickle: bool
    version: int | None = None
    name: str | None = None

    @property
    def digest(self) -> str:
        return self.artifact.digest


def of_version(version: Mapping[str, Any], *, allow_pickle: bool) -> Target:
    """A ModelVersion as something to serve."""
    spec = version["spec"]
    return Target(
        artifact=_artifact(spec["artifact"]),
        credentials=_credentials(spec["artifact"]),
        allow_pickle=allow_pickle,
        version=spec["version"],
        name=version["metadata"]["name"],
    )


def of_artifact(artifact: Mapping[str, Any]) -> Target:
    """An artifact of the user's own as something to serve."""
    return Target(_artifact(artifact), _credentials(artifact), bool(artifact.get("allowPickle", False)))


def _artifact(given: Mapping[str, Any]) -> Artifact:
    location = Location.from_plain(given)
    return Artifact(location=location, digest=given["digest"], format=given["format"])


def _credentials(given: Mapping[str, Any]) -> Credentials | None:
    return Credentials.model_validate(given["credentials"]) if "credentials" in given else None


def deployment_name(parent: Mapping[str, Any], target: Target) -> str:
    """`<mdep>-v7-<hash>`, or `<mdep>-<hash>` for an artifact of the user's own."""
    meta = parent["metadata"]
    if target.version is None:
        return f"{meta['name']}-{naming.digest(meta['uid'], target.digest)}"
    return f"{meta['name']}-v{target.version}-{naming.digest(meta['uid'], target.version, target.digest)}"


def counts_name(child: str) -> str:
    """Name of the ConfigMap with what the pods of a Deployment counted."""
    return f"{child}-counts"


def needs_sklearn(target: Target, flavor: Flavor) -> bool:
    """Whether the image with scikit-learn serves it."""
    return flavor is Flavor.SKLEARN or (flavor is Flavor.AUTO and target.artifact.format != "ONNX")


def image(target: Target, flavor: Flavor, defaults: Defaults) -> str:
    return defaults.trainer_image if needs_sklearn(target, flavor) else defaults.server_image


def labels(parent: Mapping[str, Any]) -> dict[str, str]:
    return naming.labels(Label.MODEL_DEPLOYMENT, parent["metadata"]["name"], "serving")


def selector(parent: Mapping[str, Any], stable: Mapping[str, Any] | None) -> str:
    """Label selector of the pods of the Deployment that serves, as autoscalers want it: those of a version that is only
    on its way would be counted as replicas. While there is none, that of all pods of the ModelDeployment."""
    if stable is not None:
        return f"{SELECTED}={stable['metadata']['name']}"
    return f"{Label.MODEL_DEPLOYMENT}={parent['metadata']['name']}"


def deployment(
    parent: Mapping[str, Any], spec: ModelDeploymentSpec, target: Target, replicas: int, image: str
) -> Object:
    """The Deployment of one version. The artifact comes through an init container, so the server holds no credential."""
    name = deployment_name(parent, target)
    chosen = {**labels(parent), SELECTED: name}
    built = naming.child(parent, "apps/v1", "Deployment", name, chosen)
    built["metadata"]["annotations"] = {Annotation.INPUTS: target.digest}
    claim = pods.claim_of(target.artifact.location.uri)
    room = pods.room(spec.server.resources)
    built["spec"] = {
        "replicas": replicas,
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": PROGRESS_SECONDS,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "selector": {"matchLabels": {SELECTED: name}},
        "template": {
            "metadata": {
                "labels": pods.labels(spec.server.pod, chosen),
                "annotations": pods.annotations(
                    spec.server.pod, {SERVING_ANNOTATION: _serving(parent, target).to_json()}
                ),
            },
            "spec": {
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": GRACE_SECONDS,
                "securityContext": pods.pod_security(),
                "initContainers": [_fetch(spec, target, image, claim)],
                "containers": [_server(spec, target, image)],
                "volumes": [_config_volume(), pods.empty("model", room), pods.empty("tmp", room)]
                + ([pods.claim_volume(claim)] if claim else []),
                **pods.placement(spec.server.pod),
                **_spread(spec, name),
            },
        },
    }
    return built


def _spread(spec: ModelDeploymentSpec, name: str) -> Object:
    """Over the nodes unless the user says otherwise: a node that is lost takes one replica, not all of them."""
    asked = spec.server.pod.topology_spread_constraints if spec.server.pod else None
    given = OVER_NODES if asked is None else [spread.as_json() for spread in asked]
    selected = {"labelSelector": {"matchLabels": {SELECTED: name}}}
    return {"topologySpreadConstraints": [{**spread, **selected} for spread in given]} if given else {}


def _serving(parent: Mapping[str, Any], target: Target) -> Serving:
    meta = parent["metadata"]
    return Serving(
        namespace=meta["namespace"],
        deployment=meta["name"],
        model=meta["name"],
        version=str(target.version) if target.version is not None else "1",
        artifact=target.artifact,
        allow_pickle=target.allow_pickle,
    )


def _config_volume() -> Object:
    """serving.json is an annotation of the pod, mounted: it changes with the template and needs no object of its own."""
    field = {"fieldPath": f"metadata.annotations['{SERVING_ANNOTATION}']"}
    return {
        "name": "config",
        "downwardAPI": {"items": [{"path": "serving.json", "fieldRef": {"apiVersion": "v1", **field}}]},
    }


def _mounts(*, writes_model: bool) -> list[Object]:
    return [
        pods.mount("config", f"{pods.ROOT}/config", read_only=True),
        pods.mount("model", f"{pods.ROOT}/model", read_only=not writes_model),
        pods.mount("tmp", "/tmp"),
    ]


def _command(image_args: list[str]) -> Object:
    return {"command": ["python", "-m", "trimtab.serving", *image_args]}


def _fetch(spec: ModelDeploymentSpec, target: Target, image: str, claim: str | None) -> Object:
    built: Object = {
        "name": "fetch",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        **_command(["fetch"]),
        "env": pods.environment((), {"HOME": "/tmp"}),
        "resources": pods.resources(
            pods.without_devices(spec.server.resources), {"cpu": "50m", "memory": "128Mi"}, {"memory": "512Mi"}
        ),
        "securityContext": pods.container_security(read_only_root=True),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(writes_model=True) + ([pods.claim_mount(claim, read_only=True)] if claim else []),
    }
    if secrets := pods.credentials("STORE_", target.credentials):
        built["envFrom"] = secrets
    return built


def _probe(path: str, **settings: int) -> Object:
    return {"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 3, **settings}


def _server(spec: ModelDeploymentSpec, target: Target, image: str) -> Object:
    size = "ONNX" if target.artifact.format == "ONNX" else "Skops"
    return {
        "name": "server",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        **_command([]),
        "env": [
            *pods.environment(
                spec.server.env,
                {
                    "HOME": "/tmp",
                    "TRIMTAB_DRAIN_SECONDS": str(DRAIN_SECONDS),
                    "TRIMTAB_GRACE_SECONDS": str(GRACE_SECONDS - 5),
                    **({"TRIMTAB_GRPC_PORT": str(GRPC_PORT)} if spec.server.grpc else {}),
                },
            ),
            {"name": "TRIMTAB_POD_UID", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.uid"}}},
        ],
        "ports": [
            {"name": "http", "containerPort": REST_PORT, "protocol": "TCP"},
            *([{"name": "grpc", "containerPort": GRPC_PORT, "protocol": "TCP"}] if spec.server.grpc else []),
            {"name": "internal", "containerPort": INTERNAL_PORT, "protocol": "TCP"},
        ],
        "resources": pods.resources(spec.server.resources, REQUESTS[size], LIMITS[size]),
        "securityContext": pods.container_security(read_only_root=True),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "startupProbe": _probe("/readyz", periodSeconds=1, failureThreshold=600),
        "readinessProbe": _probe("/readyz", periodSeconds=2, failureThreshold=2),
        "livenessProbe": _probe("/healthz", periodSeconds=10, failureThreshold=3),
        "volumeMounts": _mounts(writes_model=False),
    }


def service(parent: Mapping[str, Any], serving: str, *, grpc: bool = False) -> Object:
    """The Service, pointing at the pods of the Deployment of this name."""
    built = naming.child(parent, "v1", "Service", parent["metadata"]["name"], labels(parent))
    built["spec"] = {
        "type": "ClusterIP",
        "selector": {SELECTED: serving},
        "ports": [
            {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
            *([_GRPC] if grpc else []),
        ],
    }
    return built


def network_policy(parent: Mapping[str, Any], defaults: Defaults, *, grpc: bool = False) -> Object:
    """Requests from everywhere; counts only for the operator, where the network enforces policies."""
    meta = parent["metadata"]
    built = naming.child(
        parent, "networking.k8s.io/v1", "NetworkPolicy", f"{meta['name']}-{naming.digest(meta['uid'])}", labels(parent)
    )
    public = (REST_PORT, GRPC_PORT) if grpc else (REST_PORT,)
    operator = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": defaults.operator_namespace}}}
    built["spec"] = {
        "podSelector": {"matchLabels": {str(Label.MODEL_DEPLOYMENT): meta["name"]}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": [{"protocol": "TCP", "port": port} for port in public]},
            {"ports": [{"protocol": "TCP", "port": INTERNAL_PORT}], "from": [operator]},
        ],
    }
    return built
