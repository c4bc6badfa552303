"""Flights replayed against the endpoint through plain HTTP, in requests of some rows, at a steady rate of wall-clock time."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

ROWS = 25
"""Rows of one request."""
SECONDS = 15.0
"""A request that takes longer has failed."""


class Endpoint:
    """One model behind one address; keeps its connection as a client would, and opens a new one when it was closed."""

    def __init__(self, base: str, model: str) -> None:
        self._url = urlsplit(base)
        self._model = model
        self._connection: http.client.HTTPConnection | None = None
        self.inputs: list[dict[str, Any]] = []

    def metadata(self) -> Any:
        status, answer = self._call("GET", f"/v2/models/{self._model}", None)
        if status != 200:
            raise ConnectionError(f"metadata: {status} {answer}")
        self.inputs = answer["inputs"]
        return answer

    def infer(self, rows: pd.DataFrame, outputs: tuple[str, ...] = ()) -> tuple[int, Any]:
        """Status and answer for some rows."""
        body: dict[str, Any] = {"inputs": [_tensor(rows, tensor) for tensor in self.inputs]}
        if outputs:
            body["outputs"] = [{"name": name} for name in outputs]
        return self._call("POST", f"/v2/models/{self._model}/infer", json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> tuple[int, Any]:
        reused = self._connection is not None
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port or 80, timeout=SECONDS)
        try:
            self._connection.request(method, self._url.path + path, body, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            raw = answer.read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if not reused:
                raise
            return self._call(method, path, body)  # an idle connection was closed by the server: every client opens another
        if answer.getheader("Connection", "").lower() == "close":
            self.close()
        return answer.status, json.loads(raw)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _tensor(rows: pd.DataFrame, tensor: dict[str, Any]) -> dict[str, Any]:
    values = [None if pd.isna(value) else value for value in rows[tensor["name"]].tolist()]
    return {"name": tensor["name"], "datatype": tensor["datatype"], "shape": [len(rows)], "data": values}


class Replay:
    """Sends rows of a frame, shuffled, `rate` rows a second, until stopped. Counts rows sent and requests that failed."""

    def __init__(self, endpoint: Endpoint, rate: float) -> None:
        self._endpoint, self._rate = endpoint, rate
        self._lock = threading.Lock()
        self._rows: Iterator[pd.DataFrame] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0
        self.failures: list[str] = []

    def __enter__(self) -> "Replay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(SECONDS + 5)
        self._endpoint.close()

    def play(self, path: Path | None, seed: int = 0) -> None:
        """From now on rows of this file, or none."""
        with self._lock:
            self._rows = _batches(pd.read_parquet(path), seed) if path is not None else None

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            with self._lock:
                rows = next(self._rows) if self._rows is not None else None
            if rows is not None:
                self._send(rows)
            due = max(due + ROWS / self._rate, time.monotonic() - 1.0)
            self._stop.wait(max(0.0, due - time.monotonic()))

    def _send(self, rows: pd.DataFrame) -> None:
        try:
            status, answer = self._endpoint.infer(rows, ("predict",))
        except OSError as error:
            self._endpoint.close()
            self.failures.append(repr(error))
            return
        if status != 200:
            self.failures.append(f"{status} {answer}")
            return
        self.sent += len(rows)


def _batches(frame: pd.DataFrame, seed: int) -> Iterator[pd.DataFrame]:
    random = np.random.default_rng(seed)
    while True:
        shuffled = frame.iloc[random.permutation(len(frame))]
        for start in range(0, len(shuffled) - ROWS + 1, ROWS):
            yield shuffled.iloc[start : start + ROWS]


def scores(endpoint: Endpoint, rows: pd.DataFrame) -> list[float]:
    """Probability of a late arrival for every row, asked in requests of 500."""
    found: list[float] = []
    for start in range(0, len(rows), 500):
        status, answer = endpoint.infer(rows.iloc[start : start + 500], ("predict_proba",))
        if status != 200:
            raise ConnectionError(f"{status} {answer}")
        output = answer["outputs"][0]
        width = output["shape"][1]
        found += output["data"][width - 1 :: width]
    return found
