"""The gRPC port of a server process, asked by a real client: as REST answers, within bounds, to the end."""

import json
import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.process.serving.server import Server, artifact, eventually, refuses, run, running
from tests.unit.serving import make
from tests.unit.serving.rpc.calls import plain, raw, typed, written
from trimtab.api.wire.serving import Limits
from trimtab.drift import counting
from trimtab.serving.rpc import open_inference_pb2 as pb

LIMIT = 1 << 20
METHOD = "/inference.GRPCInferenceService/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = artifact(tmp_path_factory.mktemp("served"), limits=Limits(body_bytes=LIMIT, rows=20_000))
    with running(folder, TRIMTAB_GRPC_PORT="0") as started:
        yield started


@contextmanager
def channel(port: int) -> Iterator[grpc.Channel]:
    """A connection of its own, with no limit on what it sends."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as made:
        yield made


def ask(made: grpc.Channel, name: str, message: Any, **more: Any) -> Any:
    """One call; raises `grpc.RpcError`."""
    content = message if isinstance(message, bytes) else written(message)
    return getattr(pb, f"{name}Response").FromString(made.unary_unary(METHOD + name)(content, timeout=20, **more))


def infer(server: Server, message: Any) -> pb.ModelInferResponse:
    with channel(server.grpc_port) as made:
        answer: pb.ModelInferResponse = ask(made, "ModelInfer", message)
        return answer


def refused(made: grpc.Channel, name: str, message: Any, **more: Any) -> tuple[grpc.StatusCode, str]:
    """Code and words of a call that is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        ask(made, name, message, **more)
    return caught.value.code(), caught.value.details()


def code_of(server: Server, code: int) -> int:
    """Requests that were answered with this code."""
    lines = server.get("/metrics")[1].decode().splitlines()
    found = [line.split()[1] for line in lines if line.startswith(f'trimtab_server_requests_total{{code="{code}"}}')]
    return int(float(found[0])) if found else 0


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("form", [typed, raw])
@pytest.mark.parametrize("rows", [0, 1, 5, 3000])
def test_answers_are_those_of_rest_to_the_bit(rows: int, form: Any, server: Server) -> None:
    request = make.request(rows, seed=rows, id="a")
    assert plain(infer(server, form(request))) == server.infer(request)[1]


def test_every_method_answers(server: Server) -> None:
    with channel(server.grpc_port) as made:
        assert ask(made, "ServerLive", pb.ServerLiveRequest()).live
        assert ask(made, "ServerReady", pb.ServerReadyRequest()).ready
        assert ask(made, "ModelReady", pb.ModelReadyRequest(name="late")).ready
        assert ask(made, "ServerMetadata", pb.ServerMetadataRequest()).name == "trimtab"
        assert list(ask(made, "ModelMetadata", pb.ModelMetadataRequest(name="late")).versions) == ["7"]
        assert [each.state for each in ask(made, "RepositoryIndex", pb.RepositoryIndexRequest()).models] == ["READY"]
        for name in ("RepositoryModelLoad", "RepositoryModelUnload"):
            assert refused(made, name, b"")[0] == grpc.StatusCode.INVALID_ARGUMENT


def test_refusals_have_a_code_and_the_words_of_rest(server: Server) -> None:
    request = make.request(1)
    request["inputs"][0]["datatype"] = "BYTES"
    request["inputs"][0]["data"] = ["x"]
    words = server.infer(request)[1]["error"]
    with channel(server.grpc_port) as made:
        assert refused(made, "ModelInfer", typed(request)) == (grpc.StatusCode.INVALID_ARGUMENT, words)
        words = "the message is no ModelInferRequest of the protocol"
        assert refused(made, "ModelInfer", b"\xff") == (grpc.StatusCode.INVALID_ARGUMENT, words)
        assert refused(made, "ModelInfer", typed(make.request(1), model_name="x"))[0] == grpc.StatusCode.NOT_FOUND
        assert plain(ask(made, "ModelInfer", typed(make.request(1)))) == server.infer(make.request(1))[1]


def test_a_compressed_message_is_read(server: Server) -> None:
    with channel(server.grpc_port) as made:
        answer = ask(made, "ModelInfer", typed(make.request(50)), compression=grpc.Compression.Gzip)
    assert plain(answer) == server.infer(make.request(50))[1]


# ---------------------------------------------------------------- bounds


def padded(size: int) -> bytes:
    """A request of exactly this many bytes, which its id makes up for."""
    message = raw(make.request(10))
    message.id = "x" * (size - len(written(message)) - 4)  # its tag and the three bytes of its length
    assert len(written(message)) == size
    return written(message)


