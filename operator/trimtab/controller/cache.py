"""What the operator knows of the cluster: watch events and the answers to its own writes, slimmed, in one place.

Rules: within a name the higher resourceVersion wins; a deletion leaves a tombstone for its uid, so a late answer brings
nothing back. Nobody above `observe` reads it. It does no I/O.

Objects are kept as compressed JSON: a Deployment is 25 KB as dictionaries and 2 KB so. What is asked often (which objects
there are, who owns them, what they refer to) is kept beside, so that only what is planned on is ever unpacked.
"""

import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson

Object = dict[str, Any]
TOMBSTONES = 20_000
FAST = 1


class Name(NamedTuple):
    """Which object: kind, namespace and name."""

    kind: str
    namespace: str
    name: str


class Entry(NamedTuple):
    """One object as it is kept."""

    name: Name
    uid: str
    version: int
    owner: str | None
    ending: bool
    references: tuple[str, ...]
    packed: bytes

    def unpacked(self) -> Object:
        """The object, as a copy of the caller's own."""
        found: Object = orjson.loads(zlib.decompress(self.packed))
        return found


def name_of(obj: Object) -> Name:
    meta = obj["metadata"]
    return Name(obj["kind"], meta.get("namespace", ""), meta["name"])


def owner_of(obj: Object) -> Object | None:
    """The controller ownerReference of an object, or None."""
    references = obj["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def _version(obj: Object) -> int:
    return int(obj["metadata"].get("resourceVersion") or 0)


class Cache:
    """Objects by name, by uid, by the uid of their controller, and by what they refer to.

    `slim` reduces an object to what planners read; `references` names the keys under which `referring` finds it.
    """

    def __init__(
        self,
        kinds: Iterable[str],
        slim: Callable[[Object], Object],
        references: Callable[[Object], Iterable[str]] = lambda _: (),
    ) -> None:
        self._entries: dict[str, dict[Name, Entry]] = {kind: {} for kind in kinds}
        self._by_uid: dict[str, Entry] = {}
        self._owned: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
        self._referring: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
        self._tombstones: OrderedDict[str, None] = OrderedDict()
        self._slim, self._references = slim, references

    def put(self, obj: Object) -> bool:
        """Take an object as seen. False when that is no news: this state, something newer, or its deletion was seen already,
        or nothing that is kept of it has changed."""
        name, uid = name_of(obj), obj["metadata"]["uid"]
        if uid in self._tombstones:
            return False
        known = self._entries[name.kind].get(name)
        if known is not None and known.version >= _version(obj):  # most often the echo of our own write: packed for nothing
            return False
        entry = self._entry(obj)
        if known is not None:
            self._unlink(known)
            if known.uid != entry.uid:
                self._bury(known.uid)
        self._link(entry)
        return known is None or known.packed != entry.packed

    def drop(self, obj: Object) -> None:
        """Take the deletion of that very object as seen."""
        self.drop_uid(obj["metadata"]["uid"])

    def drop_uid(self, uid: str) -> None:
        """Take the deletion of the object with this uid as seen."""
        self._bury(uid)
        known = self._by_uid.get(uid)
        if known is not None:
            self._unlink(known)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return _unpacked(self._entries[kind].get(Name(kind, namespace, name)))

    def by_uid(self, uid: str) -> Object | None:
        return _unpacked(self._by_uid.get(uid))

    def entry(self, uid: str | None) -> Entry | None:
        """What is kept of the object with this uid, without unpacking it."""
        return self._by_uid.get(uid) if uid is not None else None

    def entries(self, kind: str) -> list[Entry]:
        """What there is of a kind, without unpacking it."""
        return list(self._entries[kind].values())

    def owned(self, uid: str, kind: str | None = None) -> list[Object]:
        """Objects whose controller has this uid."""
        return _of_kind(self._owned.get(uid, {}), kind)

    def referring(self, reference: str, kind: str | None = None) -> list[Object]:
        """Objects that named this reference."""
        return _of_kind(self._referring.get(reference, {}), kind)

    def referring_names(self, reference: str, kind: str | None = None) -> list[Name]:
        """The names of objects that named this reference, without unpacking them."""
        found = self._referring.get(reference, {}).values()
        return [entry.name for entry in found if kind is None or entry.name.kind == kind]

    def count(self, kind: str) -> int:
        return len(self._entries[kind])

    def _entry(self, obj: Object) -> Entry:
        owner, meta, kept = owner_of(obj), obj["metadata"], self._slim(obj)
        return Entry(
            name=name_of(obj),
            uid=meta["uid"],
            version=_version(obj),
            owner=owner["uid"] if owner else None,
            ending="deletionTimestamp" in meta,
            references=tuple(self._references(obj)),
            packed=zlib.compress(orjson.dumps(kept), FAST),
        )

    def _link(self, entry: Entry) -> None:
        self._entries[entry.name.kind][entry.name] = entry
        self._by_uid[entry.uid] = entry
        if entry.owner is not None:
            self._owned[entry.owner][entry.uid] = entry
        for reference in entry.references:
            self._referring[reference][entry.uid] = entry

    def _unlink(self, entry: Entry) -> None:
        if self._entries[entry.name.kind].get(entry.name) is entry:
            del self._entries[entry.name.kind][entry.name]
        self._by_uid.pop(entry.uid, None)
        if entry.owner is not None:
            _forget(self._owned, entry.owner, entry.uid)
        for reference in entry.references:
            _forget(self._referring, reference, entry.uid)

    def _bury(self, uid: str) -> None:
        self._tombstones[uid] = None
        if len(self._tombstones) > TOMBSTONES:
            self._tombstones.popitem(last=False)


def _unpacked(entry: Entry | None) -> Object | None:
    return entry.unpacked() if entry is not None else None


def _of_kind(entries: dict[str, Entry], kind: str | None) -> list[Object]:
    return [entry.unpacked() for entry in entries.values() if kind is None or entry.name.kind == kind]


def _forget(index: defaultdict[str, dict[str, Entry]], key: str, uid: str) -> None:
    entries = index.get(key)
    if entries is not None:
        entries.pop(uid, None)
        if not entries:
            del index[key]
