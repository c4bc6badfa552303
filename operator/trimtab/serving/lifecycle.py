"""Where the process stands between ready and gone, and whether the operator has heard all. Lives in one event loop."""

import asyncio

from trimtab.serving.refusal import RefusedError


class Lifecycle:
    """Ready from the start, since nothing listens before the model is warm; draining from SIGTERM on."""

    def __init__(self) -> None:
        self.draining = False
        self._told = 0
        self._telling = asyncio.Event()

    def check_ready(self) -> None:
        """Raise a 503 while draining."""
        if self.draining:
            raise RefusedError(503, "the server is stopping and takes no new requests")

    def tell(self, requests: int) -> None:
        """A snapshot that includes `requests` answered requests was written to the operator."""
        self._told = max(self._told, requests)
        self._telling.set()

    async def told(self, requests: int) -> None:
        """Until a snapshot that includes this many requests was written."""
        while self._told < requests:
            self._telling.clear()
            await self._telling.wait()
