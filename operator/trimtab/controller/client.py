"""A thin asynchronous client for plain dictionaries over `kubernetes.aio`: every request of the operator passes here.

Typed models are not used: reading a list into them costs sixteen times the time. A write first asks `may_write`,
so a process that lost its Lease, or slept through it, writes nothing.
"""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import orjson
from kubernetes.aio import client as kubernetes_client
from kubernetes.aio import config as kubernetes_config

import trimtab
from trimtab.controller import metrics
from trimtab.controller.resources import Resource

Object = dict[str, Any]
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
PAGE = 50


class ApiError(Exception):
    """The API server refused: `status` is the HTTP code, `reason` its one word, the text is the server's own sentence."""

    def __init__(self, status: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.retry_after = status, reason, message, retry_after


class Unreachable(Exception):  # noqa: N818 - a state of the world, not a fault of the program
    """No answer from the API server: refused, reset or timed out. Whether a write took effect is unknown."""


def _always() -> None:
    return None


class Client:
    """One connection pool to one API server. `may_write` raises when this process must not write."""

    def __init__(self, configuration: Any, *, connections: int = 32, timeout: float = 30.0) -> None:
        configuration.connection_pool_maxsize = connections
        # Authorities of many clusters lack the extensions that Python 3.13 wants by default; all else is checked.
        configuration.disable_strict_ssl_verification = True
        # aiohttp would look for proxies and passwords in the environment at every request; a proxy is in `configuration` already.
        configuration.client_session_kwargs = {"trust_env": False}
        self._api = kubernetes_client.ApiClient(configuration)
        self._api.user_agent = f"trimtab/{trimtab.__version__}"
        self._configuration = configuration
        self._timeout = timeout
        self.may_write: Callable[[], None] = _always

    async def close(self) -> None:
        await self._api.close()

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """The object as it is now, or None where there is none."""
        try:
            return await self.request("GET", resource.path(namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def listed(
        self, resource: Resource, namespace: str | None = None, *, labels: str | None = None
    ) -> AsyncIterator[Object]:
        """Every object of a kind, page by page, each with its `apiVersion` and `kind` filled in."""
        query = [("limit", str(PAGE))] + ([("labelSelector", labels)] if labels else [])
        token: str | None = None
        while True:
            page = await self.request(
                "GET", resource.path(namespace), query=query + ([("continue", token)] if token else [])
            )
            for item in page["items"]:
                item.setdefault("apiVersion", resource.api_version)
                item.setdefault("kind", resource.kind)
                yield item
            token = page["metadata"].get("continue")
            if not token:
                return

    async def create(self, resource: Resource, obj: Object, *, field_manager: str) -> Object:
        return await self.write(
            "POST", resource.path(obj["metadata"].get("namespace")), obj, query=[("fieldManager", field_manager)]
        )

    async def apply(
        self, resource: Resource, obj: Object, *, field_manager: str, subresource: str | None = None
    ) -> Object:
        """Server-side apply of the full intent; conflicts are forced, since only fields we mean are in it."""
        meta = obj["metadata"]
        return await self.write(
            "PATCH",
            resource.path(meta.get("namespace"), meta["name"], subresource),
            obj,
            content_type=APPLY,
            query=[("fieldManager", field_manager), ("force", "true")],
        )

    async def merge(
        self, resource: Resource, namespace: str, name: str, patch: Object, *, field_manager: str
    ) -> Object:
        return await self.write(
            "PATCH",
            resource.path(namespace, name),
            patch,
            content_type=MERGE,
            query=[("fieldManager", field_manager)],
        )

    async def delete(self, resource: Resource, namespace: str, name: str, uid: str) -> None:
        """Delete that very object in the background; what is gone already, or has another uid by now, is no error."""
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        try:
            await self.write("DELETE", resource.path(namespace, name), body)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    async def write(
        self,
        method: str,
        path: str,
        body: Object | None,
        *,
        content_type: str = "application/json",
        query: list[tuple[str, str]] | None = None,
    ) -> Object:
        self.may_write()
        return await self.request(method, path, body=body, content_type=content_type, query=query)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        content_type: str = "application/json",
        query: list[tuple[str, str]] | None = None,
    ) -> Object:
        """One round trip; raises `ApiError` on a refusal and `Unreachable` without an answer."""
        started = time.monotonic()
        code = "<error>"
        headers = {"Accept": "application/json", "Content-Type": content_type}
        try:
            _, url, headers, *_ = await self._api.param_serialize(
                method, path, query_params=query or [], header_params=headers, auth_settings=["BearerToken"]
            )
            timeout = aiohttp.ClientTimeout(total=self._timeout)
            response = await self._api.call_api(method, url, headers, body, _request_timeout=timeout)
            raw = await response.read()
            code = str(response.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{method} {path}: {error!r}") from error
        finally:
            metrics.request(method, code, time.monotonic() - started)
        answer = _parsed(raw)
        if answer is None and response.status < 400:
            raise Unreachable(f"{method} {path}: what answered is no API server")
        if response.status >= 400:
            raise _refusal(response.status, answer or {}, response.getheader("Retry-After"))
        return answer or {}


def _parsed(raw: bytes) -> Object | None:
    """The object of an answer; None where it is none, as a proxy's page of HTML."""
    try:
        answer = orjson.loads(raw) if raw else {}
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _refusal(status: int, answer: Object, retry_after: str | None) -> ApiError:
    wait = float(retry_after) if retry_after and retry_after.isdigit() else None
    return ApiError(status, answer.get("reason") or "Unknown", answer.get("message") or f"HTTP {status}", wait)


async def connect(connections: int = 32) -> Client:
    """A client for the cluster this process runs in, or for the one `KUBECONFIG` names."""
    configuration = kubernetes_client.Configuration()
    try:
        kubernetes_config.load_incluster_config(client_configuration=configuration)
    except kubernetes_config.ConfigException:
        await kubernetes_config.load_kube_config(client_configuration=configuration)
    return Client(configuration, connections=connections)
