"""Pieces of the pods that Trimtab makes: security, resources, volumes, environment. Only what a user may say reaches a pod."""

from collections.abc import Iterable, Mapping
from typing import Any

from trimtab.api.pods import EnvVar, PodSettings, Resources
from trimtab.api.storage import Credentials
from trimtab.plan import naming
from trimtab.plan.intent import Object

ROOT = "/trimtab"
USER = 65532


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
    """What the user asked for, and our own values for what was left open. A limit below our request lowers the request."""
    wanted_requests = dict((asked.requests if asked else None) or {})
    wanted_limits = dict((asked.limits if asked else None) or {})
    for name, value in requests.items():
        wanted_requests.setdefault(name, wanted_limits.get(name, value))
    for name, value in limits.items():
        if name == "memory" and name not in wanted_limits:
            wanted_limits[name] = wanted_requests[name] if asked and name in (asked.requests or {}) else value
    return {"requests": _texts(wanted_requests), "limits": _texts(wanted_limits)}


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
    return placed


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


def empty(name: str) -> Object:
    return {"name": name, "emptyDir": {}}


def mount(name: str, path: str, *, read_only: bool = False) -> Object:
    """A mount of one volume; `readOnly` is left out where it is false, as the API server leaves it out."""
    mounted: Object = {"name": name, "mountPath": path}
    return {**mounted, "readOnly": True} if read_only else mounted
