"""An event loop whose time jumps to the next timer instead of waiting for it: timing is tested to the second, and at once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop(asyncio.SelectorEventLoop):
    """Starts at 1,000 seconds. Waiting for something that no timer brings about is an error, not a hang."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1_000.0
        waited = self._selector.select  # type: ignore[attr-defined]

        def select(timeout: float | None) -> Any:
            ready = waited(0)
            if not ready:
                if timeout is None:
                    raise AssertionError("nothing will ever happen again")
                self._now += timeout
            return ready

        self._selector.select = select  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now


def run(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a story to its end on a loop of its own."""
    loop = Loop()
    try:
        return loop.run_until_complete(story())
    finally:
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
        loop.close()


def now() -> float:
    """Seconds since the story began."""
    return asyncio.get_running_loop().time() - 1_000.0
