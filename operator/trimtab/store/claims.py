"""`pvc://claim/path`: a volume claim, mounted at `<root>/claims/<claim>`. No path and no symbolic link leads out of
it."""

import os
import re
from pathlib import Path

from obstore.store import LocalStore, ObjectStore

from trimtab.api.wire.base import Location
from trimtab.store.faults import Reason, StoreError
from trimtab.store.places import Environment, Scheme

_CLAIM = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


def root() -> Path:
    """Folder below which everything is mounted: `TRIMTAB_ROOT`, by default `/trimtab`."""
    return Path(os.environ.get("TRIMTAB_ROOT", "/trimtab"))


def folder(claim: str) -> Path:
    """Where a claim is mounted. Raises StoreError when it is not."""
    if not _CLAIM.fullmatch(claim):
        raise StoreError(Reason.UNSUPPORTED, f"{claim!r} is no name of a volume claim")
    path = root() / "claims" / claim
    if not path.is_dir():
        raise StoreError(Reason.NOT_FOUND, f"the volume claim {claim!r} is not mounted at {path}")
    return path.resolve()


def check(claim: str, key: str) -> None:
    """Refuse a key that is, or holds, a symbolic link to something outside the claim."""
    base = folder(claim)
    path = base / key
    for candidate in (path, *_links(path)):
        if not candidate.resolve().is_relative_to(base):
            shown = candidate.relative_to(base) if candidate.is_relative_to(base) else candidate
            raise StoreError(
                Reason.ACCESS_DENIED, f"pvc://{claim}/{shown} leads out of the claim: put the files themselves there"
            )


def _links(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return [
        link
        for parent, folders, files in os.walk(path, followlinks=False)
        for link in (Path(parent) / name for name in folders + files)
        if link.is_symlink()
    ]


def _open(location: Location, claim: str, environment: Environment) -> ObjectStore:
    return LocalStore(prefix=folder(claim))


CLAIM = Scheme(open=_open, check=check)
