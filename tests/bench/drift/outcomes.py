"""From traces to what one stream says of each detector: false alarms, delays, columns named. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.drift import traces
from tests.bench.drift.methods import DETECTORS, OURS, QUALITY, SAME_RATE
from tests.bench.drift.rounds import Found, Truth
from tests.bench.drift.streams import Stream
from tests.bench.drift.traces import Named, Threshold, Trace


@dataclass(frozen=True)
class Quiet:
    """One detector, as it is set, where nothing changes."""

    alarmed: int
    """Windows in alarm."""
    onsets: int
    """Windows at which an alarm begins."""
    windows: int


@dataclass(frozen=True)
class Delay:
    """One detector at one threshold, behind a change; a run without an alarm counts as infinitely late."""

    rows: tuple[float, ...]
    """Of each repeat."""
    named: Named

    @property
    def median(self) -> float:
        return traces.quantile(self.rows, 0.5)

    @property
    def p90(self) -> float:
        return traces.quantile(self.rows, 0.9)

    @property
    def missed(self) -> int:
        return sum(rows == traces.MISSED for rows in self.rows)


@dataclass(frozen=True)
class Outcome:
    """What one stream says."""

    stream: Stream
    quiet: Mapping[str, Quiet]
    """At defaults; of a stream without a change."""
    default: Mapping[str, Delay]
    """At defaults, `ours` as "Trimtab"; of a stream with one."""
    equal: Mapping[str, Delay]
    """Peers re-thresholded to our rate of false alarms on the stream without the change; ours at the budget that gives peers'
    rate, as `SAME_RATE`."""
    failed: Mapping[str, str]


def outcome(stream: Stream, found: Found) -> Outcome:
    """Of a stream that was shown, after the one that it is judged beside."""
    got = {_title(name, stream): each for name, each in found.traces[stream.key].items() if _counts(name, stream)}
    failed = found.failed[stream.key]
    if stream.null:
        quiet = {n: _quiet(each) for n, each in got.items() if n not in DETECTORS or DETECTORS[n].threshold}
        return Outcome(stream, quiet, {}, {}, failed)
    truths = found.truths[stream.key]
    bars = thresholds(stream, found)
    default = {n: _delay(each, truths, each[0].default) for n, each in got.items() if DETECTORS[n].threshold}
    equal = {n: _delay(each, truths, bars[n]) for n, each in got.items() if n != OURS and n in bars}
    if OURS in got:
        equal[SAME_RATE] = _delay(got[OURS], truths, 0)
    return Outcome(stream, {}, default, equal, failed)


def thresholds(stream: Stream, found: Found) -> dict[str, Threshold | None]:
    """For each peer, the loosest threshold with no more false alarms than ours has, where nothing changes."""
    twin = found.traces.get(stream.family, {})
    ours = [_quiet(each) for name, each in twin.items() if name == stream.subject]
    share = ours[0].alarmed / ours[0].windows if ours else 0.0
    return {name: traces.calibrated(each, share) for name, each in twin.items() if name not in (OURS, QUALITY)}


def _counts(name: str, stream: Stream) -> bool:
    return name not in (OURS, QUALITY) or name == stream.subject


def _title(name: str, stream: Stream) -> str:
    """Ours has one name, whichever of its verdicts is asked."""
    return OURS if name == stream.subject else name


def _quiet(each: Sequence[Trace]) -> Quiet:
    alarmed = [trace.windows(trace.default) for trace in each]
    return Quiet(sum(map(len, alarmed)), sum(map(traces.onsets, alarmed)), sum(len(trace.ends) for trace in each))


def _delay(each: Sequence[Trace], truths: Sequence[Truth], threshold: Threshold | None) -> Delay:
    rows = tuple(traces.delay(t.alarms(threshold), truth.row) for t, truth in zip(each, truths, strict=False))
    counts = [
        traces.named(t, threshold, truth.change or 0, truth.drifted) for t, truth in zip(each, truths, strict=False)
    ]
    return Delay(rows, Named(*map(sum, zip(*counts, strict=True))))
