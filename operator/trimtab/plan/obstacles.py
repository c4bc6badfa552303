"""What keeps a training run from beginning, in the order in which a user would mend it."""

from collections.abc import Mapping
from typing import Any

from trimtab.api.conditions import ConditionType as Type
from trimtab.api.outcomes import Outcome, Stalled, Waiting
from trimtab.api.reasons import CommonReason, DatasetReason
from trimtab.api.reasons import TrainingJobReason as Why
from trimtab.api.trainingjob import Stage, TrainingJobSpec
from trimtab.plan import conditions, inputs
from trimtab.plan.conditions import TRUE
from trimtab.plan.dataset import spec_digest
from trimtab.plan.inputs import Observed

LOOK_AGE = 60.0
"""A look this much older than the run, in seconds, still counts as preceding it."""
ABSENT_AGAIN, BLOCKED_AGAIN = 300.0, 30.0


def in_the_way(observed: Observed, spec: TrainingJobSpec) -> tuple[Outcome | None, Stage]:
    """The first thing that keeps the run from beginning, in the order in which a user would mend them."""
    for check in (_no_model, _no_store, _no_data):  # each may rely on those before it
        if (outcome := check(observed, spec)) is not None:
            return outcome, Stage.PENDING
    if (first := _before(observed)) is not None:
        text = f"TrainingJob {first['metadata']['name']} of the same Model goes first"
        return Waiting(Why.QUEUED, BLOCKED_AGAIN, text), Stage.QUEUED
    return None, Stage.PENDING


def _no_model(observed: Observed, spec: TrainingJobSpec) -> Outcome | None:
    if observed.model is None:
        return Waiting(
            CommonReason.MODEL_NOT_FOUND, ABSENT_AGAIN, f"there is no Model {spec.model_ref.name} in this namespace"
        )
    return None


def _no_store(observed: Observed, spec: TrainingJobSpec) -> Outcome | None:
    assert observed.model is not None
    if inputs.store_of(observed.model, spec.store, observed.defaults) is None:
        return Stalled(
            CommonReason.STORE_MISSING,
            f"neither spec.store of Model {spec.model_ref.name} nor the operator's settings say where versions are kept: "
            "give spec.store.uri, such as s3://bucket/models or pvc://claim/models",
        )
    return None


def _no_data(observed: Observed, spec: TrainingJobSpec) -> Outcome | None:
    training = inputs.training_of(observed, spec)
    since = conditions.instant(observed.run["metadata"]["creationTimestamp"]) - LOOK_AGE
    held_out = training.validation.dataset
    return usable(observed.dataset, training.data.dataset_ref.name, since=since) or (
        usable(observed.validation, held_out.dataset_ref.name, since=since) if held_out is not None else None
    )


def usable(dataset: Mapping[str, Any] | None, name: str, *, since: float) -> Outcome | None:
    """None when a look no older than `since` (seconds since 1970) found data that hold what is expected of them."""
    if dataset is None:
        return Waiting(CommonReason.DATASET_NOT_FOUND, ABSENT_AGAIN, f"there is no Dataset {name} in this namespace")
    status = dataset.get("status", {})
    look, validated = status.get("look"), conditions.find(status, Type.VALIDATED)
    fresh = (
        look is not None and look["specDigest"] == spec_digest(dataset) and conditions.instant(look["time"]) >= since
    )
    if not fresh or validated is None:
        return Waiting(DatasetReason.LOOKING, BLOCKED_AGAIN, f"waiting for a look at Dataset {name}")
    if validated["reason"] == DatasetReason.DATA_UNREADABLE:
        return Waiting(Why.DATA_UNREADABLE, ABSENT_AGAIN, f"Dataset {name} cannot be read: {validated['message']}")
    if validated["status"] != TRUE or "digest" not in status:
        return Stalled(Why.DATA_INVALID, f"Dataset {name} does not hold what is expected of it: {validated['message']}")
    return None


def _before(observed: Observed) -> Mapping[str, Any] | None:
    """The run of the same Model that goes first: one that began, else one that was created earlier."""
    meta = observed.run["metadata"]
    waiting = [run for run in observed.siblings if not inputs.ended(run) and run["metadata"]["uid"] != meta["uid"]]
    begun = [run for run in waiting if run.get("status", {}).get("startTime")]
    if begun:
        return min(begun, key=_rank)
    rank = (meta["creationTimestamp"], meta["name"])
    earlier = [run for run in waiting if not run["spec"].get("suspend") and _rank(run) < rank and _may_begin(run)]
    return min(earlier, key=_rank, default=None)


def _may_begin(run: Mapping[str, Any]) -> bool:
    """A run that waits for its user or its data holds nobody up."""
    ready = conditions.find(run.get("status", {}), Type.READY)
    return ready is None or ready["reason"] in (Why.QUEUED, DatasetReason.LOOKING, Why.ACCEPTED)


def _rank(run: Mapping[str, Any]) -> tuple[str, str]:
    return run["metadata"]["creationTimestamp"], run["metadata"]["name"]
