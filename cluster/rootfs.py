"""The Python base image without a registry: Debian trixie with its own Python, by debootstrap from apt's mirror."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from cluster import debian
from cluster.layout import ARCHITECTURE, CACHE
from cluster.terminal import ClusterError, run, step

SUITE = "trixie"
PACKAGES = ("ca-certificates", "python3", "python3-venv")
UNNEEDED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "tmp",
    "run",
    "proc",
    "sys",
    "dev",
)
"""Emptied: papers, caches, and what a container mounts over."""
DIGEST = hashlib.sha256(repr((SUITE, PACKAGES, UNNEEDED, ARCHITECTURE)).encode()).hexdigest()


def archive() -> Path:
    """A tar file of the root file system; made when the cache has none, in about a minute."""
    target = CACHE / "rootfs" / f"{SUITE}-{DIGEST[:12]}.tar"
    if not target.exists():
        debian.ensure(debian.IMAGES)
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            step(f"making the Python base image (Debian {SUITE})"),
            tempfile.TemporaryDirectory(dir=target.parent) as scratch,
        ):
            _make(Path(scratch) / "root", Path(scratch) / "root.tar")
            (Path(scratch) / "root.tar").rename(target)
    return target


def _make(root: Path, tar: Path) -> None:
    env = {**os.environ, **debian.proxy()}
    command: list[str | Path] = [
        "debootstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        SUITE,
        root,
        debian.mirror(),
    ]
    try:
        run(command, env=env)
    except ClusterError as e:
        log = root / "debootstrap" / "debootstrap.log"
        words = "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
        raise ClusterError(f"{e}\n{words}".rstrip()) from e
    for name in UNNEEDED:
        for path in (root / name).iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    run(["tar", "--create", "--numeric-owner", "--file", tar, "--directory", root, "."])
