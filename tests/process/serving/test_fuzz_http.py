"""What is hardly HTTP, or is meant to be read differently by two of those who read it. Both ways answer alike."""

import json
import random
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.process.serving import siege
from tests.process.serving.server import INFER, Server, artifact, running
from tests.unit.serving import make
from trimtab.api.wire.serving import Limits

Pair = tuple[Server, Server]
DEADLINE = 0.4
ONE = json.dumps(make.request(1)).encode()
ROUTE = INFER.encode()
WHOLE_BYTES = 60_000
"""What is larger may be refused before all of it was read: the kernel then ends the connection, at times with the answer."""
MOST_ROWS = 20
"""Of all good requests that are sent on one connection."""
LAST = b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = artifact(tmp_path_factory.mktemp("served"), limits=Limits(body_bytes=200_000, rows=150))
    with ExitStack() as stack:
        fast, usual = (
            stack.enter_context(running(folder, deadline=DEADLINE, TRIMTAB_HOT=hot, PYTHONHASHSEED="0")) for hot in "10"
        )
        yield fast, usual


def said(server: Server, content: bytes, size: int = 1 << 20) -> bytes:
    """All that comes back to this, in pieces of `size`, until the server ends the connection, which it must."""
    with siege.client(server) as connection:
        for start in range(0, len(content), size):
            if not siege.sent(connection, content[start : start + size]):
                break
        return re.sub(rb"\r\ndate: [^\r]*", b"", siege.heard(connection))


def answers(received: bytes) -> list[tuple[int, bytes]]:
    """Statuses and bodies; nothing else may be there."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        assert status is not None, received[:200]
        assert b"\0" not in head
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        size = int(length[1]) if length and status[1] != b"100" else 0
        if not rest or rest.startswith(b"HTTP/1.1 "):  # the answer to HEAD
            size = 0
        assert len(rest) >= size
        found.append((int(status[1]), rest[:size]))
        received = rest[size:]
    return found


def check(received: bytes) -> int:
    """Rows of the answers; refusals are JSON and the client's fault."""
    rows = 0
    for status, body in answers(received):
        assert status < 500, body
        if status >= 400 and body:
            assert list(json.loads(body)) == ["error"]
        elif b'"outputs"' in body:
            rows += int(json.loads(body)["outputs"][0]["shape"][0])
    return rows


def both(pair: Pair, contents: list[bytes], sizes: Callable[[int], int] = lambda i: 1 << 20) -> None:
    """Each of these, many at once, to both servers under siege."""
    with ExitStack() as stack, ThreadPoolExecutor(24) as threads:
        sieges = [stack.enter_context(siege.siege(server)) for server in pair]
        found = [
            list(threads.map(said, [server] * len(contents), contents, map(sizes, range(len(contents))))) for server in pair
        ]
        for held, received in zip(sieges, found, strict=True):
            for content, each in zip(contents, received, strict=True):
                if len(content) < WHOLE_BYTES:
                    held.got(check(each))
                else:
                    held.left += MOST_ROWS
        for content, fast, usual in zip(contents, *found, strict=True):
            assert len(content) >= WHOLE_BYTES or siege.rounded(fast) == siege.rounded(usual), content


# ---------------------------------------------------------------- shapes

