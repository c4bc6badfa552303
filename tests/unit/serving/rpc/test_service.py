"""The methods beside the values: what they say of the server, what they count, and how they end."""

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

import trimtab
from tests.unit.serving import make
from tests.unit.serving.asgi import Server, error
from tests.unit.serving.rpc.calls import AbortedError, call, called, plain, raw, refused, typed, written
from trimtab.drift import counting
from trimtab.serving import bodies
from trimtab.serving.rpc import open_inference_pb2 as pb
from trimtab.serving.rpc import service
from trimtab.serving.rpc.service import Service

# ---------------------------------------------------------------- what is said of the server


def test_the_server_is_alive_and_ready_until_it_drains(server: Server) -> None:
    asked = pb.ModelReadyRequest(name="late", version="7")
    assert call(server, "ServerLive", pb.ServerLiveRequest()).live
    assert call(server, "ServerReady", pb.ServerReadyRequest()).ready
    assert call(server, "ModelReady", asked).ready
    server.lifecycle.draining = True
    assert call(server, "ServerLive", pb.ServerLiveRequest()).live
    assert not call(server, "ServerReady", pb.ServerReadyRequest()).ready
    assert not call(server, "ModelReady", asked).ready


def test_requests_are_answered_while_the_server_drains(server: Server) -> None:
    server.lifecycle.draining = True
    assert plain(call(server, "ModelInfer", raw(make.request(2)))) == server.infer(make.request(2)).json()


def test_metadata_are_those_of_rest(server: Server) -> None:
    about = call(server, "ServerMetadata", pb.ServerMetadataRequest())
    rest = server.ask("GET", "/v2").json()
    assert (about.name, about.version, list(about.extensions)) == ("trimtab", trimtab.__version__, rest["extensions"])
    model = call(server, "ModelMetadata", pb.ModelMetadataRequest(name="late"))
    rest = server.ask("GET", "/v2/models/late").json()
    assert (model.name, list(model.versions), model.platform) == ("late", ["7"], rest["platform"])
    for side in ("inputs", "outputs"):
        found = [{"name": t.name, "datatype": t.datatype, "shape": list(t.shape)} for t in getattr(model, side)]
        assert found == [{key: t[key] for key in ("name", "datatype", "shape")} for t in rest[side]]
        assert found


@pytest.mark.parametrize("name", ["ModelReady", "ModelMetadata"])
def test_another_model_or_version_is_not_found(name: str, server: Server) -> None:
    kind = getattr(pb, f"{name}Request")
    for asked, path in ((kind(name="x"), "x"), (kind(name="late", version="8"), "late/versions/8"), (kind(), "")):
        code, words = refused(server, name, asked)
        assert code == grpc.StatusCode.NOT_FOUND
        if path:
            assert words == error(server.ask("GET", f"/v2/models/{path}"))


def test_the_index_lists_the_one_model(server: Server) -> None:
    def listed(ready: bool = False) -> list[Any]:
        models = call(server, "RepositoryIndex", pb.RepositoryIndexRequest(ready=ready)).models
        return [{"name": m.name, "version": m.version, "state": m.state, "reason": m.reason} for m in models]

    assert listed() == listed(ready=True) == server.ask("POST", "/v2/repository/index").json()
    server.lifecycle.draining = True
    assert listed() == server.ask("POST", "/v2/repository/index").json()
    assert listed(ready=True) == []


@pytest.mark.parametrize("verb", ["Load", "Unload"])
def test_models_are_neither_loaded_nor_unloaded(verb: str, server: Server) -> None:
    words = error(server.ask("POST", f"/v2/repository/models/late/{verb.lower()}"))
    assert refused(server, f"RepositoryModel{verb}", b"\x0a\x04late") == (grpc.StatusCode.INVALID_ARGUMENT, words)


@pytest.mark.parametrize("name", ["ModelReady", "ModelMetadata", "RepositoryIndex"])
def test_bytes_that_are_no_message_are_refused(name: str, server: Server) -> None:
    words = f"the message is no {name}Request of the protocol"
    assert refused(server, name, b"\xff") == (grpc.StatusCode.INVALID_ARGUMENT, words)


# ---------------------------------------------------------------- counts


def test_requests_are_counted_once_like_those_of_rest(server: Server) -> None:
    for rows in (1, 4, 0):
        call(server, "ModelInfer", typed(make.request(rows)))
        call(server, "ModelInfer", raw(make.request(rows)))
        server.infer(make.request(rows))
    refused(server, "ModelInfer", b"\xff")
    snapshot = server.snapshot()
    assert (snapshot.rows, snapshot.requests.ok, snapshot.requests.client_error) == (15, 9, 1)
    assert {counting.rows(each) for each in snapshot.features.values()} == {15}
    assert (server.inferences.figures.rows, server.inferences.figures.in_flight) == (15, 0)


def test_metadata_are_not_counted(server: Server) -> None:
    call(server, "ServerLive", b"")
    refused(server, "ModelReady", pb.ModelReadyRequest(name="x"))
    assert server.inferences.figures.requests == 0


def test_calls_that_come_together_share_a_call_of_the_model(server: Server) -> None:
    async def run() -> list[Any]:
        made = Service(server.inferences, server.lifecycle)
        messages = [typed(make.request(2, seed=n, id=str(n))) for n in range(8)]
        return await asyncio.gather(*(called(made, "ModelInfer", message) for message in messages))

    assert [answer.id for answer in asyncio.run(run())] == [str(n) for n in range(8)]
    assert sum(server.inferences.figures.batches.counts) < 8
    assert server.snapshot().rows == 16


