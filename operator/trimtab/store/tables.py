"""Tables: folders whose files mean something only together with a log that lies beside them (Delta Lake, Hudi, Iceberg).
Pure. Trimtab reads no such log, and without it deleted and replaced rows would count."""

import re
from collections.abc import Iterable

_MARKS = {
    "Delta Lake": re.compile(r"(?:(.*)/)?_delta_log/.*", re.DOTALL),
    "Hudi": re.compile(r"(?:(.*)/)?\.hoodie/.*", re.DOTALL),
    "Iceberg": re.compile(r"(?:(.*)/)?metadata/[^/]*\.metadata\.json", re.DOTALL),
}
"""What lies in the folder of a table, and nowhere else."""


def found(keys: Iterable[str]) -> dict[str, str]:
    """The folders of tables, as some of their keys show them, and what kind of table each is.

    >>> found(["lake/t/_delta_log/0.json", "lake/t/part-0.parquet", "lake/u/part-0.parquet"])
    {'lake/t': 'Delta Lake'}
    """
    return {marked[1] or "": kind for key in keys for kind, mark in _MARKS.items() if (marked := mark.fullmatch(key))}


def holding(key: str, tables: dict[str, str]) -> str | None:
    """What kind of table a key is part of.

    >>> holding("lake/t/a=1/part-0.parquet", {"lake/t": "Delta Lake"}), holding("lake/t", {"lake/t": "Delta Lake"})
    ('Delta Lake', None)
    """
    parts = key.split("/")[:-1]
    folders = ("/".join(parts[:number]) for number in range(len(parts) + 1))
    return next((tables[folder] for folder in folders if folder in tables), None)
