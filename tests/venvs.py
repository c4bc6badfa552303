"""Virtual environments of programs that are not ours, and whose requirements disagree with ours: made on first use in Trimtab's
cache, one for each lock file and its content."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from cluster.layout import CACHE
from cluster.locking import held
from cluster.terminal import say

_SECONDS = 900


class UnavailableError(Exception):
    """It cannot be installed here; the message says why."""


def python(requirements: Path, place: str, *options: str, cache: Path = CACHE) -> Path:
    """The interpreter that has what a file of pinned `requirements` names, installed with these `options` of pip; `place` is
    its folder in the cache, but for the digest. Made by one process, for which others wait; one that was killed meanwhile
    leaves nothing that is used. Raises `UnavailableError`."""
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache / f"{place}-{digest}"
    interpreter, done = folder / "bin" / "python", folder / "complete"
    if not done.exists():
        with held(folder.with_name(f"{folder.name}.lock"), f"installing into {folder}") as lock:
            if not done.exists():
                say(f"installing {requirements.name} into {folder} (once)")
                _install(lock, folder, interpreter, *options, "-r", str(requirements))
                done.touch()
    return interpreter


def _install(lock: int, folder: Path, interpreter: Path, *arguments: str) -> None:
    """A fresh folder: what an interrupted installation left is of no use."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _do(lock, sys.executable, "-m", "venv", "--without-pip", str(folder))  # which would take longer than all else
    _do(lock, sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet", *arguments)


def _do(lock: int, *command: str) -> None:
    """Run it. It holds the lock too: should this process be killed, nobody else begins before it has ended."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, pass_fds=(lock,))
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{' '.join(command[:4])} took more than {_SECONDS} s") from error
    if done.returncode:
        raise UnavailableError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")
