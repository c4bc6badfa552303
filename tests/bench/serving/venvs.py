"""Virtual environments of the peers, one for each of their requirements files."""

from pathlib import Path

from tests.bench import venvs

HERE = Path(__file__).parent


def python(peer: str) -> Path:
    """The interpreter that has what `requirements-<peer>.txt` pins; raises `UnavailableError`."""
    return venvs.python(HERE / f"requirements-{peer}.txt")
