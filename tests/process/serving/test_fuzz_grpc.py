"""Messages of gRPC that are nearly right, promise more than there is, or are far larger in memory than on the wire."""

import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.process.serving import siege
from tests.process.serving.server import Server, artifact, running
from tests.process.serving.test_grpc import METHOD, channel
from tests.unit.serving import make
from tests.unit.serving.rpc.calls import raw, typed, written
from trimtab.serving.rpc import open_inference_pb2 as pb

FIELDS = [field.name for field in pb.InferTensorContents.DESCRIPTOR.fields]
SIZES = [-(2**63), -1, 0, 1, 2, 3, 10**6, 2**31, 2**63 - 1]
NAMES = ["", "air time", "dist.", "carrier", "input", "x" * 3000, "é"]
DATATYPES = ["", "FP64", "FP32", "FP16", "INT8", "INT64", "UINT64", "BOOL", "BYTES", "fp64"]
ENDS = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(artifact(tmp_path_factory.mktemp("served")), TRIMTAB_GRPC_PORT="0") as started:
        yield started


def ended(made: grpc.Channel, content: bytes, name: str = "ModelInfer") -> tuple[grpc.StatusCode, int]:
    """The code of a call and the rows of its answer."""
    call = made.unary_unary(METHOD + name).future(content, timeout=60)
    if call.code() != grpc.StatusCode.OK:
        assert "Traceback" not in call.details()
        return call.code(), 0
    outputs = pb.ModelInferResponse.FromString(call.result()).outputs if name == "ModelInfer" else ()
    return call.code(), outputs[0].shape[0] if outputs else 0


def strange(chance: random.Random) -> Any:
    """A good request of which up to four parts are others."""
    message = chance.choice([typed, raw])(make.request(chance.choice([0, 1, 1, 2, 5])))
    for _ in range(chance.randrange(5)):
        tensor = chance.choice(message.inputs) if message.inputs else message.inputs.add()
        kind = chance.randrange(9)
        if kind == 0:
            tensor.name = chance.choice(NAMES)
        elif kind == 1:
            tensor.datatype = chance.choice(DATATYPES)
        elif kind == 2:
            tensor.shape[:] = chance.choices(SIZES, k=chance.choice([0, 1, 2, 3, 400]))
        elif kind == 3:
            field = chance.choice(FIELDS)
            value = b"\xff" if field == "bytes_contents" else chance.choice([0, 1])
            getattr(tensor.contents, field).extend([value] * chance.randrange(1, 4))
        elif kind == 4:
            message.raw_input_contents.append(chance.randbytes(chance.randrange(20)))
        elif kind == 5 and message.raw_input_contents:
            message.raw_input_contents[0] = chance.randbytes(chance.choice([0, 1, 4, 8, 16]))
        elif kind == 6:
            message.outputs.add(name=chance.choice(["predict", "predict_proba", *NAMES]))
        elif kind == 7:
            message.parameters["binary_data_output"].string_param = "x"
            tensor.parameters["binary_data_size"].int64_param = chance.choice(SIZES)
        elif kind == 8:
            message.model_name, message.id = chance.choice(["late", "late", "", "x"]), chance.choice(["", "é", "x" * 9000])
    return message


def test_messages_that_are_nearly_right(server: Server) -> None:
    chance = siege.chance("messages")
    with siege.siege(server) as held, channel(server.grpc_port) as made:
        for _ in range(siege.tries(600)):
            code, rows = ended(made, written(strange(chance)))
            assert code in ENDS
            held.got(rows)


def test_bytes_that_are_nearly_a_message(server: Server) -> None:
    """Cut, with others put in, and doubled; of every method."""
    chance = siege.chance("wire")
    names = [method.name for method in pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods]
    with siege.siege(server) as held, channel(server.grpc_port) as made:
        for _ in range(siege.tries(400)):
            content = bytearray(written(strange(chance)))
            for _ in range(chance.randrange(1, 4)):
                place = chance.randrange(len(content) + 1)
                kind = chance.randrange(4)
                if kind == 0:
                    del content[place : place + chance.randrange(1, 30)]
                elif kind == 1:
                    content[place:place] = chance.randbytes(chance.randrange(1, 12))
                elif kind == 2:
                    content[place:place] = bytes([0x0B]) * chance.choice([1, 90, 5000])  # groups in groups
                else:
                    content += content[place:]
            code, rows = ended(made, bytes(content), chance.choice(["ModelInfer"] * 9 + names))
            assert code in ENDS
            held.got(rows)


def varint(number: int) -> bytes:
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def block(tag: int, content: bytes) -> bytes:
    return bytes([tag << 3 | 2]) + varint(len(content)) + content


MANY = 15_000_000
CONTENTS = {
    "shape": block(5, block(3, b"\1" * MANY)),
    "shape in parts": block(5, b"\x18\1" * (MANY // 2)),
    "texts": block(5, block(1, b"carrier") + block(2, b"BYTES") + block(5, b"\x42\2ab" * (MANY // 4))),
    "booleans": block(5, block(1, b"carrier") + block(2, b"BOOL") + block(5, block(1, b"\1" * MANY))),
    "whole": block(5, block(1, b"air time") + block(2, b"INT64") + block(5, block(3, b"\1" * MANY))),
    "parameters": block(5, b"".join(block(4, block(1, b"%06x" % i)) for i in range(1_000_000))),
    "inputs": block(5, b"") * (MANY // 2),
    "raw": block(7, b"") * (MANY // 2),
}


@pytest.mark.parametrize("bomb", CONTENTS)
def test_messages_that_grow_in_memory(bomb: str, server: Server) -> None:
    content = block(1, b"late") + CONTENTS[bomb]
    with siege.siege(server, grows=280, peak=340, busy=True), channel(server.grpc_port) as made:
        assert ended(made, content)[0] == grpc.StatusCode.INVALID_ARGUMENT
