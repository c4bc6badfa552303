"""What is asked at once: rows a request, connections, and in which form. Names are as on the command line: `100x4-binary`."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Way: TypeAlias = Literal["JSON", "binary", "gRPC"]
_WAYS: dict[str, Way] = {"": "JSON", "binary": "binary", "grpc": "gRPC"}


@dataclass(frozen=True)
class Scenario:
    """`rows` rows in each request, on `connections` connections that each ask again when they are answered."""

    rows: int
    connections: int
    way: Way = "JSON"

    @property
    def name(self) -> str:
        """As on the command line."""
        suffix = "" if self.way == "JSON" else f"-{self.way.lower()}"
        return f"{self.rows}x{self.connections}{suffix}"

    @property
    def title(self) -> str:
        """As in the result."""
        return f"{self.rows} row{'s' * (self.rows > 1)}, {self.connections} connection{'s' * (self.connections > 1)}, {self.way}"


def parse(name: str) -> Scenario:
    """The scenario of that name; raises ValueError."""
    sizes, _, way = name.partition("-")
    rows, _, connections = sizes.partition("x")
    if way not in _WAYS or not rows.isdecimal() or not connections.isdecimal() or not int(rows) or not int(connections):
        raise ValueError(f"{name!r} is no scenario such as 1x16, 100x4-binary or 1x16-grpc")
    return Scenario(int(rows), int(connections), _WAYS[way])


SCENARIOS = tuple(
    parse(name) for name in ("1x1", "1x16", "1x64", "100x4", "100x4-binary", "1x16-grpc", "1x64-grpc", "100x4-grpc")
)
