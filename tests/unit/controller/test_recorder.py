"""Events: once, bounded, and no state."""

import asyncio
from typing import Any, cast

from tests import make
from trimtab.controller.client import Client, Unreachable
from trimtab.controller.recorder import Recorder
from trimtab.controller.resources import Resource
from trimtab.plan.intent import Notice, Object


class Written(list[Object]):
    """The events that were written; none, while `down`."""

    down = False

    async def create(self, resource: Resource, obj: Object, *, field_manager: str) -> Object:
        if self.down:
            raise Unreachable("no answer")
        self.append(obj)
        return obj


def record(recorder: Recorder, message: str = "so it is", now: float = make.NOW) -> None:
    asyncio.run(recorder.record(make.model(), Notice("Normal", "Promoted", message), now))


def recorder() -> tuple[Recorder, Written]:
    events = Written()
    return Recorder(cast(Client, events), "host_1"), events


def test_an_event_names_its_object() -> None:
    writer, events = recorder()
    record(writer)
    told: dict[str, Any] = events[0]
    assert (told["involvedObject"]["kind"], told["involvedObject"]["uid"]) == ("Model", "uid-of-Model-late")
    assert (told["type"], told["reason"], told["message"]) == ("Normal", "Promoted", "so it is")
    assert (told["metadata"]["namespace"], told["firstTimestamp"]) == ("team", make.ago(0))


def test_the_same_is_told_again_after_ten_minutes_and_not_before() -> None:
    writer, events = recorder()
    for seconds in (0, 1, 599, 600):
        record(writer, now=make.NOW + seconds)
    assert len(events) == 2
    assert len({event["metadata"]["name"] for event in events}) == 2
    record(writer, "something else", now=make.NOW + 600)
    assert len(events) == 3


def test_a_message_of_any_text_fits() -> None:
    writer, events = recorder()
    record(writer, "é" * 5000)
    record(writer, "half a character: \ud800")
    assert len(events[0]["message"].encode()) <= 1000
    assert events[1]["message"] == "half a character: ?"


def test_an_event_that_cannot_be_written_stops_nothing() -> None:
    writer, events = recorder()
    events.down = True
    record(writer)
    assert events == []
