"""The rewriting from pydantic's JSON schema to a structural one, rule by rule."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, JsonValue

from trimtab.api.quantities import Quantity
from trimtab.api.shape import ATOMIC, RULES, Rule, Shape, keyed_by
from trimtab.api.structural import NotStructuralError, prose, structural


class Colour(StrEnum):
    RED = "Red"
    BLUE = "Blue"


class Inner(Shape):
    """An inner object."""

    rules = (Rule("has(self.name)", "give a name"),)

    name: Annotated[str, Field(max_length=5)] = "x"
    """Its name,
    wrapped.

    Second paragraph."""


class Outer(Shape):
    """An outer object."""

    inner: Annotated[Inner, Rule("self.name != 'y'", "not y")] = Inner()
    """The inner one."""
    perhaps: Inner | None = None
    """Perhaps one."""
    colour: Colour = Colour.RED
    """A colour."""
    only: Literal["One"] = "One"
    """One word."""
    size: Quantity = 1
    """A size."""
    free: Annotated[dict[str, JsonValue], Field(max_length=3)] = {}
    """Anything."""
    items: Annotated[list[Inner], keyed_by("name"), Field(max_length=4)] = []
    """Some."""
    zero: int = 0
    """Zero is a value."""
    no: bool = False
    """So is false."""


SCHEMA = structural(Outer.model_json_schema(by_alias=True))
MEMBERS: dict[str, Any] = SCHEMA["properties"]


def test_a_reference_becomes_what_it_refers_to_under_its_own_description() -> None:
    assert MEMBERS["perhaps"]["description"] == "Perhaps one."
    assert MEMBERS["perhaps"]["properties"]["name"]["maxLength"] == 5
    assert "default" not in MEMBERS["perhaps"]


def test_rules_of_the_class_and_of_the_field_both_hold() -> None:
    assert [rule["message"] for rule in MEMBERS["inner"][RULES]] == ["give a name", "not y"]
    assert [rule["message"] for rule in MEMBERS["perhaps"][RULES]] == ["give a name"]


def test_an_enum_and_a_single_word_are_lists_of_words() -> None:
    assert MEMBERS["colour"]["enum"] == ["Red", "Blue"]
    assert MEMBERS["colour"]["default"] == "Red"
    assert MEMBERS["only"]["enum"] == ["One"]


def test_an_integer_or_text_is_said_the_way_the_server_knows() -> None:
    size = MEMBERS["size"]
    assert size["x-kubernetes-int-or-string"] is True
    assert "type" not in size
    assert size["maxLength"] == 32
    assert size["default"] == 1


def test_a_free_map_keeps_every_value_and_lets_null_through() -> None:
    assert MEMBERS["free"]["additionalProperties"] == {"x-kubernetes-preserve-unknown-fields": True, "nullable": True}
    assert MEMBERS["free"]["maxProperties"] == 3


def test_a_default_that_says_something_stays_and_an_empty_one_goes() -> None:
    assert MEMBERS["zero"]["default"] == 0
    assert MEMBERS["no"]["default"] is False
    assert MEMBERS["inner"]["default"] == {"name": "x"}
    assert "default" not in MEMBERS["free"]
    assert "default" not in MEMBERS["items"]


def test_an_item_of_a_list_has_no_default_at_any_depth() -> None:
    assert "default" not in repr(MEMBERS["items"]["items"])
    assert MEMBERS["inner"]["properties"]["name"]["default"] == "x"


def test_without_defaults_there_are_none_at_any_depth() -> None:
    bare = structural(Outer.model_json_schema(by_alias=True), defaults=False)
    assert "default" not in repr(bare)


def test_a_docstring_becomes_running_text() -> None:
    assert MEMBERS["inner"]["properties"]["name"]["description"] == "Its name, wrapped.\n\nSecond paragraph."
    assert prose("\n  one\n  two\n\n  three ") == "one two\n\nthree"


class Unmerged(Shape):
    """A list that does not say how it is merged."""

    things: list[str]


class Either(Shape):
    """Two objects in one place."""

    thing: Inner | Outer


class Positive(Shape):
    """A bound that the server would read as something else."""

    number: Annotated[float, Field(gt=0)]


class Pair(Shape):
    """A tuple."""

    pair: Annotated[tuple[int, str], ATOMIC]


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        (Unmerged, r"\.things: a list must say how it is merged"),
        (Either, r"\.thing: alternatives must be members of one object"),
        (Positive, r"\.number: exclusiveMinimum cannot be said"),
        (Pair, r"\.pair: prefixItems cannot be said"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(shape: type[Shape], complaint: str) -> None:
    with pytest.raises(NotStructuralError, match=complaint):
        structural(shape.model_json_schema(by_alias=True))
