"""Pieces of the pods that Trimtab makes: security, resources, volumes, environment. Only what a user may say reaches a pod."""

from collections.abc import Iterable, Mapping
from typing import Any

from trimtab.api.pods import EnvVar, PodSettings, Resources
from trimtab.api.quantities import parse_quantity
from trimtab.api.storage import Credentials
from trimtab.plan import naming
from trimtab.plan.intent import Object

ROOT = "/trimtab"
USER = 65532
STORAGE, FOLDER_LIMIT = "ephemeral-storage", "10Gi"
"""What each emptyDir may hold unless the user gives a limit. A pod beyond its own limit counts as one that failed; one that
its node evicts for want of room does not. Containers ask for no such resource by themselves, not even for none of it: a
limit alone is a request, too, and a queue admits no Job that asks for what it does not know."""
NOT_IN_A_MESH = {"sidecar.istio.io/inject": "false"}, {"linkerd.io/inject": "disabled"}
"""Labels and annotations of a Job's pods: a sidecar that is no init container gives `fetch` no network, and never ends."""


def pod_security() -> Object:
    """What the `restricted` Pod Security Standard asks of a pod."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security(*, read_only_root: bool) -> Object:
    """What the `restricted` Pod Security Standard asks of a container. A user's image may write to its own root."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": read_only_root,
    }


def resources(asked: Resources | None, requests: Mapping[str, str], limits: Mapping[str, str]) -> Object:
    """What the user asked for, and our own values for what was left open. A limit below our request lowers the request, a
    request above our limit raises the limit."""
    wanted_requests = dict((asked.requests if asked else None) or {})
    wanted_limits = dict((asked.limits if asked else None) or {})
    for name, value in requests.items():
        wanted_requests.setdefault(name, wanted_limits.get(name, value))
    for name, value in limits.items():
        wanted_limits.setdefault(name, max(value, wanted_requests[name], key=parse_quantity))
    return {"requests": _texts(wanted_requests), "limits": _texts(wanted_limits)}


def without_devices(asked: Resources | None) -> Resources | None:
    """Resources of Kubernetes' own: a container that computes nothing needs no `nvidia.com/gpu`."""
    if asked is None:
        return None
    requests, limits = (
        {name: value for name, value in (given or {}).items() if "/" not in name}
        for given in (asked.requests, asked.limits)
    )
    return Resources(requests=requests, limits=limits)


def room(asked: Resources | None) -> str:
    """What each emptyDir of a pod may hold: as much as the user lets its containers write, or set aside for them."""
    given = [part[STORAGE] for part in (asked.limits, asked.requests) if part and STORAGE in part] if asked else []
    return str(given[0]) if given else FOLDER_LIMIT


def _texts(quantities: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in sorted(quantities.items())}


def placement(settings: PodSettings | None) -> Object:
    """Where the pod runs and as whom, as far as the user said."""
    if settings is None:
        return {}
    placed: Object = {}
    if settings.node_selector:
        placed["nodeSelector"] = dict(settings.node_selector)
    if settings.tolerations:
        placed["tolerations"] = [toleration.as_json() for toleration in settings.tolerations]
    if settings.priority_class_name:
        placed["priorityClassName"] = settings.priority_class_name
    if settings.service_account_name:
        placed["serviceAccountName"] = settings.service_account_name
    if settings.image_pull_secrets:
        placed["imagePullSecrets"] = [secret.as_json() for secret in settings.image_pull_secrets]
    return placed


def labels(settings: PodSettings | None, ours: Mapping[str, str], unless: Mapping[str, str] | None = None) -> Object:
    """Labels of a pod or a Job: the user's, and ours before them. `unless`: what stands there unless the user says
    otherwise."""
    return {**(unless or {}), **((settings.labels if settings else None) or {}), **ours}


def annotations(
    settings: PodSettings | None, ours: Mapping[str, str], unless: Mapping[str, str] | None = None
) -> Object:
    """Annotations, likewise."""
    return {**(unless or {}), **((settings.annotations if settings else None) or {}), **ours}


def environment(asked: Iterable[EnvVar], ours: Mapping[str, str]) -> list[Object]:
    """Environment of a container: ours first, then the user's in the order given. A name stands once, the user's value
    before ours: the API server applies no list with a name in it twice."""
    theirs = {variable.name: variable.value for variable in asked}
    mine = {name: value for name, value in ours.items() if name not in theirs}
    return [{"name": name, "value": value} for name, value in (mine | theirs).items()]


def credentials(prefix: str, given: Credentials | None) -> list[Object]:
    """`envFrom` of a step: the Secret's keys, each with a prefix that says what they open."""
    if given is None:
        return []
    return [{"prefix": prefix, "secretRef": {"name": given.secret_ref.name}}]


def claim_of(uri: str) -> str | None:
    """Name of the claim in `pvc://claim/path`, or None for another scheme.

    >>> claim_of("pvc://flights/2013.parquet"), claim_of("s3://bucket/key")
    ('flights', None)
    """
    return uri.removeprefix("pvc://").split("/", 1)[0] if uri.startswith("pvc://") else None


def claim_volume(claim: str) -> Object:
    return {"name": volume_name(claim), "persistentVolumeClaim": {"claimName": claim}}


def claim_mount(claim: str, *, read_only: bool) -> Object:
    """The claim below the folder where `pvc://` addresses are looked for."""
    mount: Object = {"name": volume_name(claim), "mountPath": f"{ROOT}/claims/{claim}"}
    return {**mount, "readOnly": True} if read_only else mount


def volume_name(claim: str) -> str:
    """A volume's name is a label of at most 63 characters; a claim's name may be longer and have dots."""
    return f"claim-{naming.digest(claim)}"


def empty(name: str, limit: str) -> Object:
    return {"name": name, "emptyDir": {"sizeLimit": limit}}


def mount(name: str, path: str, *, read_only: bool = False) -> Object:
    """A mount of one volume; `readOnly` is left out where it is false, as the API server leaves it out."""
    mounted: Object = {"name": name, "mountPath": path}
    return {**mounted, "readOnly": True} if read_only else mounted
