"""Builds the cluster's binaries from Go modules whose go.mod and go.sum are committed, and keeps them in the cache.

Each group has a module of its own, since their requirements disagree. A group's folder in the cache carries the digest
of all that decides its content, so a build is paid once and a changed pin never meets an old binary.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cluster import debian, golang
from cluster.layout import ARCHITECTURE, CACHE, VERSIONS
from cluster.terminal import ClusterError, run, step


@dataclass(frozen=True)
class Module:
    """One Go module below versions/ and the commands that are built from it."""

    name: str
    commands: Mapping[str, str]
    """Binary's name to its import path."""
    tags: str = ""
    cgo: bool = False
    stamp: tuple[str, str] | None = None
    """A variable that the linker sets to the version of the named requirement: (variable, requirement)."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """Debian packages, as in debian.py."""


_KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
_CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")
MODULES = (
    Module("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Module(
        "kubernetes",
        {name: f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES},
        stamp=("k8s.io/component-base/version.gitVersion", "k8s.io/kubernetes"),
    ),
    Module(
        "containerd",
        {name: f"github.com/containerd/containerd/v2/cmd/{name}" for name in _CONTAINERD},
        tags="no_btrfs no_devmapper no_zfs",
        stamp=("github.com/containerd/containerd/v2/version.Version", "github.com/containerd/containerd/v2"),
    ),
    Module(
        "runc",
        {"runc": "github.com/opencontainers/runc"},
        tags="seccomp",
        cgo=True,
        needs={**debian.BUILD, **debian.LIBC},
    ),
    Module("versitygw", {"versitygw": "github.com/versity/versitygw/cmd/versitygw"}),
    Module("local-path-provisioner", {"local-path-provisioner": "github.com/rancher/local-path-provisioner"}),
)


def version(module: Module, requirement: str) -> str:
    """The version of a requirement in a module's go.mod, such as v1.37.2."""
    found = re.search(
        rf"^(?:require)?\s*{re.escape(requirement)} (v\S+)",
        (VERSIONS / module.name / "go.mod").read_text(),
        re.MULTILINE,
    )
    if not found:
        raise ClusterError(f"versions/{module.name}/go.mod does not require {requirement}")
    return found[1]


def _flags(module: Module) -> list[str]:
    linker = "-s -w"
    if module.stamp:
        linker += f" -X {module.stamp[0]}={version(module, module.stamp[1])}"
    return ["-mod=readonly", "-trimpath", "-tags", module.tags, "-ldflags", linker]


def folder(module: Module) -> Path:
    """Where a module's binaries lie, named by the digest of pins, flags and architecture."""
    content = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        content.update((VERSIONS / module.name / name).read_bytes())
    content.update(repr((_flags(module), module.cgo, sorted(module.commands.items()), ARCHITECTURE)).encode())
    return CACHE / "bin" / f"{module.name}-{content.hexdigest()[:12]}"


def path(command: str) -> Path:
    """Where a binary lies or will lie."""
    for module in MODULES:
        if command in module.commands:
            return folder(module) / command
    raise KeyError(command)


def ensure() -> None:
    """Builds what is missing: about ten minutes on two cores with nothing cached, no time at all otherwise."""
    wanted = [(module, name) for module in MODULES for name in module.commands if not (folder(module) / name).exists()]
    if not wanted:
        return
    debian.ensure(*{id(module): dict(module.needs) for module, _ in wanted}.values())
    go = golang.compiler()
    for done, (module, name) in enumerate(wanted, start=1):
        with step(f"building {name} ({done} of {len(wanted)})"):
            _build(go, module, name)


def _build(go: Path, module: Module, name: str) -> None:
    target = folder(module) / name
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{name}.{os.getpid()}")
    env = {
        **os.environ,
        "CGO_ENABLED": "1" if module.cgo else "0",
        "GOFLAGS": "-buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    run(
        [go, "build", *_flags(module), "-o", partial, module.commands[name]],
        env=env,
        cwd=VERSIONS / module.name,
        what=f"building {name}",
    )
    partial.rename(target)
