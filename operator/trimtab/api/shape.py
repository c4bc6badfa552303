"""The base of every schema class, and the marks that tell the CRD generator what pydantic has no word for.

It knows no kind and no field. A mark changes the generated schema only; at run time nothing is checked by it: rules in
CEL are the API server's to judge, so that an object it accepted always parses here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

RULES = "x-kubernetes-validations"


@dataclass(frozen=True)
class Rule:
    """A validation in CEL (`x-kubernetes-validations`): `message` says what to do, `field` names the member it points
    at.

    Put it in a class's `rules`, where `self` is the object, or into `Annotated`, where `self` is the field's value.
    """

    cel: str
    message: str
    field: str | None = None

    def as_schema(self) -> dict[str, str]:
        """The rule as the API server reads it."""
        schema = {"rule": self.cel, "message": self.message}
        return schema | ({"fieldPath": f".{self.field}"} if self.field else {})

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        return schema | {RULES: [*schema.get(RULES, []), self.as_schema()]}


@dataclass(frozen=True)
class ListType:
    """How server-side apply merges a list: `atomic`, `set`, or `map` with the keys that name an item."""

    kind: str
    keys: tuple[str, ...] = ()

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core) | {"x-kubernetes-list-type": self.kind}
        return schema | ({"x-kubernetes-list-map-keys": list(self.keys)} if self.keys else {})


ATOMIC = ListType("atomic")
SET = ListType("set")


def keyed_by(*keys: str) -> ListType:
    """A list whose items are told apart by these members, as the API server enforces and `kubectl apply` merges."""
    return ListType("map", keys)


class Shape(BaseModel):
    """One object of the API: camelCase outside, frozen, blind to members it does not know (a newer release may have
    written them)."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Rules over the whole object."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        target = handler.resolve_ref_schema(schema)
        if cls.rules:
            target[RULES] = [rule.as_schema() for rule in cls.rules]
        return schema

    def as_json(self) -> dict[str, Any]:
        """Plain JSON data in the API's spelling, without members that are unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def member_named_by_type(*members: str) -> tuple[Rule, ...]:
    """The rules of a discriminated union: beside `type: Bound` stands `bound`, and no other type's object does.

    `members` are the camelCase names; the type of a member is its name with a capital.
    """
    return tuple(
        Rule(
            f"(self.type == '{member[0].upper()}{member[1:]}') == has(self.{member})",
            f"give {member} when type is {member[0].upper()}{member[1:]}, and only then",
        )
        for member in members
    )


def exactly_one(first: str, second: str, advice: str) -> Rule:
    """Exactly one of two members is given."""
    return Rule(f"has(self.{first}) != has(self.{second})", f"give exactly one of {first} and {second}: {advice}")


def at_most_one(first: str, second: str, advice: str) -> Rule:
    """Two members exclude each other; neither is needed."""
    return Rule(f"!(has(self.{first}) && has(self.{second}))", f"give {first} or {second}, not both: {advice}")


def immutable(member: str, *, required: bool, remedy: str) -> Rule:
    """A member of a spec that can be neither changed, added nor removed once the object exists."""
    same = f"self.{member} == oldSelf.{member}"
    cel = same if required else f"has(self.{member}) == has(oldSelf.{member}) && (!has(self.{member}) || {same})"
    return Rule(cel, f"{member} cannot be changed once created: {remedy}")
