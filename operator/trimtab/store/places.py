"""Places: a URI taken apart and opened, with limits on time that every scheme shares. Nothing is read or written
here."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from obstore.store import ObjectStore

from trimtab.api.wire.base import Location
from trimtab.store.faults import Reason, StoreError, clean, told_of

CLIENT: dict[str, Any] = {"connect_timeout": "5s", "read_timeout": "20s", "timeout": "12h"}
"""A server that does not take the call within 5 s or falls silent for 20 s is gone; a long transfer may last."""
RETRY: dict[str, Any] = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=15),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=3), "base": 2},
}
"""With `CLIENT`: an address where nobody answers fails within half a minute."""
GLOB = frozenset("*?[")

Environment = Mapping[str, str]
"""Settings of one store by their names in obstore, such as `AWS_ACCESS_KEY_ID`."""


@dataclass(frozen=True)
class Scheme:
    """How a kind of address is opened. `open` takes location, bucket and settings; `settings` are the beginnings of
    the names that it understands, `signing` those of which one at least must be there to sign a request, `unsigned`
    the one that says that none shall be; `check` may refuse a key before it is used."""

    open: Callable[[Location, str, Environment], ObjectStore]
    settings: tuple[str, ...] = ()
    signing: tuple[str, ...] = ()
    unsigned: str = ""
    check: Callable[[str, str], None] | None = None
    listable: bool = True
    writable: bool = True


@dataclass(frozen=True)
class Place:
    """An opened address: `key` within `store`. `uri` is what people see of it."""

    scheme: Scheme
    store: ObjectStore
    bucket: str
    key: str
    uri: str
    secrets: tuple[str, ...] = ()
    endpoint: str | None = None

    def at(self, key: str) -> "Place":
        """Another key of the same store; refused with StoreError where the scheme forbids it."""
        if self.scheme.check:
            self.scheme.check(self.bucket, key)
        head = self.uri.split("://", 1)[0]
        uri = f"{head}://{self.bucket}/{key}"
        return Place(self.scheme, self.store, self.bucket, key, uri, self.secrets, self.endpoint)


def settings(prefix: str, environment: Mapping[str, str] | None = None) -> Environment:
    """Variables whose name begins with `prefix`, without it, and without the white space around their values: a Secret
    made from a file ends in a line break. `DATA_AWS_REGION` becomes `AWS_REGION` for the prefix `DATA_`; what is empty
    is not set."""
    variables = os.environ if environment is None else environment
    found = {name.removeprefix(prefix): value.strip() for name, value in variables.items() if name.startswith(prefix)}
    return {name: value for name, value in found.items() if value}


def split(uri: str) -> tuple[str, str, str]:
    """Scheme, bucket and key of a URI, all taken literally. Raises StoreError (Unsupported) for one that leads
    nowhere or upwards.

    >>> split("s3://bucket/a folder/x.csv")
    ('s3', 'bucket', 'a folder/x.csv')
    """
    scheme, separator, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if not separator or not bucket:
        raise StoreError(Reason.UNSUPPORTED, f"{clean(uri)!r} is no address: write scheme://bucket/path")
    parts = key.removesuffix("/").split("/")
    if ".." in parts or "." in parts or ("" in parts and parts != [""]):
        raise StoreError(Reason.UNSUPPORTED, f"{clean(uri)!r} must name its path without '..', '.' or '//'")
    if "@" in bucket:
        raise StoreError(
            Reason.UNSUPPORTED, "an address must not hold a user name or password: use credentials.secretRef"
        )
    return scheme, bucket, "/".join(parts)


def opened(location: Location, prefix: str) -> Place:
    """Open an address with the credentials in the variables that begin with `prefix`. Raises StoreError."""
    from trimtab.store import SCHEMES

    name, bucket, key = split(location.uri)
    scheme = SCHEMES.get(name)
    if scheme is None:
        known = ", ".join(f"{known}://" for known in SCHEMES)
        raise StoreError(
            Reason.UNSUPPORTED, f"{name}:// in {clean(location.uri)!r} is not supported: use one of {known}"
        )
    there = settings(prefix)
    given = {key: value for key, value in there.items() if key.startswith(scheme.settings or ("\0",))}
    secrets = tuple(given.values())
    _signing(scheme, there, clean(location.uri))
    _printable(given)
    with told_of(location.uri, secrets, opening=True):
        store = scheme.open(location, bucket, given)
    return Place(scheme, store, bucket, "", location.uri, secrets, location.endpoint).at(key)


def told(given: Environment, *names: str) -> bool:
    """Whether the settings, or the variables that the cluster injects into the pod, have one of these names."""
    return any(name in given or name in os.environ for name in names)


def signs(scheme: Scheme, given: Environment) -> bool:
    """Whether the settings or the pod's own identity can sign."""
    return told(given, *scheme.signing)


def _signing(scheme: Scheme, given: Environment, uri: str) -> None:
    """Refuse a Secret that holds none of the keys that sign: requests would go unsigned, and nobody would know why they
    are refused."""
    if not given or not scheme.signing or scheme.unsigned in given or signs(scheme, given):
        return
    there = ", ".join(sorted(given)[:10])
    raise StoreError(
        Reason.UNSUPPORTED,
        f"the Secret with the credentials of {uri} has no {scheme.signing[0]}, it has {there}: name its keys as "
        f'documented, or add {scheme.unsigned}: "true" to it where everybody may read',
    )


def _printable(given: Environment) -> None:
    """Refuse values that no request can carry. Only a key in JSON may have several lines."""
    for name, value in given.items():
        if not value.startswith("{") and not (value.isascii() and value.isprintable()):
            raise StoreError(
                Reason.UNSUPPORTED,
                f"{name} among the credentials holds a line break or a character that is not ASCII: write the value "
                f"into the Secret anew",
            )


def client_options(location: Location) -> dict[str, Any]:
    """Options of the HTTP client for a location: time limits, its own certificates, and plain HTTP only where the
    endpoint says so."""
    options = dict(CLIENT)
    if location.ca_bundle:
        options["root_certificate"] = location.ca_bundle
    if location.endpoint and location.endpoint.startswith("http://"):
        options["allow_http"] = True
    return options
