"""The work queue: each key once, one worker a key, and delays to the second."""

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.controller import clock
from trimtab.controller.work import Queue


def queue(seed: int = 0) -> Queue[str]:
    return Queue(random_state=random.Random(seed))


async def taken(keys: Queue[str], count: int) -> list[tuple[str, float]]:
    """The next keys, each with the time at which it came."""
    found = []
    for _ in range(count):
        key = await keys.get()
        found.append((key, clock.now()))
        keys.done(key)
    return found


async def quiet(keys: Queue[str], seconds: float) -> bool:
    """Whether no key comes for so long."""
    waiting = asyncio.ensure_future(keys.get())
    done, _ = await asyncio.wait({waiting}, timeout=seconds)
    waiting.cancel()
    return not done


def test_rings_before_a_pass_are_one_and_come_in_order() -> None:
    async def story() -> None:
        keys = queue()
        for key in ("a", "b", "a", "a", "b"):
            keys.ring(key)
        assert len(keys) == 2
        assert await taken(keys, 2) == [("a", 0), ("b", 0)]
        assert await quiet(keys, 1e6)

    clock.run(story)


def test_a_ring_during_a_pass_is_another_pass_afterwards() -> None:
    async def story() -> None:
        keys = queue()
        keys.ring("a")
        assert await keys.get() == "a"
        keys.ring("a")
        keys.ring("a")
        assert await quiet(keys, 100)
        keys.done("a")
        assert await keys.get() == "a"
        keys.done("a")
        assert await quiet(keys, 100)

    clock.run(story)


def test_of_several_delays_the_earliest_holds() -> None:
    async def story() -> None:
        keys = queue()
        for seconds in (300, 30, 60):
            keys.ring_after("a", seconds)
        assert await taken(keys, 1) == [("a", 30)]
        assert await quiet(keys, 1000)

    clock.run(story)


def test_keys_come_when_they_are_due_whatever_the_order_of_asking() -> None:
    async def story() -> None:
        keys = queue()
        for key, seconds in (("c", 9.0), ("a", 0.0), ("b", 4.5), ("past", -7.0)):
            keys.ring_after(key, seconds)
        found = await taken(keys, 4)
        assert sorted(found[:2]) == [("a", 0), ("past", 0)]
        assert found[2:] == [("b", 4.5), ("c", 9)]

    clock.run(story)


def test_a_key_that_is_forgotten_does_not_come_back() -> None:
    async def story() -> None:
        keys = queue()
        keys.ring_after("a", 5)
        keys.retry("a")
        keys.forget("a")
        assert await quiet(keys, 1000)
        assert keys.retry("a") <= 1.2, "and begins with the first delay again"

    clock.run(story)


def test_a_key_may_be_asked_for_again_after_its_delay() -> None:
    async def story() -> None:
        keys = queue()
        keys.ring_after("a", 5)
        assert await taken(keys, 1) == [("a", 5)]
        keys.ring_after("a", 5)
        assert await taken(keys, 1) == [("a", 10)]

    clock.run(story)


def test_failures_double_the_delay_up_to_five_minutes_and_a_success_begins_anew() -> None:
    async def story() -> None:
        keys = queue()
        for failures in range(40):
            delay, nominal = keys.retry("a"), min(300.0, 2.0**failures)
            assert 0.8 * nominal <= delay <= 1.2 * nominal
        keys.succeeded("a")
        assert keys.retry("a") <= 1.2

    clock.run(story)


def test_delays_of_keys_that_fail_together_are_spread() -> None:
    async def story() -> None:
        keys = queue()
        delays = [keys.retry(f"k{number}") for number in range(200)]
        assert min(delays) < 0.85
        assert max(delays) > 1.15
        assert len(set(delays)) == 200

    clock.run(story)


def test_a_server_that_names_a_time_is_obeyed() -> None:
    async def story() -> None:
        keys = queue()
        assert keys.retry("a", at_least=17.0) == 17.0
        assert await taken(keys, 1) == [("a", 17)]

    clock.run(story)


EVENTS = ["ring", "after", "retry", "get", "done", "tick", "forget"]
STEPS = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.sampled_from("abc"), st.sampled_from([0.0, 1.5, 4.0])), max_size=40
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_in_any_order_of_events_no_key_is_with_two_workers_and_none_is_lost(
    steps: list[tuple[str, str, float]],
) -> None:
    async def story() -> None:
        keys, busy, wanted = queue(), set[str](), set[str]()
        due: dict[str, list[float]] = {}
        for what, key, seconds in steps:
            match what:
                case "ring":
                    keys.ring(key)
                    wanted.add(key)
                case "after":
                    keys.ring_after(key, seconds)
                    due.setdefault(key, []).append(clock.now() + seconds)
                case "retry":
                    due.setdefault(key, []).append(clock.now() + keys.retry(key))
                case "tick":
                    await asyncio.sleep(seconds)
                case "forget":
                    keys.forget(key)
                    due.pop(key, None)
                case "done" if key in busy:
                    keys.done(key)
                    busy.discard(key)
            for _ in range(3):  # timers that are due
                await asyncio.sleep(0)
            rung = {name for name, times in due.items() if min(times) <= clock.now()}
            wanted |= rung
            due = {name: times for name, times in due.items() if name not in rung}
            assert len(keys) == len(wanted)
            if what == "get" and wanted - busy:
                found = await keys.get()
                assert found in wanted - busy
                wanted.discard(found)
                busy.add(found)
        left: Counter[str] = Counter()
        for key in busy:
            keys.done(key)
        while len(keys):
            key = await keys.get()
            keys.done(key)
            left[key] += 1
        assert left == Counter(wanted)

    clock.run(story)


def test_waiting_for_what_will_never_come_is_an_error_here_and_not_a_hang() -> None:
    with pytest.raises(AssertionError, match="nothing will ever happen"):
        clock.run(lambda: queue().get())
