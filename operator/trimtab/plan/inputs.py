"""What a training run is given: what was observed of it, and all that it will ever read, resolved once as it is now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from trimtab.api.dataset import Dataset
from trimtab.api.model import Model
from trimtab.api.storage import Store
from trimtab.api.training import Training
from trimtab.api.trainingjob import Stage, TrainingJobSpec
from trimtab.api.wire.base import Location
from trimtab.api.wire.runs import Champion, Run, RunJob
from trimtab.plan.defaults import Defaults
from trimtab.plan.intent import Object
from trimtab.plan.jobs import RUN_FILE, JobView

ENDED = frozenset({Stage.SUCCEEDED, Stage.FAILED})


@dataclass(frozen=True, slots=True)
class Observed:
    """A run and all that decides about it. `siblings` are the other runs of its Model, read live where it matters."""

    run: Object
    model: Object | None
    dataset: Object | None
    validation: Object | None
    config: Object | None
    view: JobView | None
    version: Object | None
    """The ModelVersion that this run left behind."""
    champion: Object | None
    siblings: tuple[Object, ...]
    defaults: Defaults


def ended(run: Mapping[str, Any]) -> bool:
    """Whether a TrainingJob has ended, by its own status."""
    return run.get("status", {}).get("stage") in ENDED


def store_of(model: Mapping[str, Any], own: Store | None, defaults: Defaults) -> Store | None:
    """Where a run of this Model writes."""
    if own is not None:
        return own
    store = Model.model_validate(model).spec.store
    if store is None and defaults.store_claim:
        return Store(uri=f"pvc://{defaults.store_claim}/models")
    return store


def training_of(observed: Observed, spec: TrainingJobSpec) -> Training:
    assert observed.model is not None
    return spec.training or Model.model_validate(observed.model).spec.training


def resolve(observed: Observed, spec: TrainingJobSpec) -> Run:
    """All that the run will ever read, as it is now."""
    assert observed.model is not None
    assert observed.dataset is not None
    model = Model.model_validate(observed.model).spec
    training = training_of(observed, spec)
    store = store_of(observed.model, spec.store, observed.defaults)
    assert store is not None
    meta = observed.run["metadata"]
    job = RunJob(
        model=spec.model_ref.name,
        task=model.task.value,
        training=training,
        metrics=tuple(model.metrics or ()),
        gates=tuple(model.gates if spec.gates is None else spec.gates),
        store=store,
        validation_data=Dataset.model_validate(observed.validation).spec if observed.validation else None,
        champion=_champion(observed),
        expected_digest=observed.dataset["status"]["digest"],
        image=training.container.image if training.container else observed.defaults.trainer_image,
    )
    data = Dataset.model_validate(observed.dataset).spec
    return Run(namespace=meta["namespace"], name=meta["name"], uid=meta["uid"], data=data, job=job)


def _champion(observed: Observed) -> Champion | None:
    if observed.champion is None:
        return None
    spec = observed.champion["spec"]
    artifact = spec["artifact"]
    location = Location.from_plain(artifact)
    return Champion(
        version=spec["version"],
        name=observed.champion["metadata"]["name"],
        location=location,
        digest=artifact["digest"],
        format=artifact["format"],
        twin_trained_until=spec.get("lineage", {}).get("twinTrainedUntil"),
    )


def resolved(observed: Observed) -> Run | None:
    """What the run was resolved to; None when its ConfigMap is gone, or cannot be read any more."""
    text = ((observed.config or {}).get("data") or {}).get(RUN_FILE)
    if text is None:
        return None
    try:
        run = Run.from_json(text)
    except ValidationError:
        return None
    return run if run.job is not None else None
