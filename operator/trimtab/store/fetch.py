"""Fetching artifacts: every byte is verified while it is written, and nothing half-written is left behind."""

from pathlib import Path, PurePosixPath

from trimtab.api.wire.base import Location
from trimtab.api.wire.models import Manifest
from trimtab.store import transfer
from trimtab.store.faults import Reason, StoreError
from trimtab.store.places import Place, opened

FILE_BYTES = 16 << 30
"""Largest single file that is fetched without a manifest that bounds it."""


def artifact(location: Location, digest: str, destination: Path, *, prefix: str = "STORE_") -> Path:
    """Fetch what `digest` names into the folder `destination`.

    A URI that ends in `manifest.json`: the digest is the manifest's; every file it names is fetched from the same
    folder and must have the size and digest that it says; `manifest.json` arrives last. Returns `destination`. Any
    other URI: the digest is that of the one file, which keeps its name. Returns the path of that file.

    Credentials are the environment variables that begin with `prefix`. Raises StoreError; then `destination` holds
    nothing new.
    """
    place = opened(location, prefix)
    with transfer.workshop(destination) as workshop:
        if PurePosixPath(place.key).name == transfer.MANIFEST:
            names = _folder(place, digest, workshop)
            transfer.move(names, workshop, destination)
            return destination
        name = PurePosixPath(place.key).name
        if not name or name.startswith("."):
            raise StoreError(Reason.UNSUPPORTED, f"{place.uri} names no file")
        _verified(place, workshop / name, digest, FILE_BYTES)
        transfer.move([name], workshop, destination)
        return destination / name


def manifest(location: Location, digest: str | None = None, *, prefix: str = "STORE_") -> Manifest:
    """Read the manifest at a location, verified when its digest is known. Raises StoreError."""
    return _parsed(opened(location, prefix), digest)[1]


def _parsed(place: Place, digest: str | None) -> tuple[bytes, Manifest]:
    content = transfer.read(place)
    found = transfer.digest_of(content)
    if digest is not None and found != digest:
        raise _mismatch(place, digest, found)
    try:
        return content, Manifest.from_json(content)
    except ValueError as error:
        raise StoreError(
            Reason.UNSUPPORTED, f"{place.uri} is no manifest that this image can read: {_first(error)}"
        ) from error


def _folder(place: Place, digest: str, workshop: Path) -> list[str]:
    content, manifest = _parsed(place, digest)
    folder = PurePosixPath(place.key).parent
    names = [entry.name for entry in manifest.files]
    if len(set(names)) < len(names) or transfer.MANIFEST in names:
        raise StoreError(Reason.UNSUPPORTED, f"{place.uri} names a file twice, or itself")
    for entry in manifest.files:
        key = str(folder / entry.name) if str(folder) != "." else entry.name
        _verified(place.at(key), workshop / entry.name, entry.digest, entry.bytes)
    (workshop / transfer.MANIFEST).write_bytes(content)
    return [*names, transfer.MANIFEST]


def _verified(place: Place, target: Path, digest: str, limit: int) -> None:
    found = transfer.save(place, target, limit)
    if found != digest:
        raise _mismatch(place, digest, found)


def _mismatch(place: Place, wanted: str, found: str) -> StoreError:
    return StoreError(
        Reason.DIGEST_MISMATCH,
        f"{place.uri} has digest {found}, not {wanted}: its bytes changed after they were named, so name the "
        f"new digest or restore them",
    )


def _first(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
