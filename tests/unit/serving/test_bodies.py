"""Bodies are bounded in size, in time and, all together, in memory."""

import asyncio
from typing import Any

import pytest

from trimtab.serving import bodies
from trimtab.serving.bodies import Bodies, GoneError
from trimtab.serving.refusal import RefusedError

MORE = {"type": "http.request", "body": b"x" * 40, "more_body": True}
LAST = {"type": "http.request", "body": b"y" * 10, "more_body": False}
GONE = {"type": "http.disconnect"}


def receiving(*messages: Any) -> Any:
    """Gives these messages and then nothing more, as a connection that fell silent."""
    waiting = list(messages)

    async def receive() -> Any:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    return receive


def read(made: Bodies, *messages: Any, headers: dict[bytes, bytes] | None = None) -> bytes:
    made.check(headers or {})
    return asyncio.run(made.read(receiving(*messages)))


def test_a_body_in_pieces_is_joined() -> None:
    assert read(Bodies(100), MORE, MORE, LAST) == b"x" * 80 + b"y" * 10


def test_a_declared_length_beyond_the_limit_is_refused_before_a_byte_is_read() -> None:
    with pytest.raises(RefusedError) as caught:
        read(Bodies(100), headers={b"content-length": b"101"})
    assert caught.value.status == 413


def test_a_body_that_grows_beyond_the_limit_is_refused_at_once() -> None:
    with pytest.raises(RefusedError) as caught:
        read(Bodies(79), MORE, MORE)
    assert caught.value.status == 413


def test_a_body_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.01)
    with pytest.raises(RefusedError) as caught:
        read(Bodies(100), MORE)
    assert caught.value.status == 408


def test_a_body_that_never_begins_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.01)
    with pytest.raises(RefusedError) as caught:
        read(Bodies(100))
    assert caught.value.status == 408


@pytest.mark.parametrize("messages", [(GONE,), (MORE, GONE)])
def test_a_client_that_left_is_not_answered(messages: Any) -> None:
    with pytest.raises(GoneError):
        read(Bodies(100), *messages)


def test_bodies_together_have_a_budget_and_give_it_back() -> None:
    made = Bodies(50)

    async def run() -> list[Any]:
        tasks = [asyncio.ensure_future(made.read(receiving(MORE))) for _ in range(5)]
        turned_away = asyncio.ensure_future(made.read(receiving(MORE, LAST)))
        outcome = (await asyncio.gather(turned_away, return_exceptions=True))[0]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [outcome, *[await made.read(receiving(MORE, LAST)) for _ in range(4)]]

    refused, *read = asyncio.run(run())
    assert isinstance(refused, RefusedError)
    assert refused.status == 503
    assert [len(body) for body in read] == [50] * 4
    with pytest.raises(RefusedError, match="too many large requests"):
        asyncio.run(made.read(receiving(LAST)))
    made.release(50)
    assert asyncio.run(made.read(receiving(LAST))) == b"y" * 10


@pytest.mark.parametrize(
    "media",
    [b"application/json", b"Application/JSON; charset=utf-8", b"application/vnd.v2+json", b"application/octet-stream", b""],
)
def test_json_under_any_of_its_names_is_taken(media: bytes) -> None:
    assert read(Bodies(100), LAST, headers={b"content-type": media}) == b"y" * 10
