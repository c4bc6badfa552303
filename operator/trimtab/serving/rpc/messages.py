"""gRPC messages into frames and back: the tensors are those of REST, in another envelope, and so are the refusals. Pure."""

import math
import struct
from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar

import numpy as np
from google.protobuf.message import DecodeError

from trimtab.api.wire.models import Signature
from trimtab.api.wire.serving import Limits, Serving
from trimtab.model.engine import Prediction
from trimtab.model.frame import width
from trimtab.serving import answers, binary
from trimtab.serving.answers import Encoded
from trimtab.serving.decoding import Inference, check_outputs
from trimtab.serving.inference import Form, Inferences, check_model
from trimtab.serving.refusal import client
from trimtab.serving.rpc import open_inference_pb2 as pb
from trimtab.serving.tensors import Tensor, Tensors, check_offered

SERVICE = "inference.GRPCInferenceService"
MOST_FIELDS = 20_000
"""Fields of one request at its top level: inputs, outputs and raw contents, beyond any signature."""
SMALL_BYTES = 256 << 10
"""A message up to here is small in memory too, whatever it holds."""
_HOLDS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""The field of `InferTensorContents` that holds values of a datatype. FP16 has none."""
_VARINT, _DELIMITED = 0, 2
_FIXED = {1: 8, 5: 4}
"""Kinds of fields on the wire, and the sizes of those that have one."""
_MOST_DIMENSIONS = 8
"""Of a shape that is looked at: a number of one byte becomes one of thirty-two."""
_BINARY = "binary_data_output"
_M = TypeVar("_M")


def form(inferences: Inferences) -> Form:
    """How inference requests are read and answered."""
    serving, signature = inferences.served.serving, inferences.served.signature
    return Form(
        Decoder(serving, signature, serving.limits).decode, Encoder(serving, inferences.encoder).encode, str.encode
    )


def parsed(kind: type[_M], content: bytes) -> _M:
    """A message of this kind. Raises `RefusedError`."""
    try:
        return kind.FromString(content)  # type: ignore[attr-defined,no-any-return]
    except DecodeError:
        raise client(f"the message is no {kind.__name__} of the protocol") from None


# ---------------------------------------------------------------- requests


class Decoder:
    """Requests for one model."""

    def __init__(self, serving: Serving, signature: Signature, limits: Limits) -> None:
        self._serving = serving
        self._tensors = Tensors(signature, limits)
        self._outputs = tuple(output.name for output in signature.outputs)
        self._most_values = limits.rows * sum(map(width, signature.inputs))

    def decode(self, content: bytes, header: None = None) -> Inference:
        """Raises `RefusedError` for whatever is not a request that this model can answer. `header` is REST's alone."""
        _check_fields(content)
        request = parsed(pb.ModelInferRequest, content)
        check_model(self._serving, request.model_name, request.model_version or None)
        _check_offered(request)
        raw = request.raw_input_contents
        inputs, tail = _raw(request) if raw else ([_typed(tensor, self._most_values) for tensor in request.inputs], b"")
        frame = self._tensors.frame(inputs, memoryview(tail))
        names = check_outputs([output.name for output in request.outputs], self._outputs) or self._outputs
        as_bytes = bool(raw) or (_BINARY in request.parameters and request.parameters[_BINARY].bool_param)
        return Inference(frame, len(frame.table), names, frozenset(names if as_bytes else ()), request.id or None)


def _check_offered(request: pb.ModelInferRequest) -> None:
    for what, tensors in (("input", request.inputs), ("output", request.outputs)):
        for tensor in tensors:
            check_offered(tensor.parameters, f"{what} {tensor.name[:60]!r}")


def _check_fields(content: bytes) -> None:
    """Refuse, unread, what would be forty times as large in memory: each field of two bytes becomes an object."""
    if len(content) > SMALL_BYTES and any(n >= MOST_FIELDS for n, _ in enumerate(_fields(content))):
        raise client(f"the message has more than {MOST_FIELDS} inputs, outputs and contents")


