"""Moves an image from an OCI layout folder into containerd, sending only the layers that containerd has not got."""

import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import IO, Any

from cluster import binaries, node
from cluster.layout import CONTAINERD_SOCKET
from cluster.terminal import ClusterError


def load(layout: Path, reference: str) -> tuple[str, int]:
    """Imports the one image of a layout under `reference`; returns (the image's identity, bytes that were sent)."""
    present = set(node.ctr("content", "ls", "-q").split())
    command = [binaries.path("ctr"), "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", "image", "import", "-"]
    with subprocess.Popen(
        [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as importer:
        assert importer.stdin is not None
        assert importer.stderr is not None
        try:
            sent = _stream(layout, reference, present, importer.stdin)
            importer.stdin.close()
        except BrokenPipeError:
            sent = 0  # it ended early, and says why
        words = importer.stderr.read().decode(errors="replace").strip()
    if importer.returncode != 0:
        raise ClusterError(f"containerd did not take the image {reference}: {words}")
    return identity(layout), sent


def identity(layout: Path) -> str:
    """An image's ID in Kubernetes: its configuration's digest. containerd keeps the image under this name, too."""
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    return str(json.loads(_blob(layout, entry["digest"]).read_text())["config"]["digest"])


def _stream(layout: Path, reference: str, present: set[str], out: IO[bytes]) -> int:
    index = json.loads((layout / "index.json").read_text())
    [entry] = index["manifests"]
    entry["annotations"] = {"io.containerd.image.name": reference}
    sent = 0
    with tarfile.open(fileobj=out, mode="w|") as tar:
        _add(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        for digest in blobs(layout, entry):
            if digest in present:
                continue
            path = _blob(layout, digest)
            tar.add(path, arcname=f"blobs/sha256/{path.name}")
            sent += path.stat().st_size
        _add(tar, "index.json", json.dumps(index).encode())
    return sent


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def blobs(layout: Path, entry: dict[str, Any]) -> list[str]:
    """Digests of an image's manifest, configuration and layers."""
    manifest = json.loads(_blob(layout, entry["digest"]).read_text())
    return [entry["digest"], manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")
