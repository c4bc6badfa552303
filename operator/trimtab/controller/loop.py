"""The one loop: events fill the cache and ring keys; workers observe, plan and apply.

A slow resync and a slow repair set right what a lost event left wrong.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator

from pydantic import ValidationError

from trimtab.api.reasons import CommonReason
from trimtab.controller import metrics, rings, statuses
from trimtab.controller.apply import Applier
from trimtab.controller.bell import OURS_BY_LABEL
from trimtab.controller.cache import Object
from trimtab.controller.client import ApiError, Unreachable
from trimtab.controller.lease import LostLeaseError
from trimtab.controller.observe import PLANNERS, World
from trimtab.controller.resources import OURS, WATCHED, Resource
from trimtab.controller.rings import Key
from trimtab.controller.settings import Settings
from trimtab.controller.work import Queue
from trimtab.plan import conditions
from trimtab.plan.intent import Plan

log = logging.getLogger(__name__)


class Loop:
    """Cache, queue and workers of one operator process."""

    def __init__(self, world: World, applier: Applier, settings: Settings, namespaces: tuple[str, ...]) -> None:
        self._world, self._applier, self._settings, self._namespaces = world, applier, settings, namespaces
        self._cache, self._client = world.cache, world.client
        self.queue: Queue[Key] = Queue()
        self.statuses = statuses.StatusCollector(time.time())

    def heard(self, event: str | None, obj: Object) -> None:
        """Take one watch event in."""
        kind = obj["kind"]
        metrics.WATCH_EVENTS.labels(kind).inc()
        before = self._cache.entry(obj["metadata"]["uid"]) if kind in OURS else None
        if event == "DELETED":
            self._cache.drop(obj)
        elif not self._cache.put(obj):
            return
        for state in (obj, before and before.unpacked()):  # what it refers to now, and what it referred to until now
            for key in rings.rung(self._cache, state) if state is not None else ():
                self.queue.ring(key)

    async def prime(self) -> None:
        """List every kind once, before any worker starts: a decision on half of the world would be wrong."""
        for resource in WATCHED.values():
            async for obj in self._listed(resource):
                self._cache.put(obj)
        for kind in OURS:
            for entry in self._cache.entries(kind):
                self.queue.ring(entry.name)

    async def work(self) -> None:
        """Run the workers, the resync and the repair until one of them fails for good."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._settings.workers):
                tasks.create_task(self._worker())
            tasks.create_task(self._resync())
            tasks.create_task(self._repair())
            tasks.create_task(self._gauge())

    async def _worker(self) -> None:
        while True:
            key = await self.queue.get()
            started = time.monotonic()
            try:
                result = await self._pass(key)
            except LostLeaseError:
                raise
            except Exception as error:
                result = self._failed(key, error)
            finally:
                self.queue.done(key)
            metrics.RECONCILES.labels(key[0], result).inc()
            metrics.RECONCILE_SECONDS.labels(key[0]).observe(time.monotonic() - started)

    async def _pass(self, key: Key) -> str:
        kind, namespace, name = key
        parent = self._cache.get(kind, namespace, name)
        if parent is None or parent["metadata"].get("deletionTimestamp"):
            self.queue.forget(key)
            self.statuses.forget(key)
            return "success"
        now = time.time()
        planner = PLANNERS[kind]
        try:
            plan = planner.plan(await planner.observe(self._world, parent), now)
        except ValidationError as error:
            plan = _unreadable(parent, error, now)
        again = await self._applier.apply(parent, plan, now)
        self.queue.succeeded(key)
        if kind in statuses.KINDS and (after := self._cache.get(kind, namespace, name)) is not None:
            self.statuses.note(after)
        if again is None:
            return "success"
        self.queue.ring_after(key, again * random.uniform(1.0, 1.05))
        return "requeue_after"

    def _failed(self, key: Key, error: Exception) -> str:
        wait = error.retry_after or 0.0 if isinstance(error, ApiError) else 0.0
        delay = self.queue.retry(key, at_least=wait)
        metrics.QUEUE_RETRIES.labels("objects").inc()
        expected = isinstance(error, (ApiError, Unreachable))
        log.log(
            logging.INFO if expected else logging.ERROR,
            "%s %s/%s: %s; again in %.0f s",
            *key,
            error,
            delay,
            exc_info=None if expected else error,
        )
        return "error"

    async def _resync(self) -> None:
        """Ring every key now and then, spread out, so that a lost event costs time and never correctness."""
        while True:
            keys = [entry.name for kind in OURS for entry in self._cache.entries(kind)]
            pause = self._settings.resync / max(1, len(keys))
            await asyncio.sleep(pause if keys else self._settings.resync)
            for key in keys:
                self.queue.ring(key)
                await asyncio.sleep(pause)

    async def _repair(self) -> None:
        """Compare the cache with the API server: kopf loses deletions when it lists again."""
        while True:
            await asyncio.sleep(self._settings.repair * random.uniform(0.9, 1.1))
            for kind, resource in WATCHED.items():
                try:
                    await self._compare(kind, resource)
                except (ApiError, Unreachable) as error:
                    log.info("repair of %s put off: %s", kind, error)

    async def _compare(self, kind: str, resource: Resource) -> None:
        before = {entry.uid: entry for entry in self._cache.entries(kind)}
        async for obj in self._listed(resource):
            known = before.pop(obj["metadata"]["uid"], None)
            news = known is None or str(known.version) != obj["metadata"]["resourceVersion"]
            if news and self._cache.put(obj):
                self._repaired(kind, obj)
        for gone in before.values():
            live = await self._client.get(resource, gone.name.namespace, gone.name.name)
            if live is None or live["metadata"]["uid"] != gone.uid:
                self._cache.drop_uid(gone.uid)
                self._repaired(kind, gone.unpacked())

    def _repaired(self, kind: str, obj: Object) -> None:
        metrics.CACHE_REPAIRS.labels(kind).inc()
        for key in rings.rung(self._cache, obj):
            self.queue.ring(key)

    async def _listed(self, resource: Resource) -> AsyncIterator[Object]:
        labels = None if resource.kind in OURS else OURS_BY_LABEL
        for namespace in self._namespaces or (None,):
            async for obj in self._client.listed(resource, namespace, labels=labels):
                yield obj

    async def _gauge(self) -> None:
        while True:
            metrics.QUEUE_DEPTH.labels("objects").set(len(self.queue))
            for kind in WATCHED:
                metrics.CACHE_OBJECTS.labels(kind).set(self._cache.count(kind))
            await asyncio.sleep(5)


def _unreadable(parent: Object, error: ValidationError, now: float) -> Plan:
    """A stored object that this release cannot read: said on the object, and nothing of it is touched."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    status = conditions.refuse(
        parent.get("status", {}),
        reason=CommonReason.INVALID_SPEC,
        message=f"{where}: {first['msg']}",
        stalled=True,
        generation=parent["metadata"]["generation"],
        now=now,
    )
    return Plan(status=status)
