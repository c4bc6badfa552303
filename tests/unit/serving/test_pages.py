"""Metadata, probes and metrics."""

import pytest

from tests.unit.serving import make
from tests.unit.serving.asgi import Server, error


def test_metadata_tells_names_datatypes_shapes_and_labels(server: Server) -> None:
    answer = server.ask("GET", "/v2/models/late").json()
    assert answer == server.ask("GET", "/v2/models/late/versions/7").json()
    assert (answer["name"], answer["versions"], answer["platform"]) == ("late", ["7"], "onnx_onnxv1")
    assert answer["inputs"][2] == {
        "name": "carrier",
        "datatype": "BYTES",
        "shape": [-1],
        "parameters": {"kind": "Category", "acceptsMissing": True},
    }
    assert answer["outputs"] == [
        {"name": "predict", "datatype": "BYTES", "shape": [-1], "parameters": {"labels": ["no", "yes"]}},
        {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2], "parameters": {"labels": ["no", "yes"]}},
    ]
    assert answer["parameters"] == {"digest": server.served.serving.artifact.digest, "task": "Classification"}


def test_server_metadata_lists_only_what_is_there(server: Server) -> None:
    answer = server.ask("GET", "/v2").json()
    assert (answer["name"], answer["extensions"]) == ("trimtab", ["binary_tensor_data", "model_repository"])


def test_the_repository_holds_the_one_model(server: Server) -> None:
    entry = {"name": "late", "version": "7", "state": "READY", "reason": ""}
    for asked in ({}, {"content": b"{}"}, {"json": {"ready": True}}, {"json": {"ready": False}}):
        assert server.ask("POST", "/v2/repository/index", **asked).json() == [entry]
    server.lifecycle.draining = True
    assert server.ask("POST", "/v2/repository/index").json() == [{**entry, "state": "UNAVAILABLE"}]
    assert server.ask("POST", "/v2/repository/index", json={"ready": True}).json() == []


@pytest.mark.parametrize(("content", "status"), [(b"{", 400), (b"[" * 65_537, 413)])
def test_a_body_about_the_repository_is_small_and_json(content: bytes, status: int, server: Server) -> None:
    for _ in range(5):
        response = server.ask("POST", "/v2/repository/index", content=content)
        assert response.status_code == status
        assert error(response)


READY = ("/readyz", "/v2/health/ready", "/v2/models/late/ready", "/v2/models/late/versions/7/ready")


@pytest.mark.parametrize("path", [*READY, "/healthz", "/v2/health/live"])
def test_probes_answer_and_readiness_ends_with_draining(path: str, server: Server) -> None:
    assert server.ask("GET", path).status_code == 200
    server.lifecycle.draining = True
    response = server.ask("GET", path)
    if path in READY:
        assert response.status_code == 503
        assert error(response) == "the server is stopping and takes no new requests"
    else:
        assert response.json() == {"live": True}
    assert server.infer(make.request()).status_code == 200


def test_metrics_count_inference_requests_by_code(server: Server) -> None:
    server.infer(make.request(3))
    server.infer(make.request(4))
    server.infer({})
    server.ask("GET", "/v2")
    response = server.ask("GET", "/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    lines = response.text.splitlines()
    digest = server.served.serving.artifact.digest
    assert 'trimtab_server_requests_total{code="200"} 2.0' in lines
    assert 'trimtab_server_requests_total{code="400"} 1.0' in lines
    assert 'trimtab_server_requests_total{code="500"} 0.0' in lines
    assert "trimtab_server_rows_total 7.0" in lines
    assert "trimtab_server_requests_in_flight 0.0" in lines
    assert "trimtab_server_request_duration_seconds_count 3.0" in lines
    assert 'trimtab_server_batch_rows_bucket{le="4.0"} 2.0' in lines
    assert f'trimtab_server_model_info{{digest="{digest}",format="ONNX",model="late",version="7"}} 1.0' in lines
    named = {line.split()[2] for line in lines if line.startswith("# HELP")}
    assert all(name.startswith(("trimtab_server_", "process_")) for name in named)


@pytest.mark.parametrize("accept", ["application/openmetrics-text;version=a.b", "text/plain;version=,;q=x", ";", "a/b"])
def test_metrics_are_given_to_those_who_ask_for_what_nobody_can_read(accept: str, server: Server) -> None:
    assert "trimtab_server_rows_total 0.0" in server.ask("GET", "/metrics", headers={"accept": accept}).text
