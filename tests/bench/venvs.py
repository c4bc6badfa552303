"""Virtual environments of the peers, one for each of their requirements files."""

from pathlib import Path

from cluster import layout
from tests import venvs
from tests.venvs import UnavailableError

__all__ = ["CACHE", "UnavailableError", "python"]

CACHE = layout.CACHE / "bench"


def python(requirements: Path) -> Path:
    """The interpreter that has what `requirements-<peer>.txt` pins; raises `UnavailableError`."""
    peer = requirements.stem.removeprefix("requirements-")
    return venvs.python(requirements, f"bench/{peer}", "--no-deps")
