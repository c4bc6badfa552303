"""The init container: brings the artifact into the folder that the server reads. Only it sees credentials."""

from trimtab.serving import loading
from trimtab.serving.refusal import StartError
from trimtab.serving.settings import Settings
from trimtab.store import fetch
from trimtab.store.faults import Reason, StoreError


def run(settings: Settings) -> None:
    """Fetch and verify; raises `StartError`: ConfigInvalid, DigestMismatch, or `Artifact` and the store's reason."""
    artifact = loading.config(settings.serving).artifact
    try:
        fetch.artifact(artifact.location, artifact.digest, settings.model)
    except StoreError as error:
        reason = error.reason if error.reason is Reason.DIGEST_MISMATCH else f"Artifact{error.reason}"
        raise StartError(str(reason), error.message) from error
