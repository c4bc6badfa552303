"""Publishing artifacts: files first, manifest last, so that an upload that dies half-way is nobody's version."""

import hashlib
from pathlib import Path, PurePosixPath

from msgspec.structs import replace

from trimtab.api.wire.base import Location, plain
from trimtab.api.wire.models import FileEntry, Format, Manifest
from trimtab.store import fetch, transfer
from trimtab.store.faults import Reason, StoreError
from trimtab.store.places import Place, opened


def manifest_of(folder: Path, format: Format) -> Manifest:  # noqa: A002
    """Describe the files of a folder, in order of their names. Raises StoreError (Unsupported) for subfolders and
    odd names."""
    entries = []
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.is_symlink():
            raise StoreError(
                Reason.UNSUPPORTED, f"{path.name!r} is no plain file: an artifact is one flat folder of files"
            )
        entry = FileEntry(name=path.name, digest=transfer.digest_of_file(path), bytes=path.stat().st_size)
        try:
            entries.append(FileEntry.from_plain(plain(entry)))
        except ValueError as error:
            raise StoreError(
                Reason.UNSUPPORTED,
                f"{path.name!r} cannot be the name of an artifact's file: use letters, digits, dots, dashes and "
                f"underscores",
            ) from error
    return Manifest(format=format, files=tuple(entries))


def found(location: Location, *, prefix: str = "STORE_") -> tuple[str, Manifest] | None:
    """Digest and manifest of an artifact that lies complete in the folder `location`, else None. Raises StoreError."""
    place = opened(location, prefix)
    at = _within(place, transfer.MANIFEST)
    try:
        content = transfer.read(at)
        manifest = fetch.manifest(replace(location, uri=at.uri), prefix=prefix)
        for entry in manifest.files:
            _check(_within(place, entry.name), entry)
    except StoreError as error:
        if error.reason in (Reason.NOT_FOUND, Reason.DIGEST_MISMATCH, Reason.UNSUPPORTED):
            return None
        raise
    return transfer.digest_of(content), manifest


def folder(files: Path, manifest: Manifest, location: Location, *, prefix: str = "STORE_") -> tuple[str, str]:
    """Upload the files of a manifest into the folder `location`, read every one back, and only then write the manifest.

    Safe to repeat. Returns URI and digest of the manifest. Raises StoreError.
    """
    place = opened(location, prefix)
    if not place.scheme.writable:
        raise StoreError(Reason.UNSUPPORTED, f"{place.uri} cannot be written to: use pvc://, s3://, gs:// or az://")
    for entry in manifest.files:
        at = _within(place, entry.name)
        transfer.put(at, files / entry.name)
        _check(at, entry)
    content = manifest.to_json().encode()
    at = _within(place, transfer.MANIFEST)
    transfer.put(at, content)
    digest = transfer.digest_of(content)
    if transfer.digest_of(transfer.read(at)) != digest:
        raise StoreError(
            Reason.DIGEST_MISMATCH, f"{at.uri} is not what was just written: somebody else writes there too"
        )
    return at.uri, digest


def read(location: Location, name: str, *, prefix: str = "STORE_", limit: int = 64 << 20) -> bytes:
    """One file of the folder `location` as a whole. Raises StoreError."""
    return transfer.read(_within(opened(location, prefix), name), limit)


def _within(place: Place, name: str) -> Place:
    return place.at(str(PurePosixPath(place.key) / name) if place.key else name)


def _check(place: Place, entry: FileEntry) -> None:
    """Read a file back and compare."""
    hasher = hashlib.sha256()
    for chunk in transfer.chunks(place, entry.bytes):
        hasher.update(chunk)
    if f"sha256:{hasher.hexdigest()}" != entry.digest:
        raise StoreError(
            Reason.DIGEST_MISMATCH, f"{place.uri} is not what was just written: somebody else writes there too"
        )
