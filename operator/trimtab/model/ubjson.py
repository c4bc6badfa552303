"""UBJSON, the binary form of JSON in which XGBoost writes its models, as Python values. Reads bytes from anywhere.

Arrays of one numeric type become numpy arrays, so that a large model costs little more than its file.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_WORDS: dict[str, Any] = {"Z": None, "T": True, "F": False}
_DEEPEST = 64
"""Levels of nesting; a model of XGBoost has nine."""


class UbjsonError(ValueError):
    """The bytes are no UBJSON, or end before it does."""


def read(content: bytes) -> Any:
    """The one value in `content`. Raises `UbjsonError`."""
    reader = _Reader(content)
    value = reader.value(reader.marker(), 0)
    if reader.at != len(content):
        raise UbjsonError(f"{len(content) - reader.at} bytes follow its end")
    return value


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content, self.at = content, 0

    def marker(self) -> str:
        """The next byte as a character."""
        return chr(self._take(1)[0])

    def value(self, marker: str, depth: int) -> Any:
        """What follows a marker."""
        if marker in _NUMBERS:
            return self._numbers(marker, 1)[0].item()
        if marker in _WORDS:
            return _WORDS[marker]
        if marker in "SH":
            return self._text()
        if marker in "{[" and depth < _DEEPEST:
            return self._object(depth) if marker == "{" else self._array(depth)
        raise UbjsonError(f"byte {self.at - 1} is {marker!r}, which begins no value here")

    def _take(self, count: int) -> bytes:
        found = self._content[self.at : self.at + count]
        if len(found) < count:
            raise UbjsonError(f"it ends after {len(self._content)} bytes, in the middle of a value")
        self.at += count
        return found

    def _numbers(self, marker: str, count: int) -> NDArray[Any]:
        kind = np.dtype(_NUMBERS[marker])
        return np.frombuffer(self._take(count * kind.itemsize), kind)

    def _count(self) -> int:
        marker = self.marker()
        count = self._numbers(marker, 1)[0].item() if marker in "iUIlL" else -1
        if count < 0:
            raise UbjsonError(f"byte {self.at} should end a length")
        return int(count)

    def _text(self) -> str:
        try:
            return self._take(self._count()).decode()
        except UnicodeDecodeError as error:
            raise UbjsonError(f"the text before byte {self.at} is not UTF-8") from error

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._ends("}"):
            name = self._text()
            found[name] = self.value(self.marker(), depth + 1)
        return found

    def _array(self, depth: int) -> Any:
        if self._ends("$"):
            marker = self.marker()
            if marker not in _NUMBERS or not self._ends("#"):
                raise UbjsonError(f"byte {self.at} should give the length of an array of numbers")
            return self._numbers(marker, self._count())
        if self._ends("#"):
            return [self.value(self.marker(), depth + 1) for _ in range(self._count())]
        found: list[Any] = []
        while not self._ends("]"):
            found.append(self.value(self.marker(), depth + 1))
        return found

    def _ends(self, marker: str) -> bool:
        """Whether the next byte is this one, which is then passed."""
        if self._content[self.at : self.at + 1] != marker.encode():
            return False
        self.at += 1
        return True
