"""What can go wrong with a store, in five words, and how the messages of obstore become them. Messages never hold a
secret."""

import html
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from obstore import exceptions


class Reason(StrEnum):
    """Why bytes could not be had or left."""

    NOT_FOUND = "NotFound"
    """Nothing lies there."""
    UNREACHABLE = "Unreachable"
    """The store does not answer, or broke off: trying again may help."""
    ACCESS_DENIED = "AccessDenied"
    """The store refuses these credentials, or the path leads out of its claim."""
    DIGEST_MISMATCH = "DigestMismatch"
    """The bytes are not those that the digest names."""
    UNSUPPORTED = "Unsupported"
    """The address or the setting is none that can work."""


class StoreError(Exception):
    """Bytes could not be fetched or published. `reason` says of which kind it is, `message` names thing, value and
    remedy."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def transient(self) -> bool:
        """Whether trying again later may help."""
        return self.reason is Reason.UNREACHABLE


_SECRET_LENGTH = 6
"""Shorter values of credentials are words such as `true` or a region, and no secrets."""
_NO_LENGTH = "Content-Length Header missing"


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """One line without queries of URLs, user names in them or any of `secrets`, of at most 300 characters.

    >>> clean("GET https://u:p@host/a?sig=abc failed: key topsecret\\n\\nDebug source: …", ["topsecret"])
    'GET https://host/a failed: key ***'
    """
    line = " ".join(text.split("\n\nDebug source", 1)[0].split())
    line = html.unescape(re.sub(r"<.*?<Code>(.*?)</Code>(?:.*?<Message>(.*?)</Message>)?.*", r"\1: \2", line))
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SECRET_LENGTH:
            line = line.replace(secret, "***")
    line = re.sub(r"://[^/@\s]+@", "://", line)
    line = re.sub(r"\?[^\s]*", "", line)
    return line if len(line) <= 300 else line[:299] + "…"


_STATUS = re.compile(r"status code: (4[0-9][0-9])")
_PASSING = frozenset({"408", "409", "425", "429"})
"""Statuses between 400 and 499 that another try may not get."""
_PASSING_CODES = re.compile(r"<Code>(RequestTimeout|Throttl|OperationAborted|SlowDown|ServerBusy)")
_OLD_TOKEN = re.compile(r"<Code>(ExpiredToken|InvalidToken|TokenRefreshRequired)")
_REGION = re.compile(r"AuthorizationHeaderMalformed|IllegalLocationConstraint|Received redirect without LOCATION")


def _final(said: str) -> bool:
    """Whether a server understood the request and will say the same to the next one like it."""
    status = _STATUS.search(said)
    final = status is not None and status[1] not in _PASSING and not _PASSING_CODES.search(said)
    return final or _REGION.search(said) is not None


def _reason(error: Exception, opening: bool) -> Reason:
    """The kind of a failure. Listings report a status in their text only, other requests by the class of the error."""
    said = str(error)
    if isinstance(error, FileNotFoundError) or "404 Not Found" in said:
        return Reason.NOT_FOUND
    refused = exceptions.PermissionDeniedError | exceptions.UnauthenticatedError | PermissionError
    if isinstance(error, refused) or "403 Forbidden" in said or "401 Unauthorized" in said or _OLD_TOKEN.search(said):
        return Reason.ACCESS_DENIED
    if isinstance(error, exceptions.UnknownConfigurationKeyError | exceptions.NotSupportedError | ValueError):
        return Reason.UNSUPPORTED
    return Reason.UNSUPPORTED if opening or _NO_LENGTH in said or _final(said) else Reason.UNREACHABLE


def panicked(error: BaseException) -> bool:
    """Whether a native library broke off. Its panic is no `Exception`, and would end the process without a word."""
    return type(error).__module__ == "pyo3_runtime"


_CAUSES = {
    "InvalidCertificate": "its certificate is not trusted: give the certificates that signed it as caBundle",
    "failed to lookup address": "its name is not known",
    "dns error": "its name is not known",
    "ConnectionRefused": "it refuses the connection",
    "TimedOut": "it does not answer in time",
    "BadScheme": "it leads to plain HTTP, which is not followed",
}
"""What obstore tells in the debugging part of its text only, by the words there."""
_SENTENCES = {
    Reason.NOT_FOUND: "{uri} does not exist: check bucket and path",
    Reason.ACCESS_DENIED: "{uri} refuses access: check the credentials and what they allow",
    Reason.UNREACHABLE: "{uri} cannot be reached{where}: check the address, the network and the server",
    Reason.UNSUPPORTED: "{uri} cannot be used",
}


@contextmanager
def told_of(
    uri: str, secrets: Iterable[str] = (), *, endpoint: str | None = None, opening: bool = False
) -> Iterator[None]:
    """Turn what obstore and the file system raise inside into a StoreError that names `uri`, and `endpoint` if any.

    `opening`: nothing is asked of a network yet, so that what goes wrong are the settings. A panic of obstore is told
    as one, too.
    """
    try:
        yield
    except StoreError:
        raise
    except (exceptions.BaseError, ValueError, OSError) as error:
        reason = _reason(error, opening)
        place, where = clean(uri), f" at {clean(endpoint)}" if endpoint else ""
        said = "" if reason is Reason.NOT_FOUND else f" ({clean(str(error), secrets)})"
        if _REGION.search(str(error)):
            said = f": the region is wrong, so set source.region, or that of the store, to the bucket's{said}"
        if _NO_LENGTH in str(error):
            said = " (the server does not say how long the file is: Content-Length is missing)"
        cause = next((cause for word, cause in _CAUSES.items() if word in str(error)), None)
        if cause and reason is Reason.UNREACHABLE:
            said = f" ({cause})"
        raise StoreError(reason, _SENTENCES[reason].format(uri=place, where=where) + said) from error
    except BaseException as error:
        if not panicked(error):
            raise
        raise StoreError(
            Reason.UNSUPPORTED,
            f"{clean(uri)} cannot be used: the client of the store broke off, so check address and credentials for "
            f"characters that do not belong there ({clean(str(error), secrets)})",
        ) from error
