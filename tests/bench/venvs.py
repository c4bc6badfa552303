"""Virtual environments of the peers: made on first use in Trimtab's cache, one for each requirements file and its content."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("TRIMTAB_CACHE", Path.home() / ".cache" / "trimtab")) / "bench"
_SECONDS = 900


class UnavailableError(Exception):
    """A peer cannot be installed here; the message says why."""


def python(requirements: Path) -> Path:
    """The interpreter that has what `requirements-<peer>.txt` pins; raises `UnavailableError`."""
    peer = requirements.stem.removeprefix("requirements-")
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / f"{peer}-{digest}"
    interpreter, done = folder / "bin" / "python", folder / "complete"
    if not done.exists():
        print(f"installing {peer} into {folder} (once)", flush=True)
        _install(folder, interpreter, requirements)
        done.touch()
    return interpreter


def _install(folder: Path, interpreter: Path, requirements: Path) -> None:
    """A fresh folder: what an interrupted installation left is of no use."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _do(sys.executable, "-m", "venv", str(folder))
    _do(str(interpreter), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(requirements))


def _do(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{' '.join(command[:4])} took more than {_SECONDS} s") from error
    if done.returncode:
        raise UnavailableError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")
