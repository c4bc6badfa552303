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
    """What a container asks for and may use at most, as in any pod."""

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


class PodSettings(Shape):
    """Where the pods run and as whom."""

    node_selector: (
        Annotated[dict[str, Annotated[str, Field(pattern=LABEL_VALUE, max_length=63)]], Field(max_length=32)] | None
    ) = None
    """Labels a node must carry. At most 32."""
    tolerations: Annotated[list[Toleration], ATOMIC, Field(max_length=32)] | None = None
    """Taints the pods put up with. At most 32."""
    priority_class_name: ObjectName | None = None
    """PriorityClass of the pods; absent: the cluster's default."""
    service_account_name: ObjectName | None = None
    """ServiceAccount of the pods, in the same namespace, for access to clouds without keys. Absent: `default`."""
