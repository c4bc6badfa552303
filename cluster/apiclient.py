"""The few requests that bringing the cluster up needs, over HTTPS and over unix sockets; people use kubectl."""

import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any

from cluster import pki
from cluster.layout import API_URL, PKI
from cluster.terminal import ClusterError

TIMEOUT = 10.0

_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
}


@cache
def _opener(authority: bytes) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cadata=authority.decode())
    # No proxy: the cluster is on this machine, whatever the environment says of others.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def request(method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> bytes:
    """Asks the API server as admin. Raises OSError when it is out of reach, of that HTTPError when it refuses."""
    headers = {"Authorization": f"Bearer {pki.token()}", "Content-Type": content_type}
    asked = urllib.request.Request(API_URL + path, data=body, method=method, headers=headers)
    with _opener((PKI / "ca.crt").read_bytes()).open(asked, timeout=TIMEOUT) as answer:
        content: bytes = answer.read()
        return content


def get(path: str) -> Any:
    """An object or a list."""
    return json.loads(request("GET", path))


def exists(path: str) -> bool:
    """Whether an object is there."""
    try:
        request("GET", path)
    except urllib.error.HTTPError as e:
        if e.code == 404:
            return False
        raise
    return True


def apply(manifest: dict[str, Any]) -> None:
    """Server-side apply of one object of the kinds that the cluster itself needs."""
    meta = manifest["metadata"]
    path = _PATHS[manifest["kind"]].format(namespace=meta.get("namespace", ""))
    try:
        request(
            "PATCH",
            f"{path}/{meta['name']}?fieldManager=trimtab-cluster&force=true",
            json.dumps(manifest).encode(),
            "application/apply-patch+yaml",
        )
    except urllib.error.HTTPError as e:
        raise ClusterError(
            f"the API server refused {manifest['kind']} {meta['name']}: {e.read().decode(errors='replace')}"
        ) from e


def answers(url: str) -> bool:
    """Whether a plain HTTP address of this machine answers at all, with whatever status below 500."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT):
            return True
    except urllib.error.HTTPError as e:
        return e.code < 500


def answers_on_socket(path: Path, target: str) -> bool:
    """Whether an HTTP server on a unix socket answers `target` with 200."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(TIMEOUT)
        channel.connect(str(path))
        connection = http.client.HTTPConnection("localhost", timeout=TIMEOUT)
        connection.sock = channel
        connection.request("GET", target)
        return connection.getresponse().status == 200


def listens(path: Path) -> bool:
    """Whether somebody accepts connections on a unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(TIMEOUT)
        channel.connect(str(path))
        return True


def accepts(address: str, port: int) -> bool:
    """Whether somebody accepts TCP connections there; OSError for no."""
    with socket.create_connection((address, port), timeout=TIMEOUT):
        return True
