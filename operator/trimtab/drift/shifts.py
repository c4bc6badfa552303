"""Each column of one window against its reference: how far it is, from where on that counts, and whether it does.

Pure: references and counts in, one `Shift` per column out. What the columns of all scales come to together is the
business of `verdicts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from trimtab.drift import budget, counting, discoveries, elsewhere, pearson, pooling, psi, tail
from trimtab.drift.budget import Settings
from trimtab.drift.counting import FeatureCounts
from trimtab.drift.profile import Reference, total

Verdict: TypeAlias = Literal["InDistribution", "Drifting", "Unknown"]

Severity: TypeAlias = Literal["Minor", "Moderate", "Major"]

MODERATE, MAJOR = 0.1, 0.25
"""Bias-corrected PSI from which on a shift that counts is called moderate, and major."""


@dataclass(frozen=True)
class Shift:
    """What became of one column in one window."""

    name: str
    verdict: Verdict
    scale: int
    """Base windows summed."""
    rows: int
    """Rows that carry a value; missing and invalid ones are data quality."""
    severity: Severity | None = None
    """Given when drifting."""
    psi: float | None = None
    """PSI against the reference less its mean without a shift. None when unknown."""
    threshold: float | None = None
    """PSI, corrected likewise, above which this column would count as drifted. None when unknown."""
    outside: float = 0.0
    """Share of the rows beyond the reference's range, or with a level it has never seen."""
    expected: float = 0.0
    """Share of such rows to be expected without a shift."""
    reason: Literal["NoValues", "Constant", "Scattered", "TooFewRows", "Missing"] | None = None
    """Why it is unknown: no values in the reference; hardly more than one; no level that is frequent; too few rows; rows
    enough, and too few of them with a value."""
    wanted: int = 0
    """Rows still missing when there are too few."""


class _Evidence(NamedTuple):
    statistic: float
    freedom: int
    n: int
    effective: float
    """Rows that the two samples are worth."""
    delta: float
    """PSI tolerated."""
    psi: float
    """As it is, with its mean."""
    bias: float
    """That mean."""

    @property
    def size(self) -> float:
        """Corrected PSI."""
        return max(0.0, self.psi - self.bias)


Column: TypeAlias = tuple[Reference, FeatureCounts]


def judge(columns: Sequence[Column], scale: int, settings: Settings, phi: float = 1.0) -> tuple[Shift, ...]:
    """Judge the columns of one window together, at the level of its scale.

    p = P(X² / phi of a noncentral chi-squared with B - 1 degrees of freedom and noncentrality delta n_e / phi), so
    the hypothesis is "shifted by no more than delta", not "the same": large windows do not alarm on what does not
    matter. Benjamini and Hochberg's rule over the columns decides, and the corrected PSI must exceed delta too: X²
    weighs what was rare more than PSI does and alone would alarm on patterns that are tolerated as PSI. A column that
    cannot be judged is Unknown and does not take part, so it costs the others nothing; it is asked by itself, at the
    level over the number of columns, whether its rows lie elsewhere than nearly all of the reference (`elsewhere`).

    Args:
        columns: each reference with the window's counts over its bins.
        scale: base windows in this window, 1, 6, 24 or 168.
        settings: the budget and the tolerated shift.
        phi: over-dispersion, how many times X² exceeds its law without a shift because rows come in bursts. 1 says
            that rows are exchangeable within a window and with the reference; more makes every threshold higher.

    With 10 groups, 10,000 reference rows and 0.02 tolerated, thresholds at level 1e-4 are 0.31, 0.10, 0.072, 0.043
    and 0.033 for 100, 500, 1,000, 5,000 and 50,000 rows; with nothing tolerated, 0.003 for the last.

    Source: Cohen (1988), Statistical power analysis, chapter 7, for noncentrality as effect size times rows.
    """
    measured = [_measure(reference, counts, settings, phi) for reference, counts in columns]
    evidence = [found for found in measured if isinstance(found, _Evidence)]
    level = budget.level(settings, scale)
    decided = iter(_decide(evidence, level, phi))
    alone = discoveries.bar(level, 1, max(1, len(columns)))
    return tuple(
        _shift(reference, counts, scale, found, *next(decided))
        if isinstance(found, _Evidence)
        else _moved(reference, counts, scale, settings, alone) or _unknown(reference, counts, scale, found)
        for (reference, counts), found in zip(columns, measured, strict=True)
    )


def detectable(reference: Reference, settings: Settings, features: int) -> float | None:
    """Smallest PSI of one among so many features that unlimited rows can show against this reference, at scale 1;
    None when it cannot be compared with at all. What a small reference costs: nothing makes up for it but more rows.

    >>> from trimtab.drift.profile import NumberReference
    >>> of = lambda rows: NumberReference("x", tuple(map(float, range(9))), (rows // 10,) * 10, 0.0, 9.0, 0, 0.0, "")
    >>> [round(detectable(of(rows), Settings(3600, 7776000), 20), 3) for rows in (500, 1000, 2000, 10_000)]
    [0.12, 0.08, 0.058, 0.034]
    """
    m, ordered = total(reference), reference.kind == "Number"
    if pooling.rows_needed(reference.counts, ordered) is None:
        return None
    freedom = int(pooling.groups(reference.counts, 1000 * m, ordered).max())
    bar = discoveries.bar(budget.level(settings, 1), 1, features)
    found = tail.chi_squared_above(bar, freedom, m * budget.tolerated(reference, settings))
    return (float(found[0]) - freedom) / m


