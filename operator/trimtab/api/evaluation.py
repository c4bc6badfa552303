"""Metrics and gates: what a Model asks of a candidate, and what was found of it. Nothing is judged here."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.api.shape import SET, Rule, Shape, exactly_one, keyed_by, member_named_by_type
from trimtab.api.texts import ItemName, Message, MetricName

MetricNames = Annotated[list[MetricName], SET, Field(min_length=1, max_length=20)]


class GateType(StrEnum):
    """What a gate compares with."""

    BOUND = "Bound"
    CHAMPION = "Champion"


class Blocks(StrEnum):
    """Which rows belong together when the uncertainty of a difference is measured."""

    DAY = "Day"
    ROW = "Row"


class WhenInconclusive(StrEnum):
    """What becomes of a candidate when the rows cannot tell."""

    KEEP = "Keep"
    PROMOTE = "Promote"
    MANUAL = "Manual"


class Verdict(StrEnum):
    """What a gate says."""

    PASSED = "Passed"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"


class BoundGate(Shape):
    """A limit that a metric must keep on the held-out rows."""

    rules = (exactly_one("atLeast", "atMost", "the smallest value that passes, or the largest"),)

    metric: MetricName
    """Name of the metric; it is computed whether or not `metrics` lists it. Undefined (one class only): the gate is
    inconclusive."""
    at_least: float | None = None
    """Smallest value that passes. Excludes `atMost`."""
    at_most: float | None = None
    """Largest value that passes. Excludes `atLeast`."""


class ChampionGate(Shape):
    """The candidate must not be worse than the champion, both scored on the same held-out rows that neither was fitted
    on.

    The difference is bootstrapped in blocks; with its one-sided 95 % bound the gate passes when the candidate is surely
    not worse by more than `notWorseBy`, fails when it surely is, and is inconclusive otherwise. Without a champion it
    passes.
    """

    metric: MetricName
    """Name of the metric; whether more or less is better follows from it."""
    not_worse_by: Annotated[float, Field(ge=0)]
    """The margin, in the metric's own unit, 0 or more. The smaller, the more held-out rows a verdict takes; 0 asks
    for proof that the candidate is no worse at all."""
    blocks: Blocks | None = None
    """Day: rows of one day (UTC, by the Dataset's `timeColumn`) are drawn together, for rows that resemble their
    neighbours in time. Row: each for itself, for rows that have nothing to do with one another; where they have,
    the error is understated several times. Absent: Day when the Dataset has a `timeColumn`, otherwise Row."""
    when_inconclusive: WhenInconclusive = WhenInconclusive.KEEP
    """Keep leaves the champion, Promote takes the candidate, Manual waits for an approval of the version. Absent:
    Keep."""


class Gate(Shape):
    """A test that a version must pass before it can be champion, judged once by the run that made it."""

    rules = member_named_by_type("bound", "champion")

    name: ItemName
    """Name of the gate, once per list."""
    type: GateType
    """Bound or Champion: which member says what is asked."""
    bound: BoundGate | None = None
    """With type Bound: a limit on a metric."""
    champion: ChampionGate | None = None
    """With type Champion: no worse than the champion."""


Gates = Annotated[list[Gate], keyed_by("name"), Field(max_length=20)]


class MetricValue(Shape):
    """A metric on the held-out rows."""

    rules = (Rule("has(self.value) != has(self.reason)", "give the value, or the reason why there is none"),)

    name: MetricName
    """Name of the metric."""
    value: float | None = None
    """Its value."""
    lower: float | None = None
    """Lower end of its 95 % interval."""
    upper: float | None = None
    """Upper end of its 95 % interval."""
    reason: Message | None = None
    """Why it has no value, for instance because the rows hold one class only."""


MetricValues = Annotated[list[MetricValue], keyed_by("name"), Field(max_length=50)]


class GateResult(Shape):
    """What a gate said of a version."""

    name: ItemName
    """Name of the gate."""
    verdict: Verdict
    """Passed, Failed, or Inconclusive when the rows cannot tell."""
    value: float | None = None
    """What was compared: the metric, or the candidate's lead over the champion. Absent when it is undefined."""
    bound: float | None = None
    """What it was compared with."""
    message: Message
    """The comparison as a sentence."""


GateResults = Annotated[list[GateResult], keyed_by("name"), Field(max_length=20)]
