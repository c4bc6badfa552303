"""What a user of the cluster has at hand: kubectl, a bucket, plain HTTP; and builders of the objects a user would write."""

import hashlib
import http.client
import json
from pathlib import Path
from typing import Any

import obstore
from obstore.store import S3Store

from tests.cluster.kubectl import Kubectl
from tests.cluster.worlds import condition, is_so

Json = Any


class Bucket:
    """The cluster's S3 server, seen from the host and from pods under one address."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings
        self._store = S3Store(
            settings["bucket"],
            endpoint=settings["endpoint"],
            region=settings["region"],
            access_key_id=settings["accessKeyId"],
            secret_access_key=settings["secretAccessKey"],
            client_options={"allow_http": True},
            virtual_hosted_style_request=False,
        )

    def put(self, key: str, content: bytes | Path) -> str:
        """Uploads; returns the digest."""
        raw = content.read_bytes() if isinstance(content, Path) else content
        obstore.put(self._store, key, raw)
        return f"sha256:{hashlib.sha256(raw).hexdigest()}"

    def get(self, key: str) -> bytes:
        return bytes(obstore.get(self._store, key).bytes())

    def keys(self, prefix: str) -> list[str]:
        return [str(entry["path"]) for page in obstore.list(self._store, prefix) for entry in page]

    def place(self, key: str) -> Json:
        """The address of a key as the API writes it, credentials included."""
        return {
            "uri": f"s3://{self.settings['bucket']}/{key}",
            "endpoint": self.settings["endpoint"],
            "region": self.settings["region"],
            "credentials": {"secretRef": {"name": "s3"}},
        }

    def secret(self) -> Json:
        """The Secret with the store's keys."""
        keys = {"AWS_ACCESS_KEY_ID": self.settings["accessKeyId"], "AWS_SECRET_ACCESS_KEY": self.settings["secretAccessKey"]}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3"}, "stringData": keys}


class Space:
    """One namespace as its user sees it. `unique` keeps keys of the bucket apart."""

    def __init__(self, kubectl: Kubectl, bucket: Bucket, unique: str) -> None:
        self.kubectl, self.bucket, self.unique = kubectl, bucket, unique

    @property
    def name(self) -> str:
        return self.kubectl.namespace

    def apply(self, *objects: Json) -> None:
        for obj in objects:
            self.kubectl.do("apply", "--server-side", "--force-conflicts", "-f", "-", given=obj)

    def get(self, name: str) -> Json:
        return self.kubectl.get(name)

    def status(self, name: str) -> Json:
        return self.kubectl.get(name).get("status", {})

    def is_so(self, name: str, kind: str, status: str, reason: str | None = None) -> bool:
        return is_so(self.kubectl, name, kind, status, reason)

    def condition(self, name: str, kind: str) -> tuple[str, str, str] | None:
        return condition(self.kubectl, name, kind)

    def put(self, key: str, content: bytes | Path) -> Json:
        """Uploads under a key of this namespace's own; returns its address."""
        self.bucket.put(f"{self.unique}/{key}", content)
        return self.bucket.place(f"{self.unique}/{key}")

    def artifact(self, content: bytes, file_format: str = "ONNX", digest: str | None = None) -> Json:
        """An uploaded model as `spec.artifact`."""
        found = self.bucket.put(f"{self.unique}/model-{hashlib.sha256(content).hexdigest()[:8]}", content)
        place = self.bucket.place(f"{self.unique}/model-{hashlib.sha256(content).hexdigest()[:8]}")
        return {**place, "digest": digest or found, "format": file_format}

    def address(self, deployment: str) -> str:
        """The cluster IP behind `status.address`."""
        return str(self.kubectl.get(f"service/{deployment}")["spec"]["clusterIP"])

    def serves(self, deployment: str) -> bool:
        """Ready, and the cluster's network has heard of it: a Service follows its pods by moments."""
        if not self.is_so(f"mdep/{deployment}", "Ready", "True"):
            return False
        try:
            return self.http("GET", deployment, "/v2/health/ready")[0] == 200
        except OSError:
            return False

    def ask(self, deployment: str, body: Json | bytes, model: str | None = None) -> tuple[int, Json]:
        """One inference request; status and answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http("POST", deployment, f"/v2/models/{model or deployment}/infer", raw)

    def http(self, method: str, deployment: str, path: str, body: bytes | None = None) -> tuple[int, Json]:
        connection = http.client.HTTPConnection(self.address(deployment), 80, timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw) if raw else None
        finally:
            connection.close()


def obj(kind: str, name: str, **spec: Json) -> Json:
    return {"apiVersion": "trimtab.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def dataset(name: str, source: Json, **spec: Json) -> Json:
    return obj("Dataset", name, **{"source": source, "targetColumn": "late", "timeColumn": "time_hour", **spec})


def model(name: str, store: Json, data: str = "flights", **spec: Json) -> Json:
    training = {
        "data": {"datasetRef": {"name": data}},
        "target": {"positive": "true"},
        "validation": {"type": "Time"},
        "estimator": {"name": "LogisticRegression", "params": {"max_iter": 500}},
        "retries": 0,
        "timeout": "5m",
        **spec.pop("training", {}),
    }
    if "container" in training:
        del training["estimator"]
    return obj("Model", name, task=spec.pop("task", "Classification"), training=training, store=store, **spec)


def deployment(name: str, **spec: Json) -> Json:
    return obj("ModelDeployment", name, **spec)


def columns(rows: list[dict[str, Json]], datatypes: dict[str, str]) -> Json:
    """Rows as an inference request, one tensor a column."""
    tensors = [
        {"name": name, "datatype": datatype, "shape": [len(rows)], "data": [row[name] for row in rows]}
        for name, datatype in datatypes.items()
    ]
    return {"inputs": tensors}
