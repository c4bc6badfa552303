"""One leader: a Lease in the operator's namespace. Losing it, or not knowing whether it is held, ends the process.

The clock is the monotonic one of this process: a lease held by somebody else is free when *we* have seen it unchanged for
its whole duration, so clocks of different machines need not agree. It reads and writes one Lease and nothing else.
"""

import asyncio
import datetime
import logging
import random
import time
from collections.abc import Callable
from typing import Any

from trimtab.controller import metrics
from trimtab.controller.client import ApiError, Client, Object, Unreachable
from trimtab.controller.resources import LEASE

log = logging.getLogger(__name__)
RETRY = 2.0


class LostLeaseError(RuntimeError):
    """This process is no longer, or no longer surely, the leader."""


class Leadership:
    """`acquire`, then `renew` for ever beside the work; `check` before every write."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        name: str,
        identity: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._namespace, self._name, self._identity = client, namespace, name, identity
        self._seconds, self._clock = seconds, clock
        self._deadline = 0.0
        self._answered = -float("inf")
        self._seen: tuple[Any, float] = (None, clock())

    def check(self) -> None:
        """Raises `LostLeaseError` two thirds of a lease after the last renewal, well before another replica may take it."""
        if self._clock() >= self._deadline:
            raise LostLeaseError(
                f"Lease {self._namespace}/{self._name} was not renewed in time: nothing more is written"
            )

    def alive(self) -> bool:
        """Whether the API server answered within the last two leases: as leader or standing by, this replica can work."""
        return self._clock() - self._answered < 2 * self._seconds

    async def acquire(self) -> None:
        """Wait until the Lease is ours."""
        metrics.LEADER.labels(self._name).set(0)
        while not await self._try():  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(RETRY * random.uniform(0.8, 1.2))
        metrics.LEADER.labels(self._name).set(1)
        log.info("holding Lease %s/%s as %s", self._namespace, self._name, self._identity)

    async def renew(self) -> None:
        """Keep the Lease; returns by raising `LostLeaseError`."""
        while True:
            await asyncio.sleep(min(RETRY, self._seconds / 6))
            if not await self._try():
                self.check()

    async def release(self) -> None:
        """Give the Lease back, so that the next replica need not wait."""
        if self._clock() >= self._deadline:
            return
        self._deadline = 0.0
        try:
            lease = await self._client.get(LEASE, self._namespace, self._name)
            if lease and lease["spec"].get("holderIdentity") == self._identity:
                await self._put(lease, holder="")
        except (ApiError, Unreachable):
            log.info("could not release the Lease; the next leader waits until it runs out")

    async def _try(self) -> bool:
        asked = self._clock()
        try:
            async with asyncio.timeout(self._seconds / 3):  # wait_for of Python 3.11 may swallow a cancellation
                lease = await self._client.get(LEASE, self._namespace, self._name)
            self._answered = self._clock()
            if lease is not None and not self._free(lease):
                return False
            async with asyncio.timeout(self._seconds / 3):
                await self._put(lease, holder=self._identity)
        except (ApiError, Unreachable, TimeoutError) as error:
            log.warning("Lease %s/%s: %s", self._namespace, self._name, error)
            return False
        # Counted from before the request: the server may have stamped it that early.
        self._deadline = asked + self._seconds * 2 / 3
        return True

    def _free(self, lease: Object) -> bool:
        holder = lease["spec"].get("holderIdentity")
        record = (holder, lease["spec"].get("renewTime"), lease["metadata"]["resourceVersion"])
        if record != self._seen[0]:
            self._seen = (record, self._clock())
        duration = float(lease["spec"].get("leaseDurationSeconds") or self._seconds)
        return holder in (self._identity, "", None) or self._clock() - self._seen[1] > duration

    async def _put(self, lease: Object | None, *, holder: str) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        old = (lease or {}).get("spec", {})
        changed = old.get("holderIdentity") != holder
        spec = {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, int(self._seconds)) if holder else 1,
            "acquireTime": now if changed else old.get("acquireTime", now),
            "renewTime": now,
            "leaseTransitions": int(old.get("leaseTransitions") or 0) + (1 if changed and holder else 0),
        }
        meta: Object = {"name": self._name, "namespace": self._namespace}
        if lease is None:
            body = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": meta, "spec": spec}
            await self._client.request("POST", LEASE.path(self._namespace), body=body)
            return
        # The resourceVersion makes it compare-and-swap: of two that saw a free Lease, one gets it.
        meta["resourceVersion"] = lease["metadata"]["resourceVersion"]
        body = {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": meta, "spec": spec}
        await self._client.request("PUT", LEASE.path(self._namespace, self._name), body=body)
