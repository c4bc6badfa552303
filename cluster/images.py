"""Builds the project's images from its Dockerfile and brings them to this cluster's containerd or to a registry.

A tag is the digest of everything an image is made of. What is there already is neither built nor sent again.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster import debian, lifecycle, node, oci, pipsettings, rootfs
from cluster.layout import CACHE, PROJECT, STATE
from cluster.locking import held
from cluster.terminal import ClusterError, run, say, step

TARGETS = {"operator": ("operator",), "server": ("server",), "trainer": ("server", "trainer")}
"""Each image and the requirements it is made of."""
KEPT = 6
"""Images of each name that stay in containerd: pods of earlier ones may still run."""
_STORE = CACHE / "containers"
_LAYOUT = CACHE / "layout"


def make(only: Sequence[str] = (), *, registry: str | None = None, insecure: bool = False) -> dict[str, str]:
    """Builds and delivers the images named in `only` (default: all). Returns {name: reference}."""
    unknown = [name for name in only if name not in TARGETS]
    if unknown:
        raise ClusterError(f"there is no image {unknown[0]}; there are {', '.join(TARGETS)}")
    if not debian.is_root():
        raise ClusterError("building images needs root; use sudo")
    if not registry:
        lifecycle.require_up()
    with (
        held(CACHE / "images.lock", "building images"),
        tempfile.TemporaryDirectory(prefix="trimtab-build-") as scratch,
    ):
        context = _snapshot(Path(scratch) / "context")
        references = {name: f"localhost/trimtab-{name}:{_digest(context, name)}" for name in only or TARGETS}
        try:
            return _deliver(references, context, registry, insecure)
        finally:
            _unmount_store()


def _deliver(references: dict[str, str], context: Path, registry: str | None, insecure: bool) -> dict[str, str]:
    if registry:
        _ensure_built(references, context)
        return {name: _push(reference, registry, insecure) for name, reference in references.items()}
    present = set(node.ctr("image", "ls", "-q").split())
    lacking = {name: reference for name, reference in references.items() if reference not in present}
    if lacking:
        _ensure_built(lacking, context)
        for name, reference in lacking.items():
            _forget_old(name, reference, _load(reference))
        _forget_old_builds()
        _prune_layout(set(node.ctr("content", "ls", "-q").split()))
    return references


def _snapshot(target: Path) -> Path:
    """A copy of what the images are made of, so that the tag speaks of what is built while people go on editing.

    Times and modes are made equal, so that equal content meets the builder's cache from any checkout.
    """
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(PROJECT / "operator" / "trimtab", target / "operator" / "trimtab", ignore=ignore)
    (target / "requirements").mkdir()
    for name in TARGETS:
        source = PROJECT / "requirements" / f"{name}.txt"
        if not source.exists():
            raise ClusterError(f"{source} is missing")
        shutil.copy(source, target / "requirements")
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(PROJECT / name, target)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (0, 0))
    return target


def _digest(context: Path, name: str) -> str:
    content = hashlib.sha256(_base_name().encode())
    wanted = [context / "Dockerfile", *(context / "requirements" / f"{part}.txt" for part in TARGETS[name])]
    for path in [*wanted, *sorted(p for p in (context / "operator").rglob("*") if p.is_file())]:
        content.update(f"{path.relative_to(context)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:12]


def _base_name() -> str:
    """The image that ours stand on: TRIMTAB_BASE_IMAGE, or the one made here without a registry."""
    return os.environ.get("TRIMTAB_BASE_IMAGE") or f"localhost/trimtab-python:{rootfs.DIGEST[:12]}"


def _driver() -> str:
    """Overlays do not stack: where the cache lies on one, layers are plain copies."""
    _STORE.mkdir(parents=True, exist_ok=True)
    filesystem = run(["stat", "--file-system", "--format=%T", _STORE]).strip()
    return "vfs" if filesystem in ("overlayfs", "overlay") else "overlay"


def buildah(*arguments: str | Path, what: str | None = None) -> str:
    """Runs buildah on a store of our own below the cache, apart from the machine's."""
    driver = _driver()
    store: list[str | Path] = ["--root", _STORE / driver, "--runroot", _STORE / "run", "--storage-driver", driver]
    return run(["buildah", *store, *arguments], what=what)


