"""From outcomes to the rows of build/bench/drift.json, and to lines that people read. Pure.

`ratio` is ours to the best peer's, above 1 where ours is better; 0 where ours missed what a peer saw. `floor` and `goal` are in
the row's own unit.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.bench.drift import traces
from tests.bench.drift.methods import DETECTORS, OURS, SAME_RATE
from tests.bench.drift.outcomes import Delay, Outcome, Quiet

BUDGET = 1000 / 2160
"""False alarms in 1,000 windows of an hour at one in 90 days."""
THIRDS = 2 / 3
EVALUATE_MS, COUNT_US = 1.0, 2.0
ONE_BY_ONE = "Trimtab, row by row"
"""Ours where no batch of rows is counted at once."""


def rows(outcomes: Sequence[Outcome], costs: Mapping[str, Mapping[str, float | None]]) -> list[dict[str, Any]]:
    """Goals first, then every stream, then costs."""
    made: list[dict[str, Any]] = [*goals(outcomes)]
    for each in outcomes:
        made += _of_quiet(each) if each.stream.null else _of_change(each)
    return [*made, *_of_costs(costs)]


# ---------------------------------------------------------------- goals


def goals(outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    """What all streams together say."""
    for fair, title in (
        (True, "exchangeable rows"),
        (False, "rows that are not exchangeable, beyond what is promised"),
    ):
        nulls = [o.quiet[OURS] for o in outcomes if o.stream.null and o.stream.exchangeable == fair and OURS in o.quiet]
        if nulls:
            kept = sum(within(each) for each in nulls)
            case = f"streams without a change, {title}"
            yield _row(case, f"within the budget, of {len(nulls)}", "streams", "higher", kept, {}, goal=len(nulls))
    if judged := [o for o in outcomes if not o.stream.null and seen(o)]:
        case = f"streams with a change that somebody sees ({len(judged)})"
        for title, by_row, goal in (("any peer", True, THIRDS), ("any peer that judges windows", False, None)):
            won = sum(first(o, by_row) for o in judged) / len(judged)
            metric = f"no later than {title} at our rate of false alarms"
            yield _row(case, metric, "1", "higher", round(won, 3), {}, goal=goal and round(goal, 3))
        won = sum(_no_later(o.equal[SAME_RATE], _peers(o.equal, by_row=False)) for o in judged if SAME_RATE in o.equal)
        metric = "no later than any peer that judges windows, ours at the peers' rate"
        yield _row(case, metric, "1", "higher", round(won / len(judged), 3), {})


def within(quiet: Quiet) -> bool:
    """Whether alarms begin no more often than the budget says, as far as so many windows can tell."""
    return 1000 * traces.interval(quiet.onsets, quiet.windows)[0] <= BUDGET


def seen(outcome: Outcome) -> bool:
    """Whether ours, or any peer without labels at our rate, sees the change in half of the runs."""
    delays = [*_peers(outcome.equal).values(), *([outcome.default[OURS]] if OURS in outcome.default else [])]
    return OURS in outcome.default and any(each.median < traces.MISSED for each in delays)


def first(outcome: Outcome, by_row: bool = True) -> bool:
    """Whether ours at its defaults alarms no later than the best of them; `by_row`: those that judge every row included."""
    return _no_later(outcome.default[OURS], _peers(outcome.equal, by_row=by_row))


def _no_later(ours: Delay, peers: Mapping[str, Delay]) -> bool:
    return ours.median <= min((each.median for each in peers.values()), default=traces.MISSED)


def _peers(delays: Mapping[str, Delay], labels: bool = False, by_row: bool = True) -> dict[str, Delay]:
    found = {n: each for n, each in delays.items() if n not in (OURS, SAME_RATE) and DETECTORS[n].labels == labels}
    return {n: each for n, each in found.items() if by_row or not DETECTORS[n].by_row}


# ---------------------------------------------------------------- streams


def _of_quiet(each: Outcome) -> Iterator[dict[str, Any]]:
    if OURS not in each.quiet:
        return
    ours, case = each.quiet[OURS], each.stream.title
    peers = {name: quiet for name, quiet in each.quiet.items() if name != OURS}
    low, high = traces.interval(ours.onsets, ours.windows)
    begun = _row(
        case, "false alarms", "per 1,000 windows", "lower", _share(ours.onsets, ours), {}, goal=round(BUDGET, 3)
    )
    yield {**begun, "interval": [round(1000 * low, 3), round(1000 * high, 3)], "windows": ours.windows}
    shares = {name: _share(quiet.alarmed, quiet) for name, quiet in peers.items()}
    intervals = {n: [round(1000 * b, 1) for b in traces.interval(q.alarmed, q.windows)] for n, q in peers.items()}
    row = _row(case, "windows in alarm", "per 1,000 windows", "lower", _share(ours.alarmed, ours), shares)
    yield {**row, "intervals": intervals}


def _share(count: int, quiet: Quiet) -> float:
    return round(1000 * count / quiet.windows, 3)


def _of_change(each: Outcome) -> Iterator[dict[str, Any]]:
    if OURS not in each.default:
        return
    ours, case = each.default[OURS], each.stream.title
    without = _peers(each.equal)
    beside = {SAME_RATE: each.equal[SAME_RATE]}
    yield {
        **_row(
            case, "rows to the alarm, median", "rows", "lower", _rows(ours.median), _each(without, "median"), goal=1.0
        ),
        "sameRate": _rows(beside[SAME_RATE].median),
        "peersAtDefaults": _each(_peers(each.default), "median"),
    }
    yield _row(case, "rows to the alarm, 90th percentile", "rows", "lower", _rows(ours.p90), _each(without, "p90"))
    missed = {name: _part(delay) for name, delay in without.items()}
    yield _row(case, "changes missed", "1", "lower", _part(ours), missed)
    if labelled := _peers(each.equal, labels=True):
        told = _each(labelled, "median")
        yield _row(
            f"{case}, beside peers that are told labels",
            "rows to the alarm, median",
            "rows",
            "lower",
            _rows(ours.median),
            told,
        )
    if ours.named.right + ours.named.missed:
        for metric, of in (("precision", "precision of columns"), ("recall", "recall of columns")):
            of_peers = {
                n: _rounded(getattr(d.named, metric)) for n, d in without.items() if not n.endswith(("PCA", "MMD"))
            }
            yield _row(case, of, "1", "higher", _rounded(getattr(ours.named, metric)), of_peers)


def _each(delays: Mapping[str, Delay], what: str) -> dict[str, float | None]:
    return {name: _rows(getattr(delay, what)) for name, delay in delays.items()}


def _rows(value: float) -> float | None:
    """A miss is null."""
    return None if math.isinf(value) else value


def _part(delay: Delay) -> float:
    return round(delay.missed / len(delay.rows), 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _of_costs(costs: Mapping[str, Mapping[str, float | None]]) -> Iterator[dict[str, Any]]:
    if (single := costs.get(ONE_BY_ONE, {}).get("record")) is not None:
        yield _row("cost", "recording one row that comes by itself", "us", "lower", round(single, 3), {})
    for key, metric, unit, goal in (
        ("evaluate", "one evaluation of 20 columns", "ms", EVALUATE_MS),
        ("record", "recording one row of 20 columns", "us", COUNT_US),
    ):
        known = {name: round(value, 3) for name, cost in costs.items() if (value := cost.get(key)) is not None}
        if OURS in known:
            peers = {name: value for name, value in known.items() if name in DETECTORS and name != OURS}
            yield _row("cost", metric, unit, "lower", known[OURS], peers, goal=goal)


def _row(
    case: str,
    metric: str,
    unit: str,
    better: str,
    ours: float | None,
    peers: Mapping[str, float | None],
    goal: float | None = None,
) -> dict[str, Any]:
    known = {name: value for name, value in peers.items() if value is not None and name not in (SAME_RATE,)}
    best = (max if better == "higher" else min)(known, key=known.__getitem__) if known else None
    return {
        "case": case,
        "metric": metric,
        "unit": unit,
        "better": better,
        "ours": ours,
        "peers": dict(peers),
        "bestPeer": best,
        "ratio": _ratio(ours, known[best], better) if best is not None else None,
        "floor": None,
        "goal": goal,
    }


def _ratio(ours: float | None, best: float, better: str) -> float | None:
    if ours is None:
        return 0.0
    top, bottom = (ours, best) if better == "higher" else (best, ours)
    if not bottom:
        return 1.0 if not top else None
    return round(top / bottom, 3)


# ---------------------------------------------------------------- to read

SHOWN = (
    OURS,
    SAME_RATE,
    "Evidently",
    "NannyML",
    "NannyML PCA",
    "whylogs",
    "river ADWIN",
    "river PageHinkley",
    "Frouros PSI",
    "Frouros tests",
)
"""Columns of the table; other detectors are in the file."""
WIDTH = 12


def heading(quiet: bool) -> str:
    """The names above the lines, in two rows; false alarms or delays."""
    words = [name.replace(",", "").split(" ", 1) for name in SHOWN]
    what = "windows in alarm of 1,000, nothing changes" if quiet else "rows to the alarm, median of all runs"
    first = "".join(f"{w[0]:>{WIDTH}}" for w in words)
    second = "".join(f"{(w[1] if len(w) > 1 else '')[: WIDTH - 1]:>{WIDTH}}" for w in words)
    return f"{what:<44}{first}\n{'':<44}{second}"


def line(outcome: Outcome) -> str:
    """One stream."""
    if outcome.stream.null:
        cells = [_quiet_cell(outcome.quiet.get(name)) for name in SHOWN]
        mark = "" if OURS not in outcome.quiet or within(outcome.quiet[OURS]) else "  beyond the budget"
    else:
        own = {OURS: outcome.default[OURS]} if OURS in outcome.default else {}
        delays = {**outcome.equal, **own}
        cells = [_delay_cell(delays.get(name)) for name in SHOWN]
        mark = _mark(outcome) if OURS in own else ""
    failed = f"  failed: {', '.join(outcome.failed)}" if outcome.failed else ""
    return f"{outcome.stream.title[:43]:<44}{''.join(f'{cell:>{WIDTH}}' for cell in cells)}{mark}{failed}"


def _mark(outcome: Outcome) -> str:
    if not seen(outcome) or first(outcome):
        return ""
    return "  later than those that judge rows" if first(outcome, by_row=False) else "  later"


def _quiet_cell(quiet: Quiet | None) -> str:
    return "" if quiet is None else f"{1000 * quiet.alarmed / quiet.windows:.3g}"


def _delay_cell(delay: Delay | None) -> str:
    if delay is None:
        return ""
    return "missed" if math.isinf(delay.median) else f"{delay.median:,.0f}"


def summary(made: Sequence[Mapping[str, Any]]) -> str:
    """What all streams together say, and costs, each with its peers."""
    return "\n".join(_told(row) for row in made if row["case"] == "cost" or row["case"].startswith("streams with"))


def _told(row: Mapping[str, Any]) -> str:
    goal = "" if row["goal"] is None else f", goal {row['goal']:g}"
    peers = ", ".join(f"{name} {value:g}" for name, value in row["peers"].items() if value is not None)
    return f"{row['case']}: {row['metric']}: {row['ours']:g} {row['unit']}{goal}{'; ' if peers else ''}{peers}"
