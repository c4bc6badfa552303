"""What the API server says, asked with the user's own rights. Reads only; every failure is one sentence that says what to do."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kubernetes import client, config
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError

from trimtab.api.meta import GROUP, VERSION

SECONDS = 20.0
"""Within which the API server must answer one question."""

Object = dict[str, Any]


class AskError(Exception):
    """The cluster did not give what was asked for; the text says why, and what to do."""


class Cluster:
    """One cluster as the kubeconfig names it."""

    def __init__(self, context: str | None = None) -> None:
        """`context`: of the kubeconfig; its current one by default. Raises `AskError` where there is none."""
        try:
            config.load_kube_config(context=context)
            _, current = config.list_kube_config_contexts()
            contexts = {each["name"]: each["context"] for each in config.list_kube_config_contexts()[0]}
        except (ConfigException, OSError) as error:
            raise AskError(f"no cluster is configured: {error}. Set KUBECONFIG, or choose another --context") from error
        chosen = contexts.get(context or current["name"], {})
        self.namespace: str = chosen.get("namespace") or "default"
        """Namespace of the context."""
        self._client = client.ApiClient()

    def deployment(self, namespace: str, name: str) -> Object:
        """A ModelDeployment."""
        return self._object(f"/apis/{GROUP}/{VERSION}/namespaces/{_part(namespace)}/modeldeployments/{_part(name)}")

    def config_map(self, namespace: str, name: str) -> Object | None:
        """A ConfigMap; None where there is none of that name."""
        try:
            return self._object(f"/api/v1/namespaces/{_part(namespace)}/configmaps/{_part(name)}")
        except _NotThereError:
            return None

    def pods(self, namespace: str, selector: str) -> list[Object]:
        """The pods with these labels."""
        path = f"/api/v1/namespaces/{_part(namespace)}/pods"
        items: list[Object] = self._object(path, {"labelSelector": selector})["items"]
        return items

    def from_pod(self, namespace: str, pod: str, port: int, path: str) -> bytes:
        """What a pod answers at a port that no Service need name, through the API server."""
        return self.get(f"/api/v1/namespaces/{_part(namespace)}/pods/http:{_part(pod)}:{port}/proxy{path}")

    def _object(self, path: str, query: Mapping[str, str] | None = None) -> Object:
        found: Object = json.loads(self.get(path, query))
        return found

    def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """The body of one answer."""
        method, url, headers, *_ = self._client.param_serialize(
            "GET", path, query_params=list((query or {}).items()), auth_settings=["BearerToken"]
        )
        try:
            answer = self._client.call_api(method, url, headers, _request_timeout=SECONDS)
            body: bytes = answer.read()
        except (HTTPError, OSError) as error:
            raise AskError(f"the API server does not answer: {error}") from error
        if answer.status == 404:
            raise _NotThereError(_said(body, path))
        if answer.status != 200:
            raise AskError(_said(body, path))
        return body


class _NotThereError(AskError):
    """The server has no such thing."""


def _part(text: str) -> str:
    return quote(text, safe="")


def _said(body: bytes, path: str) -> str:
    """The server's own words, where it answers as an API server does."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return f"{path}: {body[:200].decode(errors='replace')}"
