"""One question to one pod: its counts since boot, or its reference profile. Bounded in time and size, follows no redirect."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import aiohttp

from trimtab.api.wire.profiles import profile_from_json
from trimtab.api.wire.serving import Snapshot
from trimtab.drift.profile import Profile, faults
from trimtab.drift.vectors import Counted

SECONDS, SNAPSHOT_BYTES, PROFILE_BYTES = 3.0, 4 << 20, 8 << 20


Silence: TypeAlias = Literal["NoAnswer", "Unreadable", "WrongVersion", "WrongProfile", "NameTaken"]


class SilentError(Exception):
    """A pod gave no answer that can be used: the reason in one word, and in a sentence."""

    def __init__(self, reason: Silence, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Asked:
    """A pod by uid and address."""

    uid: str
    ip: str


class Poller:
    """Asks pods over one session. An IPv6 address is put into brackets; nothing but a pod's own address is ever asked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def snapshot(self, pod: Asked) -> Snapshot:
        """What a pod counted since it started; raises `SilentError`."""
        raw = await self._get(pod, "snapshot", SNAPSHOT_BYTES)
        try:
            return Snapshot.from_json(raw)
        except ValueError as error:
            raise SilentError("Unreadable", f"its snapshot cannot be read: {_first(error)}") from error

    async def profile(self, pod: Asked, digest: str) -> Profile:
        """The reference profile, checked against the digest that the snapshot named; raises `SilentError`."""
        raw = await self._get(pod, "profile", PROFILE_BYTES)
        found = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        if found != digest:
            raise SilentError("WrongProfile", f"its reference profile has digest {found}, its snapshot names {digest}")
        try:
            profile = profile_from_json(raw)
        except ValueError as error:
            raise SilentError("Unreadable", f"its reference profile cannot be read: {_first(error)}") from error
        if wrong := faults(profile):
            raise SilentError("Unreadable", f"its reference profile is unsound: {wrong[0]}")
        return profile

    async def _get(self, pod: Asked, what: str, limit: int) -> bytes:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        host = f"[{pod.ip}]" if ":" in pod.ip else pod.ip
        url = f"http://{host}:{self._port}/monitoring/v1/{what}"
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise SilentError("NoAnswer", f"it answered {response.status}")
                raw = await response.content.read(limit + 1)
                while len(raw) <= limit and (more := await response.content.read(limit + 1 - len(raw))):
                    raw += more
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SilentError("NoAnswer", f"it does not answer: {error!r}") from error
        if len(raw) > limit:
            raise SilentError("Unreadable", f"its answer is longer than {limit} bytes")
        return raw


def counted(snapshot: Snapshot) -> Counted:
    """The counts of a snapshot, by name."""
    return Counted(snapshot.rows, snapshot.features, snapshot.predictions, snapshot.score)


def _first(error: Any) -> str:
    return str(error).splitlines()[0][:200]
