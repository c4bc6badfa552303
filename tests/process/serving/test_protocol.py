"""What users of other servers of this protocol ran into (Triton, KServe, MLServer, OpenVINO, as their trackers tell), tried on
ours: all of it on connections that are kept alive, at both ways through the server."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.process.serving.server import INFER, Server, artifact, running
from tests.unit.serving import make

ROW = make.request(1)
BYTES = "application/octet-stream"


def changed(place: int, **more: Any) -> dict[str, Any]:
    """The request with another tensor at a place; None leaves a member out."""
    tensors = [dict(each) for each in ROW["inputs"]]
    tensors[place] = {name: value for name, value in {**tensors[place], **more}.items() if value is not None}
    return {"inputs": tensors}


@pytest.fixture(scope="module", params=["1", "0"], ids=["fast", "usual"])
def connection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[http.client.HTTPConnection]:
    """One for all of them: each is answered, and none ends it."""
    with running(artifact(tmp_path_factory.mktemp("served")), TRIMTAB_HOT=request.param) as server:
        made = server.connect()
        made.connect()
        first = made.sock
        yield made
        assert made.sock is first
        made.close()
        assert alive(server)


def alive(server: Server) -> bool:
    """And has said nothing of a failure."""
    return server.infer(ROW)[0] == 200 and not [line for line in server.lines if "Traceback" in line]


def asked(
    connection: http.client.HTTPConnection, method: str, path: str, content: Any = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    body = content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response, response.read()


TAKEN: dict[str, tuple[Any, dict[str, str]]] = {
    "no type": (ROW, {}),
    "a charset": (ROW, {"Content_Type": "Application/JSON; charset=UTF-8"}),
    "JSON that is called bytes": (ROW, {"Content_Type": BYTES}),
    "a wish for another form": (ROW, {"Accept": "application/xml"}),
    "a wish for less": (ROW, {"Accept_Encoding": "gzip, deflate, br"}),
    "a header in capitals": (json.dumps(ROW).encode(), {"INFERENCE_HEADER_CONTENT_LENGTH": str(len(json.dumps(ROW)))}),
    "an expectation": (ROW, {"Expect": "100-continue"}),
    "nothing wanted": ({**ROW, "outputs": [], "parameters": {}}, {}),
    "null for what is optional": ({**ROW, "outputs": None, "parameters": None, "id": None}, {}),
    "the names of another model": ({**ROW, "model_name": "early", "model_version": "3"}, {}),
    "content types of MLServer": ({**changed(2, parameters={"content_type": "str"}), "parameters": {"content_type": "pd"}}, {}),
    "rows that are lists": ({"inputs": [{**each, "shape": [1, 1], "data": [each["data"]]} for each in ROW["inputs"]]}, {}),
    "whole numbers for FP64": (changed(0, data=[2]), {}),
    "a large whole number for FP64": (changed(0, data=[2**60]), {}),
    "a larger one": (changed(0, data=[2**70]), {}),
    "fractions that are whole for INT64": (changed(0, datatype="INT64", data=[3.0]), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_this_is_taken(connection: http.client.HTTPConnection, case: str) -> None:
    content, headers = TAKEN[case]
    response, answer = asked(connection, "POST", INFER, content, **headers)
    assert (response.status, response.headers["content-type"]) == (200, "application/json"), answer
    assert "content-encoding" not in response.headers
    assert [output["name"] for output in json.loads(answer)["outputs"]] == ["predict", "predict_proba"]
    assert "id" not in json.loads(answer)


REFUSED: dict[str, tuple[Any, dict[str, str], int, str]] = {
    "what curl calls all it sends": (ROW, {"Content_Type": "application/x-www-form-urlencoded"}, 415, "send application/json"),
    "a form": (ROW, {"Content_Type": "multipart/form-data; boundary=x"}, 415, "send application/json"),
    "nothing": (b"", {}, 400, "the body is not JSON: Input is a zero-length"),
    "a mark of byte order": (b"\xef\xbb\xbf{}", {}, 400, "byte order mark"),
    "another encoding": (json.dumps(ROW).encode("utf-16"), {}, 400, "is not valid UTF-8"),
    "half a character": (json.dumps(changed(2, data=["\ud800"])).encode(), {}, 400, "surrogate"),
    "the protocol before": ({"instances": [[1, 2]]}, {}, 400, "'inputs' must be a list of at least one tensor"),
    "a number as id": ({**ROW, "id": 7}, {}, 400, "'id' must be text, not 7"),
    "text as shape": (changed(0, shape="-1"), {}, 400, "'shape' must be a list of whole numbers, not '-1'"),
    "any number of rows": (changed(0, shape=[-1]), {}, 400, "'shape' must be a list of whole numbers, not [-1]"),
    "no shape": (changed(0, shape=None), {}, 400, "'shape' must be a list of whole numbers, not null"),
    "a shape that is too small": (changed(0, data=[1, 2, 3]), {}, 400, "shape [1] needs 1 values, 'data' has 3"),
    "a datatype in small letters": (changed(0, datatype="fp64"), {}, 400, "send datatype FP64 or another numeric"),
    "a datatype of elsewhere": (changed(2, datatype="STRING"), {}, 400, "in datatype BYTES, not 'STRING'"),
    "text for a number": (changed(0, data=["1.5"]), {}, 400, "'1.5' is not a number"),
    "NaN": (changed(0, data=[float("nan")]), {}, 400, "NaN is no JSON: send null where a number is missing"),
    "what wraps around": (changed(0, datatype="UINT8", data=[300]), {}, 400, "300 is outside UINT8"),
    "a sign for what has none": (changed(0, datatype="UINT8", data=[-1]), {}, 400, "-1 is outside UINT8"),
    "what would be rounded": (changed(0, datatype="INT64", data=[2**53 + 1]), {}, 400, "is beyond 2^53"),
    "what is not whole": (changed(0, datatype="INT64", data=[3.5]), {}, 400, "3.5 is not whole"),
    "base64": (changed(2, data=[{"b64": "QUE="}]), {}, 400, "is not text, which datatype BYTES needs"),
    "bytes as numbers": (changed(2, data=[[65, 65]]), {}, 400, "[65, 65] is not a list of 1 values"),
    "text that is no list": (changed(2, data="AA"), {}, 400, "'data' must be a list"),
    "values in two places": (changed(0, parameters={"binary_data_size": 8}), {}, 400, "both 'data' and 'binary_data_size'"),
    "bytes without the length of the head": (json.dumps(ROW).encode() + bytes(8), {"Content_Type": BYTES}, 400, "is not JSON"),
    "a length of the head that is none": (ROW, {"Inference_Header_Content_Length": "5, 5"}, 400, "a number of bytes is needed"),
    "a flag that is text": ({**ROW, "parameters": {"binary_data_output": "false"}}, {}, 400, "must be true or false"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_this_is_refused_in_words(connection: http.client.HTTPConnection, case: str) -> None:
    content, headers, status, words = REFUSED[case]
    response, answer = asked(connection, "POST", INFER, content, **headers)
    assert (response.status, response.headers["content-type"]) == (status, "application/json")
    assert words in json.loads(answer)["error"]


def test_outputs_that_are_listed_are_bytes_where_all_are_wanted_so(connection: http.client.HTTPConnection) -> None:
    wanted = {"outputs": [{"name": "predict_proba"}], "parameters": {"binary_data_output": True}}
    response, answer = asked(connection, "POST", INFER, {**ROW, **wanted})
    assert (response.status, response.headers["content-type"]) == (200, BYTES)
    head = json.loads(answer[: int(response.headers["Inference-Header-Content-Length"])])
    assert head["outputs"][0]["parameters"] == {"binary_data_size": 16}


PATHS = {
    "/v2/models/l%61te/infer": 200,
    "http://somewhere/v2/models/late/infer": 200,
    f"{INFER}?verbose=1": 200,
    f"{INFER}/": 404,
    f"{INFER}//..": 404,
    f"/{INFER}": 404,
    "/v2/models//infer": 404,
    "/v2/models/la%2Fte/infer": 404,
    "/v2/models/LATE/infer": 404,
    "/v1/models/late:predict": 404,
    "/v2/models/late/generate": 404,
}


@pytest.mark.parametrize("path", PATHS)
def test_paths(connection: http.client.HTTPConnection, path: str) -> None:
    response, answer = asked(connection, "POST", path, ROW)
    assert response.status == PATHS[path], answer
    assert ("error" in json.loads(answer)) == (response.status == 404)


@pytest.mark.parametrize("path", ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/late", "/v2/models/late/ready"])
def test_who_asks_for_the_head_alone_gets_it(connection: http.client.HTTPConnection, path: str) -> None:
    whole, answer = asked(connection, "GET", path)
    assert json.loads(answer)
    head, nothing = asked(connection, "HEAD", path)
    assert (head.status, nothing) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", INFER, {"POST"}),
        ("OPTIONS", INFER, {"POST"}),
        ("GET", "/v2/repository/index", {"POST"}),
        ("POST", "/v2/models/late", {"GET", "HEAD"}),
    ],
)
def test_another_method_is_told_which(
    connection: http.client.HTTPConnection, method: str, path: str, allowed: set[str]
) -> None:
    response, answer = asked(connection, method, path)
    assert (response.status, set(response.headers["allow"].split(", "))) == (405, allowed)
    assert json.loads(answer)["error"] == f"{method} is not allowed at {path!r}"
