"""From what was measured to the rows of the result, and the rows as a table. Pure.

Values are medians over rounds. A ratio is the median of the ratios within each round, to the peer with the best median: what
disturbs a shared machine for longer than a round disturbs both sides of it. CPU a request is disturbed least. A row without a
number of ours is a failed case.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.bench.serving import goals
from tests.bench.serving.contenders import MLSERVER, MLSERVER_DEFAULT, OURS, UNCONVERTED, UNCOUNTED
from tests.bench.serving.goals import Goal
from tests.bench.serving.measurements import Found, Start
from tests.bench.serving.models import Prepared
from tests.bench.serving.scenarios import parse

_VARIANTS = {OURS, UNCONVERTED, UNCOUNTED}


def rows(found: Found, prepared: Sequence[Prepared]) -> list[dict[str, Any]]:
    """All rows, case by case."""
    titles = {each.workload.key: each.workload.title for each in prepared}
    made: list[dict[str, Any]] = []
    for case in dict.fromkeys([*found.loads, *found.failed]):
        made += _of_case(found, case, f"{titles[case[0]]}, {parse(case[1]).title}")
    made += _of_starts(found.starts)
    made += [_of_parity(each) for each in prepared if each.parity is not None]
    return made


def _of_case(found: Found, case: tuple[str, str], title: str) -> Iterator[dict[str, Any]]:
    loads, failed = found.loads.get(case, {}), found.failed.get(case, {})
    names = [*loads, *failed]
    peers = [name for name in names if name not in _VARIANTS]
    rates, tails = _series(loads, lambda taken: taken.load.rate), _series(loads, lambda taken: taken.load.p99)
    micros = _series(loads, lambda taken: taken.micros)
    if OURS in names:
        yield _row(title, "requests", "1/s", "higher", OURS, peers, rates, goals.RATE.get(case, goals.NONE))
        yield _row(title, "p99", "ms", "lower", OURS, peers, tails, goals.TAIL.get(case, goals.NONE))
        yield _row(title, "CPU a request", "us", "lower", OURS, peers, micros, goals.NONE)
        mlserver = [name for name in peers if name in (MLSERVER, MLSERVER_DEFAULT)]
        if case in goals.MLSERVER and mlserver:
            beside = f"{title}, beside MLServer alone"
            yield _row(beside, "requests", "1/s", "higher", OURS, mlserver, rates, goals.MLSERVER[case])
    if UNCONVERTED in names:
        wanted = goals.UNCONVERTED.get(case, goals.NONE)
        yield _row(f"{title}, unconverted scikit-learn", "requests", "1/s", "higher", UNCONVERTED, peers, rates, wanted)
    if UNCOUNTED in names:
        wanted = goals.COUNTING.get(case, goals.NONE)
        yield _row(f"{title}, cost of counting", "requests", "1/s", "higher", OURS, [UNCOUNTED], rates, wanted)
        yield _row(f"{title}, cost of counting", "CPU a request", "us", "lower", OURS, [UNCOUNTED], micros, goals.NONE)


def _of_starts(starts: dict[str, list[Start]]) -> Iterator[dict[str, Any]]:
    if not starts:
        return
    peers = [name for name in starts if name != OURS]
    seconds, memory = _series(starts, lambda start: start.seconds), _series(starts, lambda start: start.megabytes)
    yield _row("start of a process to ready", "time", "s", "lower", OURS, peers, seconds, goals.READY)
    yield _row("resident memory when ready", "memory", "MB", "lower", OURS, peers, memory, goals.MEMORY)


def _of_parity(prepared: Prepared) -> dict[str, Any]:
    assert prepared.parity is not None
    wrong = float(prepared.parity.label_mismatches)
    title = f"{prepared.workload.title}, served as {prepared.format}, parity check of {prepared.parity.rows} rows"
    found = {OURS: [wrong], "limit": [0.0]}
    made = _row(title, "other labels than scikit-learn's", "rows", "lower", OURS, ["limit"], found, goals.PARITY)
    return {**made, "ratio": 0.0 if wrong else 1.0}


def _series(of: dict[str, list[Any]], value: Callable[[Any], float]) -> dict[str, list[float]]:
    return {name: [value(each) for each in values] for name, values in of.items()}


def _row(
    case: str,
    metric: str,
    unit: str,
    better: str,
    subject: str,
    peers: Sequence[str],
    series: dict[str, list[float]],
    wanted: Goal,
) -> dict[str, Any]:
    medians = {name: statistics.median(series[name]) if series.get(name) else None for name in (subject, *peers)}
    known = {name: value for name in peers if (value := medians[name]) is not None}
    best = (max if better == "higher" else min)(known, key=known.__getitem__) if known else None
    ours = medians[subject]
    ratio = _ratio(series[subject], series[best], better) if best and ours is not None else None
    return {
        "case": case,
        "metric": metric,
        "unit": unit,
        "better": better,
        "ours": _rounded(ours),
        "peers": {name: _rounded(medians[name]) for name in peers},
        "bestPeer": best,
        "ratio": _rounded(ratio),
        "floor": wanted.floor,
        "goal": wanted.goal,
    }


def _ratio(ours: list[float], best: list[float], better: str) -> float | None:
    pairs = [(a, b) if better == "higher" else (b, a) for a, b in zip(ours, best, strict=False)]
    ratios = [top / bottom for top, bottom in pairs if bottom]
    return statistics.median(ratios) if ratios else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def meets(row: dict[str, Any]) -> str:
    """`yes` or `no`, and nothing where no floor is set; a case without a number meets none."""
    if row["floor"] is None:
        return ""
    return "yes" if row["ratio"] is not None and row["ratio"] >= row["floor"] else "no"


def table(made: Sequence[dict[str, Any]]) -> str:
    """All rows to read, each with its peers below."""
    lines = []
    for row in made:
        lines.append(f"{row['case']}: {row['metric']}, {row['unit']}")
        lines.append("   " + ", ".join(f"{n} {_number(v)}" for n, v in {"ours": row["ours"], **row["peers"]}.items()))
        verdict = f"; floor {row['floor'] or '-'}, goal {row['goal'] or '-'}" if row["floor"] or row["goal"] else ""
        verdict += f"; meets floor: {meets(row)}" if meets(row) else ""
        lines.append(f"   ratio {_number(row['ratio'])} to {row['bestPeer'] or 'nobody'}{verdict}")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "failed"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
