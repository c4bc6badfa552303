"""The monitor: polls the pods of every deployment, keeps their windows, judges them, and rings the planner.

It writes one ConfigMap per version, once a window that has rows. Everything else it knows follows from that and from the
pods, which count from their start and never reset; so a new leader goes on where the last one stopped.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator

from trimtab.api.meta import FIELD_MANAGER, Annotation
from trimtab.api.modeldeployment import ModelDeployment
from trimtab.controller import watches
from trimtab.controller.cache import Cache, Object, name_of
from trimtab.controller.client import ApiError, Client, Unreachable
from trimtab.controller.observe import pods_of
from trimtab.controller.poll import Asked, Poller, SilentError, counted
from trimtab.controller.resources import CHILDREN
from trimtab.controller.rings import Key
from trimtab.controller.watches import Watch
from trimtab.drift import windows
from trimtab.drift.windows import Source
from trimtab.plan import budgets
from trimtab.plan.judgement import Judgement

TICK = 1.0
AT_ONCE = 16


class Monitor:
    """All watches of one operator process, by deployment uid and artifact digest."""

    def __init__(self, cache: Cache, client: Client, poller: Poller, ring: Callable[[Key], None]) -> None:
        self._cache, self._client, self._poller, self._ring = cache, client, poller, ring
        self._watches: dict[tuple[str, str], Watch] = {}
        self._keys: dict[str, tuple[str, str]] = {}
        """Key of the watch, by the uid of the Deployment whose pods count."""
        self._busy: set[tuple[str, str]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def judged(self, uid: str) -> Judgement | None:
        """What is known of the version that the deployment with this uid serves now."""
        watch = self.watching(uid)
        return watch.judgement if watch is not None else None

    def watching(self, uid: str) -> Watch | None:
        """The watch over the version that serves."""
        deployment = self._cache.by_uid(uid)
        return self._stable(deployment) if deployment is not None else None

    def _stable(self, deployment: Object) -> Watch | None:
        versions = deployment.get("status", {}).get("versions", ())
        digest = next((entry["digest"] for entry in versions if entry["role"] == "Stable"), None)
        return self._watches.get((deployment["metadata"]["uid"], digest)) if digest else None

    def serving(self) -> Iterator[tuple[Object, Watch]]:
        """The deployments as they are now, each with the watch over the version that serves. For any thread."""
        for uid in {uid for uid, _ in list(self._watches)}:
            deployment = self._cache.by_uid(uid)
            if deployment is not None and (watch := self._stable(deployment)) is not None:
                yield deployment, watch

    async def run(self) -> None:
        """Tick for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                now = time.time()
                ending = self._pods_by_child()
                for uid in [*ending, *[uid for uid in self._keys if uid not in ending]]:
                    if (found := self._look(uid, ending.get(uid, False), now)) is not None:
                        key, watch, due = found
                        self._busy.add(key)
                        tasks.create_task(self._visit(key, watch, due))
                await asyncio.sleep(TICK)

    def _pods_by_child(self) -> dict[str, bool]:
        """uids of the Deployments that have pods, and whether one of those is ending."""
        found: dict[str, bool] = {}
        for pod in self._cache.entries("Pod"):
            above = self._cache.entry(pod.owner)
            child = self._cache.entry(above.owner) if above is not None else None
            if child is not None and child.name.kind == "Deployment":
                found[child.uid] = found.get(child.uid, False) or pod.ending
        return found

    def _look(self, uid: str, ending: bool, now: float) -> tuple[tuple[str, str], Watch, list[Asked]] | None:
        """Whether the pods of a Deployment are to be asked now. Nothing is unpacked before it is due."""
        key = self._keys.get(uid)
        watch = self._watches.get(key) if key is not None else None
        if key in self._busy or (watch is not None and now < watch.next_poll and not ending):
            return None
        child = self._cache.by_uid(uid)
        owner = self._cache.entry(uid)
        deployment = self._cache.by_uid(owner.owner) if owner is not None and owner.owner is not None else None
        if child is None or deployment is None or deployment["kind"] != "ModelDeployment":
            self._watches.pop(self._keys.pop(uid, ("", "")), None)
            return None
        watch = self._watch(deployment, child)
        if watch is None:
            return None
        key = self._keys[uid] = deployment["metadata"]["uid"], watch.digest
        due = self._due(watch, child, now)
        return None if due is None else (key, watch, due)

    def _watch(self, deployment: Object, child: Object) -> Watch | None:
        """The watch over this version, with the settings as the user states them now."""
        digest = (child["metadata"].get("annotations") or {}).get(Annotation.INPUTS)
        if digest is None:
            return None
        monitoring = ModelDeployment.model_validate(deployment).spec.monitoring
        key = deployment["metadata"]["uid"], digest
        watch = self._watches.get(key)
        if watch is None:
            settings = budgets.stated(monitoring, None)
            watch = self._watches[key] = Watch(deployment, child["metadata"]["name"], digest, settings)
        if watch.deployment["metadata"].get("generation") != deployment["metadata"].get("generation"):
            self._restate(watch, deployment)
        watch.deployment = deployment
        return watch

    def _restate(self, watch: Watch, deployment: Object) -> None:
        """The user changed something: other windows begin anew, other thresholds judge what there is."""
        settings = budgets.stated(ModelDeployment.model_validate(deployment).spec.monitoring, watch.profile)
        resized = settings.window_seconds != watch.settings.window_seconds
        watch.settings = settings
        if watch.ledger is not None and watch.profile is not None:
            if resized:
                watch.ledger = windows.resized(watch.ledger, settings.window_seconds, time.time())
            watches.judge(watch, time.time())

    def _due(self, watch: Watch, child: Object, now: float) -> list[Asked] | None:
        """The pods to be asked now: ending ones at once, the others every interval. None of them, where a window ended
        without any; None where there is nothing to do."""
        pods = [pod for pod in pods_of(self._cache, child) if pod.get("status", {}).get("podIP")]
        ending = [pod for pod in pods if pod["metadata"].get("deletionTimestamp")]
        watches.prune(watch, {pod["metadata"]["uid"] for pod in pods})
        if now >= watch.next_poll:
            watch.next_poll = now + watch.interval * random.uniform(0.95, 1.0)
            asked = [pod for pod in pods if pod in ending or _started(pod)]
            if not asked and watch.ledger is not None:
                before = watch.judgement
                watches.closing(watch, now)
                return [] if watch.judgement is not before else None
        else:
            asked = ending
        return [Asked(pod["metadata"]["uid"], pod["status"]["podIP"]) for pod in asked] or None

    async def _visit(self, key: tuple[str, str], watch: Watch, pods: list[Asked]) -> None:
        before = watch.judgement if pods else None
        try:
            answers = await asyncio.gather(*[self._ask(watch, pod) for pod in pods])
            if pods and not any(answers):
                watches.unheard(watch, watch.silent or "no answer")
            if not watch.saved:
                await self._save(watch)
        except (ApiError, Unreachable) as error:
            watches.failed(watch, "NotStored", f"its windows could not be read or stored: {error}")
        finally:
            self._busy.discard(key)
        if watch.judgement is not before:
            self._ring(name_of(watch.deployment))

    async def _ask(self, watch: Watch, pod: Asked) -> bool:
        """Ask one pod and take in what it says; False when it says nothing that can be used."""
        async with self._slots:
            try:
                snapshot = await self._poller.snapshot(pod)
                if snapshot.artifact_digest != watch.digest:
                    text = f"it serves {snapshot.artifact_digest[:19]}, not {watch.digest[:19]}"
                    raise SilentError("WrongVersion", text)
                if snapshot.profile_digest is None:
                    watches.without_profile(watch)
                    return True
                await self._prepare(watch, pod, snapshot.profile_digest)
            except SilentError as error:
                watch.silent = f"pod {pod.ip}: {error}"
                watches.failed(watch, error.reason, watch.silent)
                return False
        # The uid comes from the API server: what a pod says of itself cannot book its counts to another.
        watches.take(watch, Source(pod.uid, snapshot.boot), snapshot.seq, counted(snapshot), time.time())
        return True

    async def _prepare(self, watch: Watch, pod: Asked, digest: str) -> None:
        """Fetch the profile and the stored windows, once per version."""
        if watch.profile_digest == digest:
            return
        profile = await self._poller.profile(pod, digest)
        name, namespace = watches.state_name(watch), watch.deployment["metadata"]["namespace"]
        stored = await self._client.get(CHILDREN["ConfigMap"], namespace, name)
        if stored is not None and not _belongs(stored, watch.deployment):
            raise SilentError("NameTaken", f"ConfigMap {name} belongs to somebody else: delete or rename it")
        if watch.profile_digest == digest:  # another pod's answer was quicker
            return
        watch.profile = profile
        watch.settings = budgets.stated(ModelDeployment.model_validate(watch.deployment).spec.monitoring, profile)
        watches.restore(watch, stored, time.time())
        watches.judge(watch, time.time())
        watch.profile_digest = digest

    async def _save(self, watch: Watch) -> None:
        body = watches.state(watch)
        await self._client.apply(CHILDREN["ConfigMap"], body, field_manager=FIELD_MANAGER)
        watch.saved = True


def _started(pod: Object) -> bool:
    """The server container runs: before that nobody listens."""
    statuses = pod.get("status", {}).get("containerStatuses", ())
    return any("running" in status.get("state", {}) for status in statuses)


def _belongs(config: Object, deployment: Object) -> bool:
    owners = config["metadata"].get("ownerReferences") or ()
    return any(owner["uid"] == deployment["metadata"]["uid"] for owner in owners)
