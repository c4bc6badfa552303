"""Last words: a step's report as its termination message, trimmed until it fits. Never half a JSON, never a control
character."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trimtab.api.evaluation import MetricValue
from trimtab.api.texts import CONTROL
from trimtab.api.wire.runs import TERMINATION_BYTES, Look, Published, StepReport, pack

LOOK_BYTES = 3500
"""A look at a Dataset is alone in its pod, and Kubernetes keeps 4,096 bytes of a container."""
_TAIL = 800
_Trim = Callable[[StepReport], StepReport]


def write(report: StepReport, path: Path, limit: int = TERMINATION_BYTES) -> None:
    """Leave a report where Kubernetes finds it. A place that cannot be written to costs the message, not the step."""
    try:
        path.write_text(fitted(report, limit))
    except OSError as error:
        print(f"the report could not be left at {path}: {error}", file=sys.stderr)


@contextmanager
def will(report: StepReport, path: Path) -> Iterator[None]:
    """Last words for a step that may be ended before it can say any, as native code does that meets a file it cannot bear.
    Nothing is left of them when the work is done, or fails in another way."""
    write(report, path)
    try:
        yield
    finally:
        try:
            path.write_text("")
        except OSError as error:
            print(f"the report could not be taken back from {path}: {error}", file=sys.stderr)


def fitted(report: StepReport, limit: int = TERMINATION_BYTES) -> str:
    """The report as JSON of at most `limit` bytes: what can be spared goes first, step by step.

    A signature that would cost more than words is left to the file in the store, and the words stay.
    """
    whole = _cleaned(report)
    for start, trims in ((whole, _WORDS), (_unsigned(whole), _WORDS), (_unsigned(whole), (*_WORDS, *_FIGURES))):
        text = _trimmed(start, trims, limit)
        if len(text.encode()) <= limit:
            return text
    said = _cut(whole.message or "", 150) or None
    return StepReport(step=report.step, reason=report.reason, message=said, seconds=report.seconds).to_json()


def tail(text: str, limit: int = _TAIL) -> str:
    """The last lines of a log: whole lines where possible, valid text, at most `limit` bytes.

    >>> tail("first\\nsecond\\x1b[31m\\nthird\\n", 16)
    'second[31m\\nthird'
    """
    clean = CONTROL.sub("", text.encode("utf-8", "replace").decode()).strip()
    kept: list[str] = []
    left = limit + 1
    for line in reversed(clean.split("\n")):
        left -= len(line.encode()) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join(reversed(kept)) or clean.encode()[-limit:].decode(errors="ignore")


def _cleaned(report: StepReport) -> StepReport:
    message = CONTROL.sub("", report.message) if report.message else None
    return report.model_copy(
        update={"message": message, "log_tail": tail(report.log_tail) if report.log_tail else None}
    )


def _trimmed(report: StepReport, trims: tuple[_Trim, ...], limit: int) -> str:
    text = report.to_json()
    for trim in trims:
        if len(text.encode()) <= limit:
            break
        report = trim(report)
        text = report.to_json()
    return text


def _look(change: Callable[[Look], Look]) -> _Trim:
    return lambda report: report.model_copy(update={"look": change(report.look)}) if report.look else report


def _published(change: Callable[[Published], Published]) -> _Trim:
    return lambda report: (
        report.model_copy(update={"published": change(report.published)}) if report.published else report
    )


def _packed(look: Look) -> str:
    columns = ",".join(column.model_dump_json(by_alias=True, exclude_none=True) for column in look.columns)
    return pack(f"[{columns}]")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _short_failures(look: Look, length: int, most: int) -> Look:
    failures = tuple(failure.model_copy(update={"message": _cut(failure.message, length)}) for failure in look.failures)
    return look.model_copy(update={"failures": failures[:most]})


def _short_gates(out: Published, length: int) -> Published:
    gates = tuple(gate.model_copy(update={"message": _cut(gate.message, length)}) for gate in out.gates)
    return out.model_copy(update={"gates": gates})


def _bare(metric: MetricValue) -> MetricValue:
    return metric.model_copy(update={"lower": None, "upper": None, "reason": _cut(metric.reason or "", 40) or None})


def _unsigned(report: StepReport) -> StepReport:
    return _published(lambda out: out.model_copy(update={"signature": None}))(report)


def _notes(out: Published, most: int) -> Published:
    return out.model_copy(update={"notes": tuple(_cut(note, 120) for note in out.notes[:most])})


def _tail(report: StepReport, limit: int) -> StepReport:
    return report.model_copy(update={"log_tail": tail(report.log_tail, limit) if report.log_tail and limit else None})


_WORDS: tuple[_Trim, ...] = (
    _look(lambda look: look.model_copy(update={"columns": (), "packed": _packed(look)})),
    _published(lambda out: _notes(out, 3)),
    lambda report: _tail(report, 300),
    _look(lambda look: _short_failures(look, 160, 10)),
    _published(lambda out: _short_gates(out, 160)),
    _published(lambda out: _notes(out, 1)),
    _published(lambda out: _short_gates(out, 80)),
    _published(lambda out: _notes(out, 0)),
)
"""What costs words only, cheapest first."""
_FIGURES: tuple[_Trim, ...] = (
    _look(lambda look: look.model_copy(update={"packed": None})),
    _published(lambda out: out.model_copy(update={"metrics": tuple(map(_bare, out.metrics))})),
    _look(lambda look: _short_failures(look, 80, 3)),
    _published(lambda out: out.model_copy(update={"metrics": out.metrics[:8], "parity": None})),
    lambda report: report.model_copy(update={"message": _cut(report.message or "", 600) or None}),
    lambda report: _tail(report, 0),
    _published(lambda out: out.model_copy(update={"metrics": (), "gates": out.gates[:8]})),
    _look(lambda look: look.model_copy(update={"failures": ()})),
)
"""What costs figures too; they all stand in the files."""