def _fields(content: bytes) -> Iterator[int]:
    """Where each field of the top level ends. Raises `RefusedError` for what no writer of the protocol writes."""
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        if (wire := tag & 7) == _VARINT:
            _, place = _varint(content, place)
        elif wire == _DELIMITED:
            size, place = _varint(content, place)
            place += size
        else:
            place += _FIXED.get(wire) or _malformed()
        yield place


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = 0
    for i, byte in enumerate(content[place : place + 10]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, place + i + 1
    return _malformed()


def _malformed() -> NoReturn:
    raise client("the message is no ModelInferRequest of the protocol")


def _raw(request: pb.ModelInferRequest) -> tuple[list[Tensor], bytes]:
    """Tensors and the bytes of their values, as behind the JSON of REST."""
    raw = request.raw_input_contents
    if len(raw) != len(request.inputs):
        raise client(f"there are {len(request.inputs)} inputs, and raw_input_contents for {len(raw)} of them")
    for tensor in request.inputs:
        if tensor.HasField("contents") and tensor.contents.ListFields():
            raise client(f"input {tensor.name!r} has 'contents', and the request has raw_input_contents")
    tensors: list[Tensor] = []
    tail: list[bytes] = []
    for tensor, content in zip(map(_head, request.inputs), raw, strict=True):
        if (value := _lone(tensor, content)) is None:
            tail.append(content)
            tensors.append({**tensor, "parameters": {"binary_data_size": len(content)}})
        else:
            tensors.append({**tensor, "data": value})
    return tensors, b"".join(tail)


def _lone(tensor: Tensor, content: bytes) -> list[Any] | None:
    """The value of one row as JSON has it, which `Tensors` takes at a quarter of the time; None for all else."""
    if tensor["shape"] not in ([1], [1, 1]):
        return None
    if tensor["datatype"] == "FP64" and len(content) == 8:
        (value,) = struct.unpack("<d", content)
        return [value] if math.isfinite(value) else None
    if tensor["datatype"] == "BYTES" and len(content) == 4 + int.from_bytes(content[:4], "little"):
        return binary.texts(tensor["name"], [content[4:]])
    return None


def _typed(tensor: pb.ModelInferRequest.InferInputTensor, most: int) -> Tensor:
    """A tensor with the values, not more than `most`, of the one field that is filled."""
    head = _head(tensor)
    name, datatype = head["name"], head["datatype"]
    there = {field.name: values for field, values in tensor.contents.ListFields()}
    field = _HOLDS.get(datatype)
    if datatype == "FP16":
        raise client(f"input {name!r}: FP16 has no form in 'contents': send it in raw_input_contents, or send FP32")
    if field is not None and (wrong := [other for other in there if other != field]):
        raise client(f"input {name!r}: values of {datatype} belong into {field}, and there are {wrong[0]}")
    values = next(iter(there.values()), ())
    if len(values) > most:
        raise client(f"input {name!r} has {len(values)} values, and one request may have {most}: send the rows in parts")
    return {**head, "data": _data(name, field, values)}


def _head(tensor: pb.ModelInferRequest.InferInputTensor) -> Tensor:
    if len(tensor.shape) > _MOST_DIMENSIONS:
        raise client(f"input {tensor.name[:60]!r}: a shape of {len(tensor.shape)} dimensions fits no input")
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}


def _data(name: str, field: str | None, values: Any) -> Any:
    """Values as `Tensors` takes them: floats as an array, in which NaN is missing, all else as JSON would have it."""
    if field == "bytes_contents":
        return binary.texts(name, values)
    if field in ("fp32_contents", "fp64_contents") and not (len(values) == 1 and math.isfinite(values[0])):
        return np.array(values, np.float32 if field == "fp32_contents" else np.float64)
    return list(values)


# ---------------------------------------------------------------- answers


class Encoder:
    """Answers of one model: the outputs of REST, in the field of their datatype or as bytes."""

    def __init__(self, serving: Serving, encoder: answers.Encoder) -> None:
        self._serving = serving
        self._encoder = encoder

    def encode(self, inference: Inference, prediction: Prediction) -> Encoded:
        """Raises `RefusedError` where the model's numbers are no numbers."""
        serving = self._serving
        answer = pb.ModelInferResponse(model_name=serving.model, model_version=serving.version, id=inference.id or "")
        for output in self._encoder.outputs(inference.outputs, prediction):
            data = output.pop("data")
            tensor = answer.outputs.add(**output)
            if inference.binary:
                answer.raw_output_contents.append(binary.write(data, output["datatype"]))
            else:
                getattr(tensor.contents, _HOLDS[output["datatype"]]).extend(_values(data, output["datatype"]))
        return Encoded(answer.SerializeToString())


def _values(data: Any, datatype: str) -> Any:
    if datatype == "BYTES":
        return [text.encode() for text in data]
    return data.tolist() if isinstance(data, np.ndarray) else data


# ---------------------------------------------------------------- metadata


def server(version: str) -> pb.ServerMetadataResponse:
    """What `GET /v2` says."""
    return pb.ServerMetadataResponse(**answers.server(version))


def model(serving: Serving, signature: Signature) -> pb.ModelMetadataResponse:
    """What `GET /v2/models/{name}` says, as far as the protocol has fields for it."""
    about = answers.model(serving, signature)
    kind = pb.ModelMetadataResponse.TensorMetadata
    inputs, outputs = (
        [kind(**{key: tensor[key] for key in ("name", "datatype", "shape")}) for tensor in about[side]]
        for side in ("inputs", "outputs")
    )
    return pb.ModelMetadataResponse(
        name=about["name"], versions=about["versions"], platform=about["platform"], inputs=inputs, outputs=outputs
    )


def index(serving: Serving, *, ready: bool) -> pb.RepositoryIndexResponse:
    """What `POST /v2/repository/index` says."""
    kind = pb.RepositoryIndexResponse.ModelIndex
    return pb.RepositoryIndexResponse(models=[kind(**each) for each in answers.index(serving, ready=ready)])
