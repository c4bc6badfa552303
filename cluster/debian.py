"""The Debian packages that the cluster needs: installs what is missing, starts no service, removes nothing."""

import importlib.util
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.terminal import ClusterError, run, say, step

CNI_PLUGINS = Path("/usr/lib/cni")

BUILD = {"gcc": "gcc", "git": "git", "pkg-config": "pkg-config", "/usr/include/seccomp.h": "libseccomp-dev"}
"""For the binaries: what must exist (a command, or a file's path) and the package that brings it."""
LIBC = {"/usr/lib/*/libc.a": "libc6-dev"}
RUN = {
    "ip": "iproute2",
    "nft": "nftables",
    "openssl": "openssl",
    f"{CNI_PLUGINS}/ptp": "containernetworking-plugins",
    "busybox": "busybox-static",
    "mount": "mount",
}
IMAGES = {"buildah": "buildah", "skopeo": "skopeo", "debootstrap": "debootstrap"}
MONITORING = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
}
BROWSER = {"chromium-headless-shell": "chromium-headless-shell"}
PYTHON = {"/usr/lib/python3*/ensurepip": "python3-venv"}
"""What Debian's own Python lacks for a virtual environment."""


def is_root() -> bool:
    """Whether this process may do what the cluster needs."""
    return os.geteuid() == 0


def missing(needs: dict[str, str]) -> list[str]:
    """Packages of `needs` that are not there, sorted."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    return sorted({package for name, package in needs.items() if not _exists(name, path)})


def _exists(name: str, path: str) -> bool:
    if "/" not in name:
        return shutil.which(name, path=path) is not None
    return any(Path("/").glob(name.lstrip("/")))


def ensure(*groups: dict[str, str]) -> None:
    """Installs what is missing of these groups; names the packages where it cannot."""
    wanted = missing({name: package for group in groups for name, package in group.items()})
    if not wanted:
        return
    names = " ".join(wanted)
    if shutil.which("apt-get") is None:
        raise ClusterError(f"these Debian packages are missing, and there is no apt-get to install them: {names}")
    if not is_root():
        raise ClusterError(f"these Debian packages are missing: {names}\nInstall them: sudo apt-get install {names}")
    with step(f"installing Debian packages: {names}"):
        _install(wanted)
    still = missing({name: package for group in groups for name, package in group.items()})
    if still:
        raise ClusterError(f"apt-get installed {names}, yet what these should bring is not there: {' '.join(still)}")


def _install(packages: Iterable[str]) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], env=env)
    with _no_services():
        run(["apt-get", "install", "-y", "--no-install-recommends", *packages], env=env)
    for package in packages:
        unit = Path(f"/lib/systemd/system/{package}.service")
        if unit.exists() and shutil.which("systemctl"):
            run(["systemctl", "disable", unit.name])  # nor at the next boot


@contextmanager
def _no_services() -> Iterator[None]:
    """While packages are installed, forbids their services to start; Debian's policy-rc.d says no by exit code 101."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        say(f"{policy} exists and decides whether services start")
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def ensure_venv() -> None:
    """Installs what `python3 -m venv` needs, where the Python that runs this does not bring it."""
    if importlib.util.find_spec("ensurepip") is None:
        ensure(PYTHON)


def mirror() -> str:
    """The Debian mirror that this machine's apt is set up with, or TRIMTAB_DEBIAN_MIRROR."""
    if chosen := os.environ.get("TRIMTAB_DEBIAN_MIRROR"):
        return chosen
    fields = "$(REPO_URI)|$(ORIGIN)|$(COMPONENT)|$(CREATED_BY)|$(SUITE)"
    for line in run(["apt-get", "indextargets", "--format", fields]).splitlines():
        uri, origin, component, made_by, suite = line.split("|")
        if (origin, component, made_by) == ("Debian", "main", "Packages") and "security" not in suite:
            return _resolve(uri)
    raise ClusterError(
        "apt knows no Debian mirror, so the Python base image cannot be made here. Set TRIMTAB_DEBIAN_MIRROR to one, "
        "or TRIMTAB_BASE_IMAGE to an image that buildah can pull, such as python:3.13-slim-trixie"
    )


def _resolve(uri: str) -> str:
    """apt can keep its mirrors in a list file; its first line is as good as any."""
    if not uri.startswith("mirror+file:"):
        return uri
    lines = Path(uri.removeprefix("mirror+file:").rstrip("/")).read_text().split()
    return lines[0]


def proxy() -> dict[str, str]:
    """Environment that makes wget use the proxy of apt's configuration, if there is one."""
    text = run(["apt-config", "shell", "value", "Acquire::http::Proxy"]).strip()
    return {"http_proxy": text.removeprefix("value='").removesuffix("'")} if text else {}
