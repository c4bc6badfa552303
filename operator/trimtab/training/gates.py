"""Gates: whether a candidate passes, fails, or the rows cannot tell. Pure; what an inconclusive gate leads to is the
operator's matter."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.api.evaluation import Blocks, BoundGate, ChampionGate, Gate, GateResult, GateType, MetricValue, Verdict
from trimtab.training import bootstrap, metrics, split
from trimtab.training.metrics import Metric
from trimtab.training.scores import Judged, Undefined

CLEAN_ROWS = 50
"""Fewer rows than these cannot tell two models apart."""
CLEAN_BLOCKS = 5
"""Fewer days than these say nothing of the next."""
SURE = 0.05
"""One-sided error of the champion gate."""


@dataclass(frozen=True)
class Contest:
    """Candidate and champion on the same clean rows, or why there is no such thing. `times` float64[n] of those rows."""

    champion: str
    candidate: Judged | None = None
    opponent: Judged | None = None
    times: NDArray[np.float64] | None = None
    impossible: str | None = None


def judge(
    gates: tuple[Gate, ...], task: str, scores: Mapping[str, MetricValue], contest: Contest | None, seed: int
) -> tuple[GateResult, ...]:
    """The verdict of each gate, in order. `scores` has every metric that a gate names; no contest: there is no champion."""
    results = []
    for gate in gates:
        if gate.type is GateType.BOUND and gate.bound:
            results.append(_bound(gate.name, gate.bound, scores[gate.bound.metric]))
        elif gate.champion:
            results.append(_champion(gate.name, gate.champion, metrics.find(gate.champion.metric, task), contest, seed))
    return tuple(results)


def named(gates: tuple[Gate, ...]) -> tuple[str, ...]:
    """The metrics that gates speak of."""
    return tuple(member.metric for gate in gates for member in (gate.bound, gate.champion) if member)


def _bound(name: str, gate: BoundGate, score: MetricValue) -> GateResult:
    at_least = gate.at_least is not None
    bound = gate.at_least if gate.at_least is not None else gate.at_most
    assert bound is not None
    if score.value is None:
        said = f"{gate.metric} has no value: {score.reason}"
        return GateResult(name=name, verdict=Verdict.INCONCLUSIVE, bound=bound, message=said)
    passed = score.value >= bound if at_least else score.value <= bound
    side = ("is at least", "is below") if at_least else ("is at most", "is above")
    message = f"{gate.metric} {score.value:.4g} {side[0] if passed else side[1]} {bound:g}"
    verdict = Verdict.PASSED if passed else Verdict.FAILED
    return GateResult(name=name, verdict=verdict, value=score.value, bound=bound, message=message)


def _champion(name: str, gate: ChampionGate, metric: Metric, contest: Contest | None, seed: int) -> GateResult:
    if contest is None:
        return GateResult(name=name, verdict=Verdict.PASSED, message="NoChampion: there is no champion to compare with")
    reason = _unfit(contest, gate)
    if reason:
        return _inconclusive(name, gate, reason)
    candidate, opponent = contest.candidate, contest.opponent
    assert candidate is not None
    assert opponent is not None
    try:
        ours, theirs = metric.prepare(candidate), metric.prepare(opponent)
        lead = metric.sign * (ours(None) - theirs(None))
        block, count = bootstrap.blocks_of(_key(contest, gate), candidate.rows)
        leads, again = bootstrap.distribution(
            lambda weight: metric.sign * (ours(weight) - theirs(weight)), block, count, seed
        )
    except (Undefined, bootstrap.Indeterminate) as error:
        return _inconclusive(name, gate, f"{gate.metric} has no value on them: {error}")
    lower, upper = (float(bound) for bound in np.quantile(leads, [SURE, 1 - SURE]))
    verdict = (
        Verdict.PASSED
        if lower >= -gate.not_worse_by
        else Verdict.FAILED
        if upper < -gate.not_worse_by
        else Verdict.INCONCLUSIVE
    )
    unit = f"{count} days" if _by_day(contest, gate) else "rows one by one"
    repeated = f", {again} resamples drawn again" if again else ""
    message = (
        f"{gate.metric} leads {contest.champion} by {lead:.4g} (between {lower:.4g} and {upper:.4g}, drawn by "
        f"{unit}{repeated}) on "
        f"{candidate.rows} rows; not worse than {gate.not_worse_by:g} was asked"
    )
    return GateResult(name=name, verdict=verdict, value=lead, bound=-gate.not_worse_by, message=message)


def _unfit(contest: Contest, gate: ChampionGate) -> str | None:
    """Why there is nothing to compare, if so."""
    if contest.impossible or contest.candidate is None or contest.opponent is None:
        return contest.impossible or "it was not scored"
    if contest.candidate.rows < CLEAN_ROWS:
        return f"{contest.candidate.rows} held-out rows are new to it, fewer than the {CLEAN_ROWS} that can tell"
    if _by_day(contest, gate) and (days := len(np.unique(_key(contest, gate)))) < CLEAN_BLOCKS:  # type: ignore[arg-type]
        return f"the held-out rows that are new to it cover {days} days, fewer than the {CLEAN_BLOCKS} that can tell"
    return None


def _inconclusive(name: str, gate: ChampionGate, why: str) -> GateResult:
    message = f"the champion cannot be compared with: {why}"
    return GateResult(name=name, verdict=Verdict.INCONCLUSIVE, bound=-gate.not_worse_by, message=message)


def _by_day(contest: Contest, gate: ChampionGate) -> bool:
    timed = contest.times is not None and bool(np.isfinite(contest.times).any())
    return timed if gate.blocks is None else gate.blocks is Blocks.DAY


def _key(contest: Contest, gate: ChampionGate) -> NDArray[np.int64] | None:
    if not _by_day(contest, gate) or contest.times is None:
        return None
    return split.days(contest.times)
