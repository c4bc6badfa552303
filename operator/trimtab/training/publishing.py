"""The publish step: the outcome into the store, manifest last, and its headline as last words. Sees credentials of
the store only."""

import json

from msgspec.structs import replace

from trimtab.api.evaluation import MetricValue
from trimtab.api.wire.base import Location
from trimtab.api.wire.models import Manifest, Parity
from trimtab.api.wire.runs import Published, Run, RunJob, StepReport, pack
from trimtab.store import publish
from trimtab.training import folders, handover
from trimtab.training.failures import Reason, StepFailure
from trimtab.training.folders import Folders

DIGITS = 6
"""Significant digits of the numbers in the message; the files have them all."""


def step(run: Run, here: Folders) -> StepReport:
    """Upload `outcome`. Where this run's folder in the store is complete already, that is the answer, whatever was made since."""
    job = folders.job(run)
    place = destination(run, job)
    done = publish.found(place)
    if done is not None:
        digest, manifest = done
        report, signature = _stored(place)
        print(f"publish: {place.uri} is complete already")
        return _published(f"{place.uri}/manifest.json", digest, manifest, report, signature)
    path = here.outcome / handover.REPORT
    if not path.is_file():
        raise StepFailure(Reason.NO_MODEL_WRITTEN, f"evaluate left nothing to publish in {here.outcome}")
    report = handover.read(handover.Report, path)
    manifest = publish.manifest_of(here.outcome, report.format)
    uri, digest = publish.folder(here.outcome, manifest, place)
    print(f"publish: {uri} {digest}")
    return _published(uri, digest, manifest, report, (here.outcome / handover.SIGNATURE).read_text())


def destination(run: Run, job: RunJob) -> Location:
    """`<store>/<namespace>/<model>/<TrainingJob's name>-<first 8 of its uid>`, the same in every attempt."""
    store = folders.location(job.store)
    folder = f"{store.uri.rstrip('/')}/{run.namespace}/{job.model}/{run.name}-{run.uid[:8]}"
    return replace(store, uri=folder)


def _stored(place: Location) -> tuple[handover.Report, str]:
    report = publish.read(place, handover.REPORT)
    return handover.Report.from_json(report), publish.read(place, handover.SIGNATURE).decode()


def _published(uri: str, digest: str, manifest: Manifest, report: handover.Report, signature: str) -> StepReport:
    compact = json.dumps(json.loads(signature), separators=(",", ":"), ensure_ascii=False)
    published = Published(
        uri=uri,
        digest=digest,
        format=manifest.format,
        bytes=sum(entry.bytes for entry in manifest.files),
        rows=report.rows,
        data_digest=report.data_digest,
        profile_digest=report.profile_digest,
        parameters_digest=report.parameters_digest,
        trained_until=report.trained_until,
        twin_trained_until=report.twin_trained_until,
        metrics=tuple(_short(metric) for metric in report.metrics),
        gates=tuple(
            gate.model_copy(update={"value": _rounded(gate.value), "bound": _rounded(gate.bound)})
            for gate in report.gates
        ),
        parity=_shorter(report.parity) if report.parity else None,
        signature=pack(compact),
        notes=report.notes,
    )
    return StepReport(step="publish", published=published)


def _short(metric: MetricValue) -> MetricValue:
    return metric.model_copy(update={name: _rounded(getattr(metric, name)) for name in ("value", "lower", "upper")})


def _shorter(parity: Parity) -> Parity:
    return replace(parity, max_difference=float(f"{parity.max_difference:.{DIGITS}g}"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")