def test_a_message_of_the_limit_is_answered_and_one_beyond_is_refused(server: Server) -> None:
    before = code_of(server, 413)
    with channel(server.grpc_port) as made:
        assert len(ask(made, "ModelInfer", padded(LIMIT)).outputs) == 2
        assert refused(made, "ModelInfer", padded(LIMIT) + b"x")[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
    eventually(lambda: code_of(server, 413) == before + 1)
    assert b"requests_in_flight 0.0" in server.get("/metrics")[1]


def test_large_messages_at_once_wait_for_one_another(server: Server) -> None:
    content = padded(LIMIT)
    with ExitStack() as stack:
        calls = [stack.enter_context(channel(server.grpc_port)).unary_unary(METHOD + "ModelInfer") for _ in range(5)]
        ends = [each.future(content, timeout=20) for each in calls * 4]
        assert {end.code() for end in ends} == {grpc.StatusCode.OK}
    assert b"requests_in_flight 0.0" in server.get("/metrics")[1]


def test_a_message_that_grows_when_it_is_unpacked_is_refused(server: Server) -> None:
    with channel(server.grpc_port) as made:
        code, _ = refused(made, "ModelInfer", bytes(LIMIT * 50), compression=grpc.Compression.Gzip)
        assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert infer(server, raw(make.request(1))).outputs


def test_calls_without_a_message_hold_nobody_up_for_long(tmp_path: Path) -> None:
    """More calls than may bring their message at once, of which only the last brings one, once a first one gave up."""
    go = threading.Event()

    def silent() -> Iterator[bytes]:
        go.wait(20)
        yield from ()

    with running(artifact(tmp_path), TRIMTAB_GRPC_PORT="0") as server, channel(server.grpc_port) as made:
        calls = [made.stream_unary(METHOD + "ModelInfer").future(silent()) for _ in range(20)]
        eventually(lambda: b"requests_in_flight 20.0" in server.get("/metrics")[1])
        last = made.unary_unary(METHOD + "ModelInfer").future(written(raw(make.request(2))), timeout=20)
        for call in calls:
            call.cancel()
        assert pb.ModelInferResponse.FromString(last.result()).outputs
        go.set()
        eventually(lambda: b"requests_in_flight 0.0" in server.get("/metrics")[1])


def test_random_bytes_at_the_port_harm_nobody(server: Server) -> None:
    chance = random.Random(0)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for start in (b"", b"POST /v2/models/late/infer HTTP/1.1\r\n\r\n", preface, preface + b"\0\0\0\x04\0\0\0\0\0"):
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", server.grpc_port), 20) as connection:
                connection.sendall(start + chance.randbytes(chance.randrange(2000)))
    assert infer(server, raw(make.request(1))).outputs
    assert server.process.poll() is None


def test_random_messages_are_refused_or_answered(server: Server) -> None:
    chance = random.Random(0)
    good = written(raw(make.request(3)))
    ends = set()
    with channel(server.grpc_port) as made:
        for _ in range(200):
            content = bytearray(good)
            for _ in range(chance.randrange(1, 4)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            call = made.unary_unary(METHOD + "ModelInfer").future(bytes(content), timeout=20)
            ends.add(call.code())
    assert ends == {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
    assert code_of(server, 500) == 0


# ---------------------------------------------------------------- counts and the end


def test_calls_and_requests_at_once_are_each_counted_once(tmp_path: Path) -> None:
    expected: dict[int, list[str]] = {}

    def one(n: int) -> None:
        request = make.request(n % 5 + 1, seed=n)
        if n % 3 == 0:
            status, answer = server.infer(request)
            assert status == 200
        else:
            answer = plain(ask(made, "ModelInfer", (typed, raw)[n % 2](request)))
        expected[n] = answer["outputs"][0]["data"]

    with running(artifact(tmp_path), TRIMTAB_GRPC_PORT="0") as server, channel(server.grpc_port) as made:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(one, range(120)))
        for n in range(0, 120, 7):
            assert expected[n] == server.infer(make.request(n % 5 + 1, seed=n))[1]["outputs"][0]["data"]
        rows = sum(n % 5 + 1 for n in range(120)) + sum(n % 5 + 1 for n in range(0, 120, 7))
        snapshot = server.snapshot()
        assert (snapshot.rows, snapshot.requests.ok) == (rows, 120 + len(range(0, 120, 7)))
        assert {counting.rows(each) for each in snapshot.features.values()} == {rows}


class Client(threading.Thread):
    """Calls one after another until the server takes no more, or until told to stop."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._stop_now = threading.Event()
        self.rows = 0
        self.failure: tuple[grpc.StatusCode, str] | None = None

    def stop(self) -> None:
        self._stop_now.set()
        self.join(20)

    def run(self) -> None:
        message = raw(make.request(3))
        with channel(self._port) as made:
            while self.failure is None and not self._stop_now.is_set():
                try:
                    self.rows += ask(made, "ModelInfer", message).outputs[0].shape[0]
                except grpc.RpcError as error:
                    self.failure = error.code(), error.details()


class Service:
    """What a Service of Kubernetes does: a new connection goes to the pod that is ready now, an old one stays."""

    def __init__(self, port: int) -> None:
        self.target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near = self._listening.accept()[0]
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target), 20)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with source:
            try:
                while piece := source.recv(65536):
                    target.sendall(piece)
                target.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # one of both is gone, and the other one is told by its own thread


def test_a_rollout_under_load_fails_no_call(tmp_path: Path) -> None:
    old_folder, new_folder = artifact(tmp_path / "old"), artifact(tmp_path / "new")
    with (
        running(new_folder, TRIMTAB_GRPC_PORT="0") as new,
        running(old_folder, TRIMTAB_GRPC_PORT="0", TRIMTAB_DRAIN_SECONDS="3") as old,
    ):
        service = Service(old.grpc_port)
        clients = [Client(service.port) for _ in range(6)]
        for client in clients:
            client.start()
        eventually(lambda: all(client.rows > 60 for client in clients))
        service.target = new.grpc_port
        old.terminate()
        eventually(lambda: refuses(old.grpc_port))
        before = [client.rows for client in clients]
        eventually(lambda: all(client.rows > n + 15 for client, n in zip(clients, before, strict=True)))
        for client in clients:
            client.stop()
        assert [client.failure for client in clients] == [None] * 6
        assert old.snapshot().rows + new.snapshot().rows == sum(client.rows for client in clients)
        assert old.ended() == 0
        service.close()


def test_calls_that_are_answered_until_the_end_are_all_counted(tmp_path: Path) -> None:
    with running(artifact(tmp_path), TRIMTAB_GRPC_PORT="0", TRIMTAB_DRAIN_SECONDS="1") as server:
        clients = [Client(server.grpc_port) for _ in range(6)]
        for client in clients:
            client.start()
        eventually(lambda: all(client.rows > 60 for client in clients))
        server.terminate()
        eventually(lambda: server.get("/readyz")[0] == 503)
        with channel(server.grpc_port) as made:
            assert not ask(made, "ServerReady", pb.ServerReadyRequest()).ready
        for client in clients:
            client.join(20)
        ends = {client.failure and client.failure[0] for client in clients}
        assert ends <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        eventually(lambda: refuses(server.port) and refuses(server.grpc_port))
        snapshot, sent = server.snapshot(), sum(client.rows for client in clients)
        assert (snapshot.rows, snapshot.requests.ok) == (sent, sent // 3)
        assert {counting.rows(each) for each in snapshot.features.values()} == {sent}
        assert server.ended() == 0


def test_a_call_in_flight_is_finished_after_the_port_is_closed(tmp_path: Path) -> None:
    go = threading.Event()

    def late() -> Iterator[bytes]:
        go.wait(20)
        yield written(raw(make.request(4)))

    with running(artifact(tmp_path), TRIMTAB_GRPC_PORT="0") as server, channel(server.grpc_port) as made:
        call = made.stream_unary(METHOD + "ModelInfer").future(late(), timeout=20)
        eventually(lambda: b"requests_in_flight 1.0" in server.get("/metrics")[1])
        server.terminate()
        eventually(lambda: refuses(server.grpc_port))
        go.set()
        assert pb.ModelInferResponse.FromString(call.result()).outputs
        eventually(lambda: server.snapshot().rows == 4)
        assert server.ended() == 0


def test_a_port_that_is_taken_is_said_to_be_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, words = run(artifact(tmp_path), TRIMTAB_GRPC_PORT=str(port))
    assert code == 1
    assert words == {"reason": "PortUnavailable", "message": f"port {port} cannot be opened for gRPC: is it in use?"}


def test_without_a_port_there_is_no_grpc_in_the_process(tmp_path: Path) -> None:
    with running(artifact(tmp_path)) as server:
        assert server.grpc_port == 0
        assert json.loads(server.get("/v2")[1])["name"] == "trimtab"
        assert "grpc" not in Path(f"/proc/{server.process.pid}/maps").read_text()
