"""The kinds the operator reads and writes, and their addresses in the API. A new child kind gets its row here."""

from dataclasses import dataclass
from typing import Any

from trimtab.api.kinds import KINDS
from trimtab.api.meta import API_VERSION


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object: `api_version` such as `apps/v1`, the `kind` and its `plural` in paths."""

    api_version: str
    kind: str
    plural: str

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Path of the collection, of one object, or of its subresource."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        parts = [root]
        if namespace:
            parts.append(f"namespaces/{namespace}")
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


OURS = {row.kind: Resource(API_VERSION, row.kind, row.plural) for row in KINDS}
CHILDREN = {
    row.kind: row
    for row in (
        Resource("v1", "ConfigMap", "configmaps"),
        Resource("v1", "Service", "services"),
        Resource("apps/v1", "Deployment", "deployments"),
        Resource("batch/v1", "Job", "jobs"),
        Resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    )
}
READ_ONLY = {row.kind: row for row in (Resource("v1", "Pod", "pods"), Resource("apps/v1", "ReplicaSet", "replicasets"))}
WATCHED = {**OURS, **CHILDREN, **READ_ONLY}
EVENT = Resource("v1", "Event", "events")
LEASE = Resource("coordination.k8s.io/v1", "Lease", "leases")


def of(obj: dict[str, Any]) -> Resource:
    """The resource of an object that names its kind; raises `KeyError` for a kind that has no row here."""
    return WATCHED[obj["kind"]]
