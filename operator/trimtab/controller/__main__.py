"""`python -m trimtab.controller`: wait for the Lease, then run the loop until the Lease, kopf or a signal ends it.

Whatever ends it, the process exits and is started again: that is the recovery.
"""

import asyncio
import gc
import logging
import secrets
import signal
import socket
import sys

import uvloop
from prometheus_client import ProcessCollector
from prometheus_client.registry import Collector

import trimtab
from trimtab.controller import bell, client, http, logs, metrics
from trimtab.controller.apply import Applier
from trimtab.controller.cache import Cache
from trimtab.controller.lease import Leadership, LostLeaseError
from trimtab.controller.loop import Loop
from trimtab.controller.monitor import Monitor
from trimtab.controller.observe import World
from trimtab.controller.poll import Poller
from trimtab.controller.recorder import Recorder
from trimtab.controller.resources import WATCHED
from trimtab.controller.rings import Key
from trimtab.controller.series import Budget, DriftCollector
from trimtab.controller.settings import Settings, table
from trimtab.controller.slim import references, slim
from trimtab.plan.defaults import Defaults

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0 after a signal, 1 when the Lease or the API server was lost."""
    if arguments:
        print(f"usage: python -m trimtab.controller\n\n{table()}")
        return 0 if arguments[0] in ("-h", "--help") else 2
    settings = Settings()
    logs.configure(settings)
    code: int = uvloop.run(_operate(settings))
    return code


async def _operate(settings: Settings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    identity = settings.identity or f"{socket.gethostname()}_{secrets.token_hex(4)}"
    ProcessCollector(registry=metrics.REGISTRY)
    metrics.BUILD.labels(trimtab.__version__).set(1)
    api = await client.connect(settings.connections)
    lease = Leadership(api, settings.operator_namespace, settings.lease_name, identity, settings.lease_seconds)
    api.may_write = lease.check
    runner = await http.serve(metrics.REGISTRY, lambda: lease.alive() and not stop.is_set(), settings.http_port)
    try:
        return await _lead(settings, api, lease, identity, stop)
    finally:
        await lease.release()
        await api.close()
        await runner.cleanup()


async def _lead(settings: Settings, api: client.Client, lease: Leadership, identity: str, stop: asyncio.Event) -> int:
    """Wait for the Lease, then work until something ends."""
    stopped = asyncio.create_task(stop.wait())
    acquired = asyncio.create_task(lease.acquire())
    await asyncio.wait({stopped, acquired}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        acquired.cancel()
        return 0
    acquired.result()
    renewal = asyncio.create_task(lease.renew())
    work = asyncio.create_task(_run(settings, api, identity, stop))
    done, pending = await asyncio.wait({stopped, renewal, work}, return_when=asyncio.FIRST_COMPLETED)
    code = 0 if stop.is_set() else 1
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done - {stopped}:
        if (error := task.exception()) is not None:
            level = logging.WARNING if isinstance(error, LostLeaseError) else logging.ERROR
            log.log(
                level, "the operator ends: %s", error, exc_info=None if isinstance(error, LostLeaseError) else error
            )
        elif not stop.is_set():
            log.error("the operator ends: watching the API server has ended")
    return code


async def _run(settings: Settings, api: client.Client, identity: str, stop: asyncio.Event) -> None:
    """Prime the cache, then watch, work and monitor side by side; returns or raises when any of them ends."""
    namespaces = tuple(name.strip() for name in settings.namespaces.split(",") if name.strip())
    cache = Cache(WATCHED, slim, references)
    defaults = Defaults(
        server_image=settings.server_image,
        trainer_image=settings.trainer_image,
        store_claim=settings.store_claim,
        operator_namespace=settings.operator_namespace,
    )
    loop: Loop

    def ring(key: Key) -> None:
        loop.queue.ring(key)

    poller = Poller(settings.monitoring_port)
    monitor = Monitor(cache, api, poller, ring)
    world = World(cache, api, defaults, monitor.judged)
    loop = Loop(world, Applier(api, cache, Recorder(api, identity), ring), settings, namespaces)
    series = Budget(settings.series_features, settings.series_features_total)
    collectors: tuple[Collector, ...] = (DriftCollector(monitor.serving, series), loop.statuses)
    await loop.prime()
    gc.collect()
    gc.freeze()  # what is there by now stays: looking through it again and again took an eighth of the time
    gc.set_threshold(20_000, 20, 20)
    log.info("watching %s", ", ".join(namespaces) or "all namespaces")
    for collector in collectors:
        metrics.REGISTRY.register(collector)
    tasks = [
        asyncio.create_task(loop.work()),
        asyncio.create_task(monitor.run()),
        asyncio.create_task(bell.watch(loop.heard, namespaces, stop)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for collector in collectors:
            metrics.REGISTRY.unregister(collector)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await poller.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
