"""What docs/serving.md shows is what the server takes and gives, and the limits it states are the server's."""

import json
import re
from typing import Any

import pytest

from tests.unit.docs.pages import ROOT, Block, blocks
from trimtab.api.wire.models import Input, Signature
from trimtab.api.wire.serving import Limits
from trimtab.model.signature import outputs
from trimtab.plan import serving as pods
from trimtab.serving import batching, bodies, connection, unread
from trimtab.serving.decoding import MOST_NESTED, Decoder
from trimtab.serving.rpc import server, service
from trimtab.serving.tensors import MATRIX_NAMES

PAGE = ROOT / "docs" / "serving.md"
SIGNATURE = Signature(
    task="Classification",
    inputs=(Input(name="carrier", datatype="BYTES", kind="Category"), Input(name="distance", datatype="FP64")),
    outputs=outputs("Classification", (False, True), True),
    classes=(False, True),
    positive=1,
)


def shown() -> tuple[str, str]:
    """Request and answer of the page."""
    request, answer = (block.text for block in blocks("json") if block.page == PAGE)
    return request, answer


@pytest.mark.parametrize("block", blocks("json"), ids=lambda block: block.where)
def test_a_block_of_json_is_json(block: Block) -> None:
    def refuse(word: str) -> Any:
        raise ValueError(word)

    assert json.loads(block.text, parse_constant=refuse)


def test_the_request_is_one_that_the_server_takes() -> None:
    request, _ = shown()
    inference = Decoder(SIGNATURE, Limits()).decode(request.encode())
    assert (inference.rows, inference.id) == (2, "7")


def test_the_answer_has_the_outputs_of_a_classifier() -> None:
    _, answer = shown()
    found = json.loads(answer)["outputs"]
    assert [(out["name"], out["datatype"]) for out in found] == [(out.name, out.datatype) for out in SIGNATURE.outputs]


def test_the_limits_are_the_servers() -> None:
    text = " ".join(PAGE.read_text().split())
    limits = Limits()
    stated = {
        f"larger than {limits.body_bytes >> 20} MiB",
        f"{limits.rows:,} rows",
        f"larger than {connection.HEADER_BYTES >> 10} KiB",
        f"within {bodies.SECONDS:.0f} s",
        f"are there within {connection.HEADER_SECONDS:.0f} s",
        f"has {connection.ANSWER_SECONDS:.0f} s to take an answer",
        f"more than {unread.BYTES >> 20} MiB",
        f"at most {MOST_NESTED:,} lists and objects",
        f"up to {batching.BATCH_ROWS} rows",
        f"for {pods.DRAIN_SECONDS} s",
        f"at most {pods.GRACE_SECONDS} s in all",
        f"or {server.CALLS:,} calls are under way",
        f"At most {service.TURNS} messages of one pod",
        f"wait up to {service.TURN_SECONDS:.0f} s",
        f"another connection every {pods.DRAIN_SECONDS / 2} s",
        f"svc:{pods.GRPC_PORT}`",
        f"named `{MATRIX_NAMES[0]}` or `{MATRIX_NAMES[1]}`",
    }
    assert {one for one in stated if one not in text} == set()


def test_the_codes_of_grpc_are_the_servers() -> None:
    section = PAGE.read_text().split("\n## gRPC\n", 1)[1].split("\n## ", 1)[0]
    stated = {int(status): code for code, status in re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", section, re.M)}
    assert stated == {**{status: code.name for status, code in service.CODES.items()}, 500: "INTERNAL"}


def test_the_resources_are_those_of_the_pods() -> None:
    text = " ".join(PAGE.read_text().split())
    for size in ("ONNX", "Skops"):
        requests, limits = pods.REQUESTS[size], pods.LIMITS[size]
        assert re.search(rf"{requests['cpu']}( CPU)? and {requests['memory']}, limit {limits['memory']}", text), size


def test_the_clients_are_those_that_are_tested_with() -> None:
    pinned = dict(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "requirements" / "clients.txt").read_text(), re.MULTILINE))
    text = " ".join(PAGE.read_text().split())
    assert f"NVIDIA's `tritonclient` {pinned['tritonclient']} and the clients of `kserve` {pinned['kserve']}" in text
