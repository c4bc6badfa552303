"""Disguises: files that are not what their name or `format` says, known by their first bytes. Decides only; `parsing`
reads.

>>> told(b"\\xff\\xfei\\x00d\\x00", "a.csv")
'is not UTF-8 but UTF-16: save the file as UTF-8'
>>> told(b"PAR1....", "a.csv")
'is a Parquet file: set format: Parquet, or let its name end in .parquet'
>>> told(b"id,late\\n", "a.csv") is None
True
"""

import re

HEAD = 4096
"""First bytes that tell what a file is."""
_UTF8 = "save the file as UTF-8"
_UNPACK = "unpack it, or pack it with gzip under a name that ends in .gz"
_SIGNS = (
    (rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", f"is not UTF-8 but UTF-32: {_UTF8}"),
    (rb"\xff\xfe|\xfe\xff", f"is not UTF-8 but UTF-16: {_UTF8}"),
    (rb"PK\x03\x04(?s:.*)(xl/|\[Content_Types\])", "is an Excel workbook: save it as CSV in UTF-8"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel workbook: save it as CSV in UTF-8"),
    (rb"PK\x03\x04", f"is a zip archive: {_UNPACK}"),
    (rb"BZh[1-9]1AY&SY", f"is packed with bzip2: {_UNPACK}"),
    (rb"\xfd7zXZ\x00", f"is packed with xz: {_UNPACK}"),
    (rb"\x28\xb5\x2f\xfd", f"is packed with zstd: {_UNPACK}"),
    (rb"\x1f\x8b", "is packed with gzip: let its name end in .gz, such as {name}.gz"),
    (rb"PAR1", "is a Parquet file: set format: Parquet, or let its name end in .parquet"),
    (rb"ARROW1\x00\x00", "is an Arrow file: write it as Parquet"),
    (rb"(?i)\s*(<!doctype html|<html[\s>])", "is a web page: check that the address gives the file itself"),
)


def told(head: bytes, name: str) -> str | None:
    """What a file of lines really is, in words; None when nothing speaks against lines of text."""
    for sign, said in _SIGNS:
        if re.match(sign, head):
            return said.format(name=name)
    return None
