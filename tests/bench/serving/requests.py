"""Requests as bytes, and the labels in an answer. Pure.

All V2 servers get the same tensors. Requests ask for `predict` alone where a server has more outputs or knows the name: labels
are all that the others answer.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

Form: TypeAlias = Literal["V2", "V2 binary", "Instances"]
REQUESTS = 64
"""Different requests that a scenario goes through."""


def parts(rows: pd.DataFrame, count: int) -> Iterator[pd.DataFrame]:
    """The rows of each request, `count` at a time."""
    for start in range(0, REQUESTS * count, count):
        yield rows[start : start + count]


def body(form: Form, rows: pd.DataFrame, *, named: bool = True) -> tuple[bytes, dict[str, str]]:
    """A body and its headers; binary tensors carry numbers only. `named`: whether V2 says which output is wanted."""
    outputs = {"outputs": [{"name": "predict"}]} if named else {}
    if form == "V2 binary":
        return _binary(rows, outputs)
    document = _instances(rows) if form == "Instances" else {**_v2(rows), **outputs}
    return json.dumps(document, separators=(",", ":")).encode(), {"Content-Type": "application/json"}


def labels(form: Form, content: bytes) -> list[int]:
    """The labels in an answer; raises KeyError, IndexError, TypeError or ValueError where there are none."""
    document = json.loads(content)
    if form == "Instances":
        return list(document if isinstance(document, list) else document["predictions"])
    found = document["outputs"][0]
    if found["name"] != "predict" and len(document["outputs"]) > 1:
        raise ValueError(f"the first output is {found['name']!r}")
    return [int(value) for value in found["data"]]


def _v2(rows: pd.DataFrame) -> dict[str, Any]:
    if not _has_text(rows):
        data = rows.to_numpy().ravel().tolist()
        return {"inputs": [{**_tensor(rows), "data": data}]}
    inputs = [_column(name, rows[name]) for name in rows]
    return {"parameters": {"content_type": "pd"}, "inputs": inputs}


def _tensor(rows: pd.DataFrame) -> dict[str, Any]:
    return {"name": "input-0", "shape": list(rows.shape), "datatype": "FP64"}


def _column(name: Any, values: pd.Series) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name, "shape": [len(values), 1], "datatype": "FP64"}
    if not pd.api.types.is_numeric_dtype(values):
        about |= {"datatype": "BYTES", "parameters": {"content_type": "str"}}
    return {**about, "data": values.tolist()}


def _binary(rows: pd.DataFrame, outputs: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    raw = np.ascontiguousarray(rows.to_numpy(np.float64), "<f8").tobytes()
    tensor = {**_tensor(rows), "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [tensor], **outputs}, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return head + raw, headers


def _instances(rows: pd.DataFrame) -> dict[str, Any]:
    if _has_text(rows):
        return {"instances": rows.to_dict("records")}
    return {"instances": rows.to_numpy().tolist()}


def _has_text(rows: pd.DataFrame) -> bool:
    return not all(pd.api.types.is_numeric_dtype(rows[name]) for name in rows)


def message(path: str, content: bytes, headers: dict[str, str]) -> bytes:
    """A whole HTTP request for loopback, as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content
