"""Conditions: their shape, their types, and which way each is good. The reasons are in `reasons`.

`Ready` sums up the spec as written. `Reconciling` and `Stalled` exist only while True, and never both. All others are
positive; `Unknown` is an honest answer and never counts as good.
"""

from __future__ import annotations

from enum import StrEnum

from trimtab.api.quantities import Count, Instant
from trimtab.api.reasons import Word
from trimtab.api.shape import Shape
from trimtab.api.texts import Message, ReasonWord

__all__ = ["ABSENT_WHEN_FALSE", "GOOD", "KINDS_OWN", "Condition", "ConditionStatus", "ConditionType"]


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionType(Word):
    """Every condition that the operator writes."""

    READY = "Ready", "The spec as written is in force."
    RECONCILING = "Reconciling", "Only while True: the operator is at work on the spec as written."
    STALLED = "Stalled", "Only while True: the user must act, and the operator waits for a change."
    VALIDATED = "Validated", "All expectations hold of the data seen last."
    TRAINED = "Trained", "The newest run ended with a version."
    PROMOTION_SUCCEEDED = "PromotionSucceeded", "The champion is the version that gates, approvals and pin ask for."
    SUCCEEDED = "Succeeded", "It ended and left a version behind."
    VERIFIED = "Verified", "The artifact was seen whole and loads."
    AVAILABLE = "Available", "Enough replicas answer requests."
    ROLLOUT_SUCCEEDED = "RolloutSucceeded", "The wanted version serves alone."
    IN_DISTRIBUTION = "InDistribution", "What is asked resembles the reference."
    DATA_QUALITY = "DataQuality", "Values arrive whole, in the right form."


GOOD: dict[ConditionType, ConditionStatus] = {
    kind: ConditionStatus.FALSE if kind in ("Reconciling", "Stalled") else ConditionStatus.TRUE
    for kind in ConditionType
}
"""The polarity table: the status that means well."""

ABSENT_WHEN_FALSE = frozenset({ConditionType.RECONCILING, ConditionType.STALLED})
"""Conditions that are left out of the list unless True, as kstatus expects."""

KINDS_OWN: dict[str, tuple[ConditionType, ...]] = {
    "Dataset": (ConditionType.VALIDATED,),
    "Model": (ConditionType.TRAINED, ConditionType.PROMOTION_SUCCEEDED),
    "TrainingJob": (ConditionType.SUCCEEDED,),
    "ModelVersion": (ConditionType.VERIFIED,),
    "ModelDeployment": (
        ConditionType.AVAILABLE,
        ConditionType.ROLLOUT_SUCCEEDED,
        ConditionType.IN_DISTRIBUTION,
        ConditionType.DATA_QUALITY,
    ),
}
"""The conditions that each kind carries beside Ready, Reconciling and Stalled."""


class Condition(Shape):
    """One observation, in the form that all of Kubernetes uses."""

    type: ReasonWord
    """Name of the condition."""
    status: ConditionStatus
    """True, False, or Unknown when it cannot be told."""
    reason: ReasonWord
    """Why, as one word for machines."""
    message: Message
    """Why, as a sentence for people that says what to do next."""
    last_transition_time: Instant
    """When `status` last changed."""
    observed_generation: Count | None = None
    """Generation of the spec that this condition speaks of."""
