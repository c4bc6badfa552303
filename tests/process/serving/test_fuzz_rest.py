"""REST requests that are nearly right: each is answered or refused in JSON, the fast way and the usual one to the byte."""

import http.client
import itertools
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.process.serving import siege
from tests.process.serving.server import INFER, Server, artifact, running
from tests.unit.serving import make
from trimtab.api.wire.serving import Limits
from trimtab.serving import binary

Answer = tuple[int, str | None, bytes]


class Pair:
    """A connection to a server of each way; both are asked the same."""

    def __init__(self, servers: tuple[Server, Server]) -> None:
        self._connections = [server.connect() for server in servers]

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        fast, usual = (_answer(connection, method, path, body, headers) for connection in self._connections)
        if fast[2].startswith(b"# HELP"):  # of what each did itself
            assert fast[:2] == usual[:2]
        else:
            assert [*fast[:2], told(fast)] == [*usual[:2], told(usual)]
        return fast

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


def _answer(connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    connection.putrequest(method, path, skip_host="host" in headers, skip_accept_encoding=True)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    return response.status, response.getheader("content-type"), response.read()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder = artifact(tmp_path_factory.mktemp("served"), limits=Limits(body_bytes=200_000, rows=150))
    with ExitStack() as stack:
        fast, usual = (stack.enter_context(running(folder, TRIMTAB_HOT=hot, PYTHONHASHSEED="0")) for hot in "10")
        yield fast, usual


@pytest.fixture
def pair(servers: tuple[Server, Server]) -> Iterator[tuple[Pair, list[siege.Siege]]]:
    """Both servers under siege."""
    with ExitStack() as stack:
        sieges = [stack.enter_context(siege.siege(server)) for server in servers]
        asked = Pair(servers)
        yield asked, sieges
        asked.close()


def document(answer: Answer) -> bytes:
    """The JSON of an answer."""
    _, media, body = answer
    return body[: body.rindex(b"]}") + 2] if media == "application/octet-stream" else body


def told(answer: Answer) -> bytes:
    """What both ways say alike: all but the last digits of probabilities."""
    return siege.rounded(document(answer)) if answer[0] == 200 else answer[2]


def check(answer: Answer, sieges: list[siege.Siege]) -> None:
    """A refusal is one of the client's, in JSON; an answer is counted."""
    status, media, body = answer
    assert status < 500, body
    if status == 200:
        outputs = json.loads(document(answer))["outputs"]
        for each in sieges:
            each.got(outputs[0]["shape"][0])
        return
    assert media == "application/json"
    assert list(json.loads(body)) == ["error"]
    assert b"Traceback" not in body


# ---------------------------------------------------------------- JSON


class Word:
    """Something that a writer puts where JSON has a value, right or wrong."""

    def __init__(self, text: str) -> None:
        self.text = text


class Twice(dict[str, Any]):
    """An object whose first key is there a second time, with another value."""


def written(value: Any) -> str:
    """As JSON, with all that is none of it."""
    if isinstance(value, Word):
        return value.text
    if isinstance(value, dict):
        pairs = list(value.items())
        if isinstance(value, Twice) and pairs:
            pairs.append((pairs[0][0], None))
        return "{" + ",".join(f"{json.dumps(key)}:{written(each)}" for key, each in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


WORDS = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999", "-0", "01", "1.", ".5", "+1", "0x10", "1" * 25, "9" * 400,
    "18446744073709551615", "18446744073709551616", "-9223372036854775809", "9007199254740993", "1e308", "tRue", "nil", "'a'",
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x41"', '"1.5"', '"true"', '"NaN"', '""', "", ",", "]", "}",
    "[" * 50 + "]" * 50, "[" * 1000 + "]" * 1000, "[" * 5000 + "]" * 5000, '{"a":' * 900 + "1" + "}" * 900, "[]", "{}",
]  # fmt: skip
NAMES = ["air time", "dist.", "carrier", "input", "input-0", "predict", "predict_proba", "", "x", "é", "a" * 2000]
DATATYPES = ["FP64", "FP32", "FP16", "INT8", "INT64", "UINT8", "UINT64", "BOOL", "BYTES", "fp64", "STRING", ""]
KEYS = ["name", "datatype", "shape", "data", "parameters", "inputs", "outputs", "id", "x"]
SIZES = [-1, 0, 1, 2, 3, 150, 151, 2**31, 2**53, 2**63 - 1, 2**64 - 1]
scalars = (
    st.sampled_from([None, True, False, *NAMES, *DATATYPES, *SIZES])
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(WORDS).map(Word)
)
parameters = st.dictionaries(
    st.sampled_from(["binary_data_size", "binary_data_output", "binary_data", "content_type", "x"]), scalars, max_size=3
)
shapes = st.lists(st.sampled_from(SIZES) | scalars, max_size=4)
junk = st.recursive(
    scalars | parameters | shapes,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4).map(Twice),
    max_leaves=8,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key in a document."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *places(value[key]))]


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A good request, of which up to four places hold something else."""
    request: Any = make.request(draw(st.sampled_from([0, 1, 1, 2, 5])), seed=draw(st.integers(0, 3)))
    if draw(st.booleans()):
        request["outputs"] = [{"name": draw(st.sampled_from(NAMES)), "parameters": draw(parameters)}]
    if draw(st.booleans()):
        request |= {"id": draw(scalars), "parameters": draw(parameters)}
    for _ in range(draw(st.integers(0, 4))):
        container, key = draw(st.sampled_from(places(request)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            del container[key]
        elif kind == 1:
            container[key] = [container[key]]
        elif kind == 2 and isinstance(container, dict):
            container[draw(st.sampled_from(KEYS))] = container.pop(key)
        else:
            container[key] = draw(junk)
        if not request:
            break
    return written(request)


def test_requests_that_are_nearly_right(pair: tuple[Pair, list[siege.Siege]]) -> None:
    asked, sieges = pair

    @siege.examples(300)
    @given(documents())
    def attack(document: str) -> None:
        answer = asked.ask("POST", INFER, document.encode("utf-8", "surrogatepass"), {})
        check(answer, sieges)
        assert answer[0] in (200, 400, 413)

    attack()


PLACES: list[tuple[Any, ...]] = [
    ("id",), ("parameters",), ("outputs",), ("outputs", 0, "name"), ("outputs", 0, "parameters"), ("inputs",), ("inputs", 0),
    ("inputs", 0, "name"), ("inputs", 0, "shape"), ("inputs", 0, "shape", 0), ("inputs", 0, "data", 0), ("inputs", 2, "data", 0),
    ("inputs", 1, "parameters"), ("inputs", 1, "datatype"),
]  # fmt: skip


def test_every_word_at_every_place(pair: tuple[Pair, list[siege.Siege]]) -> None:
    asked, sieges = pair
    for place, word in itertools.product(PLACES, WORDS):
        request: Any = make.request(1, outputs=[{"name": "predict", "parameters": {}}])
        container = request
        for key in place[:-1]:
            container = container[key]
        container[place[-1]] = Word(word)
        check(asked.ask("POST", INFER, written(request).encode(), {}), sieges)


# ---------------------------------------------------------------- routes

PARTS = ["v2", "models", "late", "versions", "7", "infer", "ready", "health", "live", "repository", "index", "load", "metrics",
         "healthz", "readyz", "..", ".", "%2e%2e", "%00", "%ff", "%0d%0aset-cookie:x", "l%61te", "", "x" * 500, "{name}",
         "*"]  # fmt: skip
PATHS = ["/v2", "/v2/models/late", INFER, "/v2/models/late/ready", "/v2/health/ready", "/v2/health/live", "/metrics",
         "/v2/repository/index", "/v2/repository/models/late/load", "/v2/models/late/versions/7/infer", "/healthz"]  # fmt: skip
VALUES = ["", "x", "*/*", "application/json", "application/openmetrics-text;version=a.b;q=x", "text/plain;version=,;escaping==",
          "application/json; charset=utf-7", "[", "[::1", "a:b:c", "x" * 3000, "100-continue", "gzip, br", "identity", "0", "5",
          "-1", "99999999999999999999", "\xe9", "chunked", "bytes=0-1", "Bearer x", "=?utf-8?b?eA==?="]  # fmt: skip
FIELDS = ["host", "accept", "content-type", "content-encoding", "inference-header-content-length", "range", "origin", "forwarded",
          "x-forwarded-for", "authorization", "if-none-match", "te", "cookie", "x-http-method-override",
          "accept-encoding"]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"]
targets = st.tuples(
    st.sampled_from(PATHS) | st.lists(st.sampled_from(PARTS), max_size=7).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from(["", "?", "?x=1", "?" + "&" * 99, "#f", "/", ";x"]),
).map("".join)
fields = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), max_size=4)


def test_any_method_at_any_path_with_any_headers(pair: tuple[Pair, list[siege.Siege]]) -> None:
    asked, sieges = pair
    good = json.dumps(make.request(1)).encode()

    @siege.examples(300)
    @given(st.sampled_from(METHODS), targets, fields, st.sampled_from([b"", b"{}", b"\xff\0", good]))
    def attack(method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        status, media, said = asked.ask(method, path, body, headers)
        if status != 200:
            check((status, media, said), [])
        elif b'"outputs":[{"name":"predict","datatype":"BYTES","shape":[1]' in said and method == "POST":
            for each in sieges:
                each.got(1)

    attack()


# ---------------------------------------------------------------- bytes


def raw(chance: random.Random, rows: int) -> tuple[bytearray, int]:
    """A request whose values, or some of them, are behind its JSON, and how long that is."""
    tensors, tail = [], b""
    for each in make.request(rows, seed=rows)["inputs"]:
        if chance.random() < 0.8:
            content = binary.write(each.pop("data"), each["datatype"])
            size = chance.choice([len(content)] * 9 + [0, 1, len(content) - 1, len(content) + 1, 2**31, 2**63, 2**64 - 1])
            each = {**each, "parameters": {"binary_data_size": size}}
            tail += content
        if chance.random() < 0.1:
            each["shape"] = chance.choice([[1, 2**63], [2**64 - 1] * 300, [0, 2**63], [rows, 1, 1], [], [150, 10**6], [151]])
        tensors.append(each)
    chosen = {"binary_data_output": chance.random() < 0.5}
    head = json.dumps({"inputs": tensors, "parameters": chosen}).encode()
    return bytearray(head + tail), len(head)


def mutated(chance: random.Random, content: bytearray, start: int) -> bytes:
    """With up to three changes from `start` on: other bytes, fewer, more, or numbers of four bytes that lengths are."""
    for _ in range(chance.randrange(4) if len(content) > start else 0):
        place, kind = chance.randrange(start, len(content) + 1), chance.randrange(4)
        if kind == 0:
            content[place : place + 1] = chance.randbytes(1)
        elif kind == 1:
            del content[place : place + chance.randrange(1, 20)]
        elif kind == 2:
            content[place:place] = chance.randbytes(chance.randrange(1, 20))
        else:
            content[place : place + 4] = chance.choice([0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1]).to_bytes(4, "little")
    return bytes(content)


def test_bytes_behind_the_json(pair: tuple[Pair, list[siege.Siege]]) -> None:
    asked, sieges = pair
    chance = siege.chance("bytes")
    for _ in range(siege.tries(500)):
        content, length = raw(chance, chance.choice([1, 1, 2, 5, 50]))
        body = mutated(chance, content, chance.choice([0, length, length, length]))
        lengths = [length] * 12 + [0, 1, length - 1, length + 1, len(body), len(body) + 1, 10**12, -1, "", "x", "0x1", "1 ", "+1"]
        check(asked.ask("POST", INFER, body, {binary.HEADER.decode(): str(chance.choice(lengths))}), sieges)
