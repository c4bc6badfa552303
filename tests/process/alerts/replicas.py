"""Replicas of the operator as Prometheus sees them: its real exporters on a real page, over a state that a test sets."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from trimtab.controller import http, metrics
from trimtab.controller.cache import Object
from trimtab.controller.series import Budget, DriftCollector
from trimtab.controller.statuses import StatusCollector
from trimtab.controller.watches import Watch

LEASE = "trimtab-operator"
T = TypeVar("T")


@dataclass
class State:
    """What the leader knows, whichever replica that is."""

    serving: list[tuple[Object, Watch]] = field(default_factory=list)
    statuses: StatusCollector = field(default_factory=lambda: StatusCollector(0))


class Replica(Collector):
    """One process. As in the real one, verdicts and statuses are registered while it leads, and only then."""

    def __init__(self, state: State) -> None:
        self._collectors = (DriftCollector(lambda: list(state.serving), Budget()), state.statuses)
        self._leads = False
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        self.address = ""

    def collect(self) -> Iterator[Metric]:
        """What every replica exports; two processes share one here, so that each says itself whether it leads."""
        for metric in metrics.REGISTRY.collect():
            if metric.name != "leader_election_master_status":
                yield metric
        leader = GaugeMetricFamily(
            "leader_election_master_status", "1 while this replica holds the Lease.", labels=["name"]
        )
        leader.add_metric([LEASE], float(self._leads))
        yield leader

    def lead(self, leads: bool) -> None:
        """Take the Lease, or lose it."""
        if leads == self._leads:
            return
        for collector in self._collectors:
            (self.registry.register if leads else self.registry.unregister)(collector)
        self._leads = leads


@contextmanager
def running(state: State, count: int) -> Iterator[list[Replica]]:
    """So many replicas, each with a page on a port of its own; none of them leads."""
    replicas = [Replica(state) for _ in range(count)]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        runners = [_done(loop, http.serve(replica.registry, lambda: True, 0)) for replica in replicas]
        for replica, runner in zip(replicas, runners, strict=True):
            replica.address = (
                f"127.0.0.1:{next(address[1] for address in runner.addresses if len(address) == 2)}"  # not IPv6's
            )
        yield replicas
        for runner in runners:
            _done(loop, runner.cleanup())
        _done(loop, loop.shutdown_default_executor())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _done(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(20)
