"""The Job of a training run: four steps, each of which sees what it needs and nothing else.

fetch has the credentials of data and store; train sees rows without held-out labels and no credentials; evaluate has the
labels and no credentials; publish has those of the store. So no code of a user's sees a secret or the labels that judge it.
"""

from collections.abc import Mapping
from typing import Any

from trimtab.api.meta import Annotation
from trimtab.api.pods import Resources
from trimtab.api.quantities import parse_duration
from trimtab.api.storage import Credentials
from trimtab.api.wire.runs import RunJob
from trimtab.plan import pods
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Object
from trimtab.plan.jobs import Step, job

SMALL = {"cpu": "100m", "memory": "256Mi"}
ROOM = {"memory": "2Gi"}
TRAIN = {"cpu": "500m", "memory": "512Mi"}
FOLDERS = ("data", "heldout", "champion", "model")


def training_job(
    parent: Mapping[str, Any],
    name: str,
    labels: Mapping[str, str],
    run: RunJob,
    data: tuple[str, Credentials | None],
    defaults: Defaults,
) -> Object:
    """The Job of a run that was resolved. `data` is the Dataset's URI and credentials."""
    return job(
        parent,
        name,
        labels,
        [_fetch(run, data, defaults), _train(run, defaults), _evaluate(run, defaults), _publish(run, defaults)],
        config=name,
        folders=FOLDERS,
        claims=_claims(run, data[0]),
        retries=run.training.retries,
        timeout=parse_duration(run.training.timeout),
        room=pods.room(run.training.resources),
        settings=run.training.pod,
        annotations={Annotation.INPUTS: name},
    )


def _claims(run: RunJob, data: str) -> list[str]:
    """Claims that fetch reads, each once: data, held-out data, store, and where the champion lies if the store moved."""
    addresses = [data, run.store.uri]
    addresses += [run.validation_data.source.uri] if run.validation_data else []
    addresses += [run.champion.location.uri] if run.champion else []
    return list(dict.fromkeys(claim for address in addresses if (claim := pods.claim_of(address)) is not None))


def _mount(folder: str, *, read_only: bool = False) -> Object:
    return pods.mount(folder, f"{pods.ROOT}/{folder}", read_only=read_only)


def _small(run: RunJob) -> Object:
    """Of the steps that compute nothing: less is set aside, unless the user says how much."""
    return pods.resources(pods.without_devices(run.training.resources), SMALL, ROOM)


def _fetch(run: RunJob, data: tuple[str, Credentials | None], defaults: Defaults) -> Step:
    uri, let_in = data
    validation = run.validation_data.source.credentials if run.validation_data else None
    return Step(
        name="fetch",
        image=defaults.trainer_image,
        args=("fetch",),
        resources=_small(run),
        mounts=(
            _mount("data"),
            _mount("heldout"),
            _mount("champion"),
            *[pods.claim_mount(claim, read_only=True) for claim in _claims(run, uri)],
        ),
        secrets=(
            *pods.credentials("DATA_", let_in),
            *pods.credentials("VALIDATION_", validation),
            *pods.credentials("STORE_", run.store.credentials),
        ),
        extra={"TRIMTAB_DATA_FORMAT": "csv"} if run.training.container else None,
    )


def _train(run: RunJob, defaults: Defaults) -> Step:
    mounts = (_mount("data", read_only=True), _mount("model"))
    container = run.training.container
    if container is None:
        return Step(
            name="train",
            image=defaults.trainer_image,
            args=("train",),
            resources=pods.resources(run.training.resources, TRAIN, ROOM),
            mounts=mounts,
        )
    return Step(
        name="train",
        image=container.image,
        command=tuple(container.command or ()),
        args=tuple(container.args or ()),
        env=tuple(container.env),
        resources=pods.resources(run.training.resources, TRAIN, ROOM),
        mounts=mounts,
        read_only_root=False,
        ours=False,
        extra={
            "TRIMTAB_DATA": f"{pods.ROOT}/data",
            "TRIMTAB_MODEL": f"{pods.ROOT}/model",
            "TRIMTAB_SEED": str(run.training.seed),
        },
    )


def _evaluate(run: RunJob, defaults: Defaults) -> Step:
    asked: Resources | None = run.training.resources
    return Step(
        name="evaluate",
        image=defaults.trainer_image,
        args=("evaluate",),
        resources=pods.resources(asked, TRAIN, ROOM),
        mounts=(
            _mount("data", read_only=True),
            _mount("heldout", read_only=True),
            _mount("champion", read_only=True),
            _mount("model"),
        ),
    )


def _publish(run: RunJob, defaults: Defaults) -> Step:
    claim = pods.claim_of(run.store.uri)
    return Step(
        name="publish",
        image=defaults.trainer_image,
        args=("publish",),
        resources=_small(run),
        mounts=(_mount("model", read_only=True), *([pods.claim_mount(claim, read_only=False)] if claim else [])),
        secrets=tuple(pods.credentials("STORE_", run.store.credentials)),
    )
