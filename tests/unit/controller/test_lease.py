"""One leader: who holds the Lease, from when to when, and what a process that lost it may still do."""

import asyncio
import copy
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from tests.unit.controller import clock
from trimtab.controller.client import ApiError, Client, Unreachable
from trimtab.controller.lease import Leadership, LostLeaseError
from trimtab.plan.intent import Object


class Shelf:
    """The two calls of the client that a Leadership makes, on one Lease in memory, with the server's compare-and-swap."""

    def __init__(self) -> None:
        self.lease: Object | None = None
        self.down = False
        self.delay = 0.0
        self.writes = 0

    async def get(self, resource: Any, namespace: str, name: str) -> Object | None:
        await self._answer()
        return copy.deepcopy(self.lease)

    async def request(self, method: str, path: str, *, body: Object) -> Object:
        await self._answer()
        known = self.lease["metadata"]["resourceVersion"] if self.lease else None
        if (method == "POST") is (self.lease is not None) or body["metadata"].get("resourceVersion") != known:
            raise ApiError(409, "Conflict", "the object has been modified")
        self.writes += 1
        self.lease = {**copy.deepcopy(body), "metadata": {**body["metadata"], "resourceVersion": str(self.writes)}}
        return self.lease

    async def _answer(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.down:
            raise Unreachable("no answer")

    @property
    def spec(self) -> Object:
        assert self.lease is not None
        found: Object = self.lease["spec"]
        return found


def replica(shelf: Shelf, identity: str = "one", seconds: float = 15.0) -> Leadership:
    loop = asyncio.get_running_loop()
    return Leadership(cast(Client, shelf), "trimtab-system", "trimtab-operator", identity, seconds, loop.time)


def story(told: Callable[[Shelf], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def test() -> None:
        clock.run(lambda: told(Shelf()))

    test.__name__ = told.__name__
    return test


def may_write(lease: Leadership) -> bool:
    try:
        lease.check()
    except LostLeaseError:
        return False
    return True


@story
async def test_the_first_takes_it_and_may_write_until_two_thirds_of_it_have_passed(shelf: Shelf) -> None:
    lease = replica(shelf)
    assert not may_write(lease)
    await lease.acquire()
    assert (shelf.spec["holderIdentity"], shelf.spec["leaseDurationSeconds"]) == ("one", 15)
    await asyncio.sleep(9.9)
    assert may_write(lease)
    await asyncio.sleep(0.2)
    assert not may_write(lease)


@story
async def test_renewal_keeps_it_and_is_no_transition(shelf: Shelf) -> None:
    lease = replica(shelf)
    await lease.acquire()
    renewal = asyncio.create_task(lease.renew())
    await asyncio.sleep(1000)
    assert may_write(lease)
    assert not renewal.done()
    assert (shelf.spec["leaseTransitions"], shelf.writes > 400) == (1, True)


@story
async def test_a_process_that_was_frozen_writes_nothing_once_it_thaws(shelf: Shelf) -> None:
    lease = replica(shelf)
    await lease.acquire()
    await asyncio.sleep(3600)  # no renewal ran: nothing else did, either
    writes = shelf.writes
    with pytest.raises(LostLeaseError, match="was not renewed in time"):
        lease.check()
    await lease.release()
    assert shelf.writes == writes, "not even a release"


@story
async def test_another_takes_it_only_after_seeing_it_unchanged_for_its_whole_duration(shelf: Shelf) -> None:
    first, second = replica(shelf), replica(shelf, "two")
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(14.9)
    assert not waiting.done()
    await waiting
    assert 15 < clock.now() < 18
    assert (shelf.spec["holderIdentity"], shelf.spec["leaseTransitions"]) == ("two", 2)
    assert may_write(second)
    assert not may_write(first), "whoever lost it stopped long before"


@story
async def test_clocks_of_two_machines_need_not_agree(shelf: Shelf) -> None:
    first, second = replica(shelf), replica(shelf, "two")
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    for _ in range(30):
        await asyncio.sleep(2)
        assert shelf.lease is not None
        shelf.writes += 1
        shelf.lease["metadata"]["resourceVersion"] = str(shelf.writes)
        shelf.lease["spec"]["renewTime"] = "1999-01-01T00:00:00.000000Z"
    assert not waiting.done()


@story
async def test_one_that_is_given_back_is_taken_at_once(shelf: Shelf) -> None:
    first, second = replica(shelf), replica(shelf, "two")
    await first.acquire()
    await first.release()
    assert not may_write(first)
    assert (shelf.spec["holderIdentity"], shelf.spec["leaseTransitions"]) == ("", 1)
    await second.acquire()
    assert clock.now() < 0.1


@story
async def test_one_held_by_another_is_not_given_back(shelf: Shelf) -> None:
    first, second = replica(shelf), replica(shelf, "two")
    await first.acquire()
    await first.release()
    await second.acquire()
    first._deadline = float("inf")
    await first.release()
    assert shelf.spec["holderIdentity"] == "two"


@story
async def test_of_two_that_see_it_free_one_gets_it(shelf: Shelf) -> None:
    shelf.delay = 0.1
    both = replica(shelf, "one"), replica(shelf, "two")
    tasks = [asyncio.create_task(lease.acquire()) for lease in both]
    await asyncio.sleep(1)
    assert [task.done() for task in tasks].count(True) == 1
    assert [may_write(lease) for lease in both].count(True) == 1


@story
async def test_the_deadline_is_counted_from_before_the_request(shelf: Shelf) -> None:
    lease = replica(shelf)
    shelf.delay = 4.0
    await lease.acquire()
    assert clock.now() == 8
    await asyncio.sleep(1.9)
    assert may_write(lease)
    await asyncio.sleep(0.2)
    assert not may_write(lease)


@story
async def test_an_api_server_that_is_gone_ends_the_leader_at_the_deadline_and_not_before(shelf: Shelf) -> None:
    lease = replica(shelf)
    await lease.acquire()
    shelf.down = True
    with pytest.raises(LostLeaseError):
        await lease.renew()
    assert 10 <= clock.now() < 12.5


@story
async def test_an_api_server_that_comes_back_in_time_costs_nothing(shelf: Shelf) -> None:
    lease = replica(shelf)
    await lease.acquire()
    renewal = asyncio.create_task(lease.renew())
    shelf.down = True
    await asyncio.sleep(8)
    shelf.down = False
    await asyncio.sleep(100)
    assert not renewal.done()
    assert may_write(lease)


@story
async def test_a_request_that_hangs_is_given_up(shelf: Shelf) -> None:
    lease = replica(shelf)
    await lease.acquire()
    shelf.delay = 1e6
    with pytest.raises(LostLeaseError):
        await lease.renew()
    assert clock.now() < 20


@story
async def test_a_process_started_again_under_its_name_takes_its_lease_up_at_once(shelf: Shelf) -> None:
    await replica(shelf).acquire()
    again = replica(shelf)
    await again.acquire()
    assert clock.now() == 0
    assert shelf.spec["leaseTransitions"] == 1


@story
async def test_a_lease_without_a_word_in_it_is_free(shelf: Shelf) -> None:
    shelf.lease = {"metadata": {"resourceVersion": "7", "name": "x"}, "spec": {}}
    await replica(shelf).acquire()
    assert shelf.spec["holderIdentity"] == "one"


@story
async def test_a_replica_is_alive_while_the_api_server_answers_leader_or_not(shelf: Shelf) -> None:
    first, second = replica(shelf), replica(shelf, "two")
    assert not second.alive()
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(1)
    assert second.alive()
    shelf.down = True
    await asyncio.sleep(31)
    assert not second.alive()
    assert not waiting.done()
