"""What all wire formats share: their base, their schema, digests and places. See the package."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SCHEMA = 1

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class SchemaTooNewError(ValueError):
    """The document was written by a newer Trimtab than the one that reads it."""


def known(schema: int) -> int:
    """The schema, where this image reads it; raises `SchemaTooNewError`."""
    if schema > SCHEMA:
        raise SchemaTooNewError(
            f"schema {schema} is newer than {SCHEMA}, the newest this image reads: update the image"
        )
    return schema


class Wire(BaseModel):
    """Base of all wire formats: immutable, camelCase, tolerant of fields that a later release adds."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, ser_json_inf_nan="null"
    )

    def to_json(self) -> str:
        """Strict JSON without absent fields."""
        return self.model_dump_json(by_alias=True, exclude_none=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse and validate; `pydantic.ValidationError` names the field that is wrong."""
        return cls.model_validate_json(text)


class Document(Wire):
    """A wire format that stands alone in a file, a message or a response."""

    schema_: Annotated[int, AfterValidator(known), Field(alias="schema")] = SCHEMA


class Location(Wire):
    """Where bytes lie. Credentials never travel in it: they come as environment variables of the one step that needs them."""

    uri: str
    endpoint: str | None = None
    region: str | None = None
    ca_bundle: str | None = None


def plain(value: Wire) -> dict[str, Any]:
    """As a plain dictionary in camelCase, without absent fields."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)
