"""Whether an object is as it is meant, whatever others added beside it."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import make
from trimtab.api.meta import Annotation
from trimtab.controller import comparison
from trimtab.plan import serving
from trimtab.plan.intent import Object

WITHIN: dict[str, tuple[Any, Any]] = {
    "the same": ({"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}),
    "what the server filled in": ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": []}),
    "an empty object that the server left out": ({"a": {}, "b": [], "c": None}, {}),
    "quantities written in another way": (
        {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": "1000m"}},
        {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": "1"}},
    ),
    "a size written in another way": ({"emptyDir": {"sizeLimit": "10240Mi"}}, {"emptyDir": {"sizeLimit": "10Gi"}}),
    "one and 1.0": ({"a": 1}, {"a": 1.0}),
    "an environment variable that somebody added": (
        {"env": [{"name": "A", "value": "1"}]},
        {"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
    ),
    "a sidecar that somebody added": (
        {"containers": [{"name": "server", "image": "i"}]},
        {"containers": [{"name": "mesh"}, {"name": "server", "image": "i", "tty": False}]},
    ),
    "a mount of the same volume elsewhere": (
        {"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]},
        {"volumeMounts": [{"name": "tmp", "mountPath": "/var"}, {"name": "tmp", "mountPath": "/tmp"}]},
    ),
    "another owner": ({"ownerReferences": [{"uid": "u"}]}, {"ownerReferences": [{"uid": "u"}, {"uid": "v"}]}),
    "a tuple for a list": ({"a": ("x",)}, {"a": ["x"]}),
}
BEYOND: dict[str, tuple[Any, Any]] = {
    "another value": ({"a": 1}, {"a": 2}),
    "a value that is gone": ({"a": 1}, {}),
    "an empty object where something is": ({"a": {"b": 1}}, {"a": {}}),
    "a list that is longer": ({"a": [1]}, {"a": [1, 2]}),
    "a list that is shorter": ({"a": [1, 2]}, {"a": [1]}),
    "a list in another order": ({"a": [1, 2]}, {"a": [2, 1]}),
    "true for one": ({"a": 1}, {"a": True}),
    "false for zero": ({"a": False}, {"a": 0}),
    "text for a number": ({"a": 1}, {"a": "1"}),
    "quantities that differ": ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1G"}}),
    "quantities elsewhere are text": ({"labels": {"memory": "1Gi"}}, {"labels": {"memory": "1024Mi"}}),
    "what is no quantity": ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "much"}}),
    "an item of ours that was changed": (
        {"env": [{"name": "A", "value": "1"}]},
        {"env": [{"name": "A", "value": "2"}, {"name": "B", "value": "1"}]},
    ),
    "an item of ours that is gone": ({"containers": [{"name": "server"}]}, {"containers": [{"name": "mesh"}]}),
    "an object for a list": ({"a": []}, {"a": {"b": 1}}),
}


@pytest.mark.parametrize("case", WITHIN)
def test_it_is_as_meant_in_spite_of(case: str) -> None:
    want, have = WITHIN[case]
    assert comparison.within(want, have)


@pytest.mark.parametrize("case", BEYOND)
def test_it_is_not_as_meant_with(case: str) -> None:
    want, have = BEYOND[case]
    assert not comparison.within(want, have)


LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "1Gi"])
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "env", "limits"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=40, deadline=None)
@given(JSON)
def test_everything_is_within_itself(value: Any) -> None:
    assert comparison.within(value, copy.deepcopy(value))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("xyz"), JSON))
def test_members_that_others_add_never_matter(want: Object, more: Object) -> None:
    assert comparison.within(want, {**more, **want})


def child() -> Object:
    return serving.service(make.deployment(), "late-v1-0")


def live(want: Object) -> Object:
    """The object as the server keeps it after our write."""
    have = copy.deepcopy(want)
    have["metadata"] |= {"uid": "u", "annotations": {Annotation.INTENT: comparison.intent_of(want)}}
    have["spec"]["clusterIP"] = "10.1.2.3"
    return have


def test_an_object_that_carries_its_intent_and_was_left_alone_is_settled() -> None:
    assert comparison.settled(child(), live(child()))


def test_a_member_that_is_no_longer_meant_makes_another_intent() -> None:
    before = child()
    before["spec"]["sessionAffinity"] = "ClientIP"
    assert comparison.within(child(), live(before))
    assert not comparison.settled(child(), live(before))


def test_an_object_that_was_edited_or_lost_its_mark_is_not_settled() -> None:
    edited, unmarked = live(child()), live(child())
    edited["spec"]["selector"] = {"theirs": "x"}
    del unmarked["metadata"]["annotations"]
    assert not comparison.settled(child(), edited)
    assert not comparison.settled(child(), unmarked)
