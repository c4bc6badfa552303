"""What the wire formats of models and servers share: their base, their schema, digests and places. See the package.

msgspec and not pydantic, as the kinds are: a model server holds nothing else of the API, and pydantic takes as much
memory and as long to import as all of its other libraries for HTTP together.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

import msgspec

if TYPE_CHECKING:
    from pydantic_core.core_schema import CoreSchema

SCHEMA = 1
_T = TypeVar("_T")

DIGEST = r"^sha256:[0-9a-f]{64}\Z"
Digest = Annotated[str, msgspec.Meta(pattern=DIGEST)]


class SchemaTooNewError(ValueError):
    """The document was written by a newer Trimtab than the one that reads it."""


def known(schema: int) -> int:
    """The schema, where this image reads it; raises `SchemaTooNewError`."""
    if schema > SCHEMA:
        raise SchemaTooNewError(
            f"schema {schema} is newer than {SCHEMA}, the newest this image reads: update the image"
        )
    return schema


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of these formats: immutable, camelCase, tolerant of fields that a later release adds. Only what is read is
    checked, not what is built in code."""

    def to_json(self) -> str:
        """Strict JSON without absent fields."""
        return msgspec.json.encode(plain(self)).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse and validate; a `ValueError` names the field that is wrong."""
        return parsed(text, cls)

    @classmethod
    def from_plain(cls, value: Mapping[str, Any]) -> Self:
        """Validate what a YAML or JSON reader gave, in camelCase."""
        return msgspec.convert(value, cls)

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> "CoreSchema":
        """As a field of a pydantic model."""
        from pydantic_core import core_schema  # asked for by pydantic alone

        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else msgspec.convert(value, cls),
            serialization=core_schema.plain_serializer_function_ser_schema(plain),
        )


class Document(Wire, frozen=True, kw_only=True):
    """A wire format that stands alone in a file, a message or a response."""

    schema_: int = msgspec.field(name="schema", default=SCHEMA)

    def __post_init__(self) -> None:
        known(self.schema_)


class Location(Wire, frozen=True, kw_only=True):
    """Where bytes lie. Credentials never travel in it: they come as environment variables of the one step that needs them."""

    uri: str
    endpoint: str | None = None
    region: str | None = None
    ca_bundle: str | None = None


def parsed(text: str | bytes, kind: type[_T]) -> _T:
    """JSON as what it should be; a `ValueError` names what is wrong with it."""
    try:
        return msgspec.json.decode(text, type=kind)
    except RecursionError as error:
        raise ValueError("lists and objects are nested too deep") from error


def encoded(value: Any) -> bytes:
    """As strict JSON, absent fields included."""
    return msgspec.json.encode(value, enc_hook=_number)


def plain(value: Wire) -> dict[str, Any]:
    """As a plain dictionary in camelCase, without absent fields."""
    found: dict[str, Any] = _present(msgspec.to_builtins(value, enc_hook=_number))
    return found


def _number(value: Any) -> float:
    """NumPy's float64 is a float, which msgspec does not see."""
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _present(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _present(each) for name, each in value.items() if each is not None}
    return [_present(each) for each in value] if isinstance(value, list | tuple) else value
