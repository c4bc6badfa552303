"""Carries a plan out: children, patches, deletions, a new version, one status, events. Writes nothing that would change nothing.

An object whose controller is not the parent belongs to somebody else and is never written. The first write of a name that
somebody else may have is a live look and a server-side apply; later ones carry the uid, so that a stale cache brings no
deleted object back.
"""

import asyncio
import copy
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trimtab.api.meta import FIELD_MANAGER, Annotation
from trimtab.api.reasons import CommonReason as Why
from trimtab.api.reasons import Reason
from trimtab.controller import comparison, rings
from trimtab.controller.cache import Cache, Object, name_of, owner_of
from trimtab.controller.client import ApiError, Client
from trimtab.controller.recorder import Recorder
from trimtab.controller.resources import OURS, WATCHED, Resource, of
from trimtab.controller.rings import Key
from trimtab.plan import conditions
from trimtab.plan.intent import Child, NewVersion, Patch, Plan, Unwanted

REWRITES, REWRITE_SECONDS, REMEMBERED = 5, 600.0, 20_000
FOREIGN_AGAIN, REFUSED_AGAIN = 300.0, 60.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a child is not as it should be. `stalled`: the user must act."""

    reason: Reason
    message: str
    stalled: bool
    again: float


class Applier:
    """Carries plans out over one client, filling the cache with every answer."""

    def __init__(self, client: Client, cache: Cache, recorder: Recorder, ring: Callable[[Key], None]) -> None:
        self._client, self._cache, self._recorder, self._ring = client, cache, recorder, ring
        self._rewrites: defaultdict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=REWRITES))

    async def apply(self, parent: Object, plan: Plan, now: float) -> float | None:
        """Returns the seconds after which the parent wants another look, or None. `now` in seconds since 1970."""
        refusals = await self._children(parent, plan.children, now)
        refusals += [refusal for patch in plan.patches if (refusal := await self._patch(patch, now)) is not None]
        for gone in plan.unwanted:
            await self._delete(gone)
        if plan.version is not None:
            await self._version(plan.version)
        status, again = _refused(parent, plan, refusals, now)
        if status is not None and parent.get("status") != status:
            await self._status(parent, status)
        for notice in plan.notices:
            await self._recorder.record(parent, notice, now)
        return again

    async def _children(self, parent: Object, children: tuple[Child, ...], now: float) -> list[Refusal]:
        if any(child.once for child in children):  # in order: a Job never exists before the inputs it was resolved from
            answers: list[Refusal | None] = []
            for child in children:
                answers.append(await self._child(parent, child, now))
                if answers[-1] is not None:
                    break
        else:
            answers = list(await asyncio.gather(*[self._child(parent, child, now) for child in children]))
        return [answer for answer in answers if answer is not None]

    async def _child(self, parent: Object, child: Child, now: float) -> Refusal | None:
        namespace = child.obj["metadata"]["namespace"]
        resource = of(child.obj)
        have = self._cache.get(child.kind, namespace, child.name)
        if have is None and not child.private:
            have = await self._client.get(resource, namespace, child.name)
        if have is not None:
            if (refusal := _foreign(parent, child, have)) is not None:
                return refusal  # not into the cache: nothing would be heard of its deletion
            self._take(child.kind, have)
            if child.once or comparison.settled(child.obj, have):
                return None
            if (refusal := await self._contested(child, have, now)) is not None:
                return refusal
        try:
            await self._write(child, have)
        except ApiError as error:
            return await self._answer(child, error, have)
        return None

    async def _write(self, child: Child, have: Object | None) -> None:
        body = copy.deepcopy(child.obj)
        body["metadata"].setdefault("annotations", {})[Annotation.INTENT] = comparison.intent_of(child.obj)
        if have is not None:
            body["metadata"]["uid"] = have["metadata"]["uid"]
        if child.once:
            answer = await self._client.create(of(body), body, field_manager=FIELD_MANAGER)
        else:
            answer = await self._client.apply(of(body), body, field_manager=FIELD_MANAGER)
        self._take(child.kind, answer)

    async def _answer(self, child: Child, error: ApiError, have: Object | None) -> Refusal | None:
        """Turns a 4xx of the server into what the user is told; everything else is tried again by the queue."""
        if have is not None and error.status in (404, 409, 422):
            live = await self._client.get(of(child.obj), have["metadata"]["namespace"], child.name)
            if live is None or live["metadata"]["uid"] != have["metadata"]["uid"]:
                self._cache.drop(have)  # gone, or another object by now: the next pass looks live
                raise error
        if error.status in (401, 404, 408, 409, 429) or error.status >= 500:
            raise error
        if error.status == 403 and "being terminated" in error.message:
            return Refusal(Why.PROGRESSING, error.message, stalled=False, again=FOREIGN_AGAIN)
        text = f"{child.kind} {child.name} was refused by the API server: {error.message}"
        return Refusal(Why.CHILD_REFUSED, text, stalled=True, again=REFUSED_AGAIN)

    async def _contested(self, child: Child, have: Object, now: float) -> Refusal | None:
        rewrite = have["metadata"]["uid"], comparison.intent_of(child.obj)
        if self._too_often(rewrite, now):
            return await self._war(of(child.obj), have["metadata"]["namespace"], child.name)
        self._count(rewrite, now)
        return None

    def _too_often(self, rewrite: tuple[str, str], now: float) -> bool:
        """Five identical rewrites in ten minutes: somebody else disagrees, and rewriting on would be a war."""
        times: Sequence[float] = self._rewrites.get(rewrite, ())
        return len(times) == REWRITES and now - times[0] < REWRITE_SECONDS

    def _count(self, rewrite: tuple[str, str], now: float) -> None:
        self._rewrites[rewrite].append(now)
        if len(self._rewrites) > REMEMBERED:
            del self._rewrites[next(iter(self._rewrites))]

    async def _war(self, resource: Resource, namespace: str, name: str) -> Refusal:
        """What is told in place of another write."""
        live = await self._client.get(resource, namespace, name) or {}
        entries = live.get("metadata", {}).get("managedFields") or ()
        others = sorted({entry.get("manager", "?") for entry in entries} - {FIELD_MANAGER, "kube-controller-manager"})
        text = (
            f"{resource.kind} {name} was changed back {REWRITES} times in {REWRITE_SECONDS / 60:.0f} minutes; "
            f"field managers beside trimtab: {', '.join(others) or 'unknown'}. Make it leave this object alone."
        )
        return Refusal(Why.WRITES_CONTESTED, text, stalled=True, again=REWRITE_SECONDS)

    async def _patch(self, patch: Patch, now: float) -> Refusal | None:
        rewrite = patch.uid, comparison.intent_of(patch.body)
        if self._too_often(rewrite, now):
            return await self._war(WATCHED[patch.kind], patch.namespace, patch.name)
        body = {**patch.body, "metadata": {**patch.body.get("metadata", {}), "uid": patch.uid}}
        try:
            answer = await self._client.merge(
                WATCHED[patch.kind], patch.namespace, patch.name, body, field_manager=FIELD_MANAGER
            )
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            return None
        self._count(rewrite, now)
        self._take(patch.kind, answer)
        return None

    async def _delete(self, gone: Unwanted) -> None:
        await self._client.delete(WATCHED[gone.kind], gone.namespace, gone.name, gone.uid)

    async def _version(self, new: NewVersion) -> None:
        """Creates `<model>-<max+1>`, going on to the next number when somebody took it; one version for one run."""
        resource = OURS["ModelVersion"]
        numbers = [0]
        async for obj in self._client.listed(resource, new.namespace):
            if obj["spec"]["modelRef"]["name"] != new.model:
                continue
            if obj["spec"].get("lineage", {}).get("trainingJob", {}).get("uid") == new.run_uid:
                self._take("ModelVersion", obj)
                return
            numbers.append(int(obj["spec"]["version"]))
        number = max(numbers) + 1
        while True:
            try:
                answer = await self._client.create(resource, _numbered(new, number), field_manager=FIELD_MANAGER)
                break
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
                number += 1
        self._take("ModelVersion", answer)

    async def _status(self, parent: Object, status: Mapping[str, Any]) -> None:
        meta = parent["metadata"]
        body = {
            "apiVersion": parent["apiVersion"],
            "kind": parent["kind"],
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "status": status,
        }
        try:
            answer = await self._client.apply(of(parent), body, field_manager=FIELD_MANAGER, subresource="status")
        except ApiError as error:
            if error.status != 404:  # a conflict may be one that passes: the next pass sees whether the object is gone
                raise
            return
        self._take(parent["kind"], answer, parent=True)

    def _take(self, kind: str, obj: Object, *, parent: bool = False) -> None:
        """Into the cache; its echo from the watch will be no news, so whom it concerns is rung here, but for the parent."""
        obj.setdefault("kind", kind)
        if self._cache.put(obj) and kind in OURS:
            for key in rings.rung(self._cache, obj):
                if not (parent and key == name_of(obj)):
                    self._ring(key)


def _numbered(new: NewVersion, number: int) -> Object:
    meta: Object = {"name": f"{new.model}-{number}", "namespace": new.namespace}
    if new.owner is not None:
        meta["ownerReferences"] = [new.owner]
    row = OURS["ModelVersion"]
    return {
        "apiVersion": row.api_version,
        "kind": row.kind,
        "metadata": meta,
        "spec": {**new.spec, "modelRef": {"name": new.model}, "version": number},
    }


def _foreign(parent: Object, child: Child, have: Object) -> Refusal | None:
    """Whether an object of the child's name belongs to somebody else."""
    owner, meta = owner_of(have), parent["metadata"]
    if owner is not None and owner["uid"] == meta["uid"]:
        return None
    if owner is not None and owner["kind"] == parent["kind"] and owner["name"] == meta["name"]:
        text = f"{child.kind} {child.name} of an earlier {parent['kind']} of this name is still being deleted"
        return Refusal(Why.OLD_OBJECT_LEAVING, text, stalled=False, again=2.0)
    whose = f"{owner['kind']} {owner['name']}" if owner else "nobody Trimtab knows"
    text = (
        f"{child.kind} {child.name} exists and belongs to {whose}; Trimtab does not touch it. "
        f"Delete or rename it, or rename this {parent['kind']}."
    )
    return Refusal(Why.NAME_TAKEN, text, stalled=True, again=FOREIGN_AGAIN)


def _refused(
    parent: Object, plan: Plan, refusals: list[Refusal], now: float
) -> tuple[Mapping[str, Any] | None, float | None]:
    """The status with the refusals told in it, and when to look again."""
    if not refusals:
        return plan.status, plan.again
    first = next((refusal for refusal in refusals if refusal.stalled), refusals[0])
    merged = replace(first, message=" ".join(dict.fromkeys(refusal.message for refusal in refusals)))
    status = conditions.refuse(
        plan.status or parent.get("status") or {},
        reason=merged.reason,
        message=merged.message,
        stalled=merged.stalled,
        generation=parent["metadata"]["generation"],
        now=now,
    )
    again = min(refusal.again for refusal in refusals)
    return status, again if plan.again is None else min(again, plan.again)
