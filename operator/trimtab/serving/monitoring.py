"""The internal application on port 8082: counts and edges for the operator, and nothing that holds a row."""

import time
from secrets import token_hex

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from trimtab.api.wire.serving import Latency, Requests, Snapshot
from trimtab.serving import pages
from trimtab.serving.inference import Inferences
from trimtab.serving.lifecycle import Lifecycle
from trimtab.serving.refusal import RefusedError


class Monitor:
    """Takes snapshots of one process. `boot` is random per start, `seq` counts the snapshots."""

    def __init__(self, inferences: Inferences, pod: str) -> None:
        self._inferences = inferences
        self._pod = pod
        self._boot = token_hex(8)
        self._started = time.time()
        self._seq = 0

    async def snapshot(self) -> tuple[Snapshot, int]:
        """Everything since boot, and the number of requests that this includes."""
        inferences = self._inferences
        await inferences.settle()
        served, figures, counts = inferences.served, inferences.figures, inferences.recorder.counts
        self._seq += 1
        snapshot = Snapshot(
            model=served.serving.model,
            version=served.serving.version,
            artifact_digest=served.serving.artifact.digest,
            profile_digest=served.profile_digest,
            pod=self._pod,
            boot=self._boot,
            started_at=self._started,
            seq=self._seq,
            rows=counts.rows,
            requests=Requests(
                ok=figures.of_class(2), client_error=figures.of_class(4), server_error=figures.of_class(5)
            ),
            latency=Latency(edges=figures.seconds.edges, counts=tuple(figures.seconds.counts)),
            features=counts.features,
            predictions=counts.predictions,
            score=counts.score,
        )
        return snapshot, figures.requests


def application(inferences: Inferences, lifecycle: Lifecycle, pod: str) -> Starlette:
    """The internal routes."""
    profile = inferences.served.profile_bytes

    async def reference(request: Request) -> Response:
        if profile is None:
            raise RefusedError(404, "the artifact carries no reference profile")
        return pages.json(profile)

    return pages.bare(
        [
            Route("/monitoring/v1/snapshot", SnapshotPage(Monitor(inferences, pod), lifecycle), methods=["GET"]),
            Route("/monitoring/v1/profile", reference, methods=["GET"]),
        ]
    )


class SnapshotPage:
    """ASGI: one snapshot. Only what was written to a reader that is still there counts as told."""

    def __init__(self, monitor: Monitor, lifecycle: Lifecycle) -> None:
        self._monitor = monitor
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken, requests = await self._monitor.snapshot()
        gone = await Request(scope, receive).is_disconnected()
        await pages.json(taken.to_json().encode())(scope, receive, send)
        if not gone:
            self._lifecycle.tell(requests)
