"""The base of the wire formats that carry parts of kinds, and so are pydantic models as the kinds are. See the package."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from trimtab.api.wire.base import DIGEST, SCHEMA, known

Digest = Annotated[str, Field(pattern=DIGEST.replace(r"\Z", "$"))]


class Wire(BaseModel):
    """Base of these formats: immutable, camelCase, tolerant of fields that a later release adds."""

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
