"""Words among numbers: what keeps a column from being one of numbers, or of booleans, for a note. Nothing is guessed:
whether `NA` means missing, the user says."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from trimtab.api.wire.models import Kind
from trimtab.model import kinds
from trimtab.model.parts import Piece

MOST = 3
"""More different words than these are text."""
_SHOWN = 20
_DIGIT = re.compile(r"\d")


def note(pieces: Sequence[Piece], kind: Kind, declared: Kind | None) -> str | None:
    """What to say of a column that would be Number or Boolean but for few words, or was declared a Number and holds them;
    None for any other. What holds digits is no word: it may be a value."""
    if not (declared == kind == "Number" or (declared is None and kind == "Category")):
        return None
    text = all(piece.text for piece in pieces)
    found, meant = _in_text(pieces, declared) if text else _in_json(pieces)
    if not 0 < len(found) <= MOST or meant not in ("Number", "Boolean") or declared not in (None, meant):
        return None
    if any(map(_DIGIT.search, found)):
        return None
    listed = " and ".join(repr(word[:_SHOWN]) for word in sorted(found))
    remedy = "name under spec.csv.missing what means missing" if text else "write null for what is missing"
    return f"only {listed} {'is' if len(found) == 1 else 'are'} no {meant}: {remedy}"


def _in_text(pieces: Sequence[Piece], declared: Kind | None) -> tuple[set[str], Kind | None]:
    """The words of a column of CSV, and what it is without them."""
    column = pa.chunked_array([chunk for piece in pieces for chunk in kinds.arrow(piece).chunks], pa.string())
    plain = pc.match_substring_regex(column, kinds.NUMBER if declared else f"{kinds.NUMBER}|{kinds.BOOLEAN}")
    words = pc.unique(column.filter(pc.invert(plain)))
    if len(words) > MOST:
        return set(), None
    rest = column.filter(plain)
    return set(words.to_pylist()), declared if declared and len(rest) else kinds.of_text(rest)


def _in_json(pieces: Sequence[Piece]) -> tuple[set[str], Kind | None]:
    """The words of a column of JSON, and what it is without them."""
    words: set[str] = set()
    types: set[type] = set()
    for piece in pieces:
        if not isinstance(piece.values, list):
            return set(), None
        types |= {type(value) for value in piece.values if not isinstance(value, str)}
        words |= {value for value in piece.values if isinstance(value, str) and value}
        if len(words) > MOST:
            return set(), None
    meant: dict[frozenset[type], Kind] = {frozenset({int}): "Number", frozenset({float}): "Number"}
    meant |= {frozenset({int, float}): "Number", frozenset({bool}): "Boolean"}
    return words, meant.get(frozenset(types - {type(None)}))
