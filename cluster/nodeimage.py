"""The node's own image, made without a registry: a program that waits, for sandboxes, and busybox, for volumes.

It is written as an OCI archive directly, two megabytes, so that bringing the cluster up needs no image builder.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

from cluster.layout import ARCHITECTURE, CACHE
from cluster.terminal import ClusterError, run

PAUSE = r"""
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int number) { (void)number; _exit(0); }
static void reap(int number) { (void)number; while (waitpid(-1, NULL, WNOHANG) > 0) {} }

int main(void) {
    signal(SIGTERM, end);
    signal(SIGINT, end);
    signal(SIGCHLD, reap);
    for (;;) pause();
}
"""
"""Waits until it is told to end, and reaps what is orphaned in its pod."""

APPLETS = ("sh", "mkdir", "rm", "chmod", "ls", "cat", "wget", "sleep")
_LINKS = {f"bin/{name}": "busybox" for name in APPLETS}
DIGEST = hashlib.sha256(repr((PAUSE, APPLETS, ARCHITECTURE)).encode()).hexdigest()
REFERENCE = f"localhost/trimtab-node:{DIGEST[:12]}"


def archive() -> Path:
    """The OCI archive; made when the cache has none."""
    target = CACHE / "node-image" / f"{DIGEST[:12]}.tar"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{os.getpid()}")
        _write(partial, _layer())
        partial.rename(target)
    return target


def _layer() -> bytes:
    busybox = shutil.which("busybox", path="/bin:/usr/bin")
    if busybox is None:
        raise ClusterError("busybox is missing (Debian: busybox-static)")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder, mode in (("bin", 0o755), ("tmp", 0o1777)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        _add(tar, "pause", _compile_pause())
        _add(tar, "bin/busybox", Path(busybox).read_bytes())
        for name, link in _LINKS.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            tar.addfile(entry)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o755) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _compile_pause() -> bytes:
    folder = CACHE / "node-image"
    source, program = folder / "pause.c", folder / "pause"
    source.write_text(PAUSE)
    run(["gcc", "-static", "-Os", "-s", "-o", program, source], what="compiling the pause program")
    return program.read_bytes()


def _write(path: Path, layer: bytes) -> None:
    """The smallest OCI archive: one layer, its configuration, its manifest and the index."""
    blobs: dict[str, bytes] = {}

    def describe(content: bytes, media: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"mediaType": f"application/vnd.oci.image.{media}", "digest": f"sha256:{digest}", "size": len(content)}

    rootfs = describe(layer, "layer.v1.tar")
    config = {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65535", "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [rootfs["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": describe(json.dumps(config).encode(), "config.v1+json"),
        "layers": [rootfs],
    }
    entry = describe(json.dumps(manifest).encode(), "manifest.v1+json")
    entry["annotations"] = {"io.containerd.image.name": REFERENCE, "org.opencontainers.image.ref.name": REFERENCE}
    index = {"schemaVersion": 2, "manifests": [entry]}
    with tarfile.open(path, "w") as tar:
        _add(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}', 0o644)
        for digest, content in blobs.items():
            _add(tar, f"blobs/sha256/{digest}", content, 0o644)
        _add(tar, "index.json", json.dumps(index).encode(), 0o644)
