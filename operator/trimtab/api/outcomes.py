"""How a decision says that it cannot go on: values, not exceptions. Anything that is raised instead is tried again
with backoff."""

from __future__ import annotations

from dataclasses import dataclass

from trimtab.api.reasons import Reason


@dataclass(frozen=True)
class Stalled:
    """The user must act; until the spec or something it refers to changes, trying again is of no use."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Waiting:
    """Something else must happen first; look again after this many seconds, or earlier when the cause is watched and
    changes."""

    reason: Reason
    after: float
    message: str


Outcome = Stalled | Waiting
