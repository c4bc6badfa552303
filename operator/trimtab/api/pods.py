"""What a user may say about the pods that train and serve: resources, placement, environment. Nothing else of a pod
is theirs to set."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.api.quantities import Quantity
from trimtab.api.shape import ATOMIC, Rule, Shape, keyed_by
from trimtab.api.texts import ObjectName

LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"

Quantities = Annotated[dict[str, Quantity], Field(max_length=16)]


class Resources(Shape):
    """What a container asks for and may use at most, as in any pod. A limit without a request is the request, too. What
    is left open is Trimtab's: memory by what the container does, and 10Gi for each folder of the pod, which
    `ephemeral-storage` raises or lowers; a pod that writes more is evicted."""

    requests: Quantities | None = None
    """By resource name (`cpu`, `memory`, `nvidia.com/gpu`), what is set aside for the container. At most 16 entries."""
    limits: Quantities | None = None
    """By resource name, what the container may use at most. At most 16 entries."""


class EnvVar(Shape):
    """An environment variable with a plain value. There is no way to name a Secret here: code of the user's is given
    none."""

    name: Annotated[
        str,
        Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", min_length=1, max_length=128),
        Rule("!self.startsWith('TRIMTAB_')", "names that begin with TRIMTAB_ are set by Trimtab: choose another"),
    ]
    """Name of the variable: letters, digits and `_`, not beginning with `TRIMTAB_`."""
    value: Annotated[str, Field(max_length=4096)]
    """Its value, at most 4,096 characters, visible to whoever may read this object."""


Environment = Annotated[list[EnvVar], keyed_by("name"), Field(max_length=64)]


class TolerationOperator(StrEnum):
    """How a toleration compares."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Shape):
    """A taint that the pods put up with, as in any pod."""

    rules = (
        Rule(
            "(has(self.operator) && self.operator == 'Exists') ? !has(self.value) : has(self.key)",
            "give a key unless operator is Exists, and no value when it is",
        ),
        Rule(
            "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            "tolerationSeconds is for the effect NoExecute: remove it",
        ),
    )

    key: Annotated[str, Field(pattern=LABEL_KEY, min_length=1, max_length=316)] | None = None
    """The taint's key; absent with operator Exists: every taint."""
    operator: TolerationOperator | None = None
    """Equal (when absent) compares the value, Exists looks at the key only."""
    value: Annotated[str, Field(pattern=LABEL_VALUE, max_length=63)] | None = None
    """The taint's value, with operator Equal."""
    effect: TaintEffect | None = None
    """The effect that is tolerated; absent: all."""
    toleration_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """With NoExecute, seconds the pod stays after the taint appears; absent: for good."""


OURS = (
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/component",
)
"""Labels that Trimtab finds its own objects by, beside those under `trimtab.dev/`."""


def _not_ours(member: str) -> Rule:
    taken = " || ".join(["key.startsWith('trimtab.dev/')", *[f"key == '{name}'" for name in OURS]])
    return Rule(
        f"!has(self.{member}) || self.{member}.all(key, !({taken}))",
        f"{member} under trimtab.dev/, and app.kubernetes.io/managed-by, part-of and component, are set by Trimtab: "
        "choose others",
        field=member,
    )


LabelText = Annotated[str, Field(pattern=LABEL_VALUE, max_length=63)]


class PullSecret(Shape):
    """A Secret with credentials for a registry, in the same namespace."""

    name: ObjectName
    """Name of the Secret, of type `kubernetes.io/dockerconfigjson`. The operator never reads it."""


class PodSettings(Shape):
    """Where the pods run, as whom, and what is written on them."""

    rules = (_not_ours("labels"), _not_ours("annotations"))

    labels: Annotated[dict[str, LabelText], Field(max_length=32)] | None = None
    """Labels of the pods, and of the Job where there is one: for queues, meshes, cost centres. At most 32; none under
    `trimtab.dev/`, and not `app.kubernetes.io/managed-by`, `part-of` or `component`."""
    annotations: Annotated[dict[str, Annotated[str, Field(max_length=4096)]], Field(max_length=32)] | None = None
    """Annotations of the pods, and of the Job where there is one. At most 32, with the exceptions of `labels`."""

    node_selector: Annotated[dict[str, LabelText], Field(max_length=32)] | None = None
    """Labels a node must carry. At most 32."""
    tolerations: Annotated[list[Toleration], ATOMIC, Field(max_length=32)] | None = None
    """Taints the pods put up with. At most 32."""
    priority_class_name: ObjectName | None = None
    """PriorityClass of the pods; absent: the cluster's default."""
    service_account_name: ObjectName | None = None
    """ServiceAccount of the pods, in the same namespace, for access to clouds without keys. Absent: `default`."""
    image_pull_secrets: Annotated[list[PullSecret], keyed_by("name"), Field(max_length=16)] | None = None
    """Secrets that open the registries of the images, at most 16. Absent: those of the ServiceAccount."""


class WhenUnsatisfiable(StrEnum):
    """What becomes of a pod that would make the spread more uneven than is allowed."""

    SCHEDULE_ANYWAY = "ScheduleAnyway"
    DO_NOT_SCHEDULE = "DoNotSchedule"


class Spread(Shape):
    """How evenly the pods of one version lie over nodes or zones, as in any pod; which pods are counted is Trimtab's."""

    topology_key: Annotated[str, Field(pattern=LABEL_KEY, min_length=1, max_length=316)]
    """Label of nodes whose values are told apart: `kubernetes.io/hostname`, `topology.kubernetes.io/zone`."""
    max_skew: Annotated[int, Field(ge=1, le=1000)]
    """By how many pods two values may differ, 1 to 1,000."""
    when_unsatisfiable: WhenUnsatisfiable
    """ScheduleAnyway: as even as can be. DoNotSchedule: a pod that would break it waits."""


class ServerPodSettings(PodSettings):
    """Where the pods that serve run, as whom, what is written on them, and how they are spread."""

    topology_spread_constraints: (
        Annotated[list[Spread], keyed_by("topologyKey", "whenUnsatisfiable"), Field(max_length=8)] | None
    ) = None
    """How the pods of a version are spread, at most 8; an empty list: not at all. Absent: over nodes, as evenly as can
    be."""
