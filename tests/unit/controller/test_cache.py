"""The cache: what was seen last, whatever the order in which it was heard."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests import make
from trimtab.controller import cache as caching
from trimtab.controller.cache import Cache
from trimtab.plan.intent import Object

KINDS = ("Deployment", "Pod")


def obj(
    kind: str = "Pod",
    name: str = "a",
    uid: str = "u1",
    version: int = 1,
    owner: str | None = None,
    refers: str | None = None,
) -> Object:
    meta: Object = {"name": name, "namespace": "team", "uid": uid, "resourceVersion": str(version)}
    if owner:
        meta["ownerReferences"] = [
            {"kind": "Gadget", "name": "x", "uid": "not-the-controller"},
            {"kind": "Deployment", "name": "o", "uid": owner, "controller": True},
        ]
    return {"kind": kind, "metadata": meta, "refers": refers}


def cache() -> Cache:
    return Cache(KINDS, dict, lambda given: [given["refers"]] if given["refers"] else [])


def test_the_higher_resource_version_wins_and_numbers_are_no_text() -> None:
    seen = cache()
    assert seen.put(obj(version=9))
    assert seen.put(obj(version=10))
    assert not seen.put(obj(version=9))
    assert not seen.put(obj(version=10)), "the same state is no news"
    assert seen.get("Pod", "team", "a") == obj(version=10)


def test_a_late_answer_brings_nothing_deleted_back() -> None:
    seen = cache()
    seen.put(obj(version=5))
    seen.drop(obj(version=6))
    assert not seen.put(obj(version=7))
    assert (seen.get("Pod", "team", "a"), seen.by_uid("u1"), seen.count("Pod")) == (None, None, 0)


def test_a_deletion_that_is_heard_first_holds_too() -> None:
    seen = cache()
    seen.drop(obj())
    assert not seen.put(obj(version=99))


def test_an_object_made_again_takes_the_place_of_its_namesake() -> None:
    seen = cache()
    seen.put(obj(version=5, owner="o1", refers="r"))
    assert seen.put(obj(uid="u2", version=8, owner="o2"))
    assert (seen.by_uid("u1"), seen.owned("o1"), seen.referring("r")) == (None, [], [])
    assert seen.owned("o2") == [obj(uid="u2", version=8, owner="o2")]
    assert not seen.put(obj(version=9)), "its namesake is gone for good"


def test_a_late_word_of_an_earlier_namesake_is_no_news() -> None:
    seen = cache()
    seen.put(obj(uid="u2", version=8))
    assert not seen.put(obj(uid="u1", version=5))
    seen.drop(obj(uid="u1", version=6))
    assert seen.get("Pod", "team", "a") == obj(uid="u2", version=8)


def test_an_owner_that_is_not_the_controller_owns_nothing() -> None:
    seen = cache()
    seen.put(obj(owner="o"))
    assert seen.owned("not-the-controller") == []


def test_old_tombstones_make_room_for_new_ones() -> None:
    seen = cache()
    for number in range(caching.TOMBSTONES + 1):
        seen.drop(obj(uid=f"gone-{number}"))
    assert seen.put(obj(uid="gone-0"))
    assert not seen.put(obj(name="b", uid="gone-1"))


def test_what_is_kept_is_slim() -> None:
    seen = Cache(KINDS, lambda given: {**given, "big": None})
    seen.put({**obj(), "big": "x" * 100})
    kept = seen.get("Pod", "team", "a")
    assert kept is not None
    assert kept["big"] is None


def test_a_change_of_what_is_not_kept_is_no_news_and_counts_as_seen() -> None:
    seen = Cache(KINDS, lambda given: {key: value for key, value in given.items() if key != "metadata"})
    assert seen.put(obj(version=1))
    assert not seen.put(obj(version=3))
    assert not seen.put({**obj(version=2), "refers": "an earlier state"})
    assert seen.put({**obj(version=4), "refers": "a later one"})


@settings(max_examples=40, stateful_step_count=25, deadline=None)
class AgainstANaiveModel(RuleBasedStateMachine):
    """Any sequence of events: indexes say what a search through everything would."""

    def __init__(self) -> None:
        super().__init__()
        self.cache, self.known, self.gone = cache(), dict[tuple[str, str], Object](), set[str]()
        self.born: dict[str, tuple[str, str]] = {}

    uids = st.sampled_from([f"u{number}" for number in range(6)])

    @rule(
        uid=uids,
        kind=st.sampled_from(KINDS),
        name=st.sampled_from("ab"),
        version=st.integers(1, 30),
        owner=st.sampled_from([None, "u0", "u1"]),
        refers=st.sampled_from([None, "r", "s"]),
    )
    def hear(self, uid: str, kind: str, name: str, version: int, owner: str | None, refers: str | None) -> None:
        kind, name = self.born.setdefault(uid, (kind, name))  # an object keeps its name
        given = obj(kind, name, uid, version, owner, refers)
        there = self.known.get((kind, name))
        news = uid not in self.gone and (there is None or int(there["metadata"]["resourceVersion"]) < version)
        assert self.cache.put(given) is news
        if news:
            if there is not None and there["metadata"]["uid"] != uid:
                self.gone.add(there["metadata"]["uid"])
            self.known[kind, name] = given

    @precondition(lambda self: self.born)
    @rule(data=st.data())
    def hear_of_the_end(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.born)))
        kind, name = self.born[uid]
        self.cache.drop(obj(kind, name, uid, 99))
        self.gone.add(uid)
        if (there := self.known.get((kind, name))) is not None and there["metadata"]["uid"] == uid:
            del self.known[kind, name]

    @invariant()
    def every_index_agrees(self) -> None:
        everything = list(self.known.values())
        for kind in KINDS:
            of_kind = [given for given in everything if given["kind"] == kind]
            assert _sorted([entry.unpacked() for entry in self.cache.entries(kind)]) == _sorted(of_kind)
            assert self.cache.count(kind) == len(of_kind)
        for uid in [f"u{number}" for number in range(6)]:
            assert self.cache.by_uid(uid) == next((o for o in everything if o["metadata"]["uid"] == uid), None)
            owned = [o for o in everything if (owner := caching.owner_of(o)) and owner["uid"] == uid]
            assert _sorted(self.cache.owned(uid)) == _sorted(owned)
        for reference in "rs":
            assert _sorted(self.cache.referring(reference)) == _sorted(
                [o for o in everything if o["refers"] == reference]
            )
        assert self.cache._owned.keys() <= {"u0", "u1"}, "an index forgets what nobody is under"


def _sorted(objects: list[Object]) -> list[Object]:
    return sorted(objects, key=lambda given: (given["kind"], given["metadata"]["name"]))


TestAgainstANaiveModel: Any = AgainstANaiveModel.TestCase


def test_a_name_without_a_namespace_is_a_name_too() -> None:
    given = make.obj("Pod", "a", {})
    del given["metadata"]["namespace"]
    seen = Cache(KINDS, dict)
    seen.put(given)
    assert seen.get("Pod", "", "a") == given
