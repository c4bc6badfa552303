"""Last words: always whole, always short enough."""

import json

import pytest

from trimtab.api.dataset import ExpectationFailure, SeenColumn
from trimtab.api.evaluation import GateResult, MetricValue
from trimtab.api.wire.models import Parity
from trimtab.api.wire.runs import Look, Published, StepReport, pack, report_from_message, unpack
from trimtab.training import message

DIGEST = "sha256:" + "a" * 64


def look(columns: int = 5, failures: int = 0) -> StepReport:
    return StepReport(
        step="fetch",
        look=Look(
            digest=DIGEST,
            rows=10,
            bytes=100,
            columns=tuple(SeenColumn(name=f"a column with the number {i}", type="Number") for i in range(columns)),
            failures=tuple(
                ExpectationFailure(column=f"c{i}", rule="min", rows=i, share="1%", message="é" * 200)
                for i in range(failures)
            ),
        ),
    )


def published(metrics: int = 3, gates: int = 2, signature: int = 100, notes: int = 1) -> StepReport:
    return StepReport(
        step="publish",
        published=Published(
            uri="s3://models/late/manifest.json",
            digest=DIGEST,
            format="ONNX",
            bytes=1,
            rows=1,
            data_digest=DIGEST,
            profile_digest=DIGEST,
            parameters_digest=DIGEST,
            metrics=tuple(
                MetricValue(name=f"metric_{i}", value=0.123456, lower=0.1, upper=0.2) for i in range(metrics)
            ),
            gates=tuple(
                GateResult(name=f"g{i}", verdict="Passed", value=1.0, message="word " * 60) for i in range(gates)
            ),
            parity=Parity(rows=10, label_mismatches=0, max_difference=0.0),
            signature="s" * signature,
            notes=tuple("note " * 80 for _ in range(notes)),
        ),
    )


def test_a_short_report_stays_as_it_is() -> None:
    text = message.fitted(look())
    assert report_from_message(text) == look()


@pytest.mark.parametrize(
    "report",
    [
        look(columns=200),
        look(columns=2000),
        look(columns=50, failures=100),
        published(signature=5000),
        published(metrics=50, gates=20, signature=900, notes=10),
        StepReport(step="train", reason="FitRefused", message="x" * 9000, log_tail="line\n" * 4000),
        StepReport(step="train", reason="FitRefused", message="漢" * 9000, log_tail="漢" * 4000),
        StepReport(step="train", reason="FitRefused", message="\u2028é\x1b[31m\x00" * 900, log_tail="\x07" * 4000),
    ],
)
@pytest.mark.parametrize("limit", [2000, 3500])
def test_any_report_fits_and_can_still_be_read(report: StepReport, limit: int) -> None:
    text = message.fitted(report, limit)
    assert len(text.encode()) <= limit
    read = report_from_message(text)
    assert read is not None
    assert read.step == report.step
    if report.look:
        assert read.look is not None
        assert read.look.digest == DIGEST
    if report.published:
        assert read.published is not None
        assert (read.published.uri, read.published.digest) == (report.published.uri, DIGEST)


def test_columns_are_packed_before_they_are_dropped() -> None:
    read = report_from_message(message.fitted(look(columns=60)))
    assert read is not None
    assert read.look is not None
    assert not read.look.columns
    assert read.look.packed is not None
    assert json.loads(unpack(read.look.packed))[59] == {"name": "a column with the number 59", "type": "Number"}


def test_a_signature_that_fits_when_messages_are_cut_is_kept() -> None:
    read = report_from_message(message.fitted(published(gates=5, signature=400, notes=3)))
    assert read is not None
    assert read.published is not None
    assert read.published.signature == "s" * 400
    assert len(read.published.metrics) == 3


def test_a_signature_too_big_is_dropped_and_the_metrics_stay() -> None:
    read = report_from_message(message.fitted(published(signature=1900)))
    assert read is not None
    assert read.published is not None
    assert read.published.signature is None
    assert [metric.upper for metric in read.published.metrics] == [0.2, 0.2, 0.2]
    assert read.published.notes[0].startswith("note note"), "words are not given up for nothing"


def test_a_tail_is_whole_lines_without_control_characters() -> None:
    log = "".join(f"line {i}\x1b[0m\r\n" for i in range(1000))
    tail = message.tail(log, 100)
    assert len(tail.encode()) <= 100
    assert tail.splitlines()[-1] == "line 999[0m"
    assert all(line.startswith("line ") for line in tail.splitlines())


def test_a_tail_never_splits_a_character() -> None:
    assert set(message.tail("é" * 1000, 101)) == {"é"}


def test_packing_is_worth_it() -> None:
    text = json.dumps([{"name": f"column {i}", "type": "Number"} for i in range(100)])
    assert len(pack(text)) < len(text) / 5
