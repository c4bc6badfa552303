"""Verdicts in plain English, for conditions, Events and people. Pure; it decides nothing."""

from collections.abc import Iterable, Sequence

from trimtab.drift.shifts import Shift

NAMED = 5
"""Columns that a sentence names; the others are counted."""

LONGEST_NAME = 60
"""Characters of a column's name that are shown."""

BEYOND = 0.01
"""Share beyond the reference, over what is to be expected, that is worth a sentence."""

WHY = {
    "NoValues": "no values in the reference",
    "Constant": "hardly more than one value in the reference",
    "Scattered": "no level is frequent enough to be compared",
    "TooFewRows": "too few rows",
    "Missing": "its values are missing",
}


def drifting(drifted: Sequence[tuple[str, Shift]], features: int, window: float) -> str:
    """What drifted, by how much, against what threshold, over how many rows.

    Args:
        drifted: what to call each drifted column, and what was found.
        features: features that were judged or could not be.
        window: seconds of a base window.

    >>> temp = Shift("temp", "Drifting", 6, 1000, "Major", psi=0.31, threshold=0.034, outside=0.997)
    >>> drifting([("temp", temp)], 12, 3600)
    'Drift in temp: PSI 0.310, threshold 0.034, over 1,000 rows in 6h (12 features watched). 99.7% of temp lies beyond \
what the reference has seen.'
    """
    worst = sorted(drifted, key=lambda column: -(column[1].psi or 0.0))
    parts = [f"{name}: {_size(shift, window)}" for name, shift in worst[:NAMED]]
    outside = [(name, shift) for name, shift in worst[:NAMED] if shift.outside > shift.expected + BEYOND]
    beyond = [f"{shift.outside:.1%} of {name}" for name, shift in outside]
    told = f"Drift in {_listed(parts, len(worst))} ({_plural(features, 'feature')} watched)."
    if not beyond:
        return told
    return f"{told} {', '.join(beyond)} {'lies' if len(beyond) == 1 else 'lie'} beyond what the reference has seen."


def in_distribution(judged: int, rows: int, seconds: float, unknown: Sequence[tuple[str, Shift]]) -> str:
    """How much was looked at without finding drift.

    >>> in_distribution(1, 1200, 86400, [("id", Shift("id", "Unknown", 24, 1200, reason="Constant"))])
    'No drift in 1 column over 1,200 rows in 1d. Not judged: id (hardly more than one value in the reference).'
    """
    told = f"No drift in {_plural(judged, 'column')} over {rows:,} rows in {span(seconds)}."
    return f"{told} Not judged: {_unjudged(unknown)}." if unknown else told


def too_few(rows: int, seconds: float, wanted: int) -> str:
    """How much is missing before anything can be said.

    >>> too_few(412, 86400, 88)
    'Too few rows to judge: 412 in 1d, 88 more are needed.'
    """
    return f"Too few rows to judge: {rows:,} in {span(seconds)}, {wanted:,} more are needed."


def missing(unknown: Sequence[tuple[str, Shift]], rows: int, seconds: float) -> str:
    """That there are rows enough, and no values in them.

    >>> missing([("'x'", Shift("x", "Unknown", 1, 0, reason="Missing"))], 1000, 3600)
    "Too few values to judge: 'x' (its values are missing), over 1,000 rows in 1h."
    """
    return f"Too few values to judge: {_unjudged(unknown)}, over {rows:,} rows in {span(seconds)}."


def nothing(unknown: Sequence[tuple[str, Shift]]) -> str:
    """Why no number of rows would be enough.

    >>> nothing([])
    'Nothing to judge: the reference profile has no column that is watched.'
    """
    if not unknown:
        return "Nothing to judge: the reference profile has no column that is watched."
    return f"Nothing to judge: {_unjudged(unknown)}."


def faulty(faults: Sequence[str]) -> str:
    """What is wrong with the data, the first few columns by name.

    >>> faulty(["'age': missing in every row"])
    "'age': missing in every row."
    """
    return f"{_listed(faults[:NAMED], len(faults))}."


def shown(name: str) -> str:
    r"""A user's column name, safe to print: without control characters, and not endless.

    >>> shown("fare"), shown("a\nb")
    ('fare', 'a\\nb')
    """
    plain = name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
    return plain if len(plain) <= LONGEST_NAME else plain[: LONGEST_NAME - 1] + "…"


def span(seconds: float) -> str:
    """A duration as a user would write it.

    >>> span(20), span(5400), span(604800), span(0.5)
    ('20s', '1h30m', '7d', '0.5s')
    """
    if seconds % 86400 == 0 and seconds:
        return f"{seconds / 86400:.0f}d"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((hours, f"{hours:.0f}h"), (minutes, f"{minutes:.0f}m"), (rest, f"{rest:g}s"))
    return "".join(text for amount, text in parts if amount) or "0s"


def _size(shift: Shift, window: float) -> str:
    over = f"over {shift.rows:,} rows in {span(shift.scale * window)}"
    return f"PSI {shift.psi or 0.0:.3f}, threshold {shift.threshold or 0.0:.3f}, {over}"


def _unjudged(unknown: Sequence[tuple[str, Shift]]) -> str:
    parts = [f"{name} ({WHY[shift.reason or 'TooFewRows']})" for name, shift in unknown[:NAMED]]
    return _listed(parts, len(unknown), ", ")


def _listed(parts: Iterable[str], count: int, between: str = "; ") -> str:
    told = between.join(parts)
    return f"{told}{between}and {count - NAMED} more" if count > NAMED else told


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
