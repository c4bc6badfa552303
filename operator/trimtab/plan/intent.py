"""What a planner answers: the children it wants, the status it reports, and when to look again. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Child:
    """An object that shall exist, in full. `once`: it is created and never applied again (Jobs, runs, their inputs).
    `private`: its name holds a digest of its parent's uid, so that nobody else's object has it."""

    obj: Object
    once: bool = False
    private: bool = False

    @property
    def kind(self) -> str:
        return str(self.obj["kind"])

    @property
    def name(self) -> str:
        return str(self.obj["metadata"]["name"])


@dataclass(frozen=True, slots=True)
class Unwanted:
    """An object of ours that shall go: that very one, by its uid."""

    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A merge patch on an object of ours that must not be applied as a whole: a Job's `suspend`, a version's owner."""

    kind: str
    namespace: str
    name: str
    uid: str
    body: Object


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A ModelVersion without a number yet: whoever creates `<model>-<max+1>` first has it. One for each run's uid."""

    model: str
    namespace: str
    run_uid: str
    spec: Mapping[str, Any]
    owner: Object | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """An Event on the object that was planned for."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What should be. `status` is the whole status, or None: say nothing yet. `again`: look once more after so many seconds."""

    children: tuple[Child, ...] = ()
    unwanted: tuple[Unwanted, ...] = ()
    patches: tuple[Patch, ...] = ()
    version: NewVersion | None = None
    status: Mapping[str, Any] | None = None
    notices: tuple[Notice, ...] = ()
    again: float | None = None


def unwanted(obj: Object) -> Unwanted:
    """That very object shall go."""
    meta = obj["metadata"]
    return Unwanted(obj["kind"], meta["namespace"], meta["name"], meta["uid"])
