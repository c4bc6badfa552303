"""The doorbell: kopf lists and watches, and each event goes into the cache and rings the parent. The only module with kopf.

Handlers return nothing and do no I/O, so kopf writes neither annotation nor finalizer nor status.
"""

import asyncio
import dataclasses
import logging
import os
import ssl
from collections.abc import Callable, Collection
from typing import Any

import kopf

from trimtab.api.meta import MANAGED_BY
from trimtab.controller.client import Object
from trimtab.controller.resources import OURS, WATCHED

OURS_BY_LABEL = f"app.kubernetes.io/managed-by={MANAGED_BY}"

Heard = Callable[[str | None, Object], None]
"""Called with the event's type (None for a listed object) and the object."""


class _NoEssence(kopf.DiffBaseStorage):
    """kopf compares each event with a stored copy unless told that there is none: half of its time, for nothing here."""

    def fetch(self, *, body: Any) -> None:
        return None

    def store(self, *, body: Any, patch: Any, essence: Any) -> None:
        return None

    def build(self, **_: Any) -> Any:
        return {}


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.finalizer = "trimtab.dev/unused"
    settings.persistence.diffbase_storage = _NoEssence()
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 0.1
    settings.watching.connect_timeout = 10
    settings.watching.server_timeout = 600
    settings.watching.client_timeout = 660
    settings.watching.reconnect_backoff = 1
    settings.watching.chunk_size = 50
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = (0.5, 1, 2, 4, 8)
    settings.process.ultimate_exiting_timeout = 20
    for kind, resource in WATCHED.items():
        if kind not in OURS:
            settings.watching.label_selectors[resource.group, resource.version, resource.plural] = OURS_BY_LABEL
    return settings


class _Connection(kopf.ConnectionInfo):
    """Trusts authorities that lack the extensions which Python 3.13 wants: those of many clusters do."""

    def as_ssl_context(self) -> ssl.SSLContext:
        context = super().as_ssl_context()
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def _login(**arguments: Any) -> kopf.ConnectionInfo | None:
    """The service account by the address in the environment, which needs no DNS; else the kubeconfig."""
    found = kopf.login_with_service_account(**arguments)
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if found is not None and host:
        server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        found = dataclasses.replace(found, server=server)
    found = found or kopf.login_with_kubeconfig(**arguments)
    return _Connection(**{f.name: getattr(found, f.name) for f in dataclasses.fields(found)}) if found else None


def _registry(heard: Heard) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**arguments: Any) -> kopf.ConnectionInfo | None:
        return _login(**arguments)

    def listen(kind: str, api_version: str) -> Callable[..., Any]:
        async def on_event(event: Any, **_: Any) -> None:
            obj = dict(event["object"])
            obj.setdefault("kind", kind)
            obj.setdefault("apiVersion", api_version)
            heard(event["type"], obj)

        return on_event

    for kind, resource in WATCHED.items():
        kopf.on.event(resource.group, resource.version, resource.plural, registry=registry, id=kind)(
            listen(kind, resource.api_version)
        )
    return registry


async def watch(heard: Heard, namespaces: Collection[str], stop: asyncio.Event) -> None:
    """Deliver every event until `stop`; returns, or raises, when kopf gives up on the API server."""
    for name in ("kopf.objects", "kopf.activities"):
        logging.getLogger(name).setLevel(logging.WARNING)
    await kopf.operator(
        registry=_registry(heard),
        settings=_settings(),
        clusterwide=not namespaces,
        namespaces=tuple(namespaces),
        stop_flag=stop,
    )