# ---------------------------------------------------------------- bounds


def test_messages_share_the_memory_of_bodies_and_give_it_back(server: Server) -> None:
    free = server.inferences.bodies._free
    server.inferences.bodies.take(free, -free)
    message = typed(make.request(1))
    words = "too many large requests at once: try again in a second"
    assert refused(server, "ModelInfer", message) == (grpc.StatusCode.UNAVAILABLE, words)
    server.inferences.bodies.release(free)
    assert call(server, "ModelInfer", message).outputs
    assert refused(server, "ModelInfer", b"\xff")[0] == grpc.StatusCode.INVALID_ARGUMENT
    assert server.inferences.bodies._free == free
    assert server.inferences.figures.codes[503] == 1


@pytest.mark.parametrize("name", ["ModelInfer", "ServerLive"])
def test_a_message_that_does_not_come_is_given_up(name: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.01)

    async def never() -> Any:
        await asyncio.Event().wait()

    code, words = refused(server, name, None, read=never)
    assert (code, words) == (grpc.StatusCode.DEADLINE_EXCEEDED, "the message did not arrive within 0 s")
    assert server.inferences.figures.in_flight == 0


def test_a_call_without_a_message_is_refused(server: Server) -> None:
    code, words = refused(server, "ModelInfer", grpc.aio.EOF)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert words == "no message of at most 20000 bytes came: send the rows in parts"
    assert server.inferences.figures.codes[413] == 1


def test_few_messages_are_on_their_way_at_once(server: Server) -> None:
    reading, most = 0, 0
    go = asyncio.Event()

    async def read() -> bytes:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await go.wait()
        reading -= 1
        return b""

    async def run() -> None:
        made = Service(server.inferences, server.lifecycle)
        calls = [asyncio.ensure_future(called(made, "ServerLive", None, read)) for _ in range(service.TURNS * 3)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert reading == service.TURNS
        go.set()
        await asyncio.gather(*calls)

    asyncio.run(run())
    assert most == service.TURNS


@pytest.mark.parametrize("name", ["ModelInfer", "ServerLive"])
def test_a_call_whose_turn_does_not_come_is_turned_away(
    name: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "TURN_SECONDS", 0.01)

    async def never() -> Any:
        await asyncio.Event().wait()

    async def run() -> AbortedError:
        made = Service(server.inferences, server.lifecycle)
        silent = [asyncio.ensure_future(called(made, "ServerLive", None, never)) for _ in range(service.TURNS)]
        await asyncio.sleep(0)
        turned_away = (await asyncio.gather(called(made, name, b""), return_exceptions=True))[0]
        for each in silent:
            each.cancel()
        await asyncio.gather(*silent, return_exceptions=True)
        assert (await called(made, "ServerLive", b"")).live
        assert isinstance(turned_away, AbortedError)
        return turned_away

    aborted = asyncio.run(run())
    assert (aborted.code, aborted.details) == (grpc.StatusCode.UNAVAILABLE, bodies.TOO_MANY)
    assert server.inferences.figures.in_flight == 0


def test_a_large_message_keeps_its_turn_until_it_is_answered(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trimtab.serving.rpc.messages.SMALL_BYTES", 200)
    small, large = typed(make.request(1)), typed(make.request(50))
    turns: list[int] = []

    made = Service(server.inferences, server.lifecycle)
    predict = server.inferences.batcher._predict

    def seen(frame: Any) -> Any:
        turns.append(made._turns._value)
        return predict(frame)

    async def run() -> None:
        for message in (small, large, b"\xff" * 300, small):
            await asyncio.gather(called(made, "ModelInfer", message), return_exceptions=True)

    monkeypatch.setattr(server.inferences.batcher, "_predict", seen)
    assert len(written(small)) < 200 < len(written(large))
    asyncio.run(run())
    assert turns == [service.TURNS, service.TURNS - 1, service.TURNS]
    assert made._turns._value == service.TURNS


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize("name", ["ModelInfer", "ModelMetadata"])
def test_a_fault_of_the_servers_is_told_without_a_traceback(
    name: str, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: Any) -> Any:
        raise KeyError("a secret")

    monkeypatch.setattr("trimtab.serving.rpc.messages.Encoder.encode", broken)
    monkeypatch.setattr("trimtab.serving.rpc.messages.model", broken)
    message = typed(make.request(1)) if name == "ModelInfer" else pb.ModelMetadataRequest(name="late")
    words = "the server failed on this request; its log says why"
    assert refused(server, name, message) == (grpc.StatusCode.INTERNAL, words)
    assert "a secret" in caplog.text


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_client_that_leaves_harms_nobody(when: str, server: Server) -> None:
    there = asyncio.Event()

    async def read() -> bytes:
        there.set()
        if when == "before":
            await asyncio.Event().wait()
        return written(typed(make.request(3)))

    async def run() -> None:
        call = asyncio.ensure_future(called(Service(server.inferences, server.lifecycle), "ModelInfer", None, read))
        await there.wait()
        call.cancel()
        with pytest.raises((asyncio.CancelledError, AbortedError)):
            await call
        for _ in range(20):  # turns of the loop, in which what was begun comes to its end
            await asyncio.sleep(0)

    asyncio.run(run())
    assert server.inferences.figures.in_flight == 0
    assert server.snapshot().rows == server.inferences.figures.rows
