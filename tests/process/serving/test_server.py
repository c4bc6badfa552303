"""A server process asked through real sockets."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.ensemble import RandomForestClassifier

from tests.process.serving.server import INFER, Server, artifact, response, responses, running
from tests.unit.model import make as models
from tests.unit.serving import make
from trimtab.api.wire.serving import Limits

LIMIT = 12 << 20


@pytest.fixture(scope="module", params=["1", "0"], ids=["fast", "usual"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = artifact(tmp_path_factory.mktemp("served"), limits=Limits(body_bytes=LIMIT))
    with running(folder, TRIMTAB_HOT=request.param) as started:
        yield started


# ---------------------------------------------------------------- requests


def test_a_server_that_listens_is_ready_and_answers(server: Server) -> None:
    assert server.get("/readyz")[0] == 200
    assert server.get("/healthz")[0] == 200
    status, answer = server.infer(make.request(3, id="a"))
    assert (status, answer["id"], answer["outputs"][0]["shape"]) == (200, "a", [3])
    assert json.loads(server.get("/v2/models/late")[1])["versions"] == ["7"]
    assert b'trimtab_server_requests_total{code="200"}' in server.get("/metrics")[1]


def test_a_keep_alive_connection_carries_good_and_bad_requests(server: Server) -> None:
    connection = server.connect()
    for body, status in ((make.request(), 200), ({}, 400), (make.request(2), 200)):
        connection.request("POST", INFER, json.dumps(body))
        response = connection.getresponse()
        assert response.status == status
        assert json.loads(response.read())
    connection.close()


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    body = json.dumps(make.request(1, id="first")).encode()
    second = json.dumps(make.request(1, id="second")).encode()
    raw = b"".join(
        b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (INFER.encode(), len(b), b)
        for b in (body, second)
    )
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(raw)
        answers = responses(connection, 2)
    assert [json.loads(answer)["id"] for _, answer in answers] == ["first", "second"]


def test_ten_megabytes_of_json_are_answered(server: Server) -> None:
    rows = 95_000
    request = make.request(1)
    for tensor in request["inputs"]:
        value = "AA" if tensor["datatype"] == "BYTES" else 12345.678901234567890
        tensor.update(shape=[rows], data=[value] * rows)
    request["inputs"][0]["data"] = [i + 0.12345678901 for i in range(rows)]
    padded = json.dumps(request).encode().ljust(10 << 20)
    connection = server.connect()
    connection.request("POST", INFER, padded)
    response = connection.getresponse()
    assert response.status == 200
    assert len(json.loads(response.read())["outputs"][0]["data"]) == rows
    connection.close()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_refused(server: Server, chunked: bool) -> None:
    connection = server.connect()
    body = (b" " * 65536 for _ in range(LIMIT // 65536 + 1)) if chunked else b" " * (LIMIT + 1)
    connection.request(
        "POST", INFER, body, encode_chunked=chunked, headers={"Transfer-Encoding": "chunked"} if chunked else {}
    )
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read()) == {"error": f"the body is larger than {LIMIT} bytes: send the rows in parts"}
    connection.close()


def test_a_client_that_waits_for_permission_is_refused_without_sending(server: Server) -> None:
    head = b"POST %s HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(head % (INFER.encode(), LIMIT + 1))
        assert response(connection)[0] == 413


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        (b"GET /v2 HTTP/1.1\r\n" + b"x: y\r\n" * 33_000, 431),
        (b"GET /" + b"a" * 70_000, 431),
    ],
    ids=["nonsense", "length", "headers", "path"],
)
def test_what_is_not_http_is_refused_in_json(server: Server, raw: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(raw)
        found, body = response(connection)
    assert found == status
    assert list(json.loads(body)) == ["error"]


def test_probes_are_answered_while_a_large_request_is_predicted(tmp_path: Path) -> None:
    rows = models.matrix(2000, 20)
    forest = RandomForestClassifier(100, max_depth=12, random_state=0).fit(rows, models.target(rows, (0, 1)))
    serving = make.single(tmp_path / "model", models.converted(forest, models.floats(20), zipmap=False))
    (tmp_path / "serving.json").write_text(serving.to_json())
    data = models.matrix(25_000, 20).ravel().tolist()
    request = {"inputs": [{"name": "X", "datatype": "FP32", "shape": [25_000, 20], "data": data}]}
    with running(tmp_path) as server:
        answer: list[tuple[int, float]] = []
        began = time.monotonic()
        asking = threading.Thread(target=lambda: answer.append((server.infer(request)[0], time.monotonic())))
        asking.start()
        waits = []
        while asking.is_alive():
            asked = time.monotonic()
            assert server.get("/healthz")[0] == 200
            waits.append(time.monotonic() - asked)
        asking.join()
        assert answer[0][0] == 200
        assert len(waits) > 3
        assert max(waits) < max(0.5, (answer[0][1] - began) / 2)
