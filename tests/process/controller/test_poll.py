"""What the operator makes of a pod's answers at port 8082: counts, or a word that says why not."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from tests.unit.serving import make
from trimtab.api.wire.profiles import profile_to_json
from trimtab.controller import poll
from trimtab.controller.poll import Asked, Poller, SilentError

PROFILE = profile_to_json(make.profile())
RIGHT = f"sha256:{hashlib.sha256(PROFILE).hexdigest()}"


def told(body: bytes, status: int, ask: Callable[[Poller, Asked], Awaitable[object]]) -> object:
    """What comes of one question to a pod that answers every path with this."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    async def once() -> object:
        app = web.Application()
        app.add_routes([web.get("/{path:.*}", answer)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        poller = Poller(runner.addresses[0][1])
        try:
            return await ask(poller, Asked("uid", "127.0.0.1"))
        finally:
            await poller.close()
            await runner.cleanup()

    return asyncio.run(once())


ANSWERS = {
    "an error": (b"", 500, "NoAnswer"),
    "the way to elsewhere": (b"", 302, "NoAnswer"),
    "no JSON": (b"{", 200, "Unreadable"),
    "a newer schema": (b'{"schema": 99}', 200, "Unreadable"),
    "more than any pod has to say": (b" " * (poll.SNAPSHOT_BYTES + 1), 200, "Unreadable"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_cannot_be_used_has_a_word_for_why(case: str) -> None:
    body, status, reason = ANSWERS[case]
    with pytest.raises(SilentError) as silent:
        told(body, status, lambda poller, pod: poller.snapshot(pod))
    assert silent.value.reason == reason


def test_nobody_at_the_port_is_no_answer() -> None:
    async def ask() -> None:
        poller = Poller(1)
        try:
            await poller.snapshot(Asked("uid", "127.0.0.1"))
        finally:
            await poller.close()

    with pytest.raises(SilentError) as silent:
        asyncio.run(ask())
    assert silent.value.reason == "NoAnswer"


def test_a_reference_is_taken_by_its_digest_only() -> None:
    assert told(PROFILE, 200, lambda poller, pod: poller.profile(pod, RIGHT)) == make.profile()
    with pytest.raises(SilentError) as silent:
        told(PROFILE, 200, lambda poller, pod: poller.profile(pod, f"sha256:{'0' * 64}"))
    assert silent.value.reason == "WrongProfile"
