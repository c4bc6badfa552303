"""V2 inference requests of REST into frames: the JSON, and the bytes behind it. Pure; `tensors` knows what a model takes."""

import json
from dataclasses import dataclass
from typing import Any

import orjson

from trimtab.api.wire.models import Signature
from trimtab.api.wire.serving import Limits
from trimtab.model.frame import Block
from trimtab.serving import values
from trimtab.serving.refusal import client
from trimtab.serving.tensors import Tensors, check_offered, quoted
from trimtab.serving.values import Literal, short

_NOTHING = memoryview(b"")
MOST_NESTED = 500_000
"""Lists and objects in the JSON of one request; the shortest of them take thirty times as much memory as text."""
_SMALL_BYTES = 256 << 10
"""JSON up to here is small in memory too, whatever it holds."""


@dataclass(frozen=True, slots=True)
class Inference:
    """One decoded request: `rows` rows of all columns, the outputs that are wanted, those of them that are wanted as
    bytes, and the id to give back."""

    frame: Block
    rows: int
    outputs: tuple[str, ...]
    binary: frozenset[str] = frozenset()
    id: str | None = None


class Decoder:
    """Requests for one signature."""

    def __init__(self, signature: Signature, limits: Limits) -> None:
        self._tensors = Tensors(signature, limits)
        self._outputs = tuple(output.name for output in signature.outputs)
        self._plain = Wanted(self._outputs, frozenset())

    def decode(self, body: bytes, header: int | None = None) -> Inference:
        """Raises `RefusedError` for whatever is not a request that this model can answer. `header`: bytes of the JSON,
        where values follow it."""
        text, tail = body, _NOTHING
        if header is not None:
            if not 0 <= header <= len(body):
                raise client(f"Inference-Header-Content-Length is {header}, and the body has {len(body)} bytes")
            text, tail = body[:header], memoryview(body)[header:]
        if len(text) > _SMALL_BYTES and text.count(b"[") + text.count(b"{") > MOST_NESTED:
            raise client(f"the body has more than {MOST_NESTED} lists and objects: send 'data' flat, or the rows in parts")
        try:
            document, strict = orjson.loads(text), True
        except orjson.JSONDecodeError as error:
            document, strict = _lenient(text, error), False
        inference = self._decode(document, tail)
        if not strict:
            raise client("the body is not JSON: NaN and Infinity are no JSON numbers")
        return inference

    def _decode(self, document: Any, tail: memoryview) -> Inference:
        if not isinstance(document, dict):
            raise client("the body must be a JSON object with 'inputs'")
        frame = self._tensors.frame(document.get("inputs"), tail)
        wanted = self._wanted(document)
        return Inference(frame, len(frame.table), wanted.names, wanted.binary, _identity(document.get("id")))

    def _wanted(self, document: dict[str, Any]) -> "Wanted":
        outputs, parameters = document.get("outputs"), document.get("parameters")
        if not outputs and not parameters:
            return self._plain
        every = _flag(_parameters(parameters, "the request"), "binary_data_output", False)
        if not outputs:
            return Wanted(self._outputs, frozenset(self._outputs if every else ()))
        if not isinstance(outputs, list) or not all(isinstance(o, dict) and "name" in o for o in outputs):
            raise client("'outputs' must be a list of objects with a 'name'")
        names = check_outputs([output["name"] for output in outputs], self._outputs)
        return Wanted(names, frozenset(output["name"] for output in outputs if _wants_bytes(output, every)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Outputs in the order in which they are wanted, and those of them that are wanted as bytes."""

    names: tuple[str, ...]
    binary: frozenset[str]


def check_outputs(names: list[Any], known: tuple[str, ...]) -> tuple[str, ...]:
    """The names, all of them known and none of them twice. Raises `RefusedError`."""
    for name in names:
        if name not in known:
            raise client(f"unknown output {short(name)}: the model gives {quoted(known)}")
        if names.count(name) > 1:
            raise client(f"output {name!r} is asked for twice")
    return tuple(names)


def _parameters(parameters: Any, whose: str) -> dict[str, Any]:
    if parameters is not None and not isinstance(parameters, dict):
        raise client(f"'parameters' of {whose} must be an object, not {short(parameters)}")
    return parameters or {}


def _wants_bytes(output: dict[str, Any], every: bool) -> bool:
    whose = f"output {output['name']!r}"
    parameters = _parameters(output.get("parameters"), whose)
    check_offered(parameters, whose)
    return _flag(parameters, "binary_data", every)


def _flag(parameters: dict[str, Any], name: str, default: bool) -> bool:
    value = parameters.get(name)
    if value is None:
        return default
    if type(value) is not bool:
        raise client(f"parameter {name!r} must be true or false, not {short(value)}")
    return value


def _identity(identity: Any) -> str | None:
    if identity is not None and not isinstance(identity, str):
        raise client(f"'id' must be text, not {short(identity)}")
    return identity


def _lenient(body: bytes, error: orjson.JSONDecodeError) -> Any:
    """What the body would be if NaN, Infinity and overflows were JSON, so that the refusal can name the column."""
    refusal = client(f"the body is not JSON: {error}")
    if b"NaN" not in body and b"Infinity" not in body and "infinity" not in str(error):
        raise refusal from error
    try:
        return json.loads(body, parse_constant=Literal, parse_float=values.fraction, parse_int=values.whole)
    except (ValueError, RecursionError):
        raise refusal from error
