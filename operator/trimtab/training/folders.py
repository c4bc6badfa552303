"""Where a training pod keeps things, and the run that it was started for. Each folder is mounted only into the steps
that need it."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from trimtab.api.storage import Source, Store
from trimtab.api.wire.base import Location, SchemaTooNewError
from trimtab.api.wire.runs import Run, RunJob
from trimtab.store import claims
from trimtab.training.failures import Reason, StepFailure

RUN = "TRIMTAB_RUN"
TERMINATION = "TRIMTAB_TERMINATION"
DATA_FORMAT = "TRIMTAB_DATA_FORMAT"


@dataclass(frozen=True)
class Folders:
    """The folders of one pod."""

    data: Path
    """fetch writes; train and evaluate read."""
    heldout: Path
    """fetch and evaluate only: the labels that judge."""
    champion: Path
    """fetch and evaluate only."""
    model: Path
    """train, evaluate and publish."""

    @property
    def outcome(self) -> Path:
        """What evaluate leaves for publish: one flat folder, every file of which is published."""
        return self.model / "outcome"


def here() -> Folders:
    """The folders below `TRIMTAB_ROOT`."""
    root = claims.root()
    return Folders(root / "data", root / "heldout", root / "champion", root / "model")


def termination() -> Path:
    """Where Kubernetes picks up the last words of a step."""
    return Path(os.environ.get(TERMINATION, "/dev/termination-log"))


def run() -> Run:
    """Read `run.json`. Raises StepFailure (RunUnreadable)."""
    path = Path(os.environ.get(RUN, "/trimtab/config/run.json"))
    try:
        return Run.from_json(path.read_bytes())
    except OSError as error:
        raise StepFailure(Reason.RUN_UNREADABLE, f"{path} cannot be read: {error.strerror}") from error
    except (ValidationError, SchemaTooNewError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(map(str, first["loc"]))
        raise StepFailure(Reason.RUN_UNREADABLE, f"{path}: {where}: {first['msg']}") from error


def job(run: Run) -> RunJob:
    """The part of a run that trains. Raises StepFailure (RunUnreadable) for a mere look at a Dataset."""
    if run.job is None:
        raise StepFailure(Reason.RUN_UNREADABLE, "this run only looks at a Dataset: it has a fetch step and no other")
    return run.job


def location(of: Source | Store) -> Location:
    """Where a source or store lies, without how it is let in."""
    return Location(uri=of.uri, endpoint=of.endpoint, region=of.region, ca_bundle=of.ca_bundle)
