"""The binary tensor extension of V2: values behind the JSON of a request or an answer, little-endian. Pure.

`Inference-Header-Content-Length` says where the JSON ends; each tensor's `binary_data_size` says how many of the bytes
behind it are its own, in the order of the tensors. BYTES are elements of four bytes of length and their text.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.serving.refusal import client

HEADER = b"inference-header-content-length"
_TYPES = {
    "BOOL": "<u1", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "<i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
_LENGTH = 4


def dtype(datatype: Any) -> np.dtype[Any] | None:
    """What numbers of a datatype are in memory; None for BYTES and for what is no datatype."""
    return np.dtype(_TYPES[datatype]) if isinstance(datatype, str) and datatype in _TYPES else None


def read(name: str, datatype: Any, raw: memoryview, count: int) -> NDArray[Any] | list[str]:
    """`count` values out of all of `raw`: an array of the datatype, or texts. Raises `RefusedError`."""
    if datatype == "BYTES":
        return texts(name, _elements(name, raw, count))
    kind = dtype(datatype)
    if kind is None:
        raise client(f"input {name!r}: {datatype!r} is no datatype of the protocol")
    if raw.nbytes != count * kind.itemsize:
        raise client(f"input {name!r}: {count} values of {datatype} are {count * kind.itemsize} bytes, not {raw.nbytes}")
    return np.frombuffer(raw, kind)


def texts(name: str, elements: Sequence[bytes | memoryview]) -> list[str]:
    """Elements of BYTES as text, which is UTF-8."""
    found: list[str] = []
    try:
        found.extend(str(element, "utf-8") for element in elements)
    except UnicodeDecodeError:
        raise client(f"input {name!r}, row {len(found)}: the bytes are no UTF-8 text") from None
    return found


def _elements(name: str, raw: memoryview, count: int) -> list[memoryview]:
    elements: list[memoryview] = []
    place = 0
    while place < raw.nbytes and len(elements) < count:
        begin = place + _LENGTH
        place = begin + int.from_bytes(raw[place:begin], "little")
        if place > raw.nbytes:
            break
        elements.append(raw[begin:place])
    if len(elements) != count or place != raw.nbytes:
        raise client(f"input {name!r}: the bytes do not hold {count} elements, each behind four bytes of its length")
    return elements


def write(data: Any, datatype: str) -> bytes:
    """An array of numbers, or a list of texts or booleans, in the form that `read` reads."""
    if datatype != "BYTES":
        return np.asarray(data, _TYPES[datatype]).tobytes()
    encoded = [value.encode() for value in data]
    return b"".join(len(value).to_bytes(_LENGTH, "little") + value for value in encoded)
