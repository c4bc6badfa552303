"""The reference profile at the border: the dataclasses of `trimtab.drift`, validated. See the package."""

from pydantic import TypeAdapter

from trimtab.api.wire.base import known
from trimtab.drift.profile import Profile

_PROFILE: TypeAdapter[Profile] = TypeAdapter(Profile)


def profile_to_json(profile: Profile) -> bytes:
    """The reference profile as strict JSON; its sha256 is the profile's digest."""
    return _PROFILE.dump_json(profile)


def profile_from_json(text: str | bytes) -> Profile:
    """Read a reference profile; raises `pydantic.ValidationError` or `SchemaTooNewError`."""
    profile = _PROFILE.validate_json(text)
    known(profile.schema)
    return profile
