"""What the operator knows of the cluster: watch events and the answers to its own writes, slimmed, in one place.

Rules: within a name the higher resourceVersion wins; a deletion leaves a tombstone for its uid, so a late answer brings
nothing back. Nobody above `observe` reads it. It does no I/O.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name."""
TOMBSTONES = 20_000


def key_of(obj: Object) -> Key:
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def owner_of(obj: Object) -> Object | None:
    """The controller ownerReference of an object, or None."""
    references = obj["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def _version(obj: Object) -> int:
    return int(obj["metadata"].get("resourceVersion") or 0)


class Cache:
    """Objects by kind and key, by uid, by the uid of their controller, and by what they refer to.

    `slim` reduces an object to what planners read; `references` names the keys under which `referring` finds it.
    """

    def __init__(
        self,
        kinds: Iterable[str],
        slim: Callable[[Object], Object],
        references: Callable[[Object], Iterable[str]] = lambda _: (),
    ) -> None:
        self._objects: dict[str, dict[Key, Object]] = {kind: {} for kind in kinds}
        self._by_uid: dict[str, Object] = {}
        self._owned: defaultdict[str, dict[str, Object]] = defaultdict(dict)
        self._referring: defaultdict[str, dict[str, Object]] = defaultdict(dict)
        self._tombstones: OrderedDict[str, None] = OrderedDict()
        self._slim, self._references = slim, references

    def put(self, obj: Object) -> bool:
        """Take an object as seen; False when this state, something newer, or its deletion was seen already."""
        uid = obj["metadata"]["uid"]
        if uid in self._tombstones:
            return False
        known = self._objects[obj["kind"]].get(key_of(obj))
        if known is not None and _version(known) >= _version(obj):
            return False
        if known is not None:
            self._unlink(known)
            if known["metadata"]["uid"] != uid:
                self._bury(known["metadata"]["uid"])
        self._link(self._slim(obj))
        return True

    def drop(self, obj: Object) -> None:
        """Take the deletion of that very object as seen."""
        uid = obj["metadata"]["uid"]
        self._bury(uid)
        known = self._by_uid.get(uid)
        if known is not None:
            self._unlink(known)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._objects[kind].get((namespace, name))

    def by_uid(self, uid: str) -> Object | None:
        return self._by_uid.get(uid)

    def all(self, kind: str) -> list[Object]:
        return list(self._objects[kind].values())

    def owned(self, uid: str, kind: str | None = None) -> list[Object]:
        """Objects whose controller has this uid."""
        return [obj for obj in self._owned.get(uid, {}).values() if kind is None or obj["kind"] == kind]

    def referring(self, reference: str, kind: str | None = None) -> list[Object]:
        """Objects that named this reference."""
        return [obj for obj in self._referring.get(reference, {}).values() if kind is None or obj["kind"] == kind]

    def count(self, kind: str) -> int:
        return len(self._objects[kind])

    def _link(self, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        self._objects[obj["kind"]][key_of(obj)] = obj
        self._by_uid[uid] = obj
        if owner := owner_of(obj):
            self._owned[owner["uid"]][uid] = obj
        for reference in self._references(obj):
            self._referring[reference][uid] = obj

    def _unlink(self, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        if self._objects[obj["kind"]].get(key_of(obj)) is obj:
            del self._objects[obj["kind"]][key_of(obj)]
        self._by_uid.pop(uid, None)
        if owner := owner_of(obj):
            _forget(self._owned, owner["uid"], uid)
        for reference in self._references(obj):
            _forget(self._referring, reference, uid)

    def _bury(self, uid: str) -> None:
        self._tombstones[uid] = None
        if len(self._tombstones) > TOMBSTONES:
            self._tombstones.popitem(last=False)


def _forget(index: defaultdict[str, dict[str, Object]], key: str, uid: str) -> None:
    entries = index.get(key)
    if entries is not None:
        entries.pop(uid, None)
        if not entries:
            del index[key]
