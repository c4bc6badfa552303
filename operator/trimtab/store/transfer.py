"""Moving single files: streamed, hashed on the way, bounded in size, and never half-written under their final name."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import obstore

from trimtab.store.faults import Reason, StoreError, told_of
from trimtab.store.places import Place

CHUNK = 8 << 20
MANIFEST = "manifest.json"
MANIFEST_BYTES = 1 << 20
"""More files than fit into a manifest of this size are no artifact."""


def digest_of(content: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_of_file(path: Path) -> str:
    """The same for a file of any size."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def chunks(place: Place, limit: int) -> Iterator[bytes]:
    """The bytes of an object, piece by piece. Raises StoreError, also (DigestMismatch) when there are more than
    `limit`."""
    with told_of(place.uri, place.secrets, endpoint=place.endpoint):
        answer = obstore.get(place.store, place.key)
        seen = 0
        for chunk in answer.stream(min_chunk_size=CHUNK):
            seen += len(chunk)
            if seen > limit:
                raise StoreError(Reason.DIGEST_MISMATCH, f"{place.uri} is larger than the {limit} bytes it may have")
            yield bytes(chunk)


def read(place: Place, limit: int = MANIFEST_BYTES) -> bytes:
    """A small object as a whole."""
    return b"".join(chunks(place, limit))


def save(place: Place, target: Path, limit: int) -> str:
    """Write an object to `target`, and return the digest of what was written. `target` is whole or absent
    afterwards."""
    hasher = hashlib.sha256()
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("wb") as file:
            for chunk in chunks(place, limit):
                file.write(chunk)
                hasher.update(chunk)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return f"sha256:{hasher.hexdigest()}"


@contextmanager
def workshop(destination: Path) -> Iterator[Path]:
    """A folder inside `destination` for what is not yet complete; gone afterwards, whatever happened."""
    destination.mkdir(parents=True, exist_ok=True)
    folder = destination / f".partial-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()


def move(names: list[str], source: Path, destination: Path) -> None:
    """Move files into place, in the order given, so that the last one's presence means that all are there."""
    for name in names:
        (source / name).replace(destination / name)


def put(place: Place, content: bytes | Path) -> None:
    """Write an object; it is whole or absent afterwards."""
    with told_of(place.uri, place.secrets, endpoint=place.endpoint):
        obstore.put(place.store, place.key, content)