def _has(reference: str) -> bool:
    return bool(buildah("images", "--quiet", "--filter", f"reference={reference}").strip())


def _ensure_built(references: dict[str, str], context: Path) -> None:
    debian.ensure(debian.IMAGES)
    missing = {name: reference for name, reference in references.items() if not _has(reference)}
    if missing:
        _ensure_base()
    for name, reference in missing.items():
        with step(f"building the {name} image"):
            _build(name, reference, context)


def _ensure_base() -> None:
    reference = _base_name()
    if "TRIMTAB_BASE_IMAGE" in os.environ or _has(reference):
        return
    archive = rootfs.archive()
    with step("importing the Python base image"):
        container = buildah("from", "scratch").strip()
        buildah("add", "--quiet", container, archive, "/")
        buildah("config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", "--cmd", "python3", container)
        buildah("commit", "--quiet", "--rm", container, reference)


def _build(name: str, reference: str, context: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="trimtab-pip-") as folder:
        options = ["--layers", "--isolation", "chroot", "--network", "host", *pipsettings.secrets(Path(folder))]
        what = ["--target", name, "--build-arg", f"BASE={_base_name()}", "--tag", reference]
        buildah("build", *options, *what, "--file", context / "Dockerfile", context, what=f"building the {name} image")


def _load(reference: str) -> str:
    """Into containerd by way of a folder that keeps the layers, so that only new ones are written. Returns the ID."""
    with step(f"loading {reference}"):
        (_LAYOUT / "index.json").unlink(missing_ok=True)
        driver = _driver()
        source = f"containers-storage:[{driver}@{_STORE / driver}+{_STORE / 'run'}]{reference}"
        # Compressing half a gigabyte to unpack it again at once would take longer than all the rest.
        run(
            ["skopeo", "copy", "--quiet", "--dest-oci-accept-uncompressed-layers", source, f"oci:{_LAYOUT}:image"],
            what=f"exporting {reference}",
        )
        identity, sent = oci.load(_LAYOUT, reference)
    say(f"  {sent / 1e6:.1f} MB were new")
    return identity


def _push(reference: str, registry: str, insecure: bool) -> str:
    target = f"{registry.rstrip('/')}/{reference.removeprefix('localhost/')}"
    with step(f"pushing {target}"):
        buildah(
            "push",
            "--quiet",
            f"--tls-verify={'false' if insecure else 'true'}",
            reference,
            f"docker://{target}",
            what=f"pushing {target}",
        )
    return target


def _forget_old(name: str, reference: str, identity: str) -> None:
    """Removes all but the newest few images of one name from containerd, under both names it has for them."""
    record = STATE / "images.json"
    history: dict[str, list[list[str]]] = json.loads(record.read_text()) if record.exists() else {}
    kept = [pair for pair in history.get(name, []) if pair[0] != reference] + [[reference, identity]]
    there = set(node.ctr("image", "ls", "-q").split())
    if old := [part for pair in kept[:-KEPT] for part in pair if part in there]:
        node.ctr("image", "rm", *old)
    history[name] = kept[-KEPT:]
    record.write_text(json.dumps(history, indent=2))


def _forget_old_builds() -> None:
    """Removes all but the newest few builds of each name, and layers that none of the rest stands on."""
    known: list[dict[str, Any]] = json.loads(buildah("images", "--json"))
    for name in TARGETS:
        prefix = f"localhost/trimtab-{name}:"
        builds = sorted(
            (image["createdatraw"], reference)
            for image in known
            for reference in image.get("names") or []
            if reference.startswith(prefix)
        )
        if old := [reference for _, reference in builds[:-KEPT]]:
            buildah("rmi", *old)
    buildah("rmi", "--prune")


def _prune_layout(present: set[str]) -> None:
    """Deletes layers that containerd has no more; those it has are kept, or each build would write them out again."""
    for blob in (_LAYOUT / "blobs" / "sha256").iterdir():
        if f"sha256:{blob.name}" not in present:
            blob.unlink()


def _unmount_store() -> None:
    """buildah leaves its store mounted onto itself, which nobody needs afterwards."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    ours = [point for point in points if point.startswith(f"{_STORE}/")]
    if ours:
        run(["umount", "--lazy", *reversed(ours)])
