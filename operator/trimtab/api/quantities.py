"""Durations, shares, Kubernetes quantities and instants: how they are written, bounded and read. No clock.

Every pattern means the same to RE2 (the API server) and to Rust's regex (pydantic).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, Field

from trimtab.api.shape import Rule

DURATION = r"^([0-9]{1,5}[dhms]){1,4}$"
SHARE = r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)%$"
PART = r"^([1-9][0-9]?(\.[0-9]{1,4})?|0\.([1-9][0-9]{0,3}|0[1-9][0-9]{0,2}|00[1-9][0-9]?|000[1-9]))%$"
QUANTITY = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?$"
INSTANT = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,9})?(Z|[-+](0[0-9]|1[0-4]):[0-5][0-9])$"
)

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}

Duration = Annotated[str, Field(pattern=DURATION, max_length=24)]
"""Whole numbers with d, h, m or s, one to four of them: `90s`, `24h`, `1d12h`."""

Share = Annotated[str, Field(pattern=SHARE, max_length=8)]
"""A share of a whole from `0%` to `100%`, at most four decimals."""

Part = Annotated[str, Field(pattern=PART, max_length=8)]
"""A share that leaves something on both sides: above `0%`, below `100%`."""

Quantity = Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=QUANTITY, max_length=32)]
"""A Kubernetes quantity that is not negative: `1`, `500m`, `2Gi`."""

LARGEST = 2**53 - 1
"""Largest whole number that every JSON reader keeps exact."""

Count = Annotated[int, Field(ge=0, le=LARGEST)]
"""How many there are."""

Instant = Annotated[AwareDatetime, Field(json_schema_extra={"pattern": INSTANT, "maxLength": 35})]
"""A moment in RFC 3339 with its zone: `2026-01-31T23:00:00Z`."""


_SCALES = {unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_SCALES |= {
    unit: Decimal(1000) ** power for power, unit in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), -3)
}


def parse_quantity(value: int | str) -> Decimal:
    """The number that a quantity is.

    >>> parse_quantity("2Gi") == 2 * 1024**3, parse_quantity("500m"), parse_quantity("1e3") == parse_quantity(1000)
    (True, Decimal('0.500'), True)

    Raises ValueError for anything else.
    """
    found = re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]?|[eE][-+]?[0-9]{1,2})", str(value))
    if found is None:
        raise ValueError(f"{value!r} is no quantity: write a number, such as 2, 500m or 2Gi")
    number, unit = found.groups()
    return Decimal(number) * _SCALES[unit] if unit in _SCALES else Decimal(f"{number}{unit}")


def parse_duration(text: str) -> float:
    """Seconds of a duration as the API writes it.

    >>> parse_duration("1d12h"), parse_duration("90s"), parse_duration("0s")
    (129600.0, 90.0, 0.0)

    Raises ValueError for anything else, `1.5h` and `500ms` included.
    """
    if not re.fullmatch(DURATION.strip("^$"), text):
        raise ValueError(f"{text!r} is no duration: write whole numbers with d, h, m or s, such as 90s, 24h or 1d12h")
    return float(sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([dhms])", text)))


def parse_share(text: str) -> float:
    """The share as a number from 0 to 1.

    >>> parse_share("20%"), parse_share("0.5%"), parse_share("100%")
    (0.2, 0.005, 1.0)

    Raises ValueError for anything else, `0.2`, `120%` and `-1%` included.
    """
    if not re.fullmatch(SHARE.strip("^$"), text):
        raise ValueError(f"{text!r} is no share: write a number from 0 to 100 with a percent sign, such as 20% or 0.5%")
    return float(Decimal(text.removesuffix("%")) / 100)


def lasting(at_least: str, at_most: str) -> Rule:
    """Bounds of a duration, both included; CEL has no `d`, so the rule adds the parts up itself."""
    total = " + ".join(
        f"self.findAll('[0-9]+{unit}').map(part, int(part.replace('{unit}', ''))).sum() * {seconds}"
        for unit, seconds in SECONDS.items()
    )
    low, high = int(parse_duration(at_least)), int(parse_duration(at_most))
    return Rule(
        f"[{total}].all(seconds, {low} <= seconds && seconds <= {high})", f"must last from {at_least} to {at_most}"
    )