HEAD = b"POST %s HTTP/1.1\r\nhost: x\r\n" % ROUTE
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
WHOLE = b"%x\r\n%b\r\n" % (len(ONE), ONE)
LENGTH = b"content-length: %d\r\n" % len(ONE)
HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"
CODINGS = (
    b"transfer-encoding: chunked", b"Transfer-Encoding : chunked", b"transfer-encoding:\tchunked", b"transfer-encoding: Chunked",
    b"transfer-encoding: xchunked", b"transfer-encoding: chunked, identity", b"transfer-encoding: identity",
    b"transfer-encoding:",
    b"transfer-encoding: gzip, chunked", b"transfer-encoding: chunked\r\ntransfer-encoding: identity",
    b"transfer_encoding: chunked",
    b"transfer-encoding: chu\r\n nked", b"x: y\ntransfer-encoding: chunked", b"x: y\rtransfer-encoding: chunked",
    b"\x0btransfer-encoding: chunked", b"transfer-encoding: \x0bchunked", b'transfer-encoding: "chunked"', b"te: trailers",
)  # fmt: skip
LENGTHS = (
    b"", LENGTH, LENGTH * 2, LENGTH + b"content-length: 0\r\n", b"content-length: 0\r\n", b"content-length: +5\r\n",
    b"content-length: -1\r\n", b"content-length: 5, 5\r\n", b"content-length: 0x5\r\n", b"content-length: 5 5\r\n",
    b"content-length: 1e1\r\n", b"content-length: 99999999999999999999\r\n", b"content-length:\r\n", b"content-length : 5\r\n",
    b"content-length: 00005\r\n", b"Content-Length: 5\r\n 0\r\n", b"content-length: \xd9\xa1\r\n",
)  # fmt: skip
SMUGGLED = [HEAD + length + coding + b"\r\n\r\n" + WHOLE + b"0\r\n\r\n" + HIDDEN for coding in CODINGS for length in LENGTHS]
SMUGGLED += [HEAD + length + b"\r\n" + ONE + HIDDEN for length in LENGTHS]
CHUNKS = [
    b"%b\r\n%b\r\n0\r\n\r\n" % (size, ONE)
    for size in (
        b"%x" % (len(ONE) + 1), b"%x" % (len(ONE) - 1), b"0x%x" % len(ONE), b"%X" % len(ONE), b"0000%x" % len(ONE), b"-1",
        b"", b"g",
        b"f" * 15, b"f" * 16, b"f" * 17, b"1" + b"0" * 16, b" %x" % len(ONE), b"%x " % len(ONE), b"%x;a" % len(ONE),
        b"%x\0" % len(ONE),
        b"%x;a=b;c=\"d\"" % len(ONE), b"%x;" % len(ONE) + b"a" * 9000, b"%x;" % len(ONE) + b"a" * 200_000, b"%x;\na" % len(ONE),
    )
] + [
    WHOLE + b"0\r\ncontent-type: text/csv\r\ninference-header-content-length: 3\r\ncontent-length: 1\r\n\r\n",
    WHOLE + b"0\r\n" + b"a: b\r\n" * 9000 + b"\r\n", WHOLE + b"0\r\nx: " + b"a" * 300_000 + b"\r\n\r\n",
    WHOLE + b"0\r\n" + b"x" * 300_000, WHOLE + b"0\r\nnonsense\r\n\r\n", WHOLE + b"0\n\n", WHOLE[:-2] + b"0\r\n\r\n",
    WHOLE.replace(b"\r\n", b"\n") + b"0\n\n", WHOLE + b"0\r\n: x\r\n\r\n", WHOLE + b"0\r\n\r\n0\r\n\r\n", b"0\r\n\r\n",
    b"0\r\n", b"",
]  # fmt: skip
TARGETS = (
    b"http://x/v2", b"http://x:99999/v2", b"http://x", b"https://x/v2", b"//x/v2", b"*", b"x:80", b"", b"/v2 x", b"/v2\t",
    b"/v2\0",
    b"/v2\xff", b"/v2%", b"/v2%zz", b"/v2%0d%0ax: y", b"/../v2", b"/v2/../v2", b"?", b"/?" + b"?" * 999, b"/" * 9000,
    b"\\v2", b"/v2#x",
    b"http://[/v2", b"http://[::1]/v2", b"http://u:p@x/v2", b"javascript:x", b"/" + b"%41" * 9000, b"/v2;x=y", b"/v2\rx",
    b"/v2\nx",
)  # fmt: skip
LINES = [b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % target for target in TARGETS] + [
    b"%b /v2 %b\r\nhost: x\r\n\r\n" % (method, version)
    for method in (b"GET", b"get", b"G\0T", b"", b"PRI", b"SOURCE", b"CONNECT", b"HEAD", b"A" * 999, b" GET", b"\r\nGET")
    for version in (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.10", b"http/1.1", b"", b"HTTP/1.1 ")
]
FIELDS = (
    b"host: x\n", b"host: x\r", b"host\0: x\r\n", b"host: \0\r\n", b": x\r\n", b"host x\r\n", b" host: x\r\n",
    b"host: x\r\n y\r\n",
    b"a b: c\r\n", b"\xe9: x\r\n", b"x: \xff\xfe\r\n", b"x: " + b"a" * 60_000 + b"\r\n", b"x: " + b"a" * 70_000 + b"\r\n",
    b"x: y\r\n" * 1700, b"x: y\r\n" * 5000, b"x:\r\n" * 70_000, b"x" * 70_000 + b": y\r\n", b"x: " + b"a" * 600_000,
    b"x" * 600_000,
    b"host: [\r\n", b"host: a\r\nhost: b\r\n", b"x: y\r\r\n", b"\r\n\r\n", b"expect: 100-continue\r\n", b"expect: x\r\n",
    b"connection: close, keep-alive\r\n", b"connection: x\r\n", b"connection: upgrade\r\nupgrade: h2c, websocket\r\n",
    b"upgrade: h2c\r\n",
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n",
    b"keep-alive: timeout=-1\r\n",
)  # fmt: skip
HEADS = [
    line + field + b"content-length: %d\r\n\r\n" % len(body) + body
    for line, body in (
        (b"POST %s HTTP/1.1\r\n" % ROUTE, ONE),
        (b"GET /v2 HTTP/1.1\r\n", b""),
        (b"POST %s HTTP/1.0\r\n" % ROUTE, ONE),
    )
    for field in FIELDS
]
HALF = HEAD + LENGTH + b"\r\n" + ONE[:9]
SHAPES = {
    "smuggled": SMUGGLED,
    "chunks": [CHUNKED + chunks for chunks in CHUNKS],
    "lines": LINES,
    "heads": HEADS,
    "silence": [b"\r\n" * 100_000, b"\r\n", b"", b"P", b"POST", HEAD, CHUNKED, HALF[: len(HALF) - 9], HALF],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_with_a_request_before_and_behind_them(shape: str, pair: Pair) -> None:
    both(pair, [siege.post(ONE) + content + LAST for content in SHAPES[shape]])


def test_what_is_hidden_is_never_answered(pair: Pair) -> None:
    """Where both a length and a coding are there, or one of them is in doubt, nothing behind them is another request."""
    for content in (
        HEAD + LENGTH + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
        HEAD + LENGTH * 2 + b"\r\n" + ONE + HIDDEN,
        HEAD + b"transfer-encoding: chunked\r\ncontent-length: 9\r\n\r\n0\r\n\r\n" + HIDDEN,
        HEAD + b"transfer-encoding: identity, chunked, x\r\n\r\n0\r\n\r\n" + HIDDEN,
    ):
        for server in pair:
            assert [status for status, _ in answers(said(server, content))] == [400]


# ---------------------------------------------------------------- chance

GOOD = [
    siege.post(ONE), siege.post({}), siege.post(make.request(3, id="x")), siege.post(ONE,
    "connection: close"), CHUNKED + WHOLE + b"0\r\n\r\n",
    siege.post(ONE, "expect: 100-continue"), siege.post(ONE, "content-type: text/csv"), siege.post(b" " * 200_001), HIDDEN,
    siege.post(ONE, "connection: upgrade", "upgrade: h2c"), b"GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"HEAD /v2/models/late HTTP/1.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", siege.post(ONE, path=f"{INFER}?x"), siege.post(make.request(151)),
    b"GET /healthz HTTP/1.0\r\n\r\n",
]  # fmt: skip
PIECES = [b"\r\n", b"\n", b"\0", b"\r", b" ", b":", b"0\r\n\r\n", b"HTTP/1.1", b"content-length: 1\r\n",
    b"transfer-encoding: chunked\r\n", b"\xff" * 9,
          b"upgrade: x\r\n", b"connection: upgrade\r\n", b"ffffffff\r\n", b"GET ", b"x" * 70_000]  # fmt: skip


def stream(chance: random.Random) -> bytes:
    """Some requests one behind the other, with a few changes."""
    content = bytearray(b"".join(chance.choices(GOOD, k=chance.randrange(1, 6))))
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(content) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            content[place : place + 1] = chance.randbytes(1)
        elif kind == 1:
            del content[place : place + chance.randrange(1, 60)]
        elif kind == 2:
            content[place:place] = chance.choice(PIECES)
        else:
            content[place:place] = content[chance.randrange(len(content)) :][: chance.randrange(99)]
    return bytes(content)


def test_streams_of_requests_with_changes(pair: Pair) -> None:
    chance = siege.chance("streams")
    both(pair, [stream(chance) + LAST for _ in range(siege.tries(400))])


def test_streams_of_requests_in_small_pieces(pair: Pair) -> None:
    """Nothing is compared with the other way: where pieces end decides what is read before an answer ends the connection."""
    chance = siege.chance("pieces")
    for server in pair:
        with siege.siege(server) as held, ThreadPoolExecutor(16) as threads:
            contents = [stream(chance)[:3000] + LAST for _ in range(siege.tries(60))]
            held.left = MOST_ROWS * len(contents)
            for received in threads.map(lambda content: said(server, content, 1 + len(content) % 13), contents):  # noqa: B023
                assert b"HTTP/1.1 5" not in received


def test_random_bytes(pair: Pair) -> None:
    chance = siege.chance("random")
    starts = (b"", b"", HEAD, CHUNKED, siege.post(ONE), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01")
    both(pair, [chance.choice(starts) + chance.randbytes(chance.randrange(3000)) for _ in range(siege.tries(300))])


def test_a_good_request_keeps_its_answer_before_nonsense(pair: Pair) -> None:
    for server in pair:
        good = siege.post(make.request(1, id="a")) + siege.post(make.request(2, id="b"))
        found = answers(said(server, good + b"nonsense\r\n\r\n"))
        assert [status for status, _ in found] == [200, 200, 400]
        assert [json.loads(body)["id"] for _, body in found[:2]] == ["a", "b"]


def test_a_request_that_breaks_off_keeps_nobody_before_it_from_an_answer(pair: Pair) -> None:
    for server in pair:
        found = answers(said(server, siege.post(ONE) * 3 + CHUNKED + b"nonsense\r\n"))
        assert [status for status, _ in found] == [200, 200, 200, 400]


def test_a_body_that_stops_coming_is_answered_alike(pair: Pair) -> None:
    fast, usual = (said(server, HEAD + LENGTH + b"\r\n" + ONE[:9]) for server in pair)
    assert fast == usual
    assert [status for status, _ in answers(fast)] == [408]
    assert b"\r\nconnection: close\r\n" in fast


def test_the_answers_name_no_file_of_the_server(pair: Pair) -> None:
    for server in pair:
        for content in (*HEADS, *LINES):
            assert str(Path(__file__).parents[3]).encode() not in said(server, content[:9000] + LAST)
