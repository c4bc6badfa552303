"""The reference profile at the border: the dataclasses of `trimtab.drift`, validated. See the package."""

from typing import Any

import msgspec

from trimtab.api.wire.base import encoded, known, parsed
from trimtab.drift.profile import CategoryReference, NumberReference, Profile, Reference


class _Written(msgspec.Struct):
    """A profile as it is in JSON. A type cannot say which of two dataclasses a reference is."""

    rows: int
    features: tuple[dict[str, Any], ...]
    predictions: dict[str, Any] | None
    score: NumberReference | None
    schema: int = 1


def profile_to_json(profile: Profile) -> bytes:
    """The reference profile as strict JSON; its sha256 is the profile's digest."""
    return encoded(profile)


def profile_from_json(text: str | bytes) -> Profile:
    """Read a reference profile; raises `ValueError`, of which `SchemaTooNewError` is one."""
    written = parsed(text, _Written)
    known(written.schema)
    predictions = None if written.predictions is None else _reference(written.predictions)
    return Profile(written.rows, tuple(map(_reference, written.features)), predictions, written.score)


def _reference(written: dict[str, Any]) -> Reference:
    if written.get("kind") == "Category":
        return msgspec.convert(written, CategoryReference)
    return msgspec.convert(written, NumberReference)
