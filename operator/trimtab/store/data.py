"""Data of a Dataset: which files an address names, and copies of them. Order and digest do not depend on how a store
lists them."""

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import obstore

from trimtab.api.wire.base import Location
from trimtab.store import tables, transfer
from trimtab.store.faults import Reason, StoreError, told_of
from trimtab.store.places import GLOB, Place, opened

FILES = 10_000
"""Most files of one Dataset."""
DATA_BYTES = 1 << 40
AT_ONCE = 8
"""Files that are copied at the same time: many small ones are a matter of waiting."""


@dataclass(frozen=True)
class File:
    """A copy of one file of the data. `name` is relative to the address; `digest` is that of its bytes."""

    name: str
    path: Path
    digest: str
    bytes: int


def download(location: Location, destination: Path, *, prefix: str) -> list[File]:
    """Copy all files that an address names (a file, a folder or a glob) into `destination`, ordered by name.

    Names that begin with `_` or `.` are skipped, folders so named too. Raises StoreError: NotFound when nothing is
    left, Unsupported for files of a table that has a log of its own.
    """
    place = opened(location, prefix)
    destination.mkdir(parents=True, exist_ok=True)
    named = _named(place)

    def copy(number: int) -> File:
        name, source = named[number]
        path = destination / f"{number:05d}-{Path(name).name}"
        digest = transfer.save(source, path, DATA_BYTES)
        return File(name, path, digest, path.stat().st_size)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(copy, range(len(named))))


def digest(files: list[File]) -> str:
    """Digest of the data: of one file, that of its bytes; of several, that of the lines `<sha256>  <name>` in order
    of name, and so of one whose folder has a value in its name (`carrier=AA/rows.csv`).

    The same as `sha256sum` prints, so that it can be checked by hand.
    """
    if len(files) == 1 and "=" not in files[0].name.rpartition("/")[0]:
        return files[0].digest
    lines = [
        f"{file.digest.removeprefix('sha256:')}  {file.name}\n" for file in sorted(files, key=lambda file: file.name)
    ]
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def _named(place: Place) -> list[tuple[str, Place]]:
    """Name and place of every file that the address names."""
    if not place.scheme.listable:
        if GLOB & set(place.key):
            raise StoreError(
                Reason.UNSUPPORTED, f"{place.uri} is a pattern, and a web server cannot be listed: name one file"
            )
        return [(Path(place.key).name, place)]
    found = sorted(_matches(place))
    if not found:
        raise StoreError(
            Reason.NOT_FOUND, f"{place.uri} names no file: check the path, and that names do not begin with _ or ."
        )
    if len(found) > FILES:
        raise StoreError(
            Reason.UNSUPPORTED, f"{place.uri} names {len(found)} files, more than {FILES}: write fewer, larger files"
        )
    return [(name, place.at(key)) for name, key in found]


def _matches(place: Place) -> Iterator[tuple[str, str]]:
    """Pairs of relative name and key. An object of exactly that key wins over a folder, a folder over a pattern."""
    parts = place.key.split("/") if place.key else []
    fixed = next((number for number, part in enumerate(parts) if GLOB & set(part)), len(parts))
    keys, beside = _listed(place, "/".join(parts))
    if keys:
        below = len(parts) if keys != ["/".join(parts)] else len(parts) - 1
        pattern = None
    elif fixed < len(parts):
        below, pattern = fixed, compiled("/".join(parts[fixed:]))
        keys, beside = _listed(place, "/".join(parts[:fixed]))
    logs = tables.found([*keys, *beside])
    for key in keys:
        name = "/".join(key.split("/")[below:])
        exact = key == "/".join(parts)
        if (exact or not _hidden(name)) and (pattern is None or pattern.fullmatch(name)):
            _no_table(place.at(key).uri, tables.holding(key, logs))
            yield name, key


def _no_table(uri: str, kind: str | None) -> None:
    if kind:
        raise StoreError(
            Reason.UNSUPPORTED,
            f"{uri} is part of a table of {kind}, and only its log says which rows hold: export the rows into a "
            f"folder of their own, as Parquet, CSV or JSON lines",
        )


def _listed(place: Place, key: str) -> tuple[list[str], list[str]]:
    """Keys of the object `key` or, where there is none, of everything in the folder of that name; and what lies beside
    it.

    All come from listings: `head` on what may be a folder fails on some S3-compatible servers.
    """
    with told_of(place.at(key).uri, place.secrets, endpoint=place.endpoint):
        objects, beside = _beside(place, key) if key else ([], [])
        if key in objects:
            return [key], beside
        batches = obstore.list(place.store, key or None)
        return [str(entry["path"]) for batch in batches for entry in batch], beside


def _beside(place: Place, key: str) -> tuple[list[str], list[str]]:
    """The objects in the folder of `key`; and the folders there, with what is in the one that Iceberg has beside its
    `data`."""
    parent, _, last = key.rpartition("/")
    listing = obstore.list_with_delimiter(place.store, parent or None)
    folders = [f"{str(folder).rstrip('/')}/" for folder in listing["common_prefixes"]]
    metadata = f"{parent}/metadata/".removeprefix("/")
    if last == "data" and metadata in folders:
        inside = obstore.list_with_delimiter(place.store, metadata.rstrip("/"))
        folders += [str(entry["path"]) for entry in inside["objects"]]
    return [str(entry["path"]) for entry in listing["objects"]], folders


def _hidden(name: str) -> bool:
    return any(part.startswith(("_", ".")) for part in name.split("/"))


def compiled(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression: `*` and `?` stay within a folder, `**` crosses folders, `[…]` is one of these
    characters.

    >>> bool(compiled("2013-*.csv").fullmatch("2013-01.csv")), bool(compiled("*.csv").fullmatch("a/b.csv"))
    (True, False)
    >>> bool(compiled("**/*.csv").fullmatch("a/b.csv")), bool(compiled("**/*.csv").fullmatch("b.csv"))
    (True, True)
    """
    expression = ""
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", pattern, re.DOTALL):
        match token:
            case "**/":
                expression += "(?:.*/)?"
            case "**":
                expression += ".*"
            case "*":
                expression += "[^/]*"
            case "?":
                expression += "[^/]"
            case _ if token.startswith("[") and len(token) > 1:
                inner = token[1:-1].replace("\\", r"\\")
                expression += f"[{'^' + inner[1:] if inner.startswith('!') else inner}]"
            case _:
                expression += re.escape(token)
    return re.compile(expression, re.DOTALL)
