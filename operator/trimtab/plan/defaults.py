"""What the admin set for all objects, as far as decisions read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defaults:
    """Images of the pods that Trimtab makes, and what stands in for what a user left open."""

    server_image: str
    trainer_image: str
    store_claim: str = ""
    operator_namespace: str = "trimtab-system"