def _measure(reference: Reference, counts: FeatureCounts, settings: Settings, phi: float) -> _Evidence | int | None:
    """The evidence; or the rows still missing for any; or None where no number of rows is enough."""
    n, m, ordered = counting.carried(counts), total(reference), reference.kind == "Number"
    needed = pooling.rows_needed(reference.counts, ordered)
    if needed is None or n < needed:
        return None if needed is None else needed - n
    group = pooling.groups(reference.counts, n, ordered)
    window = pooling.merge(_tested(counts), group)
    base = pooling.merge(reference.counts, group)
    return _Evidence(
        statistic=pearson.statistic(window, base),
        freedom=base.size - 1,
        n=n,
        effective=pearson.effective(n, m),
        delta=budget.tolerated(reference, settings),
        psi=psi.index(window, base),
        bias=psi.bias(base.size, n, m, phi),
    )


def _tested(counts: FeatureCounts) -> list[int]:
    """The bins as they are tested: what is out of range lies in the outermost, unseen levels among the rare."""
    bins = list(counts.bins)
    bins[0] += counts.below
    bins[-1] += counts.above + counts.unseen
    return bins


def _decide(evidence: Sequence[_Evidence], level: float, phi: float) -> list[tuple[bool, float]]:
    """For each: whether it counts, and the PSI from which on it would."""
    if not evidence:
        return []
    statistic = np.array([e.statistic for e in evidence]) / phi
    freedom = np.array([e.freedom for e in evidence])
    shift = np.array([e.delta * e.effective for e in evidence]) / phi
    log_p = tail.log_chi_squared(statistic, freedom, shift).tolist()
    tests = len(evidence)
    rank = discoveries.rejected(log_p, level)
    rejected = [rank > 0 and p <= discoveries.bar(level, rank, tests) for p in log_p]
    bars = [discoveries.bar(level, rank if r else min(rank + 1, tests), tests) for r in rejected]
    critical = (phi * tail.chi_squared_above(bars, freedom, shift)).tolist()
    return [(r and e.size > e.delta, _threshold(e, c, r)) for e, r, c in zip(evidence, rejected, critical, strict=True)]


def _threshold(evidence: _Evidence, critical: float, rejected: bool) -> float:
    """The critical X² as PSI, critical / n_e, corrected, and at least the tolerated shift. PSI and X² weigh bins
    differently; where that would put this PSI on the wrong side, it is the PSI at which this very pattern, made
    smaller or larger, would have counted."""
    threshold = critical / evidence.effective
    if (evidence.psi > threshold) != rejected:
        threshold = evidence.psi * critical / max(evidence.statistic, 1e-12)
    return max(evidence.delta, threshold - evidence.bias)


def _shift(
    reference: Reference, counts: FeatureCounts, scale: int, evidence: _Evidence, drifted: bool, threshold: float
) -> Shift:
    return Shift(
        name=reference.name,
        verdict="Drifting" if drifted else "InDistribution",
        scale=scale,
        rows=evidence.n,
        severity=severity(evidence.size) if drifted else None,
        psi=evidence.size,
        threshold=threshold,
        outside=counting.outside(counts) / evidence.n,
        expected=_expected(reference),
    )


def severity(size: float) -> Severity:
    """The name of a shift that counts, by its corrected PSI.

    >>> [severity(size) for size in (0.09, 0.1, 0.25)]
    ['Minor', 'Moderate', 'Major']
    """
    return "Minor" if size < MODERATE else "Moderate" if size < MAJOR else "Major"


def _expected(reference: Reference) -> float:
    """A new row is the smallest, or the largest, of m + 1 with a chance of 1 in m + 1 each."""
    return reference.novel if reference.kind == "Category" else 2 / (total(reference) + 1)


def _moved(reference: Reference, counts: FeatureCounts, scale: int, settings: Settings, log_bar: float) -> Shift | None:
    """A column that cannot be compared bin by bin, but whose rows lie elsewhere."""
    if not elsewhere.tested(reference, counts):
        return None
    n, m, expected = counting.carried(counts), total(reference), elsewhere.usual(reference, _expected(reference))
    hits, least = elsewhere.rows(reference, counts), elsewhere.least(n, m, expected, log_bar)
    if least is not None and _scattered(reference):  # new levels come with time by nature: only all of them tell
        least = n
    size, delta = elsewhere.size(hits, n, m, expected), budget.tolerated(reference, settings)
    if least is None or hits < least or size <= delta:
        return None
    return Shift(
        name=reference.name,
        verdict="Drifting",
        scale=scale,
        rows=n,
        severity=severity(size),
        psi=size,
        threshold=max(delta, elsewhere.size(least - 1, n, m, expected)),
        outside=counting.outside(counts) / n,
        expected=_expected(reference),
    )


def _unknown(reference: Reference, counts: FeatureCounts, scale: int, wanted: int | None) -> Shift:
    n = counting.carried(counts)
    return Shift(
        name=reference.name,
        verdict="Unknown",
        scale=scale,
        rows=n,
        outside=counting.outside(counts) / n if n else 0.0,
        expected=_expected(reference),
        reason=_why(reference, counts, wanted),
        wanted=wanted or 0,
    )


def _why(
    reference: Reference, counts: FeatureCounts, wanted: int | None
) -> Literal["NoValues", "Constant", "Scattered", "TooFewRows", "Missing"]:
    if wanted is not None:
        gone = counts.missing + counts.invalid
        return "Missing" if 0 < wanted <= gone else "TooFewRows"
    if not total(reference):
        return "NoValues"
    return "Scattered" if _scattered(reference) else "Constant"


def _scattered(reference: Reference) -> bool:
    """Whether nearly all of a category's rows have levels too rare for a bin of their own."""
    if reference.kind != "Category":
        return False
    return reference.counts[-1] == max(reference.counts) and len(reference.known) > 1
