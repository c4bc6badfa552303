"""The fast way and the usual one answer alike, to the byte."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.process.serving.server import INFER, Server, artifact, running
from tests.unit.serving import make
from trimtab.api.wire.serving import Limits
from trimtab.serving import binary

Pair = tuple[Server, Server]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = artifact(tmp_path_factory.mktemp("served"), limits=Limits(body_bytes=20_000, rows=150))
    with ExitStack() as stack:
        fast, usual = (stack.enter_context(running(folder, TRIMTAB_HOT=hot)) for hot in "10")
        yield fast, usual


def post(body: Any, path: str = INFER, *headers: str, version: str = "1.1") -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {path} HTTP/{version}", "host: x", f"content-length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


def raw(rows: int) -> tuple[bytes, int]:
    """A request with all its values behind the JSON."""
    tensors, tail = [], b""
    for each in make.request(rows)["inputs"]:
        content = binary.write(each.pop("data"), each["datatype"])
        tensors.append({**each, "parameters": {"binary_data_size": len(content)}})
        tail += content
    head = json.dumps({"inputs": tensors, "parameters": {"binary_data_output": True}}).encode()
    return head + tail, len(head)


CHUNKED = b"POST %s HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" % INFER.encode()
ONE = json.dumps(make.request(1)).encode()
BYTES, LENGTH = raw(3)
SENT = {
    "one row": post(make.request(1)),
    "many rows and an id": post(make.request(100, id="x")),
    "a version": post(make.request(1), "/v2/models/late/versions/7/infer"),
    "another version": post(make.request(1), "/v2/models/late/versions/8/infer"),
    "another model": post(make.request(1), "/v2/models/early/infer"),
    "a query": post(make.request(1), f"{INFER}?x=1"),
    "an escaped path": post(make.request(1), "/v2/models/l%61te/infer"),
    "no rows": post({"inputs": [{**each, "shape": [0], "data": []} for each in make.request(1)["inputs"]]}),
    "too many rows": post(make.request(151)),
    "nothing": post(b""),
    "no JSON": post(b"{"),
    "NaN": post(ONE.replace(b"[", b"[NaN, ", 1)),
    "bytes": post(BYTES, INFER, f"inference-header-content-length: {LENGTH}"),
    "bytes by their type": post(
        BYTES, INFER, f"inference-header-content-length: {LENGTH}", "content-type: application/octet-stream"
    ),
    "a length that is none": post(BYTES, INFER, "inference-header-content-length: -1"),
    "another type": post(ONE, INFER, "content-type: text/csv"),
    "compressed": post(ONE, INFER, "content-encoding: gzip"),
    "too large": post(b" " * 20_001),
    "in chunks": CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (ONE[:9], ONE[9:])) + b"0\r\n\r\n",
    "in chunks and too large": CHUNKED + b"4e21\r\n" + b" " * 20_001 + b"\r\n0\r\n\r\n",
    "in chunks with a trailer": CHUNKED + b"%x\r\n%b\r\n0\r\ncontent-type: text/csv\r\n\r\n" % (len(ONE), ONE) + post(ONE),
    "with permission": post(ONE, INFER, "expect: 100-continue"),
    "to be closed": post(ONE, INFER, "connection: close"),
    "HTTP/1.0": post(ONE, version="1.0"),
    "an offer of HTTP/2": post(ONE, INFER, "connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABk"),
    "an offer and an end": post(ONE, INFER, "connection: upgrade, close", "upgrade: websocket"),
    "CONNECT": b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET": b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % INFER.encode(),
    "three of them": post(make.request(1, id="a")) + post({}) + post(make.request(2, id="b")),
    "another between": post(make.request(1, id="a")) + b"GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n" + post(make.request(1, id="b")),
    "one after a refusal": post(ONE, INFER, "content-type: text/csv") + post(ONE),
    "one after what is too large": post(b" " * 20_001) + post(ONE),
    "one after an end": post(ONE, INFER, "connection: close") + post(ONE),
    "offers of HTTP/2 without an end": post(ONE, INFER, "connection: upgrade", "upgrade: h2c") * 400,
    "an offer in HTTP/1.0": post(ONE, INFER, "connection: upgrade", "upgrade: h2c", version="1.0"),
    "a broken one behind two": post(ONE) * 2 + CHUNKED + b"x\r\n",
    "nonsense after it": post(ONE) + b"nonsense\r\n\r\n",
}  # fmt: skip


def said(server: Server, sent: bytes) -> list[bytes]:
    """All that comes back, line by line and without the date; the client says that it has no more to say."""
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(sent + b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            pass  # the server closed with something of ours unread
    return [line for line in received.split(b"\r\n") if not line.startswith(b"date: ")]


@pytest.mark.parametrize("case", SENT)
def test_both_ways_answer_alike(case: str, pair: Pair) -> None:
    fast, usual = (said(server, SENT[case]) for server in pair)
    assert fast == usual
    assert fast[0].startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("case", ["bytes", "an offer of HTTP/2"])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_pieces_of_any_size_make_the_same_request(size: int, case: str, pair: Pair) -> None:
    sent = SENT[case]
    for server in pair:
        with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(sent), size):
                connection.sendall(sent[start : start + size])
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_both_count_alike(pair: Pair) -> None:
    """Last in this file: all that was asked before was asked of both."""
    fast, usual = (server.snapshot() for server in pair)
    assert (fast.rows, fast.requests) == (usual.rows, usual.requests)
    assert (fast.features, fast.predictions, fast.score) == (usual.features, usual.predictions, usual.score)
    for server in pair:
        assert b"requests_in_flight 0.0" in server.get("/metrics")[1]
